/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/search.h"

struct unit *search_unit(const struct search *s, const unit_list *list, size_t i)
{
	return &s->w->units.items[list->items[i]];
}

/* One more trial; false when the search is over. */
bool search_step(struct search *s)
{
	if (s->steps >= s->region->max_steps) {
		s->found->is_exact = false;
		return false;
	}
	s->steps++;
	return true;
}

bool search_choose(struct search *s, struct choice *c)
{
	if (c->taken++ == 0)
		return true;
	if (s->slack == 0) {
		s->was_cut = true;
		return false;
	}
	s->slack--;
	return true;
}

void search_unchoose(struct search *s, const struct choice *c)
{
	if (c->taken > 1)
		s->slack++;
}

bool search_is_hopeless(const struct search *s)
{
	return !cost_is_less(&s->cost, &s->best);
}
