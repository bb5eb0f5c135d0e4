/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/economy/held.h"

#include <string.h>

#include "base/auto.h"
#include "plan/plan.h"
#include "plugins/policies.h"
#include "test/unit/snapshot.h"
#include "test/unit/test.h"

#define NODE(name, price)                                                                  \
	"---\nkind: Node\napiVersion: v1\nmetadata:\n  name: " name                        \
	"\n  annotations: {mckube.io/price-per-hour: '" price                              \
	"', mckube.io/removable: 'true'}\nstatus: {allocatable: {cpu: '4', memory: 64Gi, " \
	"pods: '110'}, capacity: {cpu: '4', memory: 64Gi, pods: '110'}}\n"
#define POD(name, node, of)                                                                                    \
	"---\nkind: Pod\napiVersion: v1\nmetadata:\n  name: " name                                             \
	"\n  namespace: x\n  uid: u-" name "\n  labels: {workload-optimizer: " of                              \
	"}\n  ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: r-" name                         \
	", uid: o-" name ", controller: true}]\nspec: {nodeName: " node                                        \
	", containers: [{name: c, resources: {requests: {cpu: '1'}}}]}\nstatus: {phase: Running, conditions: " \
	"[{type: Ready, status: 'True'}]}\n"
#define OPTIMIZER(name)                                                  \
	"---\nkind: WorkloadOptimizer\napiVersion: kcloud.io/v1alpha1\n" \
	"metadata: {name: " name ", namespace: x}\nspec: {workloadType: serving}\n"
/* p is worth moving from a to b, which empties a. */
#define CLUSTER(price)   \
	NODE("a", price) \
	NODE("b", "0.2") OPTIMIZER("w") OPTIMIZER("v") POD("p", "a", "w") POD("q", "b", "v")

struct watcher {
	struct held_moves held;
	uint32_t requeue_after;
};

static void watcher_done(struct watcher *w)
{
	held_done(&w->held);
}

/* How many pods a plan at that time evicts. */
static unsigned evicts(struct watcher *w, const char *yaml, int64_t at)
{
	struct settings settings = SETTINGS_DEFAULT;
	const struct plan_memory memory = { .moves = w ? &w->held : NULL };
	AUTO(cluster_done) struct cluster c = snapshot_of(yaml);
	AUTO(plan_done) struct plan p = { 0 };
	struct error err = ERROR_INIT;
	unsigned n = 0;

	c.taken_at = at;
	settings.optimise.disruption_pods = 1000000;
	if (plan_make_again(&c, policies, &settings, &memory, &p, &err) < 0)
		fail_msg("%s", err.msg);
	array_each(a, &p.actions)
		n += a->kind == ACTION_EVICT;
	if (w)
		w->requeue_after = p.requeue_after;
	return n;
}

TEST(a_move_waits_until_it_was_wanted_long_enough)
{
	AUTO(watcher_done) struct watcher w = { .held.seconds = 15 };

	assert_int_equal(evicts(NULL, CLUSTER("0.4"), 1000), 1);
	assert_int_equal(evicts(&w, CLUSTER("0.4"), 1000), 0);
	assert_int_equal(w.requeue_after, 16);
	assert_int_equal(evicts(&w, CLUSTER("0.4"), 1015), 0);
	assert_int_equal(w.requeue_after, 1);
	assert_int_equal(evicts(&w, CLUSTER("0.4"), 1016), 1);
}

TEST(what_one_plan_does_not_want_waits_again)
{
	AUTO(watcher_done) struct watcher w = { .held.seconds = 15 };

	assert_int_equal(evicts(&w, CLUSTER("0.4"), 1000), 0);
	assert_int_equal(evicts(&w, CLUSTER("0.4") NODE("c", "0.1") POD("s", "c", "v"), 1010), 0);
	assert_int_equal(evicts(&w, NODE("b", "0.2"), 1014), 0);
	assert_int_equal(w.held.list.n, 0);
	assert_int_equal(evicts(&w, CLUSTER("0.4"), 1020), 0);
	assert_int_equal(evicts(&w, CLUSTER("0.4"), 1036), 1);
}

