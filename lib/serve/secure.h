/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_SERVE_SECURE_H
#define MCKUBE_SERVE_SECURE_H

#include "kube/target.h"
#include "serve/serve.h"

/* Metrics over TLS for accounts that the API server lets read them: GET /metrics with a bearer
 * token of an account that may get this non-resource URL (kube/token_review.h).
 *
 * A server of its own, with a thread and connections of its own: what it asks of the API server
 * makes no probe wait, and its connections are not those of the probes. */
struct secure;

struct secure_options {
	const char *address; /* of serve/serve.h, TCP */
	struct serve_tls tls;
	const struct kube_target *target; /* whose API server is asked; outlives the server */
	const char *user_agent;
	serve_handler metrics;
	void *arg;
};

/* Of a command line: the address needs both files, and they need it. NULL: not given. */
int secure_check(const char *address, const struct serve_tls *tls, struct error *err);

int secure_start(const struct secure_options *options, struct secure **ret, struct error *err);
void secure_stop(struct secure *s);

const char *secure_address(const struct secure *s);

#endif
