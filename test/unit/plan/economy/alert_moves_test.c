/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/economy/mover.h"

#include "base/auto.h"
#include "plan/economy/held.h"
#include "plan/plan.h"
#include "plugins/policies.h"
#include "test/unit/snapshot.h"
#include "test/unit/test.h"

enum { PODS = 600, PASSES = 60, PASS_SECONDS = 20, START = 1795987164 };

#define NODE(name, curve)                                                                      \
	"---\nkind: Node\napiVersion: v1\nmetadata:\n  name: " name                            \
	"\n  labels: {kubernetes.io/hostname: " name "}\n  annotations: {mckube.io/price-per-" \
	"hour: '0.2', mckube.io/power-curve: '" curve                                          \
	"'}\nstatus: {allocatable: {cpu: '8', memory: 64Gi, pods: '1000'}, capacity: {cpu: "   \
	"'8', memory: 64Gi, pods: '1000'}}\n"

static void add_pod(struct str *yaml, unsigned number, const char *node, bool is_bound)
{
	str_addf(yaml,
		 "---\nkind: Pod\napiVersion: v1\nmetadata: {name: p%04u, namespace: x, uid: u%u, "
		 "labels: {workload-optimizer: w}, ownerReferences: [{apiVersion: apps/v1, kind: "
		 "ReplicaSet, name: r, uid: o, controller: true}]}\nspec: {nodeName: %s, %s"
		 "containers: [{name: c, resources: {requests: {cpu: 10m}}}]}\nstatus: {phase: "
		 "Running, conditions: [{type: Ready, status: 'True'}]}\n",
		 number, number, node,
		 is_bound ? "nodeSelector: {kubernetes.io/hostname: hot}, " : "");
}

/* An alert is on, and of PODS pods on a node that draws much only the last may leave it. */
static void build(struct str *yaml)
{
	str_add(yaml, NODE("hot", "0:20,1:400") NODE("mild", "0:10,1:50"));
	str_add(yaml, "---\nkind: WorkloadOptimizer\napiVersion: kcloud.io/v1alpha1\n"
		      "metadata: {name: w, namespace: x}\nspec: {workloadType: serving}\n"
		      "---\nkind: PowerPolicy\napiVersion: kcloud.io/v1alpha1\n"
		      "metadata: {name: p, namespace: x}\nspec: {maxPowerUsage: 10, "
		      "powerAlertThresholds: [{type: power_usage, value: 50, action: migrate}]}\n");
	for (unsigned i = 0; i < PODS; i++)
		add_pod(yaml, i, "hot", i + 1 < PODS);
	add_pod(yaml, PODS, "mild", false);
}

/* How many pods a plan at that time evicts, all of which must be the one that may leave. */
static unsigned evicts(struct cluster *c, struct held_moves *held, int64_t at)
{
	struct settings settings = SETTINGS_DEFAULT;
	const struct plan_memory memory = { .moves = held };
	AUTO(plan_done) struct plan p = { 0 };
	struct error err = ERROR_INIT;
	unsigned n = 0;

	c->taken_at = at;
	settings.optimise.consolidate = CONSOLIDATE_NONE;
	if (plan_make_again(c, policies, &settings, &memory, &p, &err) < 0)
		fail_msg("%s", err.msg);
	array_each(a, &p.actions) {
		if (a->kind != ACTION_EVICT)
			continue;
		assert_string_equal(a->on.name, "p0599");
		n++;
	}
	return n;
}

TEST(more_pods_than_are_tried_in_a_pass_have_their_turn_later)
{
	AUTO(str_done) struct str yaml = STR_INIT;

	build(&yaml);
	AUTO(cluster_done) struct cluster c = snapshot_of(yaml.s);
	unsigned n = 0;
	for (int i = 0; i < PASSES; i++)
		n += evicts(&c, NULL, START + i * PASS_SECONDS);
	assert_in_range(n, PASSES / 6, PASSES * 5 / 6); /* 256 of 600: about 43 % */
	assert_int_equal(evicts(&c, NULL, START), evicts(&c, NULL, START));
}

TEST(what_waits_to_be_confirmed_is_tried_first)
{
	AUTO(str_done) struct str yaml = STR_INIT;
	AUTO(held_done) struct held_moves held = { .seconds = 15 };

	build(&yaml);
	AUTO(cluster_done) struct cluster c = snapshot_of(yaml.s);
	int64_t at = START;
	for (int i = 0; i < PASSES && !held.list.n; i++)
		assert_int_equal(evicts(&c, &held, at += PASS_SECONDS), 0);
	assert_int_equal(held.list.n, 1);
	assert_int_equal(evicts(&c, &held, at + 5), 0);
	assert_int_equal(evicts(&c, &held, at + PASS_SECONDS), 1);
}
