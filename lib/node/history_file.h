/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_HISTORY_FILE_H
#define MCKUBE_NODE_HISTORY_FILE_H

#include "base/array.h"
#include "base/error.h"
#include "base/str.h"
#include "budget/history.h"
#include "node/engine/engine.h"

/* Writes what budget/history.h describes, for `mckube-node run --history-file`. It is for looking
 * back alone: whatever goes wrong here touches no budget.
 *
 * The file is at most as large as it may be, and as much again is the one before it, PATH.1; an
 * older one is removed. Each begins with all that is known, so that it can be read alone. What an
 * earlier run has left is gone on with; a line that it did not finish is cut off.
 *
 * Use is written every HISTORY_USE_S, of containers that ran meanwhile, where the overrun source
 * counts periods (overruns_use()). Written data is not synced: a crash of the machine may lose the
 * last seconds. */

enum { HISTORY_USE_S = 60 };

/* Zeroed: nothing is recorded. */
struct history_file {
	char *path;
	const char *node;
	int64_t max_bytes, size;
	int fd;
	bool is_open, is_failed;
	bool is_known; /* the file has said what is known */
	uint64_t n_lost;
	int64_t since_us;
	int64_t clock_us;  /* what CLOCK_REALTIME was ahead of CLOCK_MONOTONIC at the beginning */
	int64_t at_us;	   /* of the last line */
	int64_t use_ns;	   /* when use was last written */
	int64_t look_ns;   /* when the engine was last looked at, ... */
	uint64_t revision; /* ... and its revision then */
	ARRAY(struct recorded_pod) pods;
	ARRAY(struct history_line) lines; /* of this time */
	struct arena arena;		  /* what those point at */
	struct str text;
};

/* Opens nothing yet. `node` stays the caller's; `wall_us` is the time since 1970 at now_ns. */
void history_file_begin(struct history_file *f, const char *path, int64_t max_bytes,
			const char *node, int64_t now_ns, int64_t wall_us);

/* Writes what has changed since the last call. The engine is looked at when its revision has grown,
 * else once a second: its lock is held meanwhile. What is not written is counted, and said in the
 * file once it can be written again. An error comes once: 0 until it was written again. */
int history_file_take(struct history_file *f, struct engine *e, int64_t now_ns, struct error *err);

/* Before the engine ends: what was not yet written, and the use since it was last. */
int history_file_finish(struct history_file *f, struct engine *e, int64_t now_ns,
			struct error *err);

void history_file_end(struct history_file *f);

#endif
