/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BUDGET_HISTORY_H
#define MCKUBE_BUDGET_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/error.h"
#include "base/intern.h"
#include "base/str.h"
#include "budget/budget.h"
#include "budget/cpuset.h"
#include "budget/recovery.h"
#include "budget/use_count.h"

/* What a node's helper has seen of overruns, levels and use: a JSON object on each line, the oldest
 * first. `mckube-node run --history-file` writes it, `kubectl mckube replay` reads it.
 *
 *	{"kind":"node","atUs":T,"node":"front","sinceUs":T,"scope":"core","capPpm":950000,
 *	 "dwellMs":1000,"dwellMaxMs":60000,"calmPeriods":10,"headroomUs":500}
 *	{"kind":"pod","atUs":T,"uid":"u","namespace":"vehicle","name":"brake","criticality":"High",
 *	 "priority":20,"periodUs":100000,"lowUs":25000,"mediumUs":30000,"hiUs":40000,
 *	 "floorUs":1250,"cores":"2","enforcement":"watch","recovery":"consumption",
 *	 "level":"low","isCut":false}
 *	{"kind":"gone","atUs":T,"uid":"u"}
 *	{"kind":"overrun","atUs":T,"uid":"u","usedUs":25001,"count":1}
 *	{"kind":"level","atUs":T,"uid":"u","level":"hi","isCut":false}
 *	{"kind":"use","atUs":T,"uid":"u","container":"app","sharePpm":1000000,"spanUs":60000000,
 *	 "runtimeUs":40000,"uses":[[20479,590],[26623,10]]}
 *	{"kind":"lost","atUs":T,"count":7}
 *
 * All members of a kind are there, but for mediumUs and recovery ("": the default), and no others.
 *
 * node	   begins each file, and what follows lines that were lost. The helper began at sinceUs;
 *	   another value is a restart. All pods of the node follow at the same time; others are
 *	   known no more. The rules are those of budget/escalation.h.
 * pod	   was assigned, or its request has changed, or it is said again in a new file. enforcement
 *	   is what was asked for: "", "watch" or "raise".
 * overrun `count` overruns since the line before, the last one at atUs, where usedUs had been used
 *	   when it was seen: that is no measure of what the whole period took.
 * level   the pod's level, or its floor, from then on.
 * use	   how many of the periods of the last spanUs, in which the container ran, used how much of
 *	   one CPU: at most so many us, and periods, rising; budget/use_count.h has the steps.
 *	   runtimeUs is the most that the pod had of a period meanwhile, sharePpm the container's
 *	   share of it.
 * lost	   so many lines could not be written.
 *
 * Times are microseconds since 1970 and do not fall while sinceUs is the same. A last line without
 * its newline was not finished, and is no error. */

enum history_kind {
	HISTORY_NODE,
	HISTORY_POD,
	HISTORY_GONE,
	HISTORY_OVERRUN,
	HISTORY_LEVEL,
	HISTORY_USE,
	HISTORY_LOST,
	HISTORY_KINDS
};

enum { HISTORY_LINE_MAX = 16 << 10 /* bytes, the newline too */ };
#define HISTORY_TIME_MAX  INT64_C(9000000000000000) /* us: in the year 2255 */
#define HISTORY_SPAN_MAX  INT64_C(86400000000)	    /* us: a day */
#define HISTORY_COUNT_MAX (INT64_C(1) << 40)

struct history_use {
	int64_t us, periods;
};

/* Members that are not of the kind are zeroed. */
struct history_line {
	uint8_t kind; /* enum history_kind */
	int64_t at_us;
	/* node */
	const char *node;
	int64_t since_us;
	uint8_t scope; /* enum scope */
	int32_t cap;   /* ppm of a core */
	int32_t dwell_ms, dwell_max_ms, calm_periods, headroom_us;
	/* of a pod */
	const char *uid;
	const char *ns, *name;
	struct budget budget;
	int32_t priority;
	struct cpuset cores;
	uint8_t enforcement; /* enum enforcement */
	struct recovery recovery;
	uint8_t level; /* enum level */
	bool is_cut;
	int64_t count, used_us; /* of overruns; `count` also of lost lines */
	const char *container;
	int32_t share; /* ppm */
	int64_t span_us;
	int32_t runtime_us;
	const struct history_use *uses;
	size_t n_uses;
};

/* Adds a line with its newline. What it says must be within the ranges that are read. */
void history_write(const struct history_line *line, struct str *out);

/* Reads a line without its newline. Texts are those of `strings`, lists of the arena. An error
 * names the member: "usedUs: is missing". */
int history_read(struct slice text, struct intern *strings, struct arena *arena,
		 struct history_line *ret, struct error *err);

struct history {
	struct intern strings;
	struct arena arena;
	ARRAY(struct history_line) lines;
};

/* Adds the lines of a file; those of an older one come first. Errors begin with "line N: ". A file
 * without a line is one. */
int history_add(struct history *h, struct slice text, struct error *err);
void history_done(struct history *h);

#endif
