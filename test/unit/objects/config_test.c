/* SPDX-License-Identifier: Apache-2.0 */
#include "objects/config.h"

#include <string.h>

#include "base/auto.h"
#include "test/unit/test.h"

#define HEAD "apiVersion: mckube.io/v1alpha1\nkind: Configuration\n"

static struct settings read_good(const char *text)
{
	struct settings s;
	struct error err = ERROR_INIT;

	config_preset(&s);
	if (config_read(text, strlen(text), &s, &err) < 0)
		fail_msg("%s", err.msg);
	return s;
}

TEST(presets_are_the_models_defaults)
{
	struct settings s, expect = SETTINGS_DEFAULT;

	config_preset(&s);
	assert_int_equal(s.core_utilization_threshold, expect.core_utilization_threshold);
	assert_int_equal(s.rt_capacity, expect.rt_capacity);
	assert_int_equal(s.ignores_legacy_pins, expect.ignores_legacy_pins);
	assert_int_equal(s.search_steps, expect.search_steps);
	assert_int_equal(s.preemption_nodes, expect.preemption_nodes);
	assert_memory_equal(&s.pressure, &expect.pressure, sizeof(s.pressure));
	assert_int_equal(s.n_policies, 1);
	assert_string_equal(s.policies[0].name, "spread");
	assert_int_equal(s.policies[0].weight, 1);
}

TEST(every_key_is_read)
{
	struct settings s =
		read_good(HEAD "coreUtilizationThreshold: 0.85\n"
			       "rtCapacity: 1\n"
			       "legacyPins: ignore\n"
			       "policies:\n- name: binpack\n- { name: topology, weight: 3 }\n"
			       "search: { steps: 5000, preemptionNodes: 2 }\n"
			       "evictions: { perPass: 4, perNode: 3, perNamespace: 2, "
			       "bare: never }\n"
			       "pressure: { busy: 0.95, calm: 0.5, delaySeconds: 1, stepSeconds: "
			       "2, holdSeconds: 3, evict: all, enabled: false, trigger: cpu, "
			       "onBusy: raise }\n");

	assert_int_equal(s.core_utilization_threshold, 850000);
	assert_int_equal(s.rt_capacity, 1000000);
	assert_true(s.ignores_legacy_pins);
	assert_int_equal(s.n_policies, 2);
	assert_string_equal(s.policies[0].name, "binpack");
	assert_int_equal(s.policies[1].weight, 3);
	assert_int_equal(s.search_steps, 5000);
	assert_int_equal(s.preemption_nodes, 2);
	assert_int_equal(s.evictions.per_pass, 4);
	assert_int_equal(s.evictions.per_node, 3);
	assert_int_equal(s.evictions.per_namespace, 2);
	assert_true(s.evictions.keeps_bare);
	assert_int_equal(s.pressure.busy, 950000);
	assert_int_equal(s.pressure.calm, 500000);
	assert_int_equal(s.pressure.delay_seconds, 1);
	assert_int_equal(s.pressure.step_seconds, 2);
	assert_int_equal(s.pressure.hold_seconds, 3);
	assert_int_equal(s.pressure.evict, PRESSURE_EVICT_ALL);
	assert_int_equal(s.pressure.trigger, PRESSURE_CPU);
	assert_int_equal(s.pressure.on_busy, PRESSURE_RAISE);
	assert_false(s.pressure.enabled);
}

TEST(json_and_gaps_are_fine)
{
	struct settings s = read_good("{\"kind\":\"Configuration\",\"rtCapacity\":0.123457,"
				      "\"apiVersion\":\"mckube.io/v1alpha1\"}");

	assert_int_equal(s.rt_capacity, 123457);
	assert_int_equal(s.core_utilization_threshold, 900000);
	assert_int_equal(s.n_policies, 1);
}

