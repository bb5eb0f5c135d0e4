/* SPDX-License-Identifier: Apache-2.0 */
#include "node/cgroup/write.h"

#include <errno.h>
#include <string.h>
#include <time.h>

static void wait_ms(long ms)
{
	struct timespec t = { 0, ms * 1000000 };

	nanosleep(&t, NULL);
}

static int write_once(const struct apply *a, const struct budget_write *w, struct bandwidth to,
		      struct error *err)
{
	int r = group_write(a->groups[w->node], a->cpu, w->field, to, err);

	if (r == 0)
		cgroup_tree_set(a->tree, w->node, to);
	return r;
}

static int write_patiently(const struct apply *a, const struct budget_write *w, struct error *err)
{
	int r = write_once(a, w, w->to, err);

	for (int ms = 0; r == -EINVAL && ms < a->retry_ms; ms++) {
		wait_ms(1);
		r = write_once(a, w, w->to, err);
	}
	return r;
}

bool apply_undo(const struct apply *a, const struct budget_write *writes, size_t n)
{
	bool is_undone = true;

	while (n-- > 0) {
		int r = write_once(a, &writes[n], writes[n].from, NULL);

		is_undone = is_undone && (r == 0 || r == -ENODEV || r == -ENOENT);
	}
	return is_undone;
}

int apply_writes(const struct apply *a, const struct budget_write *writes, size_t n,
		 struct error *err)
{
	struct error first;

	for (size_t i = 0; i < n; i++) {
		if (write_patiently(a, &writes[i], &first) == 0)
			continue;
		if (apply_undo(a, writes, i))
			return error_set(err, first.code, "%s", first.msg);
		return error_set(err, first.code, "%s; the writes before it could not be undone",
				 first.msg);
	}
	return 0;
}

int apply_tree(const struct apply *a, struct budget_write *writes, struct error *err)
{
	size_t n;

	if (cgroup_tree_derive(a->tree, err) < 0 ||
	    cgroup_tree_plan(a->tree, writes, &n, err) < 0 || apply_writes(a, writes, n, err) < 0)
		return err ? err->code : -EINVAL;
	return apply_verify(a, writes, n, err);
}

int apply_verify(const struct apply *a, const struct budget_write *writes, size_t n,
		 struct error *err)
{
	for (size_t i = 0; i < n; i++) {
		const struct group *g = a->groups[writes[i].node];
		struct bandwidth wanted = a->tree->nodes.items[writes[i].node].now, found;

		if (group_read(g, a->cpu, &found, err) < 0)
			return err ? err->code : -EIO;
		if (!budget_reads_as(found, wanted))
			return error_set(err, -EREMCHG,
					 "%s: wrote %lld/%lld us, reads %lld/%lld us", g->name,
					 (long long)wanted.runtime_us, (long long)wanted.period_us,
					 (long long)found.runtime_us, (long long)found.period_us);
	}
	return 0;
}
