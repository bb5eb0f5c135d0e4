/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/filter/inter_pod.h"

#include <string.h>

#include "base/auto.h"
#include "test/unit/plan/build.h"
#include "test/unit/test.h"

/* Three nodes in two zones: east has a and b, west has c. */
static void build_zones(struct str *yaml)
{
	build_node(yaml, (struct test_node){ "a", .labels = "zone: east" });
	build_node(yaml, (struct test_node){ "b", .labels = "zone: east" });
	build_node(yaml, (struct test_node){ "c", .labels = "zone: west" });
}

/* What a, b and c say to the pod, with r for every refusal of this kind and a dot for none. */
static void answers(struct scene *s, const char *pod, enum refusal kind, const char *expect)
{
	char text[4] = "...";

	for (node_id node = 0; node < 3; node++) {
		enum refusal r = filter_inter_pod(&s->p.trial, unit_at(s, pod), node, 0);

		if (r != REFUSE_NOTHING)
			assert_int_equal(r, kind);
		text[node] = r == REFUSE_NOTHING ? '.' : 'r';
	}
	assert_string_equal(text, expect);
}

static struct test_pod new_pod(const char *labels, const char *spec)
{
	return (struct test_pod){ "new", .low = 1, .labels = labels, .spec = spec };
}

#define AFFINITY(kind, more)                                                       \
	"affinity: {" kind ": {requiredDuringSchedulingIgnoredDuringExecution: [{" \
	"labelSelector: {matchLabels: {group: x}}, topologyKey: zone" more "}]}}"
#define NEAR	  AFFINITY("podAffinity", "")
#define AWAY_FROM AFFINITY("podAntiAffinity", "")

TEST(without_terms_there_is_nothing_to_ask)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_zones(&yaml);
	build_pod(&yaml, new_pod(NULL, NULL));
	scene_start(&s, &yaml);
	assert_null(s.p.trial.terms);
}

/* ---- Ports ---- */

#define PORT(more) "{containerPort: 80, hostPort: 80" more "}"

TEST(one_host_port_is_for_one_pod)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_zones(&yaml);
	build_pod(&yaml, (struct test_pod){ "any", "a", .ports = PORT("") });
	build_pod(&yaml, (struct test_pod){ "local", "b", .ports = PORT(", hostIP: 10.0.0.1") });
	build_pod(&yaml, (struct test_pod){ "new", .low = 1, .ports = PORT("") });
	build_pod(&yaml, (struct test_pod){ "udp", .low = 1, .ports = PORT(", protocol: UDP") });
	build_pod(&yaml,
		  (struct test_pod){ "other", .low = 1, .ports = PORT(", hostIP: 10.0.0.2") });
	scene_start(&s, &yaml);
	answers(&s, "new", REFUSE_PORTS, "rr.");
	answers(&s, "udp", REFUSE_PORTS, "...");
	answers(&s, "other", REFUSE_PORTS, "r..");
}

TEST(ports_of_evictable_pods_are_free_for_a_higher_rank)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_zones(&yaml);
	build_pod(&yaml, (struct test_pod){ "low", "a", "0", .low = 1, .ports = PORT("") });
	build_pod(&yaml, (struct test_pod){ "daemon", "b", "0", .low = 1, .ports = PORT(""),
					    .owner = "DaemonSet" });
	build_pod(&yaml,
		  (struct test_pod){ "new", .criticality = "High", .low = 1, .ports = PORT("") });
	scene_start(&s, &yaml);

	const struct unit *u = unit_at(&s, "new");
	assert_int_equal(filter_inter_pod(&s.p.trial, u, 0, 0), REFUSE_PORTS);
	assert_int_equal(filter_inter_pod(&s.p.trial, u, 0, LEVEL_HIGH), REFUSE_NOTHING);
	assert_int_equal(filter_inter_pod(&s.p.trial, u, 1, LEVEL_HIGH), REFUSE_PORTS);
}

/* ---- Affinity ---- */

TEST(affinity_needs_the_same_domain)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_zones(&yaml);
	build_pod(&yaml, (struct test_pod){ "friend", "a", .labels = "group: x" });
	build_pod(&yaml, new_pod("group: x", NEAR));
	scene_start(&s, &yaml);
	answers(&s, "new", REFUSE_POD_AFFINITY, "..r");
}

TEST(the_first_of_its_kind_may_go_anywhere)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_zones(&yaml);
	build_pod(&yaml, new_pod("group: x", NEAR));
	scene_start(&s, &yaml);
	answers(&s, "new", REFUSE_POD_AFFINITY, "...");
}

TEST(affinity_without_a_match_refuses_every_node)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_zones(&yaml);
	build_pod(&yaml, new_pod("group: other", NEAR));
	scene_start(&s, &yaml);
	answers(&s, "new", REFUSE_POD_AFFINITY, "rrr");
}

