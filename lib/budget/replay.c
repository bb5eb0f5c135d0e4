/* SPDX-License-Identifier: Apache-2.0 */
#include "budget/replay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/auto.h"
#include "budget/replay_internal.h"

enum run { RUN_RECORDED, RUN_REPLAYED, RUN_SUGGESTED };
enum { PODS_MAX = 1024 };

/* A pod that is known at the moment, in the order of the escalation's. */
struct known {
	uint32_t pod; /* in the replay */
	uint8_t state;
	int64_t state_us, known_us; /* since when */
	bool is_said;		    /* since the last line of the node */
};

struct player {
	enum run run;
	struct replay *replay;
	struct escalation e;
	ARRAY(struct known) known;
	ARRAY(struct escalation_change) changes;
	int64_t since_us, now_us;
	int64_t node_us; /* of the last line of the node; 0: its pods have followed */
	uint32_t next_order;
};

static struct replay_levels *levels_of(const struct player *p, const struct known *k)
{
	struct replay_pod *pod = &p->replay->pods.items[k->pod];

	return p->run == RUN_RECORDED	? &pod->recorded
	       : p->run == RUN_REPLAYED ? &pod->replayed
					: &pod->suggested;
}

static uint8_t state_of(const struct escalation_pod *p)
{
	return p->is_cut ? REPLAY_FLOOR : p->level;
}

/* Sessions of many clocks may have more time than there is. */
static void add_time(int64_t *sum, int64_t us)
{
	if (__builtin_add_overflow(*sum, us, sum))
		*sum = INT64_MAX;
}

static void count_time(const struct player *p, struct known *k)
{
	add_time(&levels_of(p, k)->us[k->state], p->now_us - k->state_us);
	k->state_us = p->now_us;
}

static void take_states(struct player *p)
{
	for (size_t i = 0; i < p->known.n; i++) {
		struct known *k = &p->known.items[i];
		uint8_t state = state_of(&p->e.pods.items[i]);

		if (state == k->state)
			continue;
		count_time(p, k);
		k->state = state;
		levels_of(p, k)->times[state]++;
	}
}

static void settle(struct player *p)
{
	if (p->run != RUN_RECORDED && p->known.n)
		escalation_settle(&p->e, p->changes.items);
	take_states(p);
}

/* What comes down with time alone. */
static void pass_time(struct player *p, int64_t at_us)
{
	int64_t due_ns;

	while (p->run != RUN_RECORDED && (due_ns = escalation_due_ns(&p->e)) <= at_us * NS_PER_US) {
		if (due_ns < p->now_us * NS_PER_US)
			due_ns = p->now_us * NS_PER_US;
		p->now_us = due_ns / NS_PER_US;
		escalation_recover(&p->e, due_ns, p->changes.items);
		take_states(p);
	}
	p->now_us = at_us;
}

static void forget(struct player *p, size_t i)
{
	struct known *k = &p->known.items[i];

	count_time(p, k);
	if (p->run == RUN_RECORDED)
		add_time(&p->replay->pods.items[k->pod].known_us, p->now_us - k->known_us);
	*k = p->known.items[--p->known.n];
	p->e.pods.items[i] = p->e.pods.items[--p->e.pods.n];
}

static void play_node(struct player *p, const struct history_line *line)
{
	if (line->since_us != p->since_us)
		while (p->known.n)
			forget(p, p->known.n - 1);
	else
		pass_time(p, line->at_us);
	array_each(k, &p->known)
		k->is_said = false;
	p->node_us = line->at_us;
	p->since_us = line->since_us;
	p->now_us = line->at_us;
	p->e.scope = (enum scope)line->scope;
	p->e.cap = (uint32_t)line->cap;
	p->e.rules = (struct escalation_rules)ESCALATION_RULES_DEFAULT;
	p->e.rules.dwell_ns = (int64_t)line->dwell_ms * NS_PER_MS;
	p->e.rules.dwell_max_ns = (int64_t)line->dwell_max_ms * NS_PER_MS;
	p->e.rules.calm_periods = line->calm_periods;
	p->e.rules.headroom_us = line->headroom_us;
	settle(p);
}

