/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/economy/savings.h"

#include <string.h>

#include "base/auto.h"
#include "plugins/policies.h"
#include "test/unit/snapshot.h"
#include "test/unit/test.h"

/* Shares here are 0.07901 of a node's price: a CPU of 4 beside 64 GiB of memory. */
#define PRICE(price) "mckube.io/price-per-hour: '" price "', "
#define NODE(name, price)                                                                    \
	"---\nkind: Node\napiVersion: v1\nmetadata:\n  name: " name                          \
	"\n  labels: {kubernetes.io/hostname: " name "}\n  annotations: {" price             \
	"mckube.io/power-curve: '0:10,1:50', mckube.io/removable: 'true'}\n"                 \
	"status: {allocatable: {cpu: '4', memory: 64Gi, pods: '110'}, capacity: {cpu: '4', " \
	"memory: 64Gi, pods: '110'}}\n"
#define OPTIMIZER(status)                                                \
	"---\nkind: WorkloadOptimizer\napiVersion: kcloud.io/v1alpha1\n" \
	"metadata: {name: w, namespace: x}\nspec: {workloadType: serving}\n" status
#define LABELED(name, more)                                          \
	"---\nkind: Pod\napiVersion: v1\nmetadata:\n  name: " name   \
	"\n  namespace: x\n  uid: u-" name                           \
	"\n  labels: {workload-optimizer: w}\n  ownerReferences: [{" \
	"apiVersion: apps/v1, kind: ReplicaSet, name: r, uid: o, controller: true}]\n" more
#define WAITS(name, more)                                              \
	LABELED(name, "  creationTimestamp: '2026-01-01T00:16:00Z'\n") \
	"spec: {schedulingGates: [{name: mckube.io/placement}], " more \
	"containers: [{name: c, resources: {requests: {cpu: '1'}}}]}\nstatus: {phase: Pending}\n"
#define RUNS(name, node, notes)                                                                    \
	LABELED(name, "  annotations: {" notes "}\n")                                              \
	"spec: {nodeName: " node ", containers: [{name: c, resources: {requests: {cpu: '1'}}}]}\n" \
	"status: {phase: Running, conditions: [{type: Ready, status: 'True'}]}\n"

enum { NOW = 1767226800 }; /* 2026-01-01T00:20:00Z */

static void plan_of(const char *yaml, struct plan *ret)
{
	struct settings settings = SETTINGS_DEFAULT;
	AUTO(cluster_done) struct cluster c = snapshot_of(yaml);
	struct error err = ERROR_INIT;

	c.taken_at = NOW;
	settings.optimise.disruption_pods = settings.optimise.disruption_nodes = 1000000;
	if (plan_make(&c, policies, &settings, ret, &err) < 0)
		fail_msg("%s", err.msg);
}

/* The Bind of the pod. */
static const struct action *bind_of(const struct plan *p, const char *pod)
{
	array_each(a, &p->actions)
		if (a->kind == ACTION_BIND && strcmp(a->on.name, pod) == 0)
			return a;
	fail_msg("no Bind of %s", pod);
	return NULL;
}

static const struct economy_status *status_of(const struct plan *p)
{
	array_each(a, &p->actions)
		if (a->status && a->status->phase)
			return a->status;
	fail_msg("no Status");
	return NULL;
}

/* Dearer and cheaper node are as empty: the cheaper one counts, then the other one. */
TEST(a_new_pod_has_the_least_allocated_node_as_its_baseline)
{
	AUTO(plan_done) struct plan p = { 0 };

	plan_of(NODE("a", PRICE("0.4")) NODE("b", PRICE("0.2")) OPTIMIZER("") WAITS("p", "")
			WAITS("q", ""),
		&p);
	assert_string_equal(bind_of(&p, "p")->to.node, "b");
	assert_string_equal(bind_of(&p, "q")->to.node, "b");
	int64_t share = bind_of(&p, "p")->share.cost.after;
	assert_int_equal(bind_of(&p, "p")->baseline.cost, share);
	assert_int_equal(bind_of(&p, "q")->baseline.cost, 2 * share - 1); /* rounded up once */
	assert_int_equal(bind_of(&p, "q")->baseline.watts, 12500000);
	assert_int_equal(status_of(&p)->saved_cost, share - 1);
	assert_int_equal(status_of(&p)->saved_watts, 0);
}

TEST(a_baseline_is_where_the_pod_may_be)
{
	AUTO(plan_done) struct plan p = { 0 };

	plan_of(NODE("a", PRICE("0.4")) NODE("b", PRICE("0.2")) NODE("c", PRICE("0.8"))
			OPTIMIZER("") RUNS("r", "b", "")
				WAITS("p", "nodeSelector: {kubernetes.io/hostname: b}, "),
		&p);
	assert_int_equal(bind_of(&p, "p")->baseline.cost, bind_of(&p, "p")->share.cost.after);
}

TEST(what_is_assumed_is_no_baseline)
{
	AUTO(plan_done) struct plan p = { 0 };

	plan_of(NODE("a", "") NODE("b", PRICE("0.2")) OPTIMIZER("") RUNS("r", "b", "")
			WAITS("p", ""),
		&p);
	assert_int_equal(bind_of(&p, "p")->baseline.cost, 0);
	assert_true(bind_of(&p, "p")->baseline.watts > 0);
}

#define NOTES "kcloud.io/baseline-cost-per-hour: '0.1', kcloud.io/baseline-watts: '20.5'"

