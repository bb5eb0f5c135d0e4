/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_REMOTE_INFLUX_H
#define MCKUBE_REMOTE_INFLUX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

/* Points of finished moves for InfluxDB, by its v2 write API:
 *
 *	pod_migration,pod_name=P,source_node=A,target_node=B,success=true migration_count=1i TIME
 *
 * Nothing here waits but influx_flush(). While the server is away points are kept, INFLUX_KEPT of
 * them, the oldest of more are dropped; what it refuses (4xx but 401, 404, 408 and 429) is dropped,
 * too. */

enum { INFLUX_KEPT = 1000, INFLUX_RETRY_MS = 5000 };

struct influx_options {
	const char *url, *org, *bucket, *token;
};

struct influx_point {
	const char *pod, *source, *target;
	bool success;
	int64_t at_ns; /* since 1970 */
};

struct influx;

int influx_open(const struct influx_options *o, struct influx **ret, struct error *err);
void influx_add(struct influx *x, const struct influx_point *point);
/* Sends what is due; to be called often. */
void influx_step(struct influx *x);
/* Waits until all is sent, at most timeout_ms. */
void influx_flush(struct influx *x, int timeout_ms);
void influx_close(struct influx *x);

/* One line with its newline; in tags, comma, space and '=' have a backslash before them. */
void influx_write(const struct influx_point *point, struct str *out);

struct influx_stats {
	uint64_t written, dropped;
	size_t kept;
};
struct influx_stats influx_stats(const struct influx *x);

#endif
