/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/explain/explain.h"

#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "plan/filter/filter.h"
#include "plan/policy.h"
#include "test/unit/test.h"

static uint32_t even(const struct core_view *core)
{
	(void)core;
	return 50;
}

static const struct policy policy_even = { .name = "spread", .help = "", .score = even };
static const struct policy *const policies[] = { &policy_even, NULL };
static const struct settings settings = SETTINGS_DEFAULT;

static str_id id(struct cluster *c, const char *s)
{
	return intern_cstr(&c->strings, s);
}

static str_id number(struct cluster *c, int n)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", n);
	return id(c, text);
}

static void add_node(struct cluster *c, const char *name, int cores)
{
	*array_add(&c->nodes) = (struct node){
		.meta = { .name = id(c, name) },
		.cpu_milli = cores * 1000,
		.capacity_cpu_milli = cores * 1000,
		.memory = (int64_t)1 << 30,
		.max_pods = 10,
		.has_allocatable = true,
	};
	memset(&c->nodes.items[c->nodes.n - 1].annotations, 0xff, sizeof(struct node_annotations));
}

/* A pod that asks by its annotations for `low` and `hi` of 1000 us; with a node it has the core. */
static struct pod *add_pod(struct cluster *c, const char *name, const char *criticality, int low,
			   int hi, const char *node, const char *core)
{
	struct pod_annotations annotations;

	memset(&annotations, 0xff, sizeof(annotations)); /* NONE everywhere */
	annotations.period = id(c, "1000");
	annotations.runtime_low = number(c, low);
	annotations.runtime_hi = number(c, hi);
	annotations.criticality = id(c, criticality);
	if (node)
		annotations.core = id(c, core);
	*array_add(&c->annotations) = annotations;

	struct pod *pod = array_add(&c->pods);
	*pod = (struct pod){
		.meta = { .ns = id(c, "default"), .name = id(c, name), .uid = id(c, name) },
		.node_name = node ? id(c, node) : 0,
		.node = NONE,
		.annotations = (annotations_id)c->annotations.n - 1,
		.cpu_milli = 100,
		.owner_kind = id(c, "ReplicaSet"),
		.phase = node ? POD_RUNNING : POD_PENDING,
		.is_ours = true,
		.has_label = true,
	};
	return pod;
}

static struct cluster cluster_new(void)
{
	struct cluster c = { 0 };

	id(&c, "");
	*array_add(&c.rules) = (struct rules){ .ns = id(&c, "default") };
	return c;
}

static struct explanation explain(const struct cluster *c, const char *name)
{
	struct explanation e = { 0 };

	assert_int_equal(
		explain_pod(c, policies, &settings, cluster_pod(c, "default", name), &e, NULL), 0);
	return e;
}

TEST(a_placed_pod_is_counted_once)
{
	AUTO(cluster_done) struct cluster c = cluster_new();

	add_node(&c, "n", 2);
	add_pod(&c, "old", "High", 300, 300, "n", "0");
	add_pod(&c, "new", "High", 200, 400, NULL, NULL);
	cluster_finish(&c);
	AUTO(explanation_done) struct explanation e = explain(&c, "new");

	assert_int_equal(e.outcome, OUTCOME_PLACED);
	assert_string_equal(e.summary, "It gets core 0 of n.");
	assert_string_equal(e.then.cores, "0");
	assert_null(e.now.node);
	assert_int_equal(e.actions.n, 1);
	assert_int_equal(e.changes.n, 0);
	assert_int_equal(e.nodes.n, 1);

	const struct node_verdict *v = &e.nodes.items[0];
	assert_int_equal(v->n_cores, 2);
	assert_true(v->cores[0].is_chosen);
	assert_int_equal(v->cores[0].load[LEVEL_LOW], 500000);
	assert_int_equal(v->cores[0].load[LEVEL_HIGH], 700000);
	assert_int_equal(v->cores[0].n_holders, 1);
	assert_string_equal(v->cores[0].holders[0].name, "old");
	assert_false(v->cores[1].is_chosen);
	assert_int_equal(v->cores[1].load[LEVEL_LOW], 200000);
}

TEST(victims_are_listed_for_both_pods)
{
	AUTO(cluster_done) struct cluster c = cluster_new();

	add_node(&c, "n", 1);
	add_pod(&c, "low", "Low", 600, 600, "n", "0");
	add_pod(&c, "new", "High", 500, 500, NULL, NULL);
	cluster_finish(&c);
	AUTO(explanation_done) struct explanation winner = explain(&c, "new");
	AUTO(explanation_done) struct explanation loser = explain(&c, "low");

	assert_int_equal(winner.outcome, OUTCOME_PLACED);
	assert_int_equal(winner.caused.n, 1);
	assert_string_equal(winner.plan.actions.items[winner.caused.items[0]].on.name, "low");
	assert_int_equal(loser.outcome, OUTCOME_EVICTED);
	assert_int_equal(loser.nodes.items[0].refused, REFUSE_BUDGET);
	assert_int_equal(loser.nodes.items[0].cores[0].missing, 200000);
	assert_int_equal(loser.nodes.items[0].cores[0].mode, LEVEL_LOW);
	assert_string_equal(loser.nodes.items[0].cores[0].holders[0].why, "it is more critical");
}

