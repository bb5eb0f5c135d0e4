/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/endpoint.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

#include "base/auto.h"
#include "kube/ca_file.h"
#include "kube/proxy.h"

enum { CONNECT_TIMEOUT_MS = 30000, KEEPALIVE_IDLE_S = 30, KEEPALIVE_INTERVAL_S = 10 };
/* libcurl's own choice for what is sent. */
enum { UPLOAD_MAX = 64 << 10 };

/* The pieces of the server's URL, which begins with a scheme (kube/target.h). */
struct url {
	char *scheme, *host, *port, *path; /* an IPv6 host keeps its brackets */
};

static void url_done(struct url *u)
{
	free(u->scheme);
	free(u->host);
	free(u->port);
	free(u->path);
}

static int url_parse(struct url *u, const char *text, struct error *err)
{
	const char *host = strstr(text, "://") + 3;
	const char *path = host + strcspn(host, "/");
	const char *bracket = *host == '[' ? memchr(host, ']', (size_t)(path - host)) : host;
	const char *port = bracket ? memchr(bracket, ':', (size_t)(path - bracket)) : NULL;
	const char *end = port ? port : path;

	AUTO_FREE char *shown = url_redacted(text);

	if (!bracket || end == host || memchr(host, '@', (size_t)(path - host)))
		return error_set(err, -EINVAL, "server %s: must be https://HOST[:PORT][/PATH]",
				 shown);
	u->scheme = xstrndup(text, (size_t)(host - 3 - text));
	u->host = xstrndup(host, (size_t)(end - host));
	u->port = port ? xstrndup(port + 1, (size_t)(path - port - 1))
		       : xstrdup(strcasecmp(u->scheme, "https") == 0 ? "443" : "80");
	u->path = xstrdup(path);
	return 0;
}

/* libcurl checks the certificate against the URL's host: so tls-server-name becomes that host, and
 * CONNECT_TO says where it really is. */
static void use_server_name(struct endpoint *e, const struct url *u, const char *name)
{
	AUTO_FREE char *route = xasprintf("%s:%s:%s:%s", name, u->port, u->host, u->port);

	free(e->base);
	e->base = xasprintf("%s://%s:%s%s", u->scheme, name, u->port, u->path);
	e->host_header = xasprintf("Host: %s:%s", u->host, u->port);
	e->connect_to = curl_slist_append(NULL, route);
}

/* The kubeconfig's, else the environment's. A socks5 proxy resolves names itself, as with Go. */
static int choose_proxy(struct endpoint *e, const struct url *u, struct error *err)
{
	const struct proxy_environment env = proxy_environment();
	const char *given = e->target->cluster.proxy_url;
	AUTO_FREE char *proxy = given ? xstrdup(given) : NULL;

	if (!proxy && proxy_choose(&env, u->scheme, u->host, u->port, &proxy, err) < 0)
		return -EINVAL;
	e->proxy = strncasecmp(proxy, "socks5://", 9) == 0 ? xasprintf("socks5h://%s", proxy + 9)
							   : TAKE(proxy);
	return 0;
}

int endpoint_init(struct endpoint *e, const struct kube_target *t, struct error *err)
{
	AUTO(url_done) struct url u = { 0 };
	const struct kube_cluster *c = &t->cluster;

	*e = (struct endpoint){ .target = t };
	if (url_parse(&u, c->server, err) < 0)
		return -EINVAL;
	e->base = xstrdup(c->server);
	if (c->tls_server_name)
		use_server_name(e, &u, c->tls_server_name);
	size_t n = strlen(e->base);
	if (n > 0 && e->base[n - 1] == '/')
		e->base[n - 1] = '\0';
	return choose_proxy(e, &u, err);
}

void endpoint_done(struct endpoint *e)
{
	free(e->base);
	free(e->host_header);
	free(e->proxy);
	free(e->user_agent);
	curl_slist_free_all(e->connect_to);
	*e = (struct endpoint){ 0 };
}

static void set_blob(CURL *easy, CURLoption option, struct slice data)
{
	struct curl_blob blob = { (void *)(uintptr_t)data.s, data.n, CURL_BLOB_COPY };

	curl_easy_setopt(easy, option, &blob);
}

/* What is trusted. libcurl has the same options once more for an https proxy, where Go takes the
 * cluster's. */
struct trust {
	CURLoption version, verifies_peer, verifies_host, ca_path, ca_file, ca_blob;
};

static const struct trust server_trust = {
	.version = CURLOPT_SSLVERSION,
	.verifies_peer = CURLOPT_SSL_VERIFYPEER,
	.verifies_host = CURLOPT_SSL_VERIFYHOST,
	.ca_path = CURLOPT_CAPATH,
	.ca_file = CURLOPT_CAINFO,
	.ca_blob = CURLOPT_CAINFO_BLOB,
};

