/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_CMD_METRICS_H
#define MCKUBE_NODE_CMD_METRICS_H

#include "run.h"

/* The text of /metrics, in Prometheus' format. */
void metrics_write(struct run *r, struct str *out);

#endif
