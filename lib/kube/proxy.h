/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_KUBE_PROXY_H
#define MCKUBE_KUBE_PROXY_H

#include <stdbool.h>

#include "base/error.h"

/* Which proxy the environment names for a server, by the rules of Go's net/http, which kubectl
 * follows (golang.org/x/net/http/httpproxy). libcurl's differ in twelve of 38 settings tried:
 * ALL_PROXY, HTTP_PROXY in capitals, and in NO_PROXY ports, wildcards and networks of IPv6.
 *
 *  - HTTPS_PROXY for https, HTTP_PROXY for http, else the same in small letters;
 *  - none for localhost and loopback addresses, and for what NO_PROXY (no_proxy) lists: "*", a
 *    network, an address or a domain, the latter two with ":PORT" where it is for that alone;
 *    "example.com" is that and all below, ".example.com" and "*.example.com" only what is below;
 *  - no scheme is http://; HTTP_PROXY is refused in a CGI program, where a client may set it. */
struct proxy_environment {
	const char *https, *http, *no_proxy; /* NULL and "": not set */
	bool is_cgi;
};

struct proxy_environment proxy_environment(void);

/* *ret is allocated; "": no proxy. An IPv6 host has brackets. */
int proxy_choose(const struct proxy_environment *env, const char *scheme, const char *host,
		 const char *port, char **ret, struct error *err);

/* Is it a kind of proxy that is supported? `name` says where the URL stands. */
int proxy_check(const char *url, const char *name, struct error *err);

/* The URL with "xxxxx" in place of a password, allocated: for errors. */
char *url_redacted(const char *url);

#endif