TEST(a_node_without_the_topology_label_refuses)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_node(&yaml, (struct test_node){ "a" });
	build_node(&yaml, (struct test_node){ "b", .labels = "zone: ''" });
	build_node(&yaml, (struct test_node){ "c", .labels = "zone: west" });
	build_pod(&yaml, new_pod("group: x", NEAR));
	scene_start(&s, &yaml);
	answers(&s, "new", REFUSE_POD_AFFINITY, "r..");
}

TEST(another_namespace_counts_only_when_it_is_named)
{
	static const struct {
		const char *spec, *expect;
	} rows[] = {
		{ NEAR, "rrr" },
		{ AFFINITY("podAffinity", ", namespaces: [home]"), "..r" },
		{ AFFINITY("podAffinity", ", namespaceSelector: {}"), "..r" },
		{ AFFINITY("podAffinity", ", namespaceSelector: {matchLabels: {kind: flat}}"),
		  "..r" },
		{ AFFINITY("podAffinity", ", namespaceSelector: {matchLabels: {kind: boat}}"),
		  "rrr" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(scene_done) struct scene s;
		struct str yaml = STR_INIT;

		build_zones(&yaml);
		str_add(&yaml,
			"---\n{apiVersion: v1, kind: Namespace, metadata: {name: home, "
			"labels: {kind: flat}}}\n"
			"---\n{apiVersion: v1, kind: Pod, metadata: {namespace: home, name: "
			"friend, labels: {group: x}}, spec: {nodeName: a, containers: [{name: "
			"main}]}, status: {phase: Running}}\n");
		build_pod(&yaml, new_pod("group: other", rows[i].spec));
		scene_start(&s, &yaml);
		answers(&s, "new", REFUSE_POD_AFFINITY, rows[i].expect);
	}
}

TEST(match_label_keys_use_the_pods_own_values)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_zones(&yaml);
	build_pod(&yaml, (struct test_pod){ "v1", "a", .labels = "group: x, rev: '1'" });
	build_pod(&yaml, (struct test_pod){ "v2", "c", .labels = "group: x, rev: '2'" });
	build_pod(&yaml, new_pod("group: x, rev: '2'",
				 AFFINITY("podAffinity", ", matchLabelKeys: [rev]")));
	scene_start(&s, &yaml);
	answers(&s, "new", REFUSE_POD_AFFINITY, "rr.");
}

/* ---- Anti-affinity ---- */

TEST(anti_affinity_keeps_out_of_the_domain)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_zones(&yaml);
	build_pod(&yaml, (struct test_pod){ "foe", "a", .labels = "group: x" });
	build_pod(&yaml, new_pod(NULL, AWAY_FROM));
	scene_start(&s, &yaml);
	answers(&s, "new", REFUSE_POD_ANTI_AFFINITY, "rr.");
}

TEST(anti_affinity_of_running_pods_refuses_new_ones)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_zones(&yaml);
	build_pod(&yaml, (struct test_pod){ "hermit", "c", .spec = AWAY_FROM });
	build_pod(&yaml, new_pod("group: x", NULL));
	build_pod(&yaml, (struct test_pod){ "unmeant", .low = 1, .labels = "group: other" });
	scene_start(&s, &yaml);
	answers(&s, "new", REFUSE_POD_ANTI_AFFINITY, "..r");
	answers(&s, "unmeant", REFUSE_POD_ANTI_AFFINITY, "...");
}

/* ---- Spread ---- */

#define SPREAD(skew, more)                                                                   \
	"topologySpreadConstraints: [{maxSkew: " skew ", whenUnsatisfiable: DoNotSchedule, " \
	"topologyKey: zone, labelSelector: {matchLabels: {group: x}}" more "}]"

TEST(domains_differ_by_the_skew_at_most)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_zones(&yaml);
	build_pod(&yaml, (struct test_pod){ "one", "a", .labels = "group: x" });
	build_pod(&yaml, new_pod("group: x", SPREAD("1", "")));
	build_pod(&yaml, (struct test_pod){ "loose", .low = 1, .labels = "group: x",
					    .spec = SPREAD("2", "") });
	build_pod(&yaml, (struct test_pod){ "unrelated", .low = 1, .labels = "group: other",
					    .spec = SPREAD("1", "") });
	scene_start(&s, &yaml);
	answers(&s, "new", REFUSE_SPREAD, "rr.");
	answers(&s, "loose", REFUSE_SPREAD, "...");
	answers(&s, "unrelated", REFUSE_SPREAD, "...");
}

TEST(too_few_domains_count_as_an_empty_one)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_zones(&yaml);
	build_pod(&yaml, (struct test_pod){ "one", "a", .labels = "group: x" });
	build_pod(&yaml, (struct test_pod){ "two", "c", .labels = "group: x" });
	build_pod(&yaml, new_pod("group: x", SPREAD("1", ", minDomains: 3")));
	build_pod(&yaml, (struct test_pod){ "other", .low = 1, .labels = "group: x",
					    .spec = SPREAD("1", ", minDomains: 2") });
	scene_start(&s, &yaml);
	answers(&s, "new", REFUSE_SPREAD, "rrr");
	answers(&s, "other", REFUSE_SPREAD, "...");
}