/* After the pods that follow a line of the node: others are gone. */
static void forget_unsaid(struct player *p)
{
	size_t n = p->known.n;

	p->node_us = 0;
	for (size_t i = n; i-- > 0;)
		if (!p->known.items[i].is_said)
			forget(p, i);
	if (p->known.n < n)
		settle(p);
}

static void raise_budget(struct budget *b, int32_t low)
{
	if (b->low < low)
		b->low = low;
	if (b->medium && b->medium < b->low)
		b->medium = b->low;
	if (b->hi < b->low)
		b->hi = b->low;
}

static bool is_raised(const struct replay_pod *pod)
{
	return pod->answer == REPLAY_SUGGESTS && pod->suggestion.us > pod->budget.low;
}

static size_t find(const struct player *p, uint32_t pod)
{
	size_t i = 0;

	while (i < p->known.n && p->known.items[i].pod != pod)
		i++;
	return i;
}

static void add_known(struct player *p, uint32_t pod, const struct history_line *line)
{
	*array_add(&p->known) = (struct known){
		.pod = pod,
		.state = line->is_cut ? REPLAY_FLOOR : line->level,
		.state_us = line->at_us,
		.known_us = line->at_us,
		.is_said = true,
	};
	*array_add(&p->e.pods) = (struct escalation_pod){
		.level = line->level,
		.is_cut = line->is_cut,
		.order = p->next_order++,
		.changed_ns = line->level ? line->at_us * NS_PER_US : 0,
		.overrun_ns = line->at_us * NS_PER_US,
		.dwell_ns = p->e.rules.dwell_ns,
	};
	array_reserve(&p->changes, p->e.pods.n);
}

static int play_pod(struct player *p, uint32_t pod, const struct history_line *line,
		    struct error *err)
{
	size_t i = find(p, pod);

	if (i == PODS_MAX)
		return error_set(err, -E2BIG, "pod %s/%s: more than %d pods at a time", line->ns,
				 line->name, PODS_MAX);
	if (i == p->known.n)
		add_known(p, pod, line);
	struct escalation_pod *own = &p->e.pods.items[i];
	const struct replay_pod *r = &p->replay->pods.items[pod];
	own->budget = line->budget;
	if (p->run == RUN_SUGGESTED && is_raised(r) && r->budget.period == line->budget.period)
		raise_budget(&own->budget, (int32_t)r->suggestion.us);
	own->cores = line->cores;
	own->priority = line->priority;
	own->wanted = line->enforcement;
	own->recovery = line->recovery;
	if (p->run == RUN_RECORDED) {
		own->level = line->level;
		own->is_cut = line->is_cut;
	}
	p->known.items[i].is_said = true;
	settle(p);
	return 0;
}

static void play_overrun(struct player *p, size_t i, const struct history_line *line, int64_t peak)
{
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): find() has found it */
	const struct replay_pod *pod = &p->replay->pods.items[p->known.items[i].pod];
	int32_t limits[2];
	size_t n;

	if (p->run == RUN_RECORDED ||
	    (p->run == RUN_SUGGESTED && is_raised(pod) && peak >= 0 && peak <= pod->suggestion.us))
		return;
	escalation_limits(&p->e.pods.items[i], limits);
	unsigned limit = limits[1] && line->used_us > limits[1];
	if (escalation_overrun(&p->e, (uint32_t)i, limit, line->at_us * NS_PER_US, p->changes.items,
			       &n) == ESCALATION_NO_ROOM)
		levels_of(p, &p->known.items[i])->refusals++;
	take_states(p);
}

static void play_level(struct player *p, size_t i, const struct history_line *line)
{
	struct escalation_pod *own = &p->e.pods.items[i];
	size_t n;

	if (p->run == RUN_RECORDED) {
		own->level = line->level;
		own->is_cut = line->is_cut;
	} else if (own->recovery.mode == RECOVERY_NODE_CPU && line->level < own->level) {
		escalation_set_level(&p->e, (uint32_t)i, (enum level)line->level,
				     line->at_us * NS_PER_US, p->changes.items, &n);
	}
	take_states(p);
}

