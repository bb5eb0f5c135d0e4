/* SPDX-License-Identifier: Apache-2.0 */
#include "reconcile/optimizer_metrics.h"

#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "reconcile/policy_metrics.h"
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

#define ALERTS(kind, notes)                                     \
	"---\nkind: " kind "\napiVersion: kcloud.io/v1alpha1\n" \
	"metadata: {name: team, namespace: x}\nspec: {}\nstatus: {alerts: [" notes "]}\n"
#define NOTE(type, action, value) \
	"{type: " type ", action: " action ", value: " value ", since: '2026-01-01T00:00:00Z'}"
#define ALERT(kind, type, action, value)                                       \
	"kcloud_policy_alert{kind=\"" kind "\",namespace=\"x\",name=\"team\"," \
	"type=\"" type "\",action=\"" action "\",threshold=\"" value "\"} 1\n"

TEST(alerts_that_are_on_are_told_whatever_their_action)
{
	AUTO(optimizer_metrics_done) struct optimizer_metrics m = { 0 };
	AUTO(cluster_done)
	struct cluster c = snapshot_of(
		ALERTS("CostPolicy", NOTE("budget_usage", "notify",
					  "0.8") ", " NOTE("budget_usage", "notify", "0.9"))
			ALERTS("PowerPolicy", NOTE("power_usage", "migrate", "0.95") ", " NOTE(
						      "power_usage", "migrate", "0.95")));
	AUTO(str_done) struct str out = STR_INIT;

	holds(&m, &c, ALERT("CostPolicy", "budget_usage", "notify", "0.8"), true);
	holds(&m, &c, ALERT("CostPolicy", "budget_usage", "notify", "0.9"), true);
	optimizer_metrics_write(&m, &c, &all, &out);
	const char *once = strstr(out.s, ALERT("PowerPolicy", "power_usage", "migrate", "0.95"));
	assert_non_null(once);
	assert_null(strstr(once + 1, "kcloud_policy_alert{kind=\"PowerPolicy\""));
}

static size_t count_of(const char *text, const char *word)
{
	size_t n = 0;

	for (const char *at = text; (at = strstr(at, word)) != NULL; at++)
		n++;
	return n;
}

TEST(what_is_too_much_to_be_told_is_counted)
{
	enum { OVER = 3 };
	AUTO(optimizer_metrics_done) struct optimizer_metrics m = { 0 };
	AUTO(str_done) struct str text = STR_INIT, out = STR_INIT;
	struct settings only_y = { .optimise.namespaces = "y" };

	for (unsigned i = 0; i < METRIC_POLICIES + OVER; i++)
		str_addf(
			&text,
			"---\nkind: CostPolicy\napiVersion: kcloud.io/v1alpha1\n"
			"metadata: {name: p%u, namespace: x}\nspec: {budgetLimit: 50}\n"
			"status: {alerts: [" NOTE(
				"budget_usage", "notify",
				"0.8") "]}\n"
				       "---\nkind: WorkloadOptimizer\napiVersion: kcloud.io/v1alpha1\n"
				       "metadata: {name: o%u, namespace: x}\nstatus: {phase: Optimized}\n",
			i, i);
	str_add(&text, UNVISITED);
	AUTO(cluster_done) struct cluster c = snapshot_of(text.s);
	struct policy_metrics_rest rest = policy_metrics_left_out(&c, &all);

	assert_int_equal(rest.budgets, OVER);
	assert_int_equal(rest.alerts, OVER);
	assert_int_equal(optimizer_metrics_left_out(&c, &all), OVER);
	optimizer_metrics_write(&m, &c, &all, &out);
	assert_int_equal(count_of(out.s, "\nkcloud_policy_alert{"), METRIC_ALERTS);
	assert_int_equal(count_of(out.s, "\nkcloud_costpolicy_budget_utilization{"),
			 METRIC_POLICIES);
	assert_int_equal(policy_metrics_left_out(&c, &only_y).alerts, 0);
	assert_int_equal(optimizer_metrics_left_out(&c, &only_y), 0);
}

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
