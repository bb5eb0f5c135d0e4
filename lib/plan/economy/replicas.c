/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/economy/replicas.h"

#include <math.h>

enum { CPU_START_SECONDS = 300, FIRST_READY_SECONDS = 30 };

enum group { GROUP_IGNORED, GROUP_UNREADY, GROUP_MISSING, GROUP_READY };

/* Its CPU use says nothing about its load yet. */
static bool has_no_load(const struct replica_pod *p, int64_t now)
{
	if (!p->has_condition || !p->started)
		return true;
	if (p->started + CPU_START_SECONDS > now)
		return p->is_unready || p->sampled < p->ready_since + p->window;
	return p->is_unready && p->started + FIRST_READY_SECONDS > p->ready_since;
}

static enum group group_of(const struct replica_pod *p, int64_t now, bool is_cpu)
{
	if (p->is_ending)
		return GROUP_IGNORED;
	if (p->is_pending)
		return GROUP_UNREADY;
	if (!p->is_sampled)
		return GROUP_MISSING;
	return is_cpu && has_no_load(p, now) ? GROUP_UNREADY : GROUP_READY;
}

static bool is_tolerable(double ratio)
{
	static const double tolerance = 0.1;

	return 1.0 - tolerance <= ratio && ratio <= 1.0 + tolerance;
}

static int32_t round_up(double replicas)
{
	return replicas >= INT32_MAX ? INT32_MAX : (int32_t)ceil(replicas);
}

struct sums {
	__int128 used, requested;
	size_t n, by_group[GROUP_READY + 1];
};

/* What each pod that counts uses: those without a sample all that they request, or nothing. */
static struct sums add_up(const struct replica_state *s, int32_t target, bool is_cpu,
			  bool with_missing, bool is_down, bool with_unready)
{
	int64_t assumed = target > 100 ? target : 100;
	struct sums sums = { 0 };

	for (size_t i = 0; i < s->n; i++) {
		const struct replica_pod *p = &s->pods[i];
		enum group group = group_of(p, s->now, is_cpu);
		int64_t used = 0;

		sums.by_group[group]++;
		if (group == GROUP_IGNORED || (group == GROUP_UNREADY && !with_unready) ||
		    (group == GROUP_MISSING && !with_missing))
			continue;
		if (group == GROUP_READY)
			used = p->used;
		else if (group == GROUP_MISSING && is_down)
			used = p->requested * assumed / 100;
		sums.used += used;
		sums.requested += p->requested;
		sums.n++;
	}
	return sums;
}

/* Whole per cent, cut off as the original does. */
static bool ratio_of(const struct sums *sums, int32_t target, double *ret)
{
	if (!sums->n || !sums->requested)
		return false;
	*ret = (double)(int32_t)(sums->used * 100 / sums->requested) / (double)target;
	return true;
}

static bool all_ask(const struct replica_state *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->pods[i].requested < 0)
			return false;
	return true;
}

bool replicas_by_use(const struct replica_state *s, int32_t target, bool is_cpu, int32_t *ret)
{
	struct sums sums;
	double ratio, filled;

	if (!all_ask(s))
		return false;
	sums = add_up(s, target, is_cpu, false, false, false);
	if (!ratio_of(&sums, target, &ratio))
		return false;

	bool with_unready = sums.by_group[GROUP_UNREADY] && ratio > 1.0;
	bool with_missing = sums.by_group[GROUP_MISSING] && ratio != 1.0;
	if (!with_unready && !sums.by_group[GROUP_MISSING]) {
		*ret = is_tolerable(ratio) ? s->current : round_up(ratio * (double)sums.n);
		return true;
	}

	sums = add_up(s, target, is_cpu, with_missing, ratio < 1.0, with_unready);
	if (!ratio_of(&sums, target, &filled))
		return false;
	*ret = s->current;
	if (is_tolerable(filled) || (ratio < 1.0 && filled > 1.0) || (ratio > 1.0 && filled < 1.0))
		return true;
	int32_t n = round_up(filled * (double)sums.n);
	if (!(filled < 1.0 && n > s->current) && !(filled > 1.0 && n < s->current))
		*ret = n;
	return true;
}

bool replicas_by_value(const struct replica_state *s, int64_t value, int64_t target, int32_t *ret)
{
	double ratio = (double)value / (double)target;
	size_t n_ready = 0;

	if (!s->n)
		return false;
	for (size_t i = 0; i < s->n; i++)
		n_ready += !s->pods[i].is_pending && s->pods[i].is_ready;
	*ret = is_tolerable(ratio) ? s->current : round_up(ratio * (double)n_ready);
	return true;
}

int32_t replicas_rate_limit(int32_t start, int32_t current)
{
	enum { STEP = 4 };
	int64_t twice = 2 * (int64_t)start, more = (int64_t)start + STEP;
	int64_t most = twice > more ? twice : more;

	if (most < current)
		return current;
	return most < INT32_MAX ? (int32_t)most : INT32_MAX;
}
