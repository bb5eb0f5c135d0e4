/* SPDX-License-Identifier: Apache-2.0 */
#include "output/status.h"

#include <string.h>

#include "base/auto.h"
#include "budget/thread_class.h"
#include "model/heartbeat.h"
#include "model/pod_level.h"
#include "model/request.h"
#include "output/coremap.h"
#include "plan/namespace_limits.h"

/* What is shown, and what it is read from. */
struct status {
	const struct cluster *c;
	const struct status_view *view;
	struct requests requests;
	struct warnings warnings;
	struct coremap map;
};

static const struct column columns[] = {
	{ "NAMESPACE", "namespace" },
	{ "NAME", "name", .is_name = true, .kind = "pod" },
	{ "NODE", "node" },
	{ "CORES", "cores" },
	{ "CRITICALITY", "criticality" },
	{ "LEVEL", "level" },
	{ "PERIOD", "periodUs" },
	{ "LOW", "lowUs" },
	{ "HI", "hiUs" },
	{ "FLOOR", "floorUs", .is_wide = true },
	{ "REQUESTED", "requestedLowUs", .is_wide = true },
	{ "REQUESTED-HI", "requestedHiUs", .is_wide = true },
	{ "REFUSED", "refused", .is_wide = true },
	{ "POLICY", "policy", .is_wide = true },
	{ "SOURCE", "source", .is_wide = true },
	{ "BACKEND", "backend", .is_wide = true },
	{ "OVERRUN", "lastOverrunTime", .is_wide = true },
	{ "UID", "uid", .is_wide = true },
	{ "MESSAGE", "refusedMessage", .is_wide = true },
	{},
};

static bool is_shown(const struct status *s, const struct request *r)
{
	const struct pod *pod = &s->c->pods.items[r->pod];

	return (s->view->pod == NONE || s->view->pod == r->pod) &&
	       (s->view->node == NONE || s->view->node == pod->node) &&
	       (!s->view->ns || strcmp(s->view->ns, cluster_str(s->c, pod->meta.ns)) == 0) &&
	       (!s->view->selector || label_selector_matches(s->c, s->view->selector, pod->labels));
}

/* The cores as text; "" where there are none. */
static const char *cores_of(const struct status *s, const struct request *r,
			    char buf[static CPUSET_TEXT])
{
	return r->has_cores ? cpuset_format(&s->requests.sets.items[r->cores], buf) : "";
}

static const char *backend_name(const struct cluster *c, const struct node *node)
{
	return helper_state(c, node) == HELPER_SILENT ? "unknown" : helper_backend(c, node);
}

static const char *backend_of(const struct status *s, const struct pod *pod)
{
	return pod->node == NONE ? "" : backend_name(s->c, &s->c->nodes.items[pod->node]);
}

static const char *overrun_of(const struct status *s, const struct request *r)
{
	return r->mckube == NONE ? ""
				 : cluster_str(s->c, s->c->mckubes.items[r->mckube].status_overrun);
}

static const char *level_of(const struct status *s, const struct request *r)
{
	return r->has_cores ? pod_level_name(s->c, &s->c->pods.items[r->pod], (enum level)r->level)
			    : "";
}

/* Of its threads; "" where the pod says nothing of them. */
static const char *class_of(const struct status *s, const struct request *r, struct str *text)
{
	str_clear(text);
	thread_class_add(text, cluster_str(s->c, r->policy), cluster_str(s->c, r->priority),
			 (enum level)r->budget.criticality);
	return text->s;
}

/* Is more requested than was granted? */
static bool waits_for_budget(const struct request *r)
{
	return r->has_cores && request_held(r) != &r->budget;
}

/* What the last planning round could not do for the pod: a reason, a line feed, a message; "". */
static const char *refusal_of(const struct status *s, const struct request *r)
{
	static const enum mckube_condition_type types[] = { MCKUBE_CONDITION_ACCEPTED,
							    MCKUBE_CONDITION_PLACED };
	static const char is_false[] = "False\n";
	const struct mckube *m = r->mckube == NONE ? NULL : &s->c->mckubes.items[r->mckube];

	for (size_t i = 0; m && !m->selector.is_set && i < ARRAY_LEN(types); i++) {
		const char *text = cluster_str(s->c, m->said[types[i]].text);

		if (strncmp(text, is_false, strlen(is_false)) == 0)
			return text + strlen(is_false);
	}
	return r->has_cores ? "" : cluster_str(s->c, s->c->pods.items[r->pod].unscheduled);
}

