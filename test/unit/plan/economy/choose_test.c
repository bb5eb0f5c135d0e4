/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/economy/kinds.h"

#include <math.h>

#include "base/auto.h"
#include "plan/file/plan_file.h"
#include "plugins/policies.h"
#include "test/unit/plan/build.h"
#include "test/unit/snapshot.h"
#include "test/unit/test.h"

/* Prices, curves, and where the pods are come from the seed; a workload has one or several pods. */
struct sizes {
	uint32_t nodes, pods, pods_of_workload, spot_in, preferring_in;
};

static void add_node(struct str *yaml, uint32_t i, uint32_t *seed, const struct sizes *z)
{
	static const struct {
		int cpus, gib;
		const char *price, *curve;
	} types[] = {
		{ 4, 16, "0.192", "0:8.8,0.1:14.0,0.5:28.2,1:39.9" },
		{ 8, 16, "0.34", "0:19.4,0.1:31.3,0.5:53.1,1:71.9" },
		{ 16, 64, "0.688", "0:33.9,0.1:53.8,0.5:89.1,1:119.6" },
		{ 16, 128, "1.008", "0:44.9,0.5:60,1:223.6" }, /* rises more when full */
		{ 4, 32, "0.252", "0:11.2,1:55.9" },
	};
	uint32_t t = random_below(seed, ARRAY_LEN(types));
	bool is_spot = z->spot_in && random_below(seed, z->spot_in) == 0;

	str_addf(yaml,
		 "---\nkind: Node\napiVersion: v1\nmetadata: {name: n%04u, labels: {"
		 "kubernetes.io/hostname: n%04u, topology.kubernetes.io/zone: z%u, "
		 "karpenter.sh/capacity-type: %s}, annotations: {mckube.io/price-per-hour: '%s', "
		 "mckube.io/power-curve: '%s', mckube.io/removable: '%s'}}\n"
		 "status: {capacity: &has {cpu: '%d', memory: %dGi, pods: '110'}, "
		 "allocatable: *has}\n",
		 i, i, random_below(seed, 3), is_spot ? "spot" : "on-demand", types[t].price,
		 types[t].curve, random_below(seed, 8) ? "true" : "false", types[t].cpus,
		 types[t].gib);
}

static void add_optimizer(struct str *yaml, uint32_t i, uint32_t *seed, const struct sizes *z)
{
	str_addf(yaml,
		 "---\nkind: WorkloadOptimizer\napiVersion: kcloud.io/v1alpha1\n"
		 "metadata: {name: w%u, namespace: car}\nspec: {workloadType: batch, "
		 "resources: {cpu: '1', memory: 1Gi}, placementPolicy: {preferSpot: %s",
		 i, random_below(seed, 2) ? "true" : "false");
	if (z->preferring_in && random_below(seed, z->preferring_in) == 0)
		str_addf(yaml,
			 ", affinity: [{type: node, key: topology.kubernetes.io/zone, "
			 "value: z%u, weight: 50}]",
			 random_below(seed, 3));
	str_add(yaml, "}}\n");
}

static void add_pod(struct str *yaml, uint32_t i, uint32_t *seed, const struct sizes *z)
{
	bool is_bound = random_below(seed, 4) > 0;

	str_addf(
		yaml,
		"---\nkind: Pod\napiVersion: v1\nmetadata: {name: p%05u, namespace: car, uid: u%u, "
		"labels: {workload-optimizer: w%u}, ownerReferences: [{apiVersion: apps/v1, "
		"kind: ReplicaSet, name: r, uid: r%u, controller: true}]}\n"
		"spec: {containers: [{name: c, image: i, resources: {requests: {cpu: %um, "
		"memory: %uMi}}}]",
		i, i, i / z->pods_of_workload, i / z->pods_of_workload,
		50 + 50 * random_below(seed, 20), 64 + 64 * random_below(seed, 30));
	if (is_bound)
		str_addf(yaml, ", nodeName: n%04u}\nstatus: {phase: Running}\n",
			 random_below(seed, z->nodes));
	else
		str_add(yaml, ", schedulingGates: [{name: mckube.io/placement}]}\n"
			      "status: {phase: Pending}\n");
}

