/* SPDX-License-Identifier: Apache-2.0 */
#include "moving.h"

#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/file.h"
#include "output/plan_text.h"
#include "plan/file/plan_file.h"
#include "plugins/policies.h"

#include "ref.h"

const char *const moving_dry_runs[] = { "none", "client", "server", NULL };

enum { AGAIN_MS = 5000 };

/* The name of the node; both "node/edge-1" and "edge-1" are one. */
static const char *node_name(const char *word)
{
	const char *slash = strchr(word, '/');

	return slash ? slash + 1 : word;
}

static int find_demand(struct cli *cli, const struct inputs *in, const struct moving *m,
		       struct migration_demand *ret, struct error *err)
{
	struct ref ref = REF_NOTHING;

	*ret = (struct migration_demand){ .to = m->to };
	if (m->is_node) {
		ret->node = node_name(m->word);
		return 0;
	}
	if (ref_find(cli, in, m->word, REF_PODS, &ref, err) < 0)
		return err->code;
	ret->ns = cluster_str(&in->cluster, in->cluster.pods.items[ref.pod].meta.ns);
	ret->pod = cluster_str(&in->cluster, in->cluster.pods.items[ref.pod].meta.name);
	return 0;
}

static int make_plan(struct cli *cli, const struct moving *m, struct inputs *in, struct plan *ret,
		     struct error *err)
{
	AUTO(str_done) struct str json = STR_INIT;
	struct migration_demand demand;

	cli->needs_metrics = true;
	if (inputs_load(cli, false, in, err) < 0 || find_demand(cli, in, m, &demand, err) < 0 ||
	    migrate_plan(&in->cluster, policies, &in->settings, &demand, ret, err) < 0)
		return err->code;
	if (!m->out)
		return 0;
	plan_write_json(ret, &json);
	return file_write(m->out, (struct slice){ json.s, json.n }, err);
}

static int show_plan(struct cli *cli, const struct moving *m, struct error *err)
{
	AUTO(inputs_done) struct inputs in = { 0 };
	AUTO(plan_done) struct plan plan = { 0 };
	AUTO(str_done) struct str out = STR_INIT;

	if (make_plan(cli, m, &in, &plan, err) < 0)
		return err->code;
	plan_text(&plan, &(struct plan_view){ .has_header = true }, &cli->style, &out);
	return print_text(&out, EXIT_DONE, err);
}

static int cordon(struct live *live, const struct cluster *c, const char *name, struct error *err)
{
	AUTO(kube_request_done) struct kube_request r = { 0 };
	node_id id = cluster_node(c, name);
	const struct kube_ref ref = { .resource = &kube_nodes, .name = name };

	if (id != NONE && c->nodes.items[id].is_unschedulable)
		return 0;
	kube_patch(&r, &live->kube, &ref,
		   &(struct kube_change){ .json = "\"spec\":{\"unschedulable\":true}" });
	if (kube_do(&live->kube, &r, err) < 0)
		return error_wrap(err, "node %s", name);
	return 0;
}

/* What came of one round. */
struct round {
	size_t n_done, n_left; /* pods that were moved, and that were not */
};

static int run_round(struct cli *cli, const struct moving *m, struct pass_lock *lock,
		     struct round *ret, struct error *err)
{
	AUTO(inputs_done) struct inputs in = { 0 };
	AUTO(plan_done) struct plan plan = { 0 };
	AUTO(str_done) struct str out = STR_INIT;

	if (make_plan(cli, m, &in, &plan, err) < 0)
		return err->code;
	in.live.kube.is_dry_run = m->dry_run == MOVING_DRY_SERVER;
	if (m->cordons && cordon(&in.live, &in.cluster, node_name(m->word), err) < 0)
		return err->code;
	if (execute_plan(cli, &in.live, lock, &in.cluster, &plan, err) < 0)
		return err->code;
	*ret = (struct round){ .n_left = plan.warnings.n };
	array_each(result, &plan.results) {
		if (plan.actions.items[result->id - 1].kind != ACTION_MIGRATE)
			continue;
		ret->n_done += result->state == RESULT_DONE;
		ret->n_left += result->state != RESULT_DONE;
	}
	if (plan.actions.n)
		plan_results(&plan, in.live.kube.is_dry_run, &cli->style, &out);
	array_each(w, &plan.warnings)
		str_addf(&out, "%s: stays: %s\n", w->object, w->message);
	if (!plan.actions.n && !plan.warnings.n)
		str_add(&out, "Nothing to move.\n");
	if (in.live.kube.is_dry_run)
		str_add(&out, dry_run_note);
	return print_text(&out, EXIT_DONE, err);
}

/* A budget may allow more when the pods that were moved are ready. */
static int run_rounds(struct cli *cli, const struct moving *m, struct pass_lock *lock,
		      struct error *err)
{
	int64_t end_ms = clock_ms() + m->wait_ms;
	struct round last = { 0 };

	for (;;) {
		if (run_round(cli, m, lock, &last, err) < 0)
			return err->code;
		if (!last.n_left || m->dry_run != MOVING_FOR_REAL ||
		    clock_ms() + AGAIN_MS >= end_ms || interrupt_reason())
			return last.n_left ? EXIT_PARTIAL : EXIT_DONE;
		for (int64_t now = clock_ms(), until = now + AGAIN_MS; now < until;
		     now = clock_ms()) {
			if (pass_lock_stop_reason(lock))
				return EXIT_PARTIAL;
			nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL);
		}
	}
}

int moving_run(struct cli *cli, const struct moving *m, struct error *err)
{
	AUTO(pass_lock_release) struct pass_lock lock = { 0 };

	if (cli->input.snapshots.n || cli->input.files.n || m->dry_run == MOVING_DRY_CLIENT)
		return show_plan(cli, m, err);
	if (m->dry_run == MOVING_FOR_REAL && pass_lock_take(cli, &lock, err) < 0)
		return err->code;
	return run_rounds(cli, m, &lock, err);
}
