/* SPDX-License-Identifier: Apache-2.0 */
#include "listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "node/set_rt.h"
#include "node/sysfs.h"

enum { BODY_MAX = 64 << 10, TOKEN_MAX = 4096, POSTS_A_SECOND = 50, CONNECTIONS = 32 };
enum { TIMEOUT_S = 10, BACKLOG = 32 };

struct listen {
	struct run *run;
	struct MHD_Daemon *daemon;
	char token[TOKEN_MAX]; /* empty: there is none */
	char *socket_path;
	bool is_unix;
	int64_t second; /* of the requests counted */
	unsigned n_posts;
};

struct exchange {
	struct str body;
};

/* A handler fills the reply and returns the HTTP status. One thread serves all. */
typedef unsigned (*handler)(struct listen *l, struct slice body, struct str *reply);

static unsigned refuse(struct str *reply, const struct error *err)
{
	str_addf(reply, "%s\n", err->msg);
	return err->code == -EINVAL   ? MHD_HTTP_BAD_REQUEST
	       : err->code == -ENOENT ? MHD_HTTP_NOT_FOUND
				      : MHD_HTTP_INTERNAL_SERVER_ERROR;
}

static unsigned serve_health(struct listen *l, struct slice body, struct str *reply)
{
	(void)l;
	(void)body;
	str_add(reply, "ok\n");
	return MHD_HTTP_OK;
}

static unsigned serve_metrics(struct listen *l, struct slice body, struct str *reply)
{
	(void)body;
	metrics_write(l->run, reply);
	return MHD_HTTP_OK;
}

static unsigned serve_set_rt(struct listen *l, struct slice body, struct str *reply)
{
	struct run *r = l->run;
	struct error err = ERROR_INIT;
	struct set_rt s;

	if (set_rt_parse(body.s, body.n, &s, &err) < 0 ||
	    set_rt_apply(&s, &r->kernel, r->backend, r->args->capacity_us, &err) < 0)
		return refuse(reply, &err);
	engine_refresh(&r->engine);
	str_addf(reply, "container %s: runtime %lld us\n", s.container, (long long)s.runtime_us);
	return MHD_HTTP_OK;
}

static unsigned serve_renice(struct listen *l, struct slice body, struct str *reply)
{
	AUTO_JSON cJSON *json = NULL;
	char id[CONTAINER_ID_MAX + 1];
	struct error err = ERROR_INIT;
	int64_t nice = 0;

	if (json_parse(body.s, body.n, &json, &err) < 0)
		return refuse(reply, &err);
	const char *text = json_text(json_get(json, "container_id"));
	if (!text || !json_int(json_get(json, "nice"), &nice) || nice < -20 || nice > 19)
		error_set(&err, -EINVAL, "container_id and nice (-20 to 19) are needed");
	else if (container_id(text, id, &err) == 0)
		set_nice(&l->run->kernel, id, (int)nice, &err);
	if (err.code)
		return refuse(reply, &err);
	str_addf(reply, "container %s: nice %d\n", id, (int)nice);
	return MHD_HTTP_OK;
}

static const struct route {
	const char *method, *path;
	handler serve;
} routes[] = {
	{ "GET", "/healthz", serve_health }, { "GET", "/metrics", serve_metrics },
	{ "POST", "/cgroup", serve_set_rt }, { "POST", "/set-rt", serve_set_rt },
	{ "POST", "/renice", serve_renice },
};

/* Takes the same time whatever differs. */
static bool is_equal(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	unsigned char difference = n != m;

	for (size_t i = 0; i < m; i++)
		difference |= (unsigned char)(a[n ? i % n : 0] ^ b[i]);
	return difference == 0;
}

static bool may_write(const struct listen *l, struct MHD_Connection *c)
{
	static const char scheme[] = "Bearer ";
	const char *header =
		MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);

	if (l->is_unix && !*l->token)
		return true;
	return *l->token && header && strncmp(header, scheme, sizeof(scheme) - 1) == 0 &&
	       is_equal(l->token, header + sizeof(scheme) - 1);
}

static bool is_too_many(struct listen *l)
{
	int64_t second = engine_now_ns() / 1000000000;

	if (second != l->second)
		l->n_posts = 0;
	l->second = second;
	return ++l->n_posts > POSTS_A_SECOND;
}

static unsigned dispatch(struct listen *l, struct MHD_Connection *c, const char *method,
			 const char *path, const struct str *body, struct str *reply)
{
	bool is_known = false, is_post = strcmp(method, "POST") == 0;

	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (strcmp(routes[i].path, path) != 0)
			continue;
		is_known = true;
		if (strcmp(routes[i].method, method) != 0)
			continue;
		if (is_post && !may_write(l, c))
			return MHD_HTTP_UNAUTHORIZED;
		if (is_post && is_too_many(l))
			return MHD_HTTP_TOO_MANY_REQUESTS;
		if (body->is_full)
			return MHD_HTTP_CONTENT_TOO_LARGE;
		return routes[i].serve(l, (struct slice){ body->s, body->n }, reply);
	}
	return is_known ? MHD_HTTP_METHOD_NOT_ALLOWED : MHD_HTTP_NOT_FOUND;
}

