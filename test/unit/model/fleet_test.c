/* SPDX-License-Identifier: Apache-2.0 */
#include "model/fleet.h"

#include <string.h>

#include "base/auto.h"
#include "base/str.h"
#include "test/unit/snapshot.h"
#include "test/unit/test.h"

struct fixture {
	struct cluster c;
	struct settings settings;
	struct fleet fleet;
	struct arena arena;
	struct warnings warnings;
};

static void fixture_done(struct fixture *f)
{
	fleet_done(&f->fleet);
	array_done(&f->warnings.list);
	arena_done(&f->arena);
	cluster_done(&f->c);
}

static const char *const sizes =
	" status: {capacity: {cpu: '4', memory: 16Gi}, allocatable: {cpu: '4', memory: 16Gi}}}\n";

/* Nodes of 4 cores and 16 GiB with this metadata, and other objects. */
static void read_fleet(struct fixture *f, const char *const *metadata, const char *more,
		       const char *prices)
{
	AUTO(str_done) struct str text = STR_INIT;

	for (; *metadata; metadata++)
		str_addf(&text, "---\n{apiVersion: v1, kind: Node, metadata: {%s},\n%s", *metadata,
			 sizes);
	str_add(&text, more);
	*f = (struct fixture){ .c = snapshot_of(text.s), .settings = SETTINGS_DEFAULT };
	strcpy(f->settings.optimise.prices, prices);
	f->warnings.arena = &f->arena;
	fleet_read(&f->fleet, &f->c, &f->settings, &f->warnings);
}

static const struct load small = { 1000, INT64_C(2) << 30, 0 };
static const struct load whole = { 4000, INT64_C(16) << 30, 0 };

#define CURVE "mckube.io/power-curve: '0:8.8,0.1:14.0,0.5:28.2,1:39.9'"

TEST(a_share_is_by_size_and_rounded_up)
{
	static const char *const nodes[] = {
		"name: a, annotations: {mckube.io/price-per-hour: '0.192'}",
		"name: c, annotations: {mckube.io/price-per-hour: '0.154'}",
		NULL,
	};
	AUTO(fixture_done) struct fixture f;

	read_fleet(&f, nodes, "", "");
	assert_int_equal(fleet_share(&f.fleet.nodes[0], small), 39624);
	assert_int_equal(fleet_share(&f.fleet.nodes[1], small), 31782);
	assert_int_equal(fleet_share(&f.fleet.nodes[0], whole), 192000);
	assert_int_equal(fleet_share(&f.fleet.nodes[0], (struct load){ 0 }), 0);
	assert_int_equal(f.warnings.list.n, 0);
}

TEST(power_follows_the_curve_half_up)
{
	static const char *const nodes[] = { "name: a, annotations: {" CURVE "}", NULL };
	AUTO(fixture_done) struct fixture f;

	read_fleet(&f, nodes, "", "");
	const struct fleet_node *n = &f.fleet.nodes[0];
	assert_int_equal(fleet_power(n, 0, 4000), 8800);
	assert_int_equal(fleet_power(n, 400, 4000), 14000);
	assert_int_equal(fleet_power(n, 1500, 4000), 23763); /* 23.7625 */
	assert_int_equal(fleet_power(n, 4000, 4000), 39900);
	assert_int_equal(fleet_power(n, 9000, 4000), 39900);
	assert_int_equal(fleet_power(n, 0, 0), 8800);
	/* a quarter of idle power, and two thirds of what is above */
	assert_int_equal(fleet_power_of(n, small, 1500, 4000, 0), 2200 + 9975);
}