static const char *refusal_message(const char *refusal)
{
	const char *line = strchr(refusal, '\n');

	return line ? line + 1 : "";
}

static void add_row(const struct status *s, const struct request *r, struct table *t)
{
	const struct pod *pod = &s->c->pods.items[r->pod];
	const struct budget *held = request_held(r);
	const char *refusal = refusal_of(s, r);
	AUTO_FREE char *reason = xstrndup(refusal, strcspn(refusal, "\n"));
	AUTO(str_done) struct str class = STR_INIT;
	bool waits = waits_for_budget(r);
	char cores[CPUSET_TEXT];

	table_row(t, CELL_TEXT(cluster_str(s->c, pod->meta.ns)),
		  CELL_TEXT(cluster_str(s->c, pod->meta.name)),
		  CELL_TEXT(cluster_str(s->c, pod->node_name)), CELL_TEXT(cores_of(s, r, cores)),
		  CELL_TEXT(r->has_budget ? criticality_name(held->criticality) : ""),
		  CELL_TEXT(level_of(s, r)), CELL_US(held->period), CELL_US(held->low),
		  CELL_US(held->hi), CELL_US(held->floor), CELL_US(waits ? r->budget.low : 0),
		  CELL_US(waits ? r->budget.hi : 0), CELL_TEXT(reason),
		  CELL_TEXT(class_of(s, r, &class)), CELL_TEXT(request_source_name(r->source)),
		  CELL_TEXT(backend_of(s, pod)), CELL_TEXT(overrun_of(s, r)),
		  CELL_TEXT(cluster_str(s->c, pod->meta.uid)), CELL_TEXT(refusal_message(refusal)));
}

static int fill_table(const struct status *s, struct table *t, struct error *err)
{
	*t = (struct table){ .columns = columns };
	array_each(r, &s->requests.list)
		if (is_shown(s, r))
			add_row(s, r, t);
	if (!s->view->sort_by)
		return 0;
	int column = table_find_column(t, s->view->sort_by, err);
	if (column < 0)
		return error_wrap(err, "--sort-by");
	table_sort(t, (size_t)column, false);
	return 0;
}

static int list_pods(const struct status *s, enum format format, const struct style *style,
		     struct str *out, struct error *err)
{
	AUTO(table_done) struct table t = { 0 };

	if (fill_table(s, &t, err) < 0)
		return err->code;
	return table_render(&t, format, style, s->view->has_header, out, err);
}

static void add_fact(const struct style *style, struct str *out, const char *title,
		     const char *text)
{
	style_fact(style, out, title, *text ? text : "<none>");
}

static void add_us(struct str *out, const char *word, int32_t us)
{
	if (!us)
		return;
	str_addf(out, out->n ? ", %s " : "%s ", word);
	text_add_us(out, us);
}

static void add_budget(const char *title, const struct budget *b, const struct style *style,
		       struct str *out)
{
	AUTO(str_done) struct str text = STR_INIT;

	add_us(&text, "low", b->low);
	add_us(&text, "medium", b->medium);
	add_us(&text, "hi", b->hi);
	add_us(&text, "floor", b->floor);
	if (b->period) {
		str_add(&text, " of ");
		text_add_us(&text, b->period);
	}
	add_fact(style, out, title, text.s);
}

static void add_budgets(const struct status *s, const struct request *r, const struct style *style,
			struct str *out)
{
	static const struct budget none = { 0 };
	const struct budget *held = r->has_budget ? request_held(r) : &none;
	AUTO(str_done) struct str text = STR_INIT;
	const char *refusal = refusal_of(s, r);

	add_budget("Budgets:", held, style, out);
	if (waits_for_budget(r))
		add_budget("Requested:", &r->budget, style, out);
	if (*refusal) {
		str_addf(&text, "%.*s: %s", (int)strcspn(refusal, "\n"), refusal,
			 refusal_message(refusal));
		add_fact(style, out, "Refused:", text.s);
		str_clear(&text);
	}
	for (int mode = 0; mode < LEVELS && r->has_budget; mode++) {
		str_addf(&text, mode ? ", %s " : "%s ", criticality_name((enum level)mode));
		text_add_ratio(&text, held == &r->budget ? r->load[mode]
							 : budget_load(held, (enum level)mode));
	}
	add_fact(style, out, "Load by mode:", text.s);
}