static void add_all(struct str *yaml, const struct sizes *z, uint32_t seed)
{
	for (uint32_t i = 0; i < z->nodes; i++)
		add_node(yaml, i, &seed, z);
	for (uint32_t i = 0; i * z->pods_of_workload < z->pods; i++)
		add_optimizer(yaml, i, &seed, z);
	for (uint32_t i = 0; i < z->pods; i++)
		add_pod(yaml, i, &seed, z);
}

static void build(struct scene *s, const struct sizes *z, uint32_t seed)
{
	struct str yaml = STR_INIT;

	add_all(&yaml, z, seed);
	scene_start(s, &yaml);
}

/* Looks at all nodes. */
static bool scan(struct economy *e, uint32_t cargo, int64_t *ret)
{
	bool is_found = false;

	*ret = INT64_MAX;
	for (node_id node = 0; node < e->c->nodes.n; node++) {
		if (node == e->cargo.items[cargo].origin || !economy_fits(e, cargo, node))
			continue;
		int64_t more = economy_increase(e, cargo, node);

		is_found = true;
		*ret = more < *ret ? more : *ret;
	}
	return is_found;
}

/* A bound pod leaves, one that waits comes: as planning does it. */
static void expect_best(struct economy *e, uint32_t cargo)
{
	enum { ROUNDING = 4 };
	node_id from = e->cargo.items[cargo].node, to;
	int64_t least;

	economy_mark_for(e, cargo);
	if (from != NONE)
		economy_drop(e, cargo);
	bool is_found = scan(e, cargo, &least);
	to = economy_best(e, cargo, false);
	assert_int_equal(to != NONE, is_found);
	if (to != NONE) {
		assert_true(economy_fits(e, cargo, to));
		assert_true(economy_increase(e, cargo, to) <= least + ROUNDING);
		assert_true(least >= economy_least_increase(e, cargo));
		economy_add(e, cargo, to);
	} else if (from != NONE) {
		economy_add(e, cargo, from);
	}
}

TEST(the_best_node_is_the_one_that_a_look_at_all_finds)
{
	const struct sizes sizes = { 30, 120, 3, 3, 2 };

	for (uint32_t seed = 1; seed <= 40; seed++) {
		AUTO(scene_done) struct scene s;
		struct economy e;

		build(&s, &sizes, seed);
		economy_start(&e, &s.p);
		for (int round = 0; round < 2; round++)
			for (uint32_t i = 0; i < e.cargo.n; i++)
				expect_best(&e, i);
		economy_done(&e);
	}
}

static double steps_of(uint32_t nodes)
{
	const struct sizes sizes = { nodes, 10 * nodes, 1, 0, 0 };
	AUTO(scene_done) struct scene s;
	struct economy e;

	build(&s, &sizes, 7);
	s.settings.optimise.disruption_nodes = s.settings.optimise.disruption_pods = 1000000;
	economy_plan(&e, &s.p);
	double steps = (double)e.steps;
	assert_true(e.n_groups > 0);
	economy_done(&e);
	return steps;
}

TEST(looking_for_places_takes_n_log_n_steps)
{
	double few = steps_of(100), many = steps_of(800);

	assert_true(many / few <= 8 * log(800) / log(100) * 1.3);
	assert_true(many / (10 * 800) <= 400); /* for each pod, of 800 nodes */
}

/* The plan for these objects as the bytes of its file. */
static void plan_text(const char *yaml, struct str *ret)
{
	static const struct settings settings = SETTINGS_DEFAULT;
	AUTO(cluster_done) struct cluster c = snapshot_of(yaml);
	AUTO(plan_done) struct plan p = { 0 };

	assert_int_equal(plan_make(&c, policies, &settings, &p, NULL), 0);
	assert_true(p.economy.is_given && p.actions.n > 0);
	str_clear(ret);
	plan_write_json(&p, ret);
}

TEST(the_order_of_the_input_does_not_change_the_plan)
{
	static const struct sizes z = { 8, 30, 3, 3, 2 };
	uint32_t random = 5;

	for (uint32_t seed = 1; seed <= 30; seed++) {
		AUTO(str_done) struct str yaml = STR_INIT, shuffled = STR_INIT;
		AUTO(str_done) struct str one = STR_INIT, other = STR_INIT;

		add_all(&yaml, &z, seed);
		build_shuffled(yaml.s, &random, &shuffled);
		plan_text(yaml.s, &one);
		plan_text(shuffled.s, &other);
		assert_string_equal(other.s, one.s);
	}
}
