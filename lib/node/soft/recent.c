/* SPDX-License-Identifier: Apache-2.0 */
#include "node/soft/recent.h"

#include <stdbool.h>
#include <stddef.h>

#include "budget/soft_account.h"

static struct soft_recent *find(struct soft_recent *list, uint64_t cgroup)
{
	struct soft_recent *unused = NULL;

	for (size_t i = 0; i < SOFT_RECENTS; i++) {
		if (list[i].cgroup == cgroup)
			return &list[i];
		if (!list[i].look_ns)
			unused = &list[i];
	}
	if (unused)
		*unused = (struct soft_recent){ .cgroup = cgroup };
	return unused;
}

/* `used_ns` from begin_ns until `now`. How much of it was before another one had its budget is not
 * known: as much as there was time. */
static void put_off_others(struct soft_recent *list, const struct soft_recent *exhausted,
			   uint64_t begin_ns, uint64_t now, uint64_t used_ns)
{
	for (size_t i = 0; i < SOFT_RECENTS; i++) {
		struct soft_recent *r = &list[i];

		if (r != exhausted && r->look_ns && r->from_ns <= now)
			r->look_ns += soft_less(used_ns, soft_less(r->from_ns, begin_ns));
	}
}

struct soft_recent *soft_recent_exhausted(struct soft_recent list[SOFT_RECENTS], uint64_t cgroup,
					  uint64_t at_ns, uint64_t refill_ns, uint64_t runtime_ns)
{
	struct soft_recent *r = find(list, cgroup);

	if (r && r->refill_ns == refill_ns) {
		r->n_events++;
		r->only_tid = 0;
	}
	if (!r || r->refill_ns == refill_ns)
		return r;
	if (r->refill_ns && r->refill_ns < at_ns) {
		uint64_t since_ns = at_ns - r->refill_ns;

		put_off_others(list, r, r->refill_ns, at_ns,
			       runtime_ns < since_ns ? runtime_ns : since_ns);
	}
	r->refill_ns = r->from_ns = refill_ns;
	r->left_ns = r->runtime_ns = runtime_ns;
	r->n_events = 1;
	r->look_ns = refill_ns + runtime_ns + SOFT_LOOK_AFTER_NS;
	return r;
}

void soft_recent_looked(struct soft_recent *r, uint64_t now, uint64_t left_ns)
{
	bool has_run = left_ns && left_ns < r->left_ns && r->left_ns - left_ns > SOFT_LOOK_AFTER_NS;

	r->from_ns = now;
	r->left_ns = left_ns;
	r->look_ns = has_run ? now + left_ns + SOFT_LOOK_AFTER_NS : 0;
}

uint64_t soft_recent_next(const struct soft_recent list[SOFT_RECENTS])
{
	uint64_t next = 0;

	for (size_t i = 0; i < SOFT_RECENTS; i++)
		if (list[i].look_ns && (!next || list[i].look_ns < next))
			next = list[i].look_ns;
	return next;
}
