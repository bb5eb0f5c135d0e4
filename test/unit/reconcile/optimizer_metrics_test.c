/* SPDX-License-Identifier: Apache-2.0 */
#include "reconcile/optimizer_metrics.h"

#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "test/unit/snapshot.h"
#include "test/unit/test.h"

#define OPTIMIZER(name)                                                                     \
	"---\nkind: WorkloadOptimizer\napiVersion: kcloud.io/v1alpha1\n"                    \
	"metadata: {name: " name ", namespace: x, uid: u-" name "}\n"                       \
	"spec: {workloadType: serving, resources: {cpu: '1', memory: 1Gi}}\n"               \
	"status: {phase: Optimized, currentCost: 0.02, currentPower: 12.5, "                \
	"optimizationScore: 0.87, budget: {spent: 1, accountedAt: '2026-01-01T00:00:00Z', " \
	"rateMicroUSD: 15901}}\n"
#define UNVISITED                                                        \
	"---\nkind: WorkloadOptimizer\napiVersion: kcloud.io/v1alpha1\n" \
	"metadata: {name: new, namespace: x}\nspec: {workloadType: serving}\n"
/* The rate is a dollar an hour; the snapshot is taken half an hour later. */
#define POLICY                                                            \
	"---\nkind: CostPolicy\napiVersion: kcloud.io/v1alpha1\n"         \
	"metadata: {name: team, namespace: x}\nspec: {budgetLimit: 50}\n" \
	"status: {budget: {spent: 20, accountedAt: '2026-01-01T00:00:00Z', rateMicroUSD: 1000000}}\n"

static const struct settings all = { 0 };

static void holds(const struct optimizer_metrics *m, const struct cluster *c, const char *line,
		  bool wanted)
{
	AUTO(str_done) struct str out = STR_INIT;

	optimizer_metrics_write(m, c, &all, &out);
	if ((strstr(out.s, line) != NULL) != wanted)
		fail_msg("%s'%s' in:\n%s", wanted ? "no " : "", line, out.s);
}

TEST(gauges_are_what_the_status_says)
{
	AUTO(optimizer_metrics_done) struct optimizer_metrics m = { 0 };
	AUTO(cluster_done) struct cluster c = snapshot_of(OPTIMIZER("web") UNVISITED POLICY);

	c.taken_at = 1767225600 + 1800;
	holds(&m, &c, "kcloud_optimization_score{namespace=\"x\",name=\"web\"} 0.870000\n", true);
	holds(&m, &c,
	      "kcloud_workloadoptimizer_current_cost{namespace=\"x\",name=\"web\"} 0.015901\n",
	      true);
	holds(&m, &c,
	      "kcloud_workloadoptimizer_current_power{namespace=\"x\",name=\"web\"} 12.500000\n",
	      true);
	holds(&m, &c,
	      "kcloud_costpolicy_budget_utilization{namespace=\"x\",name=\"team\"} 41.000000\n",
	      true);
	holds(&m, &c, "name=\"new\"", false);
}

#define SAVES(name, rate)                                                                      \
	"---\nkind: WorkloadOptimizer\napiVersion: kcloud.io/v1alpha1\nmetadata: {name: " name \
	", namespace: x}\nstatus: {phase: Optimized, savings: {costPerHour: " rate             \
	", powerWatts: -1.5}}\n"
#define TOTAL(name, dollars) \
	"kcloud_cost_savings_total{namespace=\"x\",name=\"" name "\"} " dollars "\n"