TEST(a_clock_that_goes_back_only_waits)
{
	AUTO(watcher_done) struct watcher w = { .held.seconds = 15 };

	assert_int_equal(evicts(&w, CLUSTER("0.4"), 1000), 0);
	assert_int_equal(evicts(&w, CLUSTER("0.4"), 500), 0);
	assert_int_equal(w.requeue_after, 16);
	assert_int_equal(evicts(&w, CLUSTER("0.4"), 516), 1);
}

TEST(pods_of_a_node_that_is_to_close_wait_together)
{
	static const char two[] = NODE("a", "0.4") NODE("b", "0.2") OPTIMIZER("w") OPTIMIZER("v")
		OPTIMIZER("u") POD("p", "a", "w") POD("q", "b", "v") POD("r", "a", "u");
	AUTO(watcher_done) struct watcher w = { .held.seconds = 15 };

	assert_int_equal(evicts(&w, two, 1000), 0);
	assert_int_equal(evicts(&w, two, 1010), 0);
	assert_int_equal(evicts(&w, two, 1016), 2);
}

/* w asks for as many replicas as its latency is hundreds of milliseconds. */
#define SCALED(price, use)                                                                 \
	NODE("a", price)                                                                   \
	NODE("b", "0.01")                                                                  \
	OPTIMIZER("v")                                                                     \
	POD("q", "b", "v")                                                                 \
	POD("p", "a", "w")                                                                 \
	"---\nkind: WorkloadOptimizer\napiVersion: kcloud.io/v1alpha1\n"                   \
	"metadata: {name: w, namespace: x}\nspec: {workloadType: serving, autoScaling: "   \
	"{minReplicas: 1, maxReplicas: 9, metrics: [{type: latency, threshold: 100, "      \
	"metricName: l}]}}\n"                                                              \
	"---\nkind: Deployment\napiVersion: apps/v1\nmetadata: {name: d, namespace: x}\n"  \
	"spec: {replicas: 1, selector: {matchLabels: {workload-optimizer: w}}, template: " \
	"{metadata: {labels: {workload-optimizer: w}}}}\n"                                 \
	"---\nkind: MetricSample\napiVersion: mckube.io/v1alpha1\nmetadata: {name: s, "    \
	"namespace: x}\nspec: {source: custom, query: l, value: " use ", at: "             \
	"'1970-01-01T00:16:40Z'}\n"

/* A workload that is scaled is not moved in the same plan, which says nothing about the move. */
TEST(a_load_that_changes_only_delays_a_move)
{
	AUTO(watcher_done) struct watcher w = { .held.seconds = 15 };

	assert_int_equal(evicts(NULL, SCALED("0.4", "100"), 1000), 1);
	assert_int_equal(evicts(NULL, SCALED("0.4", "300"), 1000), 0);
	assert_int_equal(evicts(&w, SCALED("0.4", "100"), 1000), 0);
	assert_int_equal(evicts(&w, SCALED("0.4", "300"), 1016), 0);
	assert_int_equal(evicts(&w, SCALED("0.4", "100"), 1031), 1);
}

/* That a price has changed back in between is not forgiven. */
TEST(a_move_that_was_not_wanted_while_nothing_scaled_waits_again)
{
	AUTO(watcher_done) struct watcher w = { .held.seconds = 15 };

	assert_int_equal(evicts(&w, SCALED("0.4", "100"), 1000), 0);
	assert_int_equal(evicts(&w, SCALED("0.0", "100"), 1016), 0);
	assert_int_equal(evicts(&w, SCALED("0.4", "100"), 1031), 0);
	assert_int_equal(evicts(&w, SCALED("0.4", "100"), 1047), 1);
}
