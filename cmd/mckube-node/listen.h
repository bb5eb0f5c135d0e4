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
 * POSTs are limited to 50 a second. */
struct listen;

int listen_start(struct run *r, const char *address, const char *token_file, struct listen **ret,
		 struct error *err);
void listen_stop(struct listen *l);

#endif