TEST(savings_are_summed_up_over_time_while_they_are_above_nothing)
{
	AUTO(optimizer_metrics_done) struct optimizer_metrics m = { 0 };
	AUTO(cluster_done) struct cluster none = { 0 };
	AUTO(cluster_done) struct cluster two = snapshot_of(SAVES("a", "0.36") SAVES("b", "-1"));
	AUTO(cluster_done)
	struct cluster more = snapshot_of(SAVES("a", "3.6") SAVES("c", "0.000001"));

	optimizer_metrics_sum(&m, &none, &all, 1000, true);
	optimizer_metrics_sum(&m, &two, &all, 5000, true);
	optimizer_metrics_sum(&m, &two, &all, 15000, true); /* ten seconds at 0.36 $/h */
	holds(&m, &two, TOTAL("a", "0.001000"), true);
	holds(&m, &two, TOTAL("b", "0.000000"), true);
	holds(&m, &two, "kcloud_power_savings_watts{namespace=\"x\",name=\"a\"} -1.500000\n", true);
	optimizer_metrics_sum(&m, &two, &all, 3600000, false); /* another process leads */
	optimizer_metrics_sum(&m, &more, &all, 3605000, true);
	holds(&m, &more, TOTAL("a", "0.001500"), true);
	holds(&m, &more, "name=\"b\"", false);
	for (int i = 1; i <= 3600; i++) /* what is below a millionth adds up, too */
		optimizer_metrics_sum(&m, &more, &all, 3605000 + i * 1000, true);
	holds(&m, &more, TOTAL("c", "0.000001"), true);
	holds(&m, &more, TOTAL("a", "3.601500"), true);
}

/* One action for each result, all of one pass. */
static void count(struct optimizer_metrics *m, const struct cluster *c, const char *optimizer,
		  const enum result_state *states, size_t n)
{
	AUTO(plan_done) struct plan p = { 0 };

	for (size_t i = 0; i < n; i++) {
		*array_add(&p.actions) = (struct action){ .id = (uint32_t)i + 1,
							  .kind = ACTION_BIND,
							  .on = { .kind = "Pod", .ns = "x" },
							  .optimizer = optimizer };
		*array_add(&p.results) = (struct result){ (uint32_t)i + 1, states[i], "", 0 };
	}
	optimizer_metrics_count(m, c, &p);
}

static const enum result_state all_done[] = { RESULT_DONE, RESULT_DONE },
			       some[] = { RESULT_DONE, RESULT_FAILED },
			       none[] = { RESULT_SKIPPED, RESULT_FAILED };

TEST(a_pass_counts_once_for_an_optimizer)
{
	AUTO(optimizer_metrics_done) struct optimizer_metrics m = { 0 };
	AUTO(cluster_done) struct cluster c = snapshot_of(OPTIMIZER("web"));
	static const char start[] =
		"kcloud_workload_optimizations_total{namespace=\"x\",name=\"web\",result=\"";

	for (int i = 0; i < 3; i++)
		count(&m, &c, "web", all_done, 2);
	count(&m, &c, "web", some, 2);
	count(&m, &c, "web", none, 2);
	count(&m, &c, "web", none, 0);
	count(&m, &c, NULL, all_done, 2);
	AUTO_FREE char *done = xasprintf("%sdone\"} 3\n", start);
	AUTO_FREE char *partial = xasprintf("%spartial\"} 1\n", start);
	AUTO_FREE char *refused = xasprintf("%srefused\"} 1\n", start);
	holds(&m, &c, done, true);
	holds(&m, &c, partial, true);
	holds(&m, &c, refused, true);
	assert_int_equal(m.passes.n, 1);
}

TEST(those_that_are_gone_make_way)
{
	AUTO(optimizer_metrics_done) struct optimizer_metrics m = { 0 };
	AUTO(cluster_done) struct cluster c = snapshot_of(OPTIMIZER("web"));
	char name[16];

	count(&m, &c, "web", all_done, 1);
	for (int i = 0; i < METRIC_OPTIMIZERS + 5; i++) {
		snprintf(name, sizeof(name), "gone%d", i);
		count(&m, &c, name, all_done, 1);
	}
	assert_true(m.passes.n <= METRIC_OPTIMIZERS);
	holds(&m, &c, "name=\"web\",result=\"done\"} 1\n", true);
	holds(&m, &c, "name=\"gone504\",result=\"done\"} 1\n", true);
	holds(&m, &c, "name=\"gone0\"", false);
}