TEST(a_price_is_the_annotation_s_or_the_table_s_or_assumed)
{
	static const char *const nodes[] = {
		"name: a, annotations: {mckube.io/price-per-hour: '0.2'}, "
		"labels: {node.kubernetes.io/instance-type: t}",
		"name: b, labels: {node.kubernetes.io/instance-type: t}",
		"name: c, labels: {node.kubernetes.io/instance-type: t, "
		"topology.kubernetes.io/zone: z1}",
		"name: d",
		"name: e, labels: {karpenter.sh/capacity-type: spot}",
		NULL,
	};
	static const char table[] =
		"---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: p, namespace: x}, data: "
		"{a: \"instanceType,zone,pricePerHour\\nt,,0.1\\nt,z1,0.05\\n\"}}\n";
	static const int64_t price[] = { 200000, 100000, 50000, 360000, 252000 };
	AUTO(fixture_done) struct fixture f;

	read_fleet(&f, nodes, table, "x/p");
	for (size_t i = 0; i < ARRAY_LEN(price); i++) {
		assert_int_equal(f.fleet.nodes[i].price, price[i]);
		assert_int_equal(f.fleet.nodes[i].is_price_assumed, i >= 3);
	}
	assert_int_equal(f.fleet.nodes[4].capacity_type, CAPACITY_SPOT);
	assert_int_equal(f.fleet.nodes[4].on_demand, 720000); /* spot / 0.35 */
	assert_int_equal(f.warnings.list.n, 1);
	assert_string_equal(f.warnings.list.items[0].reason, "AssumedPrice");
}

TEST(a_spot_node_counts_the_price_of_its_on_demand_peer)
{
	static const char *const nodes[] = {
		"name: a, annotations: {mckube.io/price-per-hour: '0.06'}, labels: "
		"{node.kubernetes.io/instance-type: t, eks.amazonaws.com/capacityType: SPOT}",
		"name: b, annotations: {mckube.io/price-per-hour: '0.2'}, labels: "
		"{node.kubernetes.io/instance-type: t}",
		NULL,
	};
	AUTO(fixture_done) struct fixture f;

	read_fleet(&f, nodes, "", "");
	assert_int_equal(f.fleet.nodes[0].price, 60000);
	assert_int_equal(f.fleet.nodes[0].on_demand, 200000);
}

TEST(of_labels_that_disagree_karpenter_s_counts_then_that_of_eks)
{
	static const char *const nodes[] = {
		"name: a, labels: {lifecycle: spot, eks.amazonaws.com/capacityType: ON_DEMAND}",
		"name: b, labels: {eks.amazonaws.com/capacityType: SPOT, "
		"karpenter.sh/capacity-type: on-demand}",
		"name: c, labels: {lifecycle: normal, karpenter.sh/capacity-type: spot}",
		"name: d, labels: {lifecycle: spot, eks.amazonaws.com/capacityType: SPOT}",
		NULL,
	};
	static const uint8_t types[] = { CAPACITY_ON_DEMAND, CAPACITY_ON_DEMAND, CAPACITY_SPOT,
					 CAPACITY_SPOT };
	AUTO(fixture_done) struct fixture f;
	size_t n = 0;

	read_fleet(&f, nodes, "", "");
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		assert_int_equal(f.fleet.nodes[i].capacity_type, types[i]);
	array_each(w, &f.warnings.list)
		n += strcmp(w->reason, "SpotLabels") == 0;
	assert_int_equal(n, 3);
}

TEST(bad_prices_are_warnings_and_not_zero)
{
	static const char *const nodes[] = {
		"name: a, annotations: {mckube.io/price-per-hour: low}",
		"name: b, annotations: {mckube.io/price-per-hour: '-1'}",
		"name: c, annotations: {mckube.io/price-per-hour: ''}",
		"name: d, annotations: {mckube.io/price-per-hour: '0'}",
		"name: e, labels: {accelerator.cost-per-hour: low}",
		NULL,
	};
	AUTO(fixture_done) struct fixture f;

	read_fleet(&f, nodes, "", "");
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(f.fleet.nodes[i].price, i == 3 ? 0 : 360000);
	assert_int_equal(f.warnings.list.n, 4); /* a, b, e, and that three are assumed */
}

