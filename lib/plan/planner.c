/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/planner.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "plan/economy/economy.h"
#include "plan/node_index.h"
#include "plan/score.h"

int planner_pick_policies(struct planner *p, const struct policy *const *table,
			  const struct settings *settings, struct error *err)
{
	for (uint32_t i = 0; i < settings->n_policies; i++) {
		const struct policy_weight *want = &settings->policies[i];
		const struct policy *const *row = table;

		while (*row && strcmp((*row)->name, want->name) != 0)
			row++;
		if (!*row)
			return error_set(err, -EINVAL, "there is no policy '%s'", want->name);
		p->policies[p->n_policies] = *row;
		p->weights[p->n_policies++] = want->weight;
	}
	return 0;
}

void planner_start(struct planner *p, const struct cluster *c, const struct settings *settings,
		   struct request_cache *memory)
{
	trial_init(&p->trial, c, settings, memory);
	filters_init(&p->filters, &p->trial);
	scores_init(p);
	p->index = index_new(p);
	for (node_id node = 0; node < c->nodes.n; node++)
		planner_refresh(p, node);
}

void planner_refresh(struct planner *p, node_id node)
{
	scores_refresh(p, node);
	index_update(p, node);
}

void planner_done(struct planner *p)
{
	if (p->economy)
		economy_done(p->economy);
	free(p->economy);
	p->economy = NULL;
	index_free(p->index);
	scores_done(p);
	filters_done(&p->filters);
	reliefs_done(&p->reliefs);
	migrations_done(&p->migrations);
	trial_done(&p->trial);
	array_done(&p->denied);
	free(p->avoided);
	p->avoided = NULL;
}

void planner_restart(struct planner *p)
{
	const struct cluster *c = p->trial.c;
	const struct settings *settings = p->trial.settings;
	struct request_cache *memory = p->trial.memory;
	typeof(p->denied) denied = p->denied;

	memset(&p->denied, 0, sizeof(p->denied));
	planner_done(p);
	p->denied = denied;
	p->now = 0;
	p->is_exact = true;
	planner_start(p, c, settings, memory);
}