static const struct trust proxy_trust = {
	.version = CURLOPT_PROXY_SSLVERSION,
	.verifies_peer = CURLOPT_PROXY_SSL_VERIFYPEER,
	.verifies_host = CURLOPT_PROXY_SSL_VERIFYHOST,
	.ca_path = CURLOPT_PROXY_CAPATH,
	.ca_file = CURLOPT_PROXY_CAINFO,
	.ca_blob = CURLOPT_PROXY_CAINFO_BLOB,
};

static void set_trust(const struct kube_cluster *c, const struct trust *t, CURL *easy)
{
	curl_easy_setopt(easy, t->version, (long)CURL_SSLVERSION_TLSv1_2);
	if (c->is_insecure) {
		curl_easy_setopt(easy, t->verifies_peer, 0L);
		curl_easy_setopt(easy, t->verifies_host, 0L);
	}
	if (c->ca_data.s || c->ca_file)
		curl_easy_setopt(easy, t->ca_path, NULL);
	const char *file =
		c->ca_file ? c->ca_file : ca_file_find(curl_version_info(CURLVERSION_NOW)->cainfo);
	if (c->ca_data.s)
		set_blob(easy, t->ca_blob, c->ca_data);
	else if (file)
		curl_easy_setopt(easy, t->ca_file, file);
}

/* Only libcurl on OpenSSL lists a certificate's extensions. */
static bool lists_extensions(void)
{
	const char *tls = curl_version_info(CURLVERSION_NOW)->ssl_version;

	return tls && strncmp(tls, "OpenSSL/", 8) == 0;
}

bool endpoint_has_alternative_name(CURL *easy)
{
	static const char label[] = "X509v3 Subject Alternative Name:";
	struct curl_certinfo *chain = NULL;

	curl_easy_getinfo(easy, CURLINFO_CERTINFO, &chain);
	if (!chain || chain->num_of_certs == 0)
		return true;
	for (const struct curl_slist *line = chain->certinfo[0]; line; line = line->next)
		if (strncmp(line->data, label, sizeof(label) - 1) == 0)
			return strstr(line->data, "DNS:") || strstr(line->data, "IP Address:");
	return false;
}

static void set_tls(const struct endpoint *e, CURL *easy, const struct kube_identity *id)
{
	set_trust(&e->target->cluster, &server_trust, easy);
	set_trust(&e->target->cluster, &proxy_trust, easy);
	curl_easy_setopt(easy, CURLOPT_CERTINFO,
			 !e->target->cluster.is_insecure && lists_extensions() ? 1L : 0L);
	if (id->cert.n)
		set_blob(easy, CURLOPT_SSLCERT_BLOB, id->cert);
	else if (id->cert_file)
		curl_easy_setopt(easy, CURLOPT_SSLCERT, id->cert_file);
	if (id->key.n)
		set_blob(easy, CURLOPT_SSLKEY_BLOB, id->key);
	else if (id->key_file)
		curl_easy_setopt(easy, CURLOPT_SSLKEY, id->key_file);
}

static void set_transport(const struct endpoint *e, CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)e->buffer_bytes);
	if (e->buffer_bytes < UPLOAD_MAX)
		curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)e->buffer_bytes);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_IDLE_S);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, (long)KEEPALIVE_INTERVAL_S);
	curl_easy_setopt(easy, CURLOPT_PROXY, e->proxy);
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
	if (e->connect_to)
		curl_easy_setopt(easy, CURLOPT_CONNECT_TO, e->connect_to);
}

int64_t endpoint_timeout(const struct endpoint *e, const struct http_call *call)
{
	int64_t own = call->timeout_ms, all = e->target->timeout_ms;

	if (own < 0)
		return 0;
	return !own ? all : !all || own < all ? own : all;
}

static void set_limits(const struct endpoint *e, CURL *easy, const struct http_call *call,
		       int left_ms)
{
	bool compresses = !call->is_stream && !e->target->cluster.disables_compression;

	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, compresses ? "gzip" : NULL);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, left_ms == INT_MAX ? 0L : (long)left_ms);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, call->is_stream ? 0L : 64L);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME,
			 call->is_stream ? 0L : (long)e->stall_seconds);
}

static void add_header(struct curl_slist **list, const char *name, const char *value)
{
	AUTO_FREE char *line = xasprintf("%s: %s", name, value);

	*list = curl_slist_append(*list, line);
}

