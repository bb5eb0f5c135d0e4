/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_CMD_LISTEN_H
#define MCKUBE_NODE_CMD_LISTEN_H

#include "run.h"

/* The helper's own HTTP, off unless asked for: GET /healthz (fails when a thread hangs), /readyz
 * (once the pods of this node are known) and /metrics, and what the older agents offered: POST
 * /cgroup, /set-rt and /renice.
 *
 * ADDRESS is that of serve/serve.h; access to a "unix:/PATH" (mode 0600) allows writing budgets.
 * Over TCP a POST needs "Authorization: Bearer TOKEN", the token coming from a file, from
 * $MCKUBE_SHARED_TOKEN or from /etc/mckube/token; without a token every POST over TCP is refused.
 * POSTs are limited to 50 a second.
 *
 * With --secure-metrics-bind-address /metrics is there alone, over TLS (serve/secure.h). */
struct listen;

/* Do the options go together? */
int listen_check(const struct run_args *args, struct error *err);

int listen_start(struct run *r, struct listen **ret, struct error *err);
void listen_stop(struct listen *l);

#endif
