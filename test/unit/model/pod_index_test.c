/* SPDX-License-Identifier: Apache-2.0 */
#include "model/pod_index.h"

#include "base/auto.h"
#include "base/str.h"
#include "model/pdb.h"
#include "test/unit/snapshot.h"
#include "test/unit/test.h"

#define POD(ns, name, labels)                                                  \
	"apiVersion: v1\nkind: Pod\nmetadata: {namespace: " ns ", name: " name \
	", labels: {" labels "}}\n---\n"
#define PDB(name, selector)                                                             \
	"apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {namespace: one, " \
	"name: " name "}\nspec: {selector: " selector "}\nstatus: {disruptionsAllowed: 1}\n---\n"

static const char pods[] = POD("one", "a", "app: web, tier: front") POD("one", "b", "app: web")
	POD("one", "c", "app: db, tier: back") POD("one", "d", "") POD("two", "e", "app: web");

/* The selector of a PodDisruptionBudget in namespace `one` finds these pods, all others having been
 * asked for too. */
static void finds(const char *selector, const char *expect)
{
	AUTO(str_done) struct str text = STR_INIT, names = STR_INIT;
	AUTO(pod_index_done) struct pod_index x = { 0 };
	pod_ids found = { 0 };

	str_addf(&text, "%s" PDB("a", "{matchLabels: {tier: front, app: db}}") PDB("b", "%s"), pods,
		 selector);
	AUTO(cluster_done) struct cluster c = snapshot_of(text.s);
	pod_index_init(&x, &c);
	array_each(pdb, &c.pdbs)
		pod_index_want(&x, pdb->meta.ns, pdb->pods);
	pod_index_fill(&x, NULL);
	pod_index_find(&x, c.pdbs.items[0].meta.ns, c.pdbs.items[0].pods, &found);
	assert_int_equal(found.n, 0);
	pod_index_find(&x, c.pdbs.items[1].meta.ns, c.pdbs.items[1].pods, &found);
	array_each(id, &found)
		str_add(&names, cluster_str(&c, c.pods.items[*id].meta.name));
	assert_string_equal(names.s, expect);
	array_done(&found);
}

TEST(labels_are_looked_up)
{
	finds("{matchLabels: {app: web}}", "ab");
	finds("{matchLabels: {app: web, tier: front}}", "a");
	finds("{matchLabels: {app: mail}}", "");
	finds("{matchLabels: {none: web}}", "");
	finds("{matchExpressions: [{key: app, operator: In, values: [db]}]}", "c");
}

TEST(what_is_left_is_checked)
{
	finds("{matchLabels: {app: web}, matchExpressions: [{key: tier, operator: Exists}]}", "a");
	finds("{matchLabels: {app: web}, matchExpressions: [{key: tier, operator: DoesNotExist}]}",
	      "b");
}

TEST(without_one_value_all_of_the_namespace_are_looked_at)
{
	finds("{}", "abcd");
	finds("{matchExpressions: [{key: app, operator: In, values: [db, web]}]}", "abc");
	finds("{matchExpressions: [{key: tier, operator: NotIn, values: [back]}]}", "abd");
}

TEST(a_selector_that_is_not_given_finds_nothing)
{
	finds("null", "");
}

TEST(a_budget_covers_its_pods)
{
	AUTO(str_done) struct str text = STR_INIT;

	str_addf(&text,
		 "%s" PDB("front", "{matchLabels: {tier: front}}")
			 PDB("labelled", "{matchExpressions: [{key: app, operator: Exists}]}"),
		 pods);
	AUTO(cluster_done) struct cluster c = snapshot_of(text.s);
	AUTO_FREE struct pdb_cover *covers = pdbs_read(&c, NULL);
	static const struct pdb_cover expect[] = {
		{ 0, true }, { 1, false }, { 1, false }, { NONE, false }, { NONE, false },
	};
	static const bool allows[] = { false, true, true, true, true };
	for (pod_id id = 0; id < c.pods.n; id++) {
		assert_int_equal(covers[id].pdb, expect[id].pdb);
		assert_int_equal(covers[id].is_several, expect[id].is_several);
		assert_int_equal(pdb_allows(&c, covers[id]), allows[id]);
	}
	c.pdbs.items[1].disruptions_allowed = 0;
	assert_false(pdb_allows(&c, covers[1]));
}

#define STATE(name, status)                                                 \
	"apiVersion: v1\nkind: Pod\nmetadata: {namespace: one, name: " name \
	", labels: {app: " name "}}\nstatus: " status "\n---\n"
#define BUDGET(name, app, spec, status)                                                            \
	"apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {namespace: one, name: " name \
	", generation: 2}\nspec: {selector: {matchLabels: {app: " app "}}" spec                    \
	"}\nstatus: {observedGeneration: 2, disruptionsAllowed: 0" status "}\n---\n"

TEST(what_is_not_ready_or_has_not_started_may_need_no_budget)
{
	AUTO(cluster_done)
	struct cluster c = snapshot_of(
		STATE("a", "{phase: Running}") STATE("b", "{phase: Running}") STATE(
			"c", "{phase: Running, conditions: [{type: Ready, status: 'True'}]}")
			STATE("d", "{phase: Pending}") STATE("e", "{phase: Running}") BUDGET(
				"a", "a", ", unhealthyPodEvictionPolicy: AlwaysAllow",
				"") BUDGET("b", "b", "", ", currentHealthy: 1, desiredHealthy: 1")
				BUDGET("c", "c", ", unhealthyPodEvictionPolicy: AlwaysAllow", "")
					BUDGET("d", "d", "", "") BUDGET("d2", "d", "", "")
						BUDGET("e", "e", "", ""));
	AUTO_FREE struct pdb_cover *covers = pdbs_read(&c, NULL);
	static const bool allows[] = { true, true, false, true, false };

	for (pod_id id = 0; id < c.pods.n; id++)
		assert_int_equal(pdb_allows(&c, covers[id]), allows[id]);
}

TEST(a_status_behind_the_spec_allows_none)
{
	AUTO(cluster_done)
	struct cluster c = snapshot_of("apiVersion: policy/v1\nkind: PodDisruptionBudget\n"
				       "metadata: {namespace: one, name: a, generation: 2}\n"
				       "status: {observedGeneration: 1, disruptionsAllowed: 3}\n");

	assert_int_equal(pdb_left(&c.pdbs.items[0]), 0);
}
