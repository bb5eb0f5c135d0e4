/* SPDX-License-Identifier: Apache-2.0 */
#include "signal/selected.h"

#include <stdio.h>
#include <string.h>

#include "model/match.h"
#include "model/pod_level.h"

static void count_pod(const struct cluster *c, const struct pod *pod, struct selected *s)
{
	const struct pod_annotations *a =
		pod->annotations == NONE ? NULL : &c->annotations.items[pod->annotations];
	enum level level;

	s->n++;
	if (!pod->node_name || !a || a->core == NONE)
		return;
	s->placed++;
	if (pod_is_at_floor(c, pod))
		s->floor++;
	else if (a->applied != NONE && strcmp(cluster_str(c, a->applied), "true") == 0)
		s->ready++;
	if (a->current != NONE && level_parse(cluster_str(c, a->current), &level)) {
		s->worst = !s->has_level || level > s->worst ? level : s->worst;
		s->has_level = true;
	}
}

/* The first pod of a namespace: those of one stand side by side. */
static size_t first_pod(const struct cluster *c, str_id ns)
{
	size_t from = 0, to = c->pods.n;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (cluster_cmp(c, c->pods.items[middle].meta.ns, ns) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

void selected_count(const struct cluster *c, const struct mckube *m, struct selected *ret)
{
	*ret = (struct selected){ 0 };
	for (size_t i = first_pod(c, m->meta.ns); i < c->pods.n; i++) {
		const struct pod *pod = &c->pods.items[i];

		if (pod->meta.ns != m->meta.ns)
			break;
		if (!pod->is_terminating && match_mckube(c, m, pod))
			count_pod(c, pod, ret);
	}
}

static const char *level_of(const struct selected *s)
{
	if (s->floor)
		return LEVEL_NAME_FLOOR;
	return s->has_level ? level_name(s->worst) : NULL;
}

static void add_condition(struct condition *c, uint32_t n, uint32_t of, const char *yes,
			  const char *no, const char *text)
{
	bool is_true = n == of && of > 0;

	*c = (struct condition){ is_true, of == 0 ? "NoPods" : is_true ? yes : no, text };
}

void selected_report(struct selected *s, struct mckube_report *ret)
{
	*ret = (struct mckube_report){ .pods = s->pods, .level = level_of(s) };
	snprintf(s->pods, sizeof(s->pods), "%u/%u", s->ready, s->n);
	snprintf(s->placed_text, sizeof(s->placed_text), "%u of %u pods have cores", s->placed,
		 s->n);
	snprintf(s->ready_text, sizeof(s->ready_text),
		 "%u of %u pods have their budget, %u only their floor", s->ready, s->n, s->floor);
	add_condition(&ret->conditions[MCKUBE_CONDITION_PLACED], s->placed, s->n, "Assigned",
		      "PodsUnplaced", s->placed_text);
	add_condition(&ret->conditions[MCKUBE_CONDITION_READY], s->ready, s->n, "Ready",
		      s->floor ? "Degraded" : "PodsNotReady", s->ready_text);
}

bool selected_is_said(const struct cluster *c, const struct mckube *m,
		      const struct mckube_report *w)
{
	for (int i = 0; i < MCKUBE_CONDITION_TYPES; i++)
		if (w->conditions[i].reason &&
		    !condition_mckube_says(c, m, (enum mckube_condition_type)i, &w->conditions[i]))
			return false;
	return strcmp(cluster_str(c, m->status_pods), w->pods ? w->pods : "") == 0 &&
	       strcmp(cluster_str(c, m->status_current), w->level ? w->level : "") == 0;
}
