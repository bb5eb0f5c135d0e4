/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_KUBE_ENDPOINT_H
#define MCKUBE_KUBE_ENDPOINT_H

#include <curl/curl.h>

#include "kube/auth.h"
#include "kube/http.h"

/* How libcurl reaches a target: address, TLS, proxy, headers. Private to kube/http.c. */
struct endpoint {
	const struct kube_target *target;
	char *base;		       /* what paths are put behind */
	char *host_header;	       /* NULL: libcurl's own */
	char *proxy;		       /* "": none */
	struct curl_slist *connect_to; /* where to go when the URL holds tls-server-name */
	char *user_agent;
	uint32_t stall_seconds, buffer_bytes;
};

int endpoint_init(struct endpoint *e, const struct kube_target *t, struct error *err);
void endpoint_done(struct endpoint *e);

/* Sets what all requests of an identity have in common: once for a handle that serves many. */
void endpoint_prepare(const struct endpoint *e, CURL *easy, const struct kube_identity *id);

/* Milliseconds that a call may take; 0: no bound. */
int64_t endpoint_timeout(const struct endpoint *e, const struct http_call *call);

/* Sets what one request has of its own, the time that is left for it among it (INT_MAX: no bound);
 * whatever the handle was aimed at before is forgotten. *ret_headers is freed when it is over. */
void endpoint_aim(const struct endpoint *e, CURL *easy, const struct http_call *call, int left_ms,
		  const struct kube_identity *id, struct curl_slist **ret_headers);

/* Has the server's certificate a name where Go looks for it? libcurl takes its Common Name where
 * there is no subjectAltName. True also where that is not known: on a connection that is used
 * again, without TLS, and where libcurl is not built on OpenSSL. */
bool endpoint_has_alternative_name(CURL *easy);

/* What libcurl's result means, worded as kubectl words it. `detail` is CURLOPT_ERRORBUFFER's. */
int endpoint_error(const struct endpoint *e, CURL *easy, CURLcode code, const char *detail,
		   struct error *err);

#endif
