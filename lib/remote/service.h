/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_REMOTE_SERVICE_H
#define MCKUBE_REMOTE_SERVICE_H

#include "kube/http.h"
#include "kube/target.h"

/* A service at a URL, with kube/http.h's TLS, proxy and time-outs. */
struct service {
	struct kube_target target;
	struct http *http;
};

/* `ca_file` may be NULL: the system's. `token` is sent as a bearer token; NULL: none. The texts
 * must outlive it. */
int service_open(struct service *s, const char *url, const char *ca_file, const char *token,
		 int64_t timeout_ms, struct error *err);

/* The same with the bearer token that the file holds, which is read again now and then; NULL:
 * none. */
int service_open_with_file(struct service *s, const char *url, const char *ca_file,
			   const char *token_file, int64_t timeout_ms, struct error *err);
void service_close(struct service *s);

#endif
