/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_CMD_LOOP_H
#define MCKUBE_NODE_CMD_LOOP_H

#include "run.h"

/* The main thread: handles signals, new cgroups, events and timeouts, until SIGTERM or SIGINT. */
int run_loop(struct run *r, struct error *err);

#endif