/* Its shares sum up to what the node is said to cost. */
TEST(a_price_above_the_greatest_is_cut_with_a_warning)
{
	static const char *const nodes[] = {
		"name: a, annotations: {mckube.io/price-per-hour: '20000'}",
		"name: b, annotations: {mckube.io/price-per-hour: '17179.869183'}",
		NULL,
	};
	AUTO(fixture_done) struct fixture f;

	read_fleet(&f, nodes, "", "");
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(f.fleet.nodes[i].price, FLEET_PRICE_MAX);
		assert_int_equal(fleet_share(&f.fleet.nodes[i], whole), FLEET_PRICE_MAX);
	}
	assert_int_equal(f.warnings.list.n, 1);
	assert_string_equal(f.warnings.list.items[0].reason, "BadPrice");
	assert_string_equal(f.warnings.list.items[0].message,
			    "costs 20000 dollars per hour: 17179, the most that is known, count");
}

TEST(a_node_without_capacity_charges_nothing)
{
	AUTO(fixture_done)
	struct fixture f = {
		.c = snapshot_of("{apiVersion: v1, kind: Node, metadata: {name: a, annotations: "
				 "{mckube.io/price-per-hour: '1'}}}"),
		.settings = SETTINGS_DEFAULT,
	};

	f.warnings.arena = &f.arena;
	fleet_read(&f.fleet, &f.c, &f.settings, &f.warnings);
	assert_int_equal(fleet_share(&f.fleet.nodes[0], small), 0);
	assert_int_equal(fleet_power_of(&f.fleet.nodes[0], small, 1500, 0, 0), 0);
}

TEST(a_resource_of_which_there_is_none_has_no_part_of_the_price)
{
	AUTO(fixture_done)
	struct fixture f = {
		.c = snapshot_of("{apiVersion: v1, kind: Node, metadata: {name: a, annotations: "
				 "{mckube.io/price-per-hour: '1'}}, status: {capacity: {cpu: '4', "
				 "memory: '0', nvidia.com/gpu: '0'}}}"),
		.settings = SETTINGS_DEFAULT,
	};

	f.warnings.arena = &f.arena;
	fleet_read(&f.fleet, &f.c, &f.settings, &f.warnings);
	assert_int_equal(fleet_share(&f.fleet.nodes[0], (struct load){ 1000, 0, 0 }), 250000);
}

TEST(bad_curves_are_warnings)
{
	static const char *const nodes[] = {
		"name: a, annotations: {mckube.io/power-curve: '0:1'}",
		"name: b, annotations: {mckube.io/power-curve: '0:1,0.5:2'}",
		"name: c, annotations: {mckube.io/power-curve: '0:1,0.5:2,0.5:3,1:4'}",
		"name: d, annotations: {mckube.io/power-curve: '0.1:1,1:2'}",
		"name: e, annotations: {mckube.io/power-curve: '0:1,1:-2'}",
		NULL,
	};
	AUTO(fixture_done) struct fixture f;

	read_fleet(&f, nodes, "", "");
	for (size_t i = 0; i < 5; i++)
		assert_true(f.fleet.nodes[i].is_power_assumed);
	assert_int_equal(f.fleet.nodes[0].curve.power[1], 118000); /* 50 + 4 * 15 + 16 / 2 W */
	assert_int_equal(f.fleet.nodes[0].curve.power[0], 35400);
}

#define TYPE(name, type) "name: " name ", labels: {node.kubernetes.io/instance-type: " type "}"
#define TABLE(lines)                                                                              \
	"---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: t, namespace: x}, data: {" lines \
	"}}\n"

/* The reasons and messages of the warnings, but those of assumed prices. */
static void assert_warns(const struct fixture *f, const char *const *messages)
{
	array_each(w, &f->warnings.list) {
		if (strcmp(w->reason, "AssumedPrice") == 0)
			continue;
		assert_non_null(*messages);
		assert_string_equal(w->message, *messages++);
	}
	assert_null(*messages);
}