static void describe(const struct status *s, const struct request *r, const struct style *style,
		     struct str *out)
{
	const struct pod *pod = &s->c->pods.items[r->pod];
	AUTO(str_done) struct str class = STR_INIT;
	char cores[CPUSET_TEXT];

	add_fact(style, out, "Namespace:", cluster_str(s->c, pod->meta.ns));
	add_fact(style, out, "Name:", cluster_str(s->c, pod->meta.name));
	add_fact(style, out, "Node:", cluster_str(s->c, pod->node_name));
	add_fact(style, out, "Cores:", cores_of(s, r, cores));
	add_fact(style, out,
		 "Criticality:", r->has_budget ? criticality_name(r->budget.criticality) : "");
	add_fact(style, out, "Level:", level_of(s, r));
	add_budgets(s, r, style, out);
	if (r->policy)
		add_fact(style, out, "Threads:", class_of(s, r, &class));
	add_fact(style, out, "Source:", request_source_name(r->source));
	add_fact(style, out, "Backend:", backend_of(s, pod));
	add_fact(style, out, "Last overrun:", overrun_of(s, r));
	if (pod->node != NONE) {
		str_addc(out, '\n');
		coremap_text(&s->map, pod->node, NULL, style, out);
	}
}

/* Is one of its cores drawn with its node? */
static bool is_drawn(const struct status *s, const struct request *r)
{
	node_id node = s->c->pods.items[r->pod].node;
	struct range cores = node == NONE ? (struct range){ 0 } : s->map.nodes.items[node].cores;

	for (uint32_t i = cores.at; r->has_cores && i < cores.at + cores.n; i++)
		if (cpuset_has(&s->requests.sets.items[r->cores], s->map.cores.items[i].cpu))
			return true;
	return false;
}

static bool is_named(const struct status *s, const char *object, const char *kind,
		     const struct meta *meta)
{
	AUTO(str_done) struct str name = STR_INIT;

	str_addf(&name, "%s %s/%s", kind, cluster_str(s->c, meta->ns),
		 cluster_str(s->c, meta->name));
	return strcmp(object, name.s) == 0;
}

/* The first warning about the pod or its McKube. */
static const char *problem_of(const struct status *s, const struct request *r)
{
	const struct mckube *m = r->mckube == NONE ? NULL : &s->c->mckubes.items[r->mckube];

	array_each(w, &s->warnings.list)
		if (is_named(s, w->object, "Pod", &s->c->pods.items[r->pod].meta) ||
		    (m && is_named(s, w->object, cluster_str(s->c, m->kind), &m->meta)))
			return w->message;
	return "its request is invalid";
}

static const char *why_not_drawn(const struct status *s, const struct request *r, struct str *text)
{
	char cores[CPUSET_TEXT];

	if (r->is_bad)
		return problem_of(s, r);
	const char *refusal = refusal_of(s, r);
	str_clear(text);
	if (!r->has_cores && *refusal) {
		str_addf(text, "%s, %s", criticality_name(r->budget.criticality),
			 refusal_message(refusal));
		return text->s;
	}
	if (!r->has_cores)
		return criticality_name(r->budget.criticality);
	str_addf(text, "%s, on core %s of %s, which is not for real time",
		 criticality_name(r->budget.criticality), cores_of(s, r, cores),
		 cluster_str(s->c, s->c->pods.items[r->pod].node_name));
	return text->s;
}

static void add_unassigned(const struct status *s, const struct style *style, struct str *out)
{
	AUTO(str_done) struct str text = STR_INIT;
	bool has_title = false;

	array_each(r, &s->requests.list) {
		const struct meta *meta = &s->c->pods.items[r->pod].meta;

		if (is_drawn(s, r) || !is_shown(s, r))
			continue;
		if (!has_title) {
			str_add(out, out->n ? "\n" : "");
			style_add(style, out, COLOR_BOLD, "Without cores");
			str_addc(out, '\n');
		}
		has_title = true;
		style_add(style, out, COLOR_NONE, "  %s/%s", cluster_str(s->c, meta->ns),
			  cluster_str(s->c, meta->name));
		style_add(style, out, COLOR_DIM, "  %s", why_not_drawn(s, r, &text));
		str_addc(out, '\n');
	}
}