TEST(mistakes_are_named)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "", "is no Configuration object" },
		{ "kind: Configuration", "apiVersion: must be mckube.io/v1alpha1" },
		{ "apiVersion: mckube.io/v1alpha1\nkind: Plan", "kind: must be Configuration" },
		{ HEAD "rtCapacty: 1", "unknown key 'rtCapacty' (did you mean 'rtCapacity'?)" },
		{ HEAD "search: { stepps: 1 }",
		  "unknown key 'search.stepps' (did you mean 'search.steps'?)" },
		{ HEAD "search: 5", "search: must be an object" },
		{ HEAD "search.steps: 5000\nzzzzzz: 1", "unknown key 'zzzzzz'" },
		{ HEAD "rtCapacity: 1.01", "rtCapacity: must be a number from 0.01 to 1" },
		{ HEAD "rtCapacity: -1", "rtCapacity: must be a number from 0.01 to 1" },
		{ HEAD "rtCapacity: 1e30", "rtCapacity: must be a number from 0.01 to 1" },
		{ HEAD "rtCapacity: '0.9'", "rtCapacity: must be a number" },
		{ HEAD "legacyPins: maybe", "legacyPins: must be one of honor|ignore" },
		{ HEAD "legacyPins: true", "legacyPins: must be a string" },
		{ HEAD "search: { steps: 1.5 }",
		  "search.steps: must be a whole number from 1000 to 1000000000" },
		{ HEAD "evictions: { windows: 'Sat, Sunday' }",
		  "evictions.windows: 'Sunday' is no window such as 'Mon-Fri 22:00-05:30'" },
		{ HEAD "optimise: { utcOffset: -841 }",
		  "optimise.utcOffset: must be a whole number from -840 to 840" },
		{ HEAD "policies: spread", "policies: must be a list" },
		{ HEAD "policies: [spread]", "policies: [0]: must be an object with the key name" },
		{ HEAD "policies: [{ name: a }, { name: b, wait: 1 }]",
		  "policies: [1]: unknown key 'wait'" },
		{ HEAD "policies: [{ name: a, weight: 1001 }]",
		  "policies: [0]: the weight of 'a' must be 0 to 1000" },
		{ HEAD "policies: [{ name: a, weight: 1.5 }]",
		  "policies: [0]: weight: must be a whole number" },
		{ HEAD "policies: [{ name: a }, { name: a }]",
		  "policies: [1]: duplicate policy 'a'" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct settings s, before;
		struct error err = ERROR_INIT;

		config_preset(&s);
		before = s;
		assert_true(config_read(cases[i].text, strlen(cases[i].text), &s, &err) < 0);
		assert_string_equal(err.msg, cases[i].message);
		assert_memory_equal(&s, &before, sizeof(s));
	}
}

static const char *lookup(const char *name)
{
	if (strcmp(name, "MCKUBE_CORE_UTILIZATION_THRESHOLD") == 0)
		return "0.5";
	if (strcmp(name, "MCKUBE_SEARCH_PREEMPTION_NODES") == 0)
		return "3";
	if (strcmp(name, "MCKUBE_POLICIES") == 0)
		return "binpack=2,spread";
	return NULL;
}

TEST(environment_has_a_variable_for_every_key)
{
	struct settings s;

	config_preset(&s);
	assert_int_equal(config_read_environment(lookup, &s, NULL), 0);
	assert_int_equal(s.core_utilization_threshold, 500000);
	assert_int_equal(s.rt_capacity, 950000);
	assert_int_equal(s.preemption_nodes, 3);
	assert_int_equal(s.n_policies, 2);
	assert_int_equal(s.policies[0].weight, 2);
	assert_string_equal(s.policies[1].name, "spread");
}

static const char *lookup_bad(const char *name)
{
	return strcmp(name, "MCKUBE_LEGACY_PINS") == 0 ? "no" : NULL;
}

TEST(bad_variable_is_named)
{
	struct settings s;
	struct error err = ERROR_INIT;

	config_preset(&s);
	assert_int_equal(config_read_environment(lookup_bad, &s, &err), -EINVAL);
	assert_string_equal(err.msg, "environment variable MCKUBE_LEGACY_PINS: "
				     "must be one of honor|ignore");
}

/* The Deployment of the SDI migration service, as its users have it. */
static const char *lookup_sdi(const char *name)
{
	static const char *const variables[][2] = {
		{ "MIGRATION_CHECK_INTERVAL", "45" }, { "RESOURCE_PRESSURE_THRESHOLD", "72.5" },
		{ "ENABLE_CHECKPOINTING", "False" },  { "MCKUBE_MIGRATION_HYSTERESIS", "0.02" },
		{ "WATCH_NAMESPACE", "shop,lab" },    { "POD_NAMESPACE", "operator-system" },
	};

	for (size_t i = 0; i < ARRAY_LEN(variables); i++)
		if (strcmp(variables[i][0], name) == 0)
			return variables[i][1];
	return NULL;
}