TEST(power_of_a_node_is_read_from_peaks_model_after_the_table)
{
	static const char *const nodes[] = { "name: a", TYPE("b", "m5"), "name: c", NULL };
	static const char tables[] =
		TABLE("p: '{\"a\": {\"k0\": 40, \"k1\": -30.00000000000000001, \"k2\": -0.02}, "
		      "\"b\": {\"k0\": 40, \"k1\": -30, \"k2\": -0.02}, \"c\": {\"k0\": 1}}', "
		      "t: \"instanceType,idleWatts,maxWatts\\nm5,5,9\\n\"");
	AUTO(fixture_done) struct fixture f;

	read_fleet(&f, nodes, tables, "x/t");
	assert_int_equal(f.fleet.nodes[0].curve.n, 11);
	assert_int_equal(fleet_power(&f.fleet.nodes[0], 2000, 4000), 28964);
	assert_int_equal(fleet_power(&f.fleet.nodes[1], 2000, 4000), 7000);
	assert_true(f.fleet.nodes[2].is_power_assumed);
	assert_warns(&f,
		     (const char *[]){ "c: k0, k1 and k2 are no model of power in watts", NULL });
}

TEST(a_bad_curve_of_a_table_is_a_warning_and_its_price_counts)
{
	static const char *const nodes[] = { TYPE("a", "m5"), TYPE("b", "m6"), NULL };
	static const char table[] =
		TABLE("t: \"instanceType,pricePerHour,powerCurve,idleWatts,maxWatts\\n"
		      "m5,0.2,0:8.8;1:40,,\\nm6,0.3,flat,5,9\\n\"");
	AUTO(fixture_done) struct fixture f;

	read_fleet(&f, nodes, table, "x/t");
	assert_int_equal(f.fleet.nodes[0].price, 200000);
	assert_true(f.fleet.nodes[0].is_power_assumed);
	assert_int_equal(fleet_power(&f.fleet.nodes[1], 2000, 4000), 7000);
	assert_warns(&f, (const char *[]){ "line 2: powerCurve: '0:8.8;1:40' is not a curve such "
					   "as 0:8.8,1:39.9",
					   "line 3: powerCurve: 'flat' is not a curve such as "
					   "0:8.8,1:39.9",
					   NULL });
}

TEST(numbers_of_more_than_six_places_are_rounded_with_a_warning)
{
	static const char *const nodes[] = {
		"name: a, annotations: {mckube.io/price-per-hour: '0.1234565', "
		"mckube.io/carbon-intensity: '1.0000001', mckube.io/power-curve: '0:1,1:2.0000001'}",
		TYPE("b", "m5"),
		NULL,
	};
	static const char table[] =
		TABLE("t: \"instanceType,pricePerHour\\nm4,0.1\\nm5,0.0000004\\nm6,0.0000001\\n\"");
	AUTO(fixture_done) struct fixture f;

	read_fleet(&f, nodes, table, "x/t");
	assert_int_equal(f.fleet.nodes[0].price, 123457);
	assert_int_equal(f.fleet.nodes[1].price, 0);
	assert_warns(
		&f,
		(const char *[]){
			"line 3: a number has more than 6 decimal places: it is rounded, and so are "
			"others",
			"mckube.io/price-per-hour: '0.1234565' has more than 6 decimal places: it "
			"is rounded",
			"mckube.io/power-curve: '0:1,1:2.0000001' has more than 6 decimal places: it "
			"is rounded",
			"mckube.io/carbon-intensity: '1.0000001' has more than 6 decimal places: it "
			"is rounded",
			NULL });
}

TEST(a_node_of_a_pool_is_removable)
{
	static const char *const nodes[] = {
		"name: a, labels: {karpenter.sh/nodepool: p}",
		"name: b, labels: {cloud.google.com/gke-nodepool: p}",
		"name: c",
		"name: d, annotations: {mckube.io/removable: 'true', "
		"cluster-autoscaler.kubernetes.io/scale-down-disabled: 'true'}",
		NULL,
	};
	AUTO(fixture_done) struct fixture f;

	read_fleet(&f, nodes, "", "");
	assert_true(f.fleet.nodes[0].is_removable && f.fleet.nodes[0].is_consolidated);
	assert_true(f.fleet.nodes[1].is_removable && !f.fleet.nodes[1].is_consolidated);
	assert_false(f.fleet.nodes[2].is_removable);
	assert_true(f.fleet.nodes[3].is_removable && f.fleet.nodes[3].is_kept);
}