/* Impersonate-Extra-<key>: lower case, and what no header name may hold in percent form. */
static void add_extra(struct curl_slist **list, const struct kube_pair *extra)
{
	static const char legal[] = "abcdefghijklmnopqrstuvwxyz0123456789!#$&'*+-.^_`|~";
	AUTO(str_done) struct str name = STR_INIT;

	str_add(&name, "Impersonate-Extra-");
	for (const char *p = extra->name; *p; p++) {
		char c = *p;

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (strchr(legal, c))
			str_addc(&name, c);
		else
			str_addf(&name, "%%%02X", (unsigned char)c);
	}
	add_header(list, name.s, extra->value);
}

static void add_impersonation(struct curl_slist **list, const struct kube_user *u)
{
	if (u->as)
		add_header(list, "Impersonate-User", u->as);
	if (u->as_uid)
		add_header(list, "Impersonate-Uid", u->as_uid);
	for (size_t i = 0; i < u->as_groups.n; i++)
		add_header(list, "Impersonate-Group", u->as_groups.items[i]);
	for (size_t i = 0; i < u->n_as_extra; i++)
		add_extra(list, &u->as_extra[i]);
}

static struct curl_slist *make_headers(const struct endpoint *e, const struct http_call *call,
				       const struct kube_identity *id)
{
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");

	if (e->host_header)
		list = curl_slist_append(list, e->host_header);
	add_header(&list, "Accept", call->accept ? call->accept : "application/json");
	if (call->body.s)
		add_header(&list, "Content-Type", call->content_type);
	if (call->authorization) {
		add_header(&list, "Authorization", call->authorization);
	} else if (id->token) {
		AUTO_FREE char *bearer = xasprintf("Bearer %s", id->token);

		add_header(&list, "Authorization", bearer);
	}
	add_impersonation(&list, &e->target->user);
	return list;
}

static void set_method(CURL *easy, const struct http_call *call)
{
	if (call->body.s) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.n);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body.s);
	} else {
		curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
	}
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->method);
}

void endpoint_prepare(const struct endpoint *e, CURL *easy, const struct kube_identity *id)
{
	curl_easy_setopt(easy, CURLOPT_USERAGENT, e->user_agent);
	set_transport(e, easy);
	set_tls(e, easy, id);
	if (id->username || id->password) {
		curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(easy, CURLOPT_USERNAME, id->username ? id->username : "");
		curl_easy_setopt(easy, CURLOPT_PASSWORD, id->password ? id->password : "");
	}
}

void endpoint_aim(const struct endpoint *e, CURL *easy, const struct http_call *call, int left_ms,
		  const struct kube_identity *id, struct curl_slist **ret_headers)
{
	AUTO_FREE char *url = xasprintf("%s%s", e->base, call->path);

	curl_easy_setopt(easy, CURLOPT_URL, url);
	set_limits(e, easy, call, left_ms);
	set_method(easy, call);
	*ret_headers = make_headers(e, call, id);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, *ret_headers);
}

static int code_to_errno(CURLcode code)
{
	static const struct {
		CURLcode curl;
		int code;
	} rows[] = {
		{ CURLE_COULDNT_RESOLVE_HOST, EHOSTUNREACH },
		{ CURLE_COULDNT_RESOLVE_PROXY, EHOSTUNREACH },
		{ CURLE_COULDNT_CONNECT, ECONNREFUSED },
		{ CURLE_OPERATION_TIMEDOUT, ETIMEDOUT },
		{ CURLE_GOT_NOTHING, ECONNRESET },
		{ CURLE_RECV_ERROR, ECONNRESET },
		{ CURLE_SEND_ERROR, ECONNRESET },
		{ CURLE_PARTIAL_FILE, ECONNRESET },
		{ CURLE_PEER_FAILED_VERIFICATION, EKEYREJECTED },
		{ CURLE_SSL_CONNECT_ERROR, EPROTO },
		{ CURLE_SSL_CERTPROBLEM, EKEYREJECTED },
		{ CURLE_SSL_CACERT_BADFILE, EKEYREJECTED },
		{ CURLE_BAD_CONTENT_ENCODING, EBADMSG },
		{ CURLE_WEIRD_SERVER_REPLY, EBADMSG },
		{ CURLE_UNSUPPORTED_PROTOCOL, EBADMSG },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].curl == code)
			return -rows[i].code;
	return -EIO;
}

int endpoint_error(const struct endpoint *e, CURL *easy, CURLcode code, const char *detail,
		   struct error *err)
{
	long os = 0;

	curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os);
	if (code == CURLE_COULDNT_CONNECT && os == ECONNREFUSED)
		return error_set(err, -ECONNREFUSED,
				 "The connection to the server %s was refused - did you specify "
				 "the right host or port?",
				 e->target->cluster.server);
	return error_set(err, code_to_errno(code), "Unable to connect to the server: %s",
			 *detail ? detail : curl_easy_strerror(code));
}
