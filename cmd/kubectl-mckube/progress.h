/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CMD_PROGRESS_H
#define MCKUBE_CMD_PROGRESS_H

#include "kube/http.h"

/* What a part of a pass costs, said at -v=4:
 *
 *	stage read: 0.277 s, 0.073 s CPU, 14 requests, 298041 bytes in, 0 out, 21 MB at most
 *
 * Bytes are those of bodies as they went over the wire, compressed where they were; memory is the
 * process's highest so far. */
struct stage {
	const char *name;
	const struct http *http;
	double wall, cpu; /* when it began */
	struct http_stats stats;
};

/* `http` NULL: the stage asks no server. */
struct stage stage_begin(const char *name, const struct http *http);
void stage_end(const struct stage *s);

/* Writes lines to standard error, without control characters. */
void progress_lines(const char *text);

#endif
