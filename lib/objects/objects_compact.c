/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/auto.h"
#include "model/compact.h"
#include "objects/objects_internal.h"

/* What was shared is found again by what is in the rows now. */

static void learn_labels(struct objects *o, struct range run)
{
	const struct label *key = o->c->labels.items + run.at;
	size_t size = run.n * sizeof(*key);

	if (run.n && !shared_find(&o->labels, key, size))
		shared_add(&o->labels, key, size, run);
}

static void learn_amounts(struct objects *o, struct range run)
{
	const struct amount *key = o->c->amounts.items + run.at;
	size_t size = run.n * sizeof(*key);

	if (run.n && !shared_find(&o->amounts, key, size))
		shared_add(&o->amounts, key, size, run);
}

static void learn_rules(struct objects *o)
{
	const struct intern *strings = &o->c->strings;

	for (uint32_t i = 0; i < o->c->rules.n; i++) {
		str_id text = o->c->rules.items[i].text;

		shared_add(&o->rule_texts, intern_str(strings, text), intern_len(strings, text),
			   (struct range){ i, 1 });
	}
}

static void forget_shared(struct objects *o)
{
	shared_runs_done(o);
	array_clear(&o->templates);
	memset(o->d.memory, 0, sizeof(*o->d.memory));
	arena_done(&o->arena);
	o->head.n = 0;
	o->last_kind = NULL;
	o->last_kind_id = o->last_version_id = 0;
}

void objects_compact(struct objects *o, const str_id *keep, size_t n_keep)
{
	AUTO_FREE str_id *all = xcalloc(n_keep + 5, sizeof(*all));

	for (size_t i = 0; i < n_keep; i++)
		all[i] = keep[i];
	all[n_keep++] = o->id_cpu;
	all[n_keep++] = o->id_memory;
	all[n_keep++] = o->id_ephemeral;
	all[n_keep++] = o->id_pods;
	all[n_keep++] = o->id_sdv;
	forget_shared(o);
	cluster_compact(o->c, all, n_keep);
	array_each(pod, &o->c->pods) {
		learn_labels(o, pod->labels);
		learn_amounts(o, pod->extended);
	}
	array_each(node, &o->c->nodes) {
		learn_labels(o, node->labels);
		learn_amounts(o, node->extended);
		learn_amounts(o, node->capacity_extended);
	}
	array_each(scalable, &o->c->deployments)
		learn_labels(o, scalable->template_labels);
	array_each(scalable, &o->c->stateful_sets)
		learn_labels(o, scalable->template_labels);
	array_each(optimizer, &o->c->optimizers)
		learn_labels(o, optimizer->labels);
	array_each(volume, &o->c->volumes)
		learn_labels(o, volume->labels);
	array_each(namespace, &o->c->namespaces)
		learn_labels(o, namespace->labels);
	learn_rules(o);
}