static const char *lookup_both(const char *name)
{
	if (strcmp(name, "MCKUBE_MIGRATION_THRESHOLD") == 0)
		return "0.6";
	if (strcmp(name, "ENABLE_CHECKPOINTING") == 0)
		return "";
	return lookup_sdi(name);
}

TEST(variables_of_the_migration_service_stand_for_keys)
{
	struct settings s = read_good(HEAD "migration: { enabled: true, checkSeconds: 7, "
					   "threshold: 0.5, checkpoint: true }\n");

	assert_int_equal(config_read_environment(lookup_sdi, &s, NULL), 0);
	assert_int_equal(s.migration.check_seconds, 45);
	assert_int_equal(s.migration.threshold, 725000);
	assert_int_equal(s.migration.hysteresis, 20000);
	assert_false(s.migration.checkpoint);
	assert_true(s.migration.enabled);
	assert_string_equal(s.optimise.namespaces, "shop,lab");
	assert_string_equal(s.optimise.namespace, "operator-system");
}

TEST(a_keys_own_variable_comes_before_that_of_the_migration_service)
{
	struct settings s;

	config_preset(&s);
	assert_int_equal(config_read_environment(lookup_both, &s, NULL), 0);
	assert_int_equal(s.migration.threshold, 600000);
	assert_int_equal(s.migration.check_seconds, 45);
	assert_true(s.migration.checkpoint);
	assert_false(s.migration.enabled);
}

static const char *lookup_share(const char *name)
{
	return strcmp(name, "RESOURCE_PRESSURE_THRESHOLD") == 0 ? "0.85" : NULL;
}

TEST(a_threshold_that_is_no_percentage_is_refused)
{
	struct settings s;
	struct error err = ERROR_INIT;

	config_preset(&s);
	assert_int_equal(config_read_environment(lookup_share, &s, &err), -EINVAL);
	assert_string_equal(err.msg, "environment variable RESOURCE_PRESSURE_THRESHOLD: "
				     "must be a number from 0.01 to 1");
}

TEST(policy_flags_are_checked)
{
	static const char *const good[] = { "spread=10", "topology" };
	static const char *const bad[] = { "spread=many" };
	struct settings s;
	struct error err = ERROR_INIT;

	config_preset(&s);
	assert_int_equal(config_set_policies(&s, good, 2, &err), 0);
	assert_int_equal(s.policies[0].weight, 10);
	assert_int_equal(s.policies[1].weight, 1);
	assert_int_equal(config_set_policies(&s, bad, 1, &err), -EINVAL);
	assert_string_equal(err.msg, "weight of 'spread': must be a whole number from 0 to 1000");
}

TEST(metrics_come_from_keys_and_flags)
{
	struct settings s =
		read_good(HEAD "metrics:\n"
			       "  prometheus: { url: 'http://p:9090', timeoutSeconds: 9 }\n"
			       "  latencyQuery: l{ns=\"{namespace}\"}\n"
			       "  nodePriceQuery: node_total_hourly_cost\n");
	struct error err = ERROR_INIT;

	assert_string_equal(s.metrics.prometheus.url, "http://p:9090");
	assert_string_equal(s.metrics.prometheus.ca_file, "");
	assert_int_equal(s.metrics.prometheus.timeout_seconds, 9);
	assert_string_equal(s.metrics.latency_query, "l{ns=\"{namespace}\"}");
	assert_string_equal(s.metrics.node_price_query, "node_total_hourly_cost");
	assert_string_equal(s.metrics.node_power_query, "");
	assert_string_equal(s.metrics.gpu_query,
			    "avg(DCGM_FI_DEV_GPU_UTIL{namespace=\"{namespace}\",pod=~\"{pods}\"})");
	assert_int_equal(config_set(&s, "metrics.prometheus.timeoutSeconds", "3", &err), 0);
	assert_int_equal(s.metrics.prometheus.timeout_seconds, 3);
	assert_true(config_set(&s, "metrics.prometheus.timeoutSeconds", "0", &err) < 0);
}

TEST(windows_of_evictions_are_checked)
{
	struct settings s = read_good(HEAD "evictions: { windows: 'Sat-Sun, 22:00-05:30' }\n");

	assert_string_equal(s.evictions.windows, "Sat-Sun, 22:00-05:30");
}