TEST(bound_pods_save_what_their_baseline_is_above_their_share)
{
	AUTO(plan_done) struct plan p = { 0 };

	plan_of(NODE("b", PRICE("0.2")) OPTIMIZER("") RUNS("p", "b", NOTES) RUNS("q", "b", ""), &p);
	assert_int_equal(status_of(&p)->saved_cost, 100000 - status_of(&p)->budget.rate / 2);
	assert_int_equal(status_of(&p)->saved_watts, 20500000 - 12500000);
}

TEST(a_baseline_that_is_no_number_is_none)
{
	AUTO(plan_done) struct plan p = { 0 };

	plan_of(NODE("b", PRICE("0.2")) OPTIMIZER("")
			RUNS("p", "b", "kcloud.io/baseline-cost-per-hour: 'NaN'")
				RUNS("q", "b", "kcloud.io/baseline-cost-per-hour: '-1'"),
		&p);
	assert_int_equal(status_of(&p)->saved_cost, 0);
}

/* It saves nothing until its replacement is there, which says what the pod had. */
TEST(a_moved_pod_is_compared_with_where_it_was)
{
	AUTO(plan_done) struct plan p = { 0 }, next = { 0 };

	plan_of(NODE("a", PRICE("0.4")) NODE("b", PRICE("0.2")) OPTIMIZER("") RUNS("p", "a", NOTES)
			RUNS("q", "b", ""),
		&p);
	const struct economy_status *s = status_of(&p);
	assert_string_equal(s->moved_from, "a");
	assert_int_equal(s->saved_cost, 0);
	assert_int_equal(s->moved_watts, 12500000);
	assert_int_equal(s->n_past, 1);
	assert_string_equal(s->past[0].node, "a");
	assert_int_equal(s->past[0].cost, 400000 - s->moved_cost);
	assert_int_equal(s->past[0].watts, 7500000);

	plan_of(NODE("a", PRICE("0.4")) NODE("b", PRICE("0.2")) OPTIMIZER(
			"status: {lastMoveTime: '2026-01-01T00:15:00Z', moves: 1, lastMove: "
			"{from: a, to: b, costPerHour: 0.031604, watts: 20}}\n") WAITS("p", "")
			RUNS("q", "b", ""),
		&next);
	assert_int_equal(bind_of(&next, "p")->baseline.cost, 31604);
	assert_int_equal(bind_of(&next, "p")->baseline.watts, 20000000);
}

#define EMPTIED(since)                                                                  \
	OPTIMIZER("status: {savings: {costPerHour: 0, powerWatts: 0, past: [{node: a, " \
		  "costPerHour: 0.3, powerWatts: 10, since: '" since "'}]}}\n")

TEST(an_emptied_node_counts_for_a_day_once_it_is_gone)
{
	AUTO(plan_done) struct plan there = { 0 }, gone = { 0 }, late = { 0 };

	plan_of(NODE("a", PRICE("0.4")) NODE("b", PRICE("0.2")) EMPTIED("2026-01-01T00:00:00Z")
			RUNS("q", "b", ""),
		&there);
	assert_int_equal(status_of(&there)->saved_cost, 0);
	plan_of(NODE("b", PRICE("0.2")) EMPTIED("2026-01-01T00:00:00Z") RUNS("q", "b", ""), &gone);
	assert_int_equal(status_of(&gone)->saved_cost, 300000);
	assert_int_equal(status_of(&gone)->saved_watts, 10000000);
	assert_int_equal(gone.requeue_after, 86400 - 1200);
	plan_of(NODE("b", PRICE("0.2")) EMPTIED("2025-12-31T00:20:00Z") RUNS("q", "b", ""), &late);
	assert_int_equal(status_of(&late)->saved_cost, 0);
	assert_int_equal(status_of(&late)->n_past, 0);
	assert_true(status_of(&late)->has_past);
}

#define SCALES(status)                                                                            \
	"---\nkind: WorkloadOptimizer\napiVersion: kcloud.io/v1alpha1\n"                          \
	"metadata: {name: w, namespace: x}\nspec: {workloadType: serving, autoScaling: {"         \
	"minReplicas: 1, maxReplicas: 5, metrics: [{type: cost, threshold: 0.02}]}}\n" status     \
	"---\nkind: Deployment\napiVersion: apps/v1\nmetadata: {name: d, namespace: x, uid: d}\n" \
	"spec: {replicas: 3, selector: {matchLabels: {workload-optimizer: w}}, template: "        \
	"{metadata: {labels: {workload-optimizer: w}}}}\n"
#define THREE(status)           \
	NODE("b", PRICE("0.2")) \
	SCALES(status) RUNS("p", "b", "") RUNS("q", "b", "") RUNS("r", "b", "")

TEST(replicas_that_a_ceiling_ends_count_once)
{
	AUTO(plan_done) struct plan first = { 0 }, again = { 0 };

	plan_of(THREE(""), &first);
	const struct economy_status *s = status_of(&first);
	assert_int_equal(s->scaled_to, 1);
	assert_int_equal(s->saved_cost, s->budget.rate * 2 / 3);
	assert_int_equal(s->n_past, 1);
	assert_string_equal(s->past[0].node, "");
	/* The Status says it, and the Scale was not done. */
	plan_of(THREE("status: {lastScaleTime: '2026-01-01T00:19:00Z', lastScaleFrom: 3, "
		      "lastScaleTo: 1, savings: {past: [{costPerHour: 0.03, powerWatts: 1, since: "
		      "'2026-01-01T00:19:00Z'}]}}\n"),
		&again);
	assert_int_equal(status_of(&again)->saved_cost, 30000);
	assert_int_equal(status_of(&again)->past[0].since, NOW - 60);
}