/* What namespaces may ask for, and what they have of it. */
static void add_namespaces(const struct status *s, const struct style *style, struct str *out)
{
	AUTO(str_done) struct str text = STR_INIT;
	bool has_title = false;

	array_each(ns, &s->c->namespaces) {
		const char *name = cluster_str(s->c, ns->meta.name);

		if ((s->view->ns && strcmp(s->view->ns, name) != 0) ||
		    !limits_summarise(s->c, &s->requests, ns, &text))
			continue;
		if (!has_title) {
			str_add(out, out->n ? "\n" : "");
			style_add(style, out, COLOR_BOLD, "Namespaces");
			str_addc(out, '\n');
		}
		has_title = true;
		style_add(style, out, COLOR_NONE, "  %s", name);
		style_add(style, out, COLOR_DIM, "  %s", text.s);
		str_addc(out, '\n');
	}
}

/* By node_id: is it drawn? With a namespace only nodes with pods of it are. */
static bool *choose_nodes(const struct status *s)
{
	bool *is_chosen = xcalloc(s->map.nodes.n, sizeof(*is_chosen));

	bool is_limited = s->view->ns || s->view->selector;

	for (uint32_t node = 0; node < s->map.nodes.n; node++)
		is_chosen[node] = s->view->node == NONE ? !is_limited : s->view->node == node;
	array_each(r, &s->requests.list) {
		node_id node = s->c->pods.items[r->pod].node;

		if (is_limited && node != NONE && is_shown(s, r))
			is_chosen[node] = true;
	}
	return is_chosen;
}

static void draw_nodes(const struct status *s, const struct style *style, struct str *out)
{
	AUTO_FREE bool *is_chosen = choose_nodes(s);

	for (uint32_t node = 0; node < s->map.nodes.n; node++) {
		if (!is_chosen[node])
			continue;
		str_add(out, out->n ? "\n" : "");
		coremap_text(&s->map, node, s->view->ns, style, out);
	}
	add_unassigned(s, style, out);
	if (s->view->node == NONE)
		add_namespaces(s, style, out);
}

static int draw(const struct status *s, const struct style *style, struct str *out,
		struct error *err)
{
	const struct status_view *view = s->view;

	if (view->pod == NONE) {
		draw_nodes(s, style, out);
		return 0;
	}
	uint32_t i = s->requests.of_pod[view->pod];
	if (i == NONE)
		return error_set(err, -ENOENT, "pod %s/%s asks for no real time and has no cores",
				 cluster_str(s->c, s->c->pods.items[view->pod].meta.ns),
				 cluster_str(s->c, s->c->pods.items[view->pod].meta.name));
	describe(s, &s->requests.list.items[i], style, out);
	return 0;
}

/* Calls `show` with what is read of the cluster. */
static int with_status(const struct cluster *c, const struct settings *settings,
		       const struct status_view *view,
		       int (*show)(const struct status *s, void *arg, struct error *err), void *arg,
		       struct error *err)
{
	struct status s = { .c = c, .view = view };
	struct arena arena = { 0 };

	s.warnings.arena = &arena;
	requests_read(c, settings, &s.requests, &s.warnings);
	coremap_make(c, settings, NULL, &s.map);
	int r = show(&s, arg, err);
	coremap_done(&s.map);
	requests_done(&s.requests);
	array_done(&s.warnings.list);
	arena_done(&arena);
	return r;
}

struct rendering {
	enum format format;
	const struct style *style;
	struct str *out;
};

static int show_rendered(const struct status *s, void *arg, struct error *err)
{
	const struct rendering *r = arg;

	if (r->format == FORMAT_TABLE && !s->view->sort_by)
		return draw(s, r->style, r->out, err);
	return list_pods(s, r->format, r->style, r->out, err);
}

int status_render(const struct cluster *c, const struct settings *settings,
		  const struct status_view *view, enum format format, const struct style *style,
		  struct str *out, struct error *err)
{
	struct rendering r = { format, style, out };

	return with_status(c, settings, view, show_rendered, &r, err);
}

static int show_table(const struct status *s, void *arg, struct error *err)
{
	return fill_table(s, arg, err);
}

int status_table(const struct cluster *c, const struct settings *settings,
		 const struct status_view *view, struct table *ret, struct error *err)
{
	return with_status(c, settings, view, show_table, ret, err);
}
