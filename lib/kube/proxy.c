/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/proxy.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "base/auto.h"

static const char *first_set(const char *name, const char *other)
{
	const char *value = getenv(name);

	return value && *value ? value : getenv(other);
}

struct proxy_environment proxy_environment(void)
{
	const char *method = getenv("REQUEST_METHOD");

	return (struct proxy_environment){
		.https = first_set("HTTPS_PROXY", "https_proxy"),
		.http = first_set("HTTP_PROXY", "http_proxy"),
		.no_proxy = first_set("NO_PROXY", "no_proxy"),
		.is_cgi = method && *method,
	};
}

/* An address; one of IPv4 counts as the one of IPv6 that means it (::ffff:0:0/96). */
struct ip {
	uint8_t bytes[16];
	bool is_v4;
};

static bool parse_ip(const char *text, struct ip *ret)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (inet_pton(AF_INET6, text, ret->bytes) == 1) {
		ret->is_v4 = memcmp(ret->bytes, mapped, sizeof(mapped)) == 0;
		return true;
	}
	memcpy(ret->bytes, mapped, sizeof(mapped));
	ret->is_v4 = inet_pton(AF_INET, text, ret->bytes + sizeof(mapped)) == 1;
	return ret->is_v4;
}

static bool is_loopback(const struct ip *ip)
{
	return ip->is_v4 ? ip->bytes[12] == 127
			 : memcmp(ip->bytes, &in6addr_loopback, sizeof(ip->bytes)) == 0;
}

/* What is asked for: lower case, no brackets. */
struct host {
	char *name;
	const char *port;
	struct ip ip;
	bool is_ip;
};

static bool is_same_network(const struct ip *a, const struct ip *b, unsigned bits)
{
	for (unsigned i = 0; i < 16 && bits > 0; i++) {
		unsigned n = bits < 8 ? bits : 8, mask = 0xff00u >> n & 0xff;

		if ((a->bytes[i] ^ b->bytes[i]) & mask)
			return false;
		bits -= n;
	}
	return true;
}

/* "10.0.0.0/8"; false also when it is no network. */
static bool is_in_network(const struct host *h, const char *entry, bool *ret_is_network)
{
	const char *slash = strchr(entry, '/');
	struct ip network;
	char *end;

	*ret_is_network = false;
	if (!slash)
		return false;
	AUTO_FREE char *address = xstrndup(entry, (size_t)(slash - entry));
	unsigned long bits = strtoul(slash + 1, &end, 10);
	if (!isdigit((unsigned char)slash[1]) || *end || !parse_ip(address, &network))
		return false;
	bool is_v4 = !strchr(address, ':');
	*ret_is_network = bits <= (is_v4 ? 32 : 128);
	return *ret_is_network && h->is_ip && h->ip.is_v4 == network.is_v4 &&
	       is_same_network(&h->ip, &network, (unsigned)bits + (is_v4 ? 96 : 0));
}

/* Cuts ":PORT" off an entry, and an address's brackets; "" where there is none. An address of IPv6
 * has colons of its own. */
static char *cut_port(char **entry)
{
	static char none[] = "";
	char *colon = strrchr(*entry, ':');
	size_t n;

	if (colon && (strchr(*entry, ':') == colon || (colon > *entry && colon[-1] == ']')))
		*colon++ = '\0';
	else
		colon = NULL;
	n = strlen(*entry);
	if (colon && n >= 2 && (*entry)[0] == '[' && (*entry)[n - 1] == ']') {
		(*entry)[n - 1] = '\0';
		(*entry)++;
	}
	return colon ? colon : none;
}

static bool is_below(const char *name, const char *domain)
{
	size_t n = strlen(name), m = strlen(domain);

	return n >= m && strcmp(name + n - m, domain) == 0;
}

/* Does an entry of NO_PROXY, in lower case, mean this host? */
static bool is_listed(const struct host *h, char *entry)
{
	bool is_network, is_in = is_in_network(h, entry, &is_network);
	struct ip ip;

	if (is_network || !*entry)
		return is_in;
	const char *port = cut_port(&entry);
	if (*port && strcmp(port, h->port) != 0)
		return false;
	if (parse_ip(entry, &ip))
		return h->is_ip && memcmp(ip.bytes, h->ip.bytes, sizeof(ip.bytes)) == 0;
	if (!*entry || h->is_ip)
		return false;
	if (strncmp(entry, "*.", 2) == 0)
		entry++;
	if (*entry == '.')
		return is_below(h->name, entry);
	AUTO_FREE char *domain = xasprintf(".%s", entry);
	return strcmp(h->name, entry) == 0 || is_below(h->name, domain);
}

static char *lower(const char *s, size_t n)
{
	char *copy = xstrndup(s, n);

	for (char *p = copy; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return copy;
}

static bool is_direct(const struct host *h, const char *no_proxy)
{
	if (strcmp(h->name, "localhost") == 0 || (h->is_ip && is_loopback(&h->ip)))
		return true;
	for (const char *p = no_proxy ? no_proxy : "", *end; *p; p = end + (*end == ',')) {
		end = strchrnul(p, ',');
		p += strspn(p, " \t");
		size_t n = end > p ? (size_t)(end - p) : 0;
		while (n > 0 && isspace((unsigned char)p[n - 1]))
			n--;
		AUTO_FREE char *entry = lower(p, n);
		if (strcmp(entry, "*") == 0 || is_listed(h, entry))
			return true;
	}
	return false;
}

char *url_redacted(const char *url)
{
	const char *begin = strstr(url, "://");

	begin = begin ? begin + 3 : url;
	size_t n = strcspn(begin, "/?#");
	const char *at = memrchr(begin, '@', n);
	const char *colon = at ? memchr(begin, ':', (size_t)(at - begin)) : NULL;
	return colon ? xasprintf("%.*s:xxxxx%s", (int)(colon - url), url, at) : xstrdup(url);
}

int proxy_check(const char *url, const char *name, struct error *err)
{
	static const char *const schemes[] = { "http://", "https://", "socks5://", "socks5h://" };
	AUTO_FREE char *shown = url_redacted(url);

	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		if (strncasecmp(url, schemes[i], strlen(schemes[i])) == 0)
			return 0;
	return error_set(err, -EINVAL,
			 "%s %s: must begin with http://, https://, socks5:// or socks5h://", name,
			 shown);
}

int proxy_choose(const struct proxy_environment *env, const char *scheme, const char *host,
		 const char *port, char **ret, struct error *err)
{
	bool is_tls = strcasecmp(scheme, "https") == 0, is_v6 = *host == '[';
	const char *proxy = is_tls ? env->https : env->http;
	AUTO_FREE char *name =
		is_v6 ? lower(host + 1, strcspn(host, "]") - 1) : lower(host, strlen(host));
	struct host h = { .name = name, .port = port };

	*ret = NULL;
	h.is_ip = parse_ip(name, &h.ip);
	if (!proxy || !*proxy || is_direct(&h, env->no_proxy)) {
		*ret = xstrdup("");
		return 0;
	}
	if (!is_tls && env->is_cgi)
		return error_set(err, -EINVAL, "HTTP_PROXY: refused in a CGI environment");
	AUTO_FREE char *url = xasprintf("%s%s", strstr(proxy, "://") ? "" : "http://", proxy);
	if (proxy_check(url, is_tls ? "HTTPS_PROXY" : "HTTP_PROXY", err) < 0)
		return err ? err->code : -EINVAL;
	*ret = TAKE(url);
	return 0;
}
