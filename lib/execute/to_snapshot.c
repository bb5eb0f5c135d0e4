/* SPDX-License-Identifier: Apache-2.0 */
#include "execute/to_snapshot.h"

#include <string.h>

#include "base/auto.h"
#include "execute/effect.h"
#include "execute/object_key.h"
#include "model/pdb.h"
#include "state/load.h"
#include "state/snapshot_out.h"

enum { NOWHERE = UINT32_MAX };

/* What is known of one object by its key. */
struct entry {
	uint32_t last;	       /* which of the objects read it is; NOWHERE until it is seen */
	uint32_t first_action; /* index in the plan, NOWHERE: none */
	uint32_t evictions;    /* that a PodDisruptionBudget pays for */
};

/* The sources are read twice: once to learn which object is the last of a key, and once to
 * write. Both count the objects in the same order. */
struct pass {
	const struct plan *plan;
	struct intern keys;
	ARRAY(struct entry) entries; /* by id of keys */
	ARRAY(uint32_t) next_action; /* by index in the plan: the next one about the same object */
	uint32_t n_objects;
	struct str key;
	struct loader *loader; /* until the budgets are charged; NULL: the plan evicts none */
	struct list_out list;
};

static void pass_done(struct pass *p)
{
	intern_done(&p->keys);
	array_done(&p->entries);
	array_done(&p->next_action);
	str_done(&p->key);
	loader_free(p->loader);
	list_out_done(&p->list);
}

/* The entry of p->key, made when it is new. */
static struct entry *entry_of_key(struct pass *p)
{
	str_id id = intern_add(&p->keys, p->key.s, p->key.n);

	while (p->entries.n <= id)
		*array_add(&p->entries) = (struct entry){ NOWHERE, NOWHERE, 0 };
	return &p->entries.items[id];
}

/* Chains the actions to their objects; from the last to the first, so that a chain is in order. */
static int index_actions(struct pass *p, struct error *err)
{
	size_t n = p->plan->actions.n;

	array_reserve(&p->next_action, n);
	p->next_action.n = n;
	for (size_t i = n; i-- > 0;) {
		const struct action *a = &p->plan->actions.items[i];

		if (!effect_is_known(a->kind))
			return error_set(err, -ENOTSUP, "action %u: %s is not supported with files",
					 a->id, action_kind_name(a->kind));
		str_clear(&p->key);
		object_key_of_target(&a->on, &p->key);
		struct entry *e = entry_of_key(p);
		p->next_action.items[i] = e->first_action;
		e->first_action = (uint32_t)i;
		if (a->kind == ACTION_EVICT && !p->loader)
			p->loader = loader_new();
	}
	return 0;
}

/* Does it say which budget an eviction is charged to: a pod of the plan, or a budget? */
static bool is_about_evictions(const struct pass *p, const struct entry *e)
{
	static const char budget[] = "policy/PodDisruptionBudget/";

	return e->first_action != NOWHERE || strncmp(p->key.s, budget, strlen(budget)) == 0;
}

/* The first reading */
static int note_place(const struct object_text *object, void *arg, struct error *err)
{
	struct pass *p = arg;
	uint32_t ordinal = p->n_objects++;

	str_clear(&p->key);
	if (!object_key_of_text(object->json, &p->key))
		return 0;

	struct entry *e = entry_of_key(p);
	e->last = ordinal;
	if (!p->loader || !is_about_evictions(p, e))
		return 0;
	return loader_object(p->loader, object->json, object->file, err);
}

static int check_all_there(const struct pass *p, struct error *err)
{
	array_each(e, &p->entries) {
		if (e->first_action == NOWHERE || e->last != NOWHERE)
			continue;

		const struct target *t = &p->plan->actions.items[e->first_action].on;
		return error_set(err, -ESTALE, "%s %s/%s: not found", t->kind, t->ns, t->name);
	}
	return 0;
}

static void charge(struct pass *p, const struct cluster *c, const struct pdb *pdb)
{
	str_clear(&p->key);
	object_key_of_target(
		&(struct target){
			.api_version = "policy/v1",
			.kind = "PodDisruptionBudget",
			.ns = cluster_str(c, pdb->meta.ns),
			.name = cluster_str(c, pdb->meta.name),
		},
		&p->key);
	entry_of_key(p)->evictions++;
}

/* Counts the evictions of the plan at the budgets that cover the pods. */
static void charge_budgets(struct pass *p)
{
	AUTO(cluster_done) struct cluster c = { 0 };

	if (!p->loader)
		return;
	loader_finish(p->loader, &c);

	AUTO_FREE struct pdb_cover *covers = pdbs_read(&c, NULL);
	array_each(a, &p->plan->actions) {
		pod_id pod = a->kind == ACTION_EVICT ? cluster_pod(&c, a->on.ns, a->on.name) : NONE;

		if (pod != NONE && covers[pod].pdb != NONE)
			charge(p, &c, &c.pdbs.items[covers[pod].pdb]);
	}
}

static int write_changed(struct pass *p, const struct entry *e, struct slice json,
			 struct error *err)
{
	AUTO_JSON cJSON *object = NULL;

	if (json_parse(json.s, json.n, &object, err) < 0)
		return err->code;
	for (uint32_t i = e->first_action; i != NOWHERE; i = p->next_action.items[i])
		if (effect_apply(object, &p->plan->actions.items[i]) == EFFECT_GONE)
			return 0;
	if (e->evictions)
		effect_evictions(object, e->evictions);

	AUTO_FREE char *text = cJSON_PrintUnformatted(object);
	return list_out_add(&p->list, slice_of(text), err);
}

/* The second reading */
static int write_object(const struct object_text *object, void *arg, struct error *err)
{
	struct pass *p = arg;
	uint32_t ordinal = p->n_objects++;

	str_clear(&p->key);
	if (!object_key_of_text(object->json, &p->key))
		return list_out_add(&p->list, object->json, err);

	const struct entry *e = entry_of_key(p);
	if (e->last != ordinal)
		return 0;
	if (e->first_action == NOWHERE && !e->evictions)
		return list_out_add(&p->list, object->json, err);
	if (write_changed(p, e, object->json, err) < 0)
		return error_wrap(err, "%s", p->key.s);
	return 0;
}

static int read_all(struct pass *p, const struct source *sources, size_t n, object_visitor visit,
		    struct error *err)
{
	p->n_objects = 0;
	for (size_t i = 0; i < n; i++)
		if (objects_read(&sources[i], visit, p, err) < 0)
			return err->code;
	return 0;
}

static void report_done(struct plan *plan)
{
	array_clear(&plan->results);
	array_each(a, &plan->actions)
		*array_add(&plan->results) = (struct result){
			.id = a->id,
			.state = RESULT_DONE,
			.message = "",
		};
}

int execute_on_files(struct plan *plan, const struct source *sources, size_t n_sources,
		     enum list_format format, FILE *out, struct error *err)
{
	AUTO(pass_done) struct pass p = { .plan = plan, .key = STR_INIT, .list.text = STR_INIT };

	if (index_actions(&p, err) < 0 || read_all(&p, sources, n_sources, note_place, err) < 0 ||
	    check_all_there(&p, err) < 0)
		return err->code;

	charge_budgets(&p);
	list_out_begin_taken(&p.list, out, format, plan->server, plan->taken_at);
	if (read_all(&p, sources, n_sources, write_object, err) < 0)
		return err->code;
	list_out_end(&p.list);
	report_done(plan);
	return 0;
}