TEST(nodes_that_the_pod_cannot_use_are_no_domains)
{
	static const struct {
		const char *policy, *expect;
	} rows[] = {
		{ "", "..." }, /* west is empty, but not for it */
		{ ", nodeAffinityPolicy: Ignore", "rr." },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(scene_done) struct scene s;
		AUTO_FREE char *spec = xasprintf(
			"nodeSelector: {zone: east}, topologySpreadConstraints: [{maxSkew: "
			"1, whenUnsatisfiable: DoNotSchedule, topologyKey: zone, "
			"labelSelector: {matchLabels: {group: x}}%s}]",
			rows[i].policy);
		struct str yaml = STR_INIT;

		build_zones(&yaml);
		build_pod(&yaml, (struct test_pod){ "one", "a", .labels = "group: x" });
		build_pod(&yaml, new_pod("group: x", spec));
		scene_start(&s, &yaml);
		answers(&s, "new", REFUSE_SPREAD, rows[i].expect);
	}
}

TEST(terminating_pods_are_not_spread)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_zones(&yaml);
	build_pod(&yaml, (struct test_pod){ "one", "a", .labels = "group: x",
					    .meta = "deletionTimestamp: '2026-01-01T00:00:00Z'" });
	build_pod(&yaml, new_pod("group: x", SPREAD("1", "")));
	scene_start(&s, &yaml);
	answers(&s, "new", REFUSE_SPREAD, "...");
}

/* ---- What cannot be read ---- */

TEST(a_node_with_unread_labels_may_be_in_any_domain)
{
	static const struct {
		const char *spec, *expect;
		enum refusal refusal;
	} rows[] = {
		{ AWAY_FROM, "rr.", REFUSE_POD_ANTI_AFFINITY }, /* c is closed for itself */
		{ NEAR, "rrr", REFUSE_POD_AFFINITY },
		{ SPREAD("1", ""), "rrr", REFUSE_SPREAD },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(scene_done) struct scene s;
		struct str yaml = STR_INIT;

		build_node(&yaml, (struct test_node){ "a", .labels = "zone: east" });
		build_node(&yaml, (struct test_node){ "b", .labels = "zone: east" });
		build_node(&yaml, (struct test_node){ "c", .labels = "zone: 7" });
		build_pod(&yaml, (struct test_pod){ "one", "c", .labels = "group: x" });
		build_pod(&yaml, new_pod(i == 2 ? "group: x" : NULL, rows[i].spec));
		scene_start_unread(&s, &yaml);
		answers(&s, "new", rows[i].refusal, rows[i].expect);
	}
}

TEST(a_pod_on_a_node_without_a_readable_name_may_be_in_any_domain)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_zones(&yaml);
	str_add(&yaml, "---\n{kind: Node, apiVersion: v1, metadata: {name: {newer: 1}}}\n");
	build_pod(&yaml, (struct test_pod){ "one", "d", .labels = "group: x" });
	build_pod(&yaml, new_pod(NULL, AWAY_FROM));
	scene_start_unread(&s, &yaml);
	answers(&s, "new", REFUSE_POD_ANTI_AFFINITY, "rrr");
}

TEST(a_pod_with_unread_labels_is_kept_away_from_and_evens_nothing_out)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_zones(&yaml);
	build_pod(&yaml, (struct test_pod){ "one", "a", .labels = "group: x" });
	build_pod(&yaml, (struct test_pod){ "two", "c", .labels = "group: 7" });
	build_pod(&yaml, new_pod("group: x", SPREAD("1", "")));
	build_pod(&yaml, (struct test_pod){ "other", .low = 1, .spec = AWAY_FROM });
	scene_start_unread(&s, &yaml);
	answers(&s, "new", REFUSE_SPREAD, "rrr");
	answers(&s, "other", REFUSE_POD_ANTI_AFFINITY, "rrr");
}

/* ---- Coming and going ---- */

TEST(counts_follow_the_pods)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;

	build_zones(&yaml);
	build_pod(&yaml, (struct test_pod){ "foe", "a", "0", .low = 1, .labels = "group: x" });
	build_pod(&yaml, (struct test_pod){ "new", .low = 1, .spec = AWAY_FROM });
	scene_start(&s, &yaml);
	answers(&s, "new", REFUSE_POD_ANTI_AFFINITY, "rr.");
	trial_uncharge(&s.p.trial, scene_unit(&s, "foe"), scene_node(&s, "a"));
	answers(&s, "new", REFUSE_POD_ANTI_AFFINITY, "...");
	trial_charge(&s.p.trial, scene_unit(&s, "foe"), scene_node(&s, "c"));
	answers(&s, "new", REFUSE_POD_ANTI_AFFINITY, "..r");
}