TEST(holders_say_why_they_stay)
{
	static const struct {
		const char *criticality, *owner;
		bool is_mirror, is_terminating;
		int32_t priority;
		const char *why;
	} cases[] = {
		{ "High", "ReplicaSet", false, false, 0, "it is as critical" },
		{ "Low", "DaemonSet", false, false, 0,
		  "a DaemonSet's pod may move, not be evicted" },
		{ "Low", "ReplicaSet", true, false, 0, "it is a static pod of its kubelet" },
		{ "Low", "ReplicaSet", false, true, 0,
		  "it is terminating and keeps its room until it is gone" },
		{ "Low", "ReplicaSet", false, false, 2000000000, "it is system-critical" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(cluster_done) struct cluster c = cluster_new();

		add_node(&c, "n", 1);
		struct pod *old = add_pod(&c, "old", cases[i].criticality, 600, 600, "n", "0");
		old->owner_kind = id(&c, cases[i].owner);
		old->is_mirror = cases[i].is_mirror;
		old->is_terminating = cases[i].is_terminating;
		old->priority = cases[i].priority;
		old->has_priority = true;
		add_pod(&c, "new", "High", 500, 500, NULL, NULL);
		cluster_finish(&c);
		AUTO(explanation_done) struct explanation e = explain(&c, "new");

		assert_int_equal(e.outcome, OUTCOME_UNPLACED);
		assert_int_equal(e.nodes.items[0].cores[0].n_holders, 1);
		assert_false(e.nodes.items[0].cores[0].holders[0].can_yield);
		assert_string_equal(e.nodes.items[0].cores[0].holders[0].why, cases[i].why);
	}
}

static bool has_change(const struct explanation *e, const char *text)
{
	array_each(change, &e->changes)
		if (strcmp(*change, text) == 0)
			return true;
	return false;
}

TEST(changes_are_exact)
{
	AUTO(cluster_done) struct cluster c = cluster_new();

	add_node(&c, "n", 2);
	add_pod(&c, "a", "High", 500, 700, "n", "0");
	add_pod(&c, "b", "High", 600, 600, "n", "1");
	add_pod(&c, "new", "Middle", 400, 450, NULL, NULL);
	cluster_finish(&c);
	AUTO(explanation_done) struct explanation e = explain(&c, "new");

	assert_int_equal(e.outcome, OUTCOME_UNPLACED);
	/* Core 0 lacks 200 in mode Middle, core 1 lacks 100 in mode Low and Middle. */
	assert_true(has_change(&e, "Lower mckube.io/rt-runtime-low to 300 us and "
				   "mckube.io/rt-runtime-hi to 350 us in Pod default/new: there is "
				   "room for that on core 1 of n."));
}

TEST(resources_and_cordons_are_changes)
{
	AUTO(cluster_done) struct cluster c = cluster_new();

	add_node(&c, "cordoned", 1);
	c.nodes.items[0].is_unschedulable = true;
	add_node(&c, "small", 1);
	c.nodes.items[1].cpu_milli = 70;
	add_pod(&c, "new", "High", 500, 500, NULL, NULL);
	cluster_finish(&c);
	AUTO(explanation_done) struct explanation e = explain(&c, "new");

	assert_int_equal(e.outcome, OUTCOME_UNPLACED);
	assert_int_equal(e.nodes.items[0].refused, REFUSE_UNSCHEDULABLE);
	assert_string_equal(e.nodes.items[1].detail, "30m of cpu is missing");
	assert_true(has_change(&e, "Uncordon cordoned: there is room."));
	assert_true(has_change(&e, "Free 30m of cpu on small, or request that much less."));
}

TEST(what_the_plan_does_not_decide_is_said)
{
	AUTO(cluster_done) struct cluster c = cluster_new();

	add_node(&c, "n", 1);
	add_pod(&c, "foreign", "High", 500, 500, NULL, NULL)->is_ours = false;
	add_pod(&c, "plain", "High", 500, 500, NULL, NULL)->annotations = NONE;
	cluster_finish(&c);
	AUTO(explanation_done) struct explanation foreign = explain(&c, "foreign");
	AUTO(explanation_done) struct explanation plain = explain(&c, "plain");

	assert_int_equal(foreign.outcome, OUTCOME_NOT_PLANNED);
	assert_int_equal(foreign.nodes.n, 0);
	assert_int_equal(foreign.changes.n, 1);
	assert_int_equal(plain.outcome, OUTCOME_UNPLACED);
	assert_string_equal(plain.asked_by, "");
	assert_int_equal(plain.changes.n, 1);
}

TEST(an_unknown_policy_is_an_error)
{
	AUTO(cluster_done) struct cluster c = cluster_new();
	static const struct policy *const none[] = { NULL };
	struct explanation e = { 0 };
	struct error err;

	add_node(&c, "n", 1);
	add_pod(&c, "new", "High", 500, 500, NULL, NULL);
	cluster_finish(&c);
	assert_int_equal(explain_pod(&c, none, &settings, 0, &e, &err), -EINVAL);
	assert_string_equal(err.msg, "there is no policy 'spread'");
}