static enum MHD_Result answer(struct MHD_Connection *c, unsigned status, struct str *reply)
{
	if (!reply->n)
		str_addf(reply, "%s\n", MHD_get_reason_phrase_for(status));
	struct MHD_Response *response =
		MHD_create_response_from_buffer(reply->n, reply->s, MHD_RESPMEM_MUST_COPY);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
				"text/plain; version=0.0.4; charset=utf-8");
	enum MHD_Result r = MHD_queue_response(c, status, response);
	MHD_destroy_response(response);
	return r;
}

/* libmicrohttpd calls this once for the head, then for each piece of the body, then at its end. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *path,
				  const char *method, const char *version, const char *piece,
				  size_t *n, void **state)
{
	struct exchange *x = *state;

	(void)version;
	if (!x) {
		x = xcalloc(1, sizeof(*x));
		x->body = (struct str)STR_INIT_MAX(BODY_MAX);
		*state = x;
		return MHD_YES;
	}
	if (*n) {
		str_addn(&x->body, piece, *n);
		*n = 0;
		return MHD_YES;
	}
	AUTO(str_done) struct str reply = STR_INIT;
	unsigned status = dispatch(arg, c, method, path, &x->body, &reply);
	return answer(c, status, &reply);
}

static void on_completed(void *arg, struct MHD_Connection *c, void **state,
			 enum MHD_RequestTerminationCode why)
{
	struct exchange *x = *state;

	(void)arg;
	(void)c;
	(void)why;
	if (!x)
		return;
	str_done(&x->body);
	free(x);
	*state = NULL;
}

static int open_unix(struct listen *l, const char *path, struct error *err)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct stat st;

	if (strlen(path) >= sizeof(a.sun_path))
		return error_set(err, -ENAMETOOLONG, "--listen: %s is too long", path);
	memcpy(a.sun_path, path, strlen(path) + 1);
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t before = umask(0177);
	int r = bind(fd, (struct sockaddr *)&a, sizeof(a));
	umask(before);
	if (fd < 0 || r < 0) {
		error_errno(err, "--listen: %s", path);
		auto_close_fd(&fd);
		return err->code;
	}
	l->is_unix = true;
	l->socket_path = xstrdup(path);
	return fd;
}

static bool parse_tcp(const char *address, struct sockaddr_in *ret)
{
	const char *colon = strrchr(address, ':'), *port = colon ? colon + 1 : address;
	AUTO_FREE char *host =
		colon ? xstrndup(address, (size_t)(colon - address)) : xstrdup("127.0.0.1");
	int64_t number;

	*ret = (struct sockaddr_in){ .sin_family = AF_INET };
	if (!sysfs_parse_int(port, &number) || number < 0 || number > UINT16_MAX)
		return false;
	ret->sin_port = htons((uint16_t)number);
	return inet_pton(AF_INET, host, &ret->sin_addr) == 1;
}

static int open_tcp(const char *address, struct error *err)
{
	struct sockaddr_in a;
	int on = 1;

	if (!parse_tcp(address, &a))
		return error_set(err, -EINVAL,
				 "--listen: '%.80s' is not unix:/PATH, PORT or HOST:PORT", address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		error_errno(err, "--listen: %s", address);
		auto_close_fd(&fd);
		return err->code;
	}
	return fd;
}

/* A file that was named must be there; the usual one need not. */
static int read_token(struct listen *l, const char *file, struct error *err)
{
	static const char usual[] = "/etc/mckube/token";
	const char *text = getenv("MCKUBE_SHARED_TOKEN");

	if (file)
		return sysfs_read(AT_FDCWD, file, l->token, sizeof(l->token), err);
	if (text && strlen(text) < sizeof(l->token))
		memcpy(l->token, text, strlen(text) + 1);
	else
		sysfs_read(AT_FDCWD, usual, l->token, sizeof(l->token), NULL);
	return 0;
}

static int open_daemon(struct listen *l, const char *address, struct error *err)
{
	bool is_unix = strncmp(address, "unix:", 5) == 0;
	int fd = is_unix ? open_unix(l, address + 5, err) : open_tcp(address, err);

	if (fd < 0)
		return fd;
	if (listen(fd, BACKLOG) < 0) {
		close(fd);
		return error_errno(err, "--listen: %s", address);
	}
	l->daemon = MHD_start_daemon(
		MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | MHD_USE_ITC, 0, NULL, NULL,
		on_request, l, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED,
		on_completed, NULL, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT_S, MHD_OPTION_END);
	if (l->daemon)
		return 0;
	close(fd);
	return error_set(err, -EIO, "--listen: %s: no HTTP daemon", address);
}

int listen_start(struct run *r, const char *address, const char *token_file, struct listen **ret,
		 struct error *err)
{
	struct listen *l = xcalloc(1, sizeof(*l));

	l->run = r;
	if (read_token(l, token_file, err) < 0 || open_daemon(l, address, err) < 0) {
		listen_stop(l);
		return err->code;
	}
	if (!l->is_unix && !*l->token)
		log_warning("--listen %s: no token, every POST is refused", address);
	*ret = l;
	return 0;
}

void listen_stop(struct listen *l)
{
	if (!l)
		return;
	if (l->daemon)
		MHD_stop_daemon(l->daemon);
	if (l->socket_path)
		unlink(l->socket_path);
	free(l->socket_path);
	explicit_bzero(l->token, sizeof(l->token));
	free(l);
}