static int play_line(struct player *p, const struct history_line *line, uint32_t pod, int64_t peak,
		     struct error *err)
{
	if (line->kind == HISTORY_NODE) {
		play_node(p, line);
		return 0;
	}
	if (p->node_us && line->at_us > p->node_us)
		forget_unsaid(p);
	pass_time(p, line->at_us);
	size_t i = find(p, pod);
	if (line->kind == HISTORY_POD)
		return play_pod(p, pod, line, err);
	if (i == p->known.n)
		return 0; /* not of a pod, or of one that is gone */
	if (line->kind == HISTORY_OVERRUN)
		play_overrun(p, i, line, peak);
	if (line->kind == HISTORY_LEVEL)
		play_level(p, i, line);
	if (line->kind == HISTORY_GONE) {
		forget(p, i);
		settle(p);
	}
	return 0;
}

static int play(const struct history *h, enum run run, const struct replay_index *index,
		const int64_t *peaks, struct replay *r, struct error *err)
{
	struct player p = { .run = run, .replay = r, .e.rules = ESCALATION_RULES_DEFAULT };
	int code = 0;

	for (size_t i = 0; i < h->lines.n && code == 0; i++)
		code = play_line(&p, &h->lines.items[i], index->pod[i], peaks[i], err);
	while (p.known.n)
		forget(&p, p.known.n - 1);
	escalation_done(&p.e);
	array_done(&p.known);
	array_done(&p.changes);
	return code;
}

/* ---- The pods of a history ---- */

static uint32_t find_uid(const struct replay *r, const char *uid)
{
	for (size_t i = r->pods.n; uid && i-- > 0;)
		if (r->pods.items[i].uid == uid)
			return (uint32_t)i;
	return UINT32_MAX;
}

static void take_line(struct replay *r, const struct history_line *line, uint32_t *ret_pod)
{
	uint32_t pod = find_uid(r, line->uid);

	if (line->kind == HISTORY_POD && pod == UINT32_MAX) {
		pod = (uint32_t)r->pods.n;
		*array_add(&r->pods) = (struct replay_pod){ .uid = line->uid };
	}
	*ret_pod = pod;
	if (line->kind == HISTORY_LOST)
		r->lost += (uint64_t)line->count;
	if (pod == UINT32_MAX)
		return;
	struct replay_pod *p = &r->pods.items[pod];
	if (line->kind == HISTORY_OVERRUN)
		p->overruns += (uint64_t)line->count;
	if (line->kind == HISTORY_POD) {
		p->ns = line->ns;
		p->name = line->name;
		p->budget = line->budget;
	}
}

static void take_lines(const struct history *h, struct replay *r, uint32_t *ret_pods)
{
	int64_t since_us = 0;

	for (size_t i = 0; i < h->lines.n; i++) {
		const struct history_line *line = &h->lines.items[i];

		take_line(r, line, &ret_pods[i]);
		if (line->kind == HISTORY_NODE) {
			r->restarts += since_us && since_us != line->since_us;
			since_us = line->since_us;
		}
		if (i == 0 || r->from_us > line->at_us)
			r->from_us = line->at_us;
		if (r->to_us < line->at_us)
			r->to_us = line->at_us;
	}
	r->node = h->lines.n ? h->lines.items[0].node : "";
}

int replay_run(const struct history *h, uint32_t within, struct replay *ret, struct error *err)
{
	AUTO_FREE uint32_t *pods = xcalloc(h->lines.n + 1, sizeof(*pods));
	const struct replay_index index = { pods };

	*ret = (struct replay){ .within = within };
	take_lines(h, ret, pods);
	replay_uses(h, &index, ret);
	AUTO_FREE int64_t *peaks = replay_peaks(h, &index, ret);
	for (enum run run = RUN_RECORDED; run <= RUN_SUGGESTED; run++)
		if (play(h, run, &index, peaks, ret, err) < 0)
			return err->code;
	return 0;
}

void replay_done(struct replay *r)
{
	array_done(&r->pods);
}

const struct replay_pod *replay_find(const struct replay *r, const char *ns, const char *name)
{
	for (size_t i = r->pods.n; i-- > 0;)
		if (strcmp(r->pods.items[i].ns, ns) == 0 &&
		    strcmp(r->pods.items[i].name, name) == 0)
			return &r->pods.items[i];
	return NULL;
}
