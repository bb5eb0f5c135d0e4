/* SPDX-License-Identifier: Apache-2.0 */
#include "objects/config.h"

#include <string.h>

#include "base/auto.h"
#include "base/json.h"
#include "base/names.h"
#include "base/nearest.h"
#include "base/yaml.h"
#include "budget/budget.h"
#include "model/time_windows.h"

static const char *const api_version = MCKUBE_API_VERSION;
static const char *const kind = "Configuration";

enum { WEIGHT_MAX = 1000 };

const struct option config_keys[] = {
	OPT_RATIO(0, "coreUtilizationThreshold", struct settings, core_utilization_threshold, 10000,
		  PPM, "the share of a core that budgets may fill while no pod overruns",
		  .preset = "0.9"),
	OPT_RATIO(0, "rtCapacity", struct settings, rt_capacity, 10000, PPM,
		  "the share of a core that the kernel grants to real-time groups, where the node "
		  "does not report its own",
		  .preset = "0.95"),
	OPT_ENUM(0, "legacyPins", struct settings, ignores_legacy_pins, legacy_pin_words, "WORD",
		 "what becomes of a McKube's rtSettings.core that only repeats "
		 "status.allocatedCore, as older controllers wrote it",
		 .preset = "honor"),
	OPT_LIST(0, "policies", struct settings, policies, "[{name, weight}]",
		 "which policies rank the cores that would do, and how much each counts (0 to "
		 "1000)",
		 .preset = "spread"),
	OPT_INT(0, "search.steps", struct settings, search_steps, 1000, 1000000000, "N",
		"how far the exact search goes before it takes the best plan found",
		.preset = "2000000"),
	OPT_INT(0, "search.preemptionNodes", struct settings, preemption_nodes, 1, 10000, "N",
		"nodes tried in full for one pod that needs room", .preset = "8"),
	OPT_INT(0, "evictions.perPass", struct settings, evictions.per_pass, 0, 1000000, "N",
		"pods evicted in one planning round, moves to other nodes included; 0: no limit. A "
		"pod that needs more of them to yield is not placed",
		.preset = "0"),
	OPT_INT(0, "evictions.perNode", struct settings, evictions.per_node, 0, 1000000, "N",
		"the same, of the pods of one node", .preset = "0"),
	OPT_INT(0, "evictions.perNamespace", struct settings, evictions.per_namespace, 0, 1000000,
		"N", "the same, of the pods of one namespace", .preset = "0"),
	OPT_ENUM(0, "evictions.bare", struct settings, evictions.keeps_bare, eviction_bare_words,
		 "WORD",
		 "whether a pod without a controller, which nothing recreates, may be evicted for "
		 "a more critical one: allow or never, which leaves the more critical one "
		 "unplaced. 'apply' also needs --force",
		 .preset = "allow"),
	OPT_CHARS(
		0, "evictions.windows", struct settings, evictions.windows, "TIMES",
		"times of the week in which pods are evicted and moved, such as "
		"'Sat-Sun, Mon-Fri 22:00-05:30', by the clock of optimise.utcOffset; without any, "
		"always. Outside of them nothing is moved for cost, power or a node's use; numbers "
		"of replicas change at any time",
		.preset = ""),
	OPT_ENUM(0, "evictions.outside", struct settings, evictions.outside, eviction_outside_words,
		 "WORD",
		 "what pods are evicted for outside of the windows: realTime, for more critical "
		 "pods, also of a node whose CPU is busy, for budgets that a node cannot keep, and "
		 "off spot nodes that are about to go, or none, where all of those wait",
		 .preset = "realTime"),
	OPT_BOOL(
		0, "pressure.enabled", struct settings, pressure.enabled,
		"relieve nodes under pressure, and taint nodes that cannot keep their pods' budgets",
		.preset = "true"),
	OPT_ENUM(
		0, "pressure.trigger", struct settings, pressure.trigger, pressure_trigger_words,
		"WORD",
		"what counts as pressure: real-time time that pods were granted and did not get, or "
		"the node's CPU use (see busy, calm and delaySeconds)",
		.preset = "realTime"),
	OPT_ENUM(0, "pressure.onBusy", struct settings, pressure.on_busy, pressure_action_words,
		 "WORD",
		 "on a node under pressure, degrade less critical pods to their floors, or raise "
		 "pods to level hi, the most critical first",
		 .preset = "degrade"),
	OPT_RATIO(0, "pressure.busy", struct settings, pressure.busy, 10000, PPM,
		  "with trigger cpu: a node that uses this share of its CPU time is under pressure",
		  .preset = "0.9"),
	OPT_RATIO(0, "pressure.calm", struct settings, pressure.calm, 0, PPM,
		  "with trigger cpu: the pressure is over when it uses less than this",
		  .preset = "0.8"),
	OPT_INT(0, "pressure.delaySeconds", struct settings, pressure.delay_seconds, 0, 86400, "N",
		"with trigger cpu: how long a node must have been busy before the first step",
		.preset = "5"),
	OPT_INT(0, "pressure.stepSeconds", struct settings, pressure.step_seconds, 0, 86400, "N",
		"how long a step is given to help before the next one", .preset = "30"),
	OPT_INT(0, "pressure.holdSeconds", struct settings, pressure.hold_seconds, 0, 86400, "N",
		"how long a pod stays degraded, and a node tainted, at least", .preset = "60"),
	OPT_ENUM(
		0, "pressure.evict", struct settings, pressure.evict, pressure_eviction_words,
		"WORD",
		"pods that may be evicted from a node under pressure when degrading is not enough: "
		"none, those that a controller recreates and that fit elsewhere, or all",
		.preset = "none"),
	OPT_BOOL(0, "migration.enabled", struct settings, migration.enabled,
		 "move pods from nodes whose use of CPU or memory is too high to others",
		 .preset = "false"),
	OPT_RATIO(0, "migration.threshold", struct settings, migration.threshold, 10000, PPM,
		  "the share of its CPU or memory above which a node is relieved of pods",
		  .preset = "0.85"),
	OPT_RATIO(0, "migration.hysteresis", struct settings, migration.hysteresis, 0, PPM,
		  "how far below the threshold a target stays with the pod, and a node must fall "
		  "before its pressure counts as over",
		  .preset = "0.05"),
	OPT_INT(0, "migration.checkSeconds", struct settings, migration.check_seconds, 0, 86400,
		"N",
		"how long a node must have been above the threshold before a pod is moved, "
		"also after each move",
		.preset = "30"),
	OPT_INT(0, "migration.cooldownSeconds", struct settings, migration.cooldown_seconds, 0,
		86400, "N",
		"no pod of a workload is moved while one of its pods is younger, nor so soon after "
		"its move was refused",
		.preset = "600"),
	OPT_INT(0, "migration.perPass", struct settings, migration.per_pass, 1, 100, "N",
		"pods moved in one planning round, each from and to another node", .preset = "3"),
	OPT_BOOL(0, "migration.checkpoint", struct settings, migration.checkpoint,
		 "move running containers with their memory where both nodes can, instead of "
		 "restarting them",
		 .preset = "true"),
	OPT_BOOL(0, "migration.failOpen", struct settings, migration.fail_open,
		 "a policy engine that gives no valid answer allows a move; without, it forbids it",
		 .preset = "false"),
	OPT_BOOL(0, "coreScheduler.failOpen", struct settings, core_scheduler.fail_open,
		 "a core scheduler that gives no valid answer allows what a plan does for cost and "
		 "power; without, it forbids it",
		 .preset = "false"),
	OPT_RATIO(0, "optimise.energyPrice", struct settings, optimise.energy_price, 0, 100000000,
		  "what a kWh costs, in dollars", .preset = "0.12"),
	OPT_RATIO(0, "optimise.pue", struct settings, optimise.pue, PPM, INT64_C(10) * PPM,
		  "power of the data centre for each watt of a node", .preset = "1"),
	OPT_RATIO(0, "optimise.carbonPrice", struct settings, optimise.carbon_price, 0, 100000000,
		  "what a kg of carbon dioxide costs, in dollars", .preset = "0.1"),
	OPT_CHARS(0, "optimise.prices", struct settings, optimise.prices, "NAMESPACE/NAME",
		  "the ConfigMap with prices and power of instance types", .preset = ""),
	OPT_CHARS(0, "optimise.namespaces", struct settings, optimise.namespaces, "NAME,...",
		  "the namespaces whose workloads are placed, moved, scaled and accounted for cost "
		  "and power, where it is not all of them; what others use counts all the same",
		  .preset = ""),
	OPT_CHARS(
		0, "optimise.namespace", struct settings, optimise.namespace, "NAME",
		"the program's own namespace: namespaceSelectors of CostPolicies and PowerPolicies "
		"in it reach other namespaces, those of others only their own",
		.preset = ""),
	OPT_ENUM(0, "optimise.consolidate", struct settings, optimise.consolidate,
		 consolidate_words, "WORD",
		 "which removable nodes are emptied where that saves money: those whose pool does "
		 "not do so itself, all, or none",
		 .preset = "auto"),
	OPT_ENUM(0, "optimise.costBasis", struct settings, optimise.cost_basis, cost_basis_words,
		 "WORD",
		 "what a pod's share of its node's price is measured by: its requests, or of each "
		 "resource what it uses where that is more and metrics.k8s.io says it",
		 .preset = "requests"),
	OPT_BOOL(
		0, "optimise.allowTerminate", struct settings, optimise.allow_terminate,
		"alerts of CostPolicies with action terminate end all replicas; without, they pause",
		.preset = "false"),
	OPT_RATIO(0, "optimise.disruption.nodes", struct settings, optimise.disruption_nodes, 0,
		  PPM, "the share of a pool's nodes that one plan may empty, at least one node",
		  .preset = "0.1"),
	OPT_RATIO(0, "optimise.disruption.pods", struct settings, optimise.disruption_pods, 0, PPM,
		  "the share of movable pods that one plan may move, at least one pod",
		  .preset = "0.1"),
	OPT_INT(0, "optimise.serving.onDemandBase", struct settings, optimise.on_demand_base, 0,
		1000, "N", "replicas of a serving workload of two or more that stay off spot nodes",
		.preset = "1"),
	OPT_INT(0, "optimise.spot.restartSeconds", struct settings, optimise.restart_seconds, 0,
		86400, "N", "how long a pod takes to start again when its spot node goes",
		.preset = "60"),
	OPT_INT(0, "optimise.utcOffset", struct settings, optimise.utc_offset, -840, 840, "MINUTES",
		"minutes that hours of the day, as in peakPowerHours and evictions.windows, are "
		"ahead of UTC; negative: behind it",
		.preset = "0"),
	OPT_CHARS(0, "metrics.prometheus.url", struct settings, metrics.prometheus.url, "URL",
		  "the Prometheus that is asked for metrics of WorkloadOptimizers, such as "
		  "http://prometheus.monitoring:9090; its path, if any, ends before /api/v1",
		  .preset = ""),
	OPT_CHARS(0, "metrics.prometheus.caFile", struct settings, metrics.prometheus.ca_file,
		  "FILE", "its certificate authority, instead of the system's", .preset = ""),
	OPT_CHARS(0, "metrics.prometheus.tokenFile", struct settings, metrics.prometheus.token_file,
		  "FILE", "the bearer token for it, read again now and then", .preset = ""),
	OPT_INT(0, "metrics.prometheus.timeoutSeconds", struct settings,
		metrics.prometheus.timeout_seconds, 1, 60, "N",
		"how long an answer of it, or of a metrics API, is waited for", .preset = "5"),
	OPT_INT(0, "metrics.intervalSeconds", struct settings, metrics.interval_seconds, 1, 300,
		"N",
		"how often watch asks for metrics of WorkloadOptimizers, also for what pods use",
		.preset = "15"),
	OPT_CHARS(
		0, "metrics.gpuQuery", struct settings, metrics.gpu_query, "PROMQL",
		"the query of a gpu metric without one: in it, {namespace} and {name} are those of "
		"the WorkloadOptimizer, and {pods} is a regular expression for its pods' names",
		.preset = "avg(DCGM_FI_DEV_GPU_UTIL{namespace=\"{namespace}\",pod=~\"{pods}\"})"),
	OPT_CHARS(0, "metrics.latencyQuery", struct settings, metrics.latency_query, "PROMQL",
		  "the same of a latency metric without query and metricName", .preset = ""),
	OPT_CHARS(0, "metrics.nodePriceQuery", struct settings, metrics.node_price_query, "PROMQL",
		  "the query for what nodes cost, in dollars per hour by the label node or "
		  "node_name, where no annotation and no table says it; of OpenCost "
		  "max by (node) (node_total_hourly_cost)",
		  .preset = ""),
	OPT_CHARS(0, "metrics.nodePowerQuery", struct settings, metrics.node_power_query, "PROMQL",
		  "the same for what they draw at present, in watts; of Kepler "
		  "sum by (node_name) (kepler_node_cpu_watts{zone=~\"package|dram\"})",
		  .preset = ""),
	{},
};

static int add_policy(struct settings *s, const char *name, int64_t weight, struct error *err)
{
	if (s->n_policies == MAX_POLICIES)
		return error_set(err, -EINVAL, "more than %d", MAX_POLICIES);
	struct policy_weight *p = &s->policies[s->n_policies];
	if (!*name || strlen(name) >= sizeof(p->name))
		return error_set(err, -EINVAL, "'%s' is no name of a policy", name);
	if (weight < 0 || weight > WEIGHT_MAX)
		return error_set(err, -EINVAL, "the weight of '%s' must be 0 to %d", name,
				 WEIGHT_MAX);
	for (uint32_t i = 0; i < s->n_policies; i++)
		if (strcmp(s->policies[i].name, name) == 0)
			return error_set(err, -EINVAL, "duplicate policy '%s'", name);
	memset(p->name, 0, sizeof(p->name));
	memcpy(p->name, name, strlen(name));
	p->weight = (uint32_t)weight;
	s->n_policies++;
	return 0;
}

static int add_policy_text(struct settings *s, const char *item, struct error *err)
{
	static const struct option weight_option =
		OPT_INT(0, "weight", struct policy_weight, weight, 0, WEIGHT_MAX, "N", "");
	struct policy_weight p = { .weight = 1 };
	size_t n = strcspn(item, "=");
	AUTO_FREE char *name = xstrndup(item, n);

	if (item[n] && option_set_value(&weight_option, &p, item + n + 1, NULL, err) < 0)
		return error_wrap(err, "weight of '%s'", name);
	return add_policy(s, name, p.weight, err);
}

int config_set_policies(struct settings *settings, const char *const *items, size_t n,
			struct error *err)
{
	settings->n_policies = 0;
	memset(settings->policies, 0, sizeof(settings->policies));
	for (size_t i = 0; i < n; i++)
		if (add_policy_text(settings, items[i], err) < 0)
			return err ? err->code : -EINVAL;
	return 0;
}

/* Text that is more than text is checked, too. */
static int set_scalar(struct settings *s, const struct option *key, const char *text,
		      struct error *err)
{
	struct time_windows windows;
	int r = option_set_value(key, s, text, NULL, err);

	if (r == 0 && key->offset == offsetof(struct settings, evictions.windows))
		r = time_windows_parse(s->evictions.windows, &windows, err);
	return r;
}

/* One key's value from the environment or the table of defaults. */
static int set_text(struct settings *s, const struct option *key, const char *text,
		    struct error *err)
{
	struct arena arena = { 0 };
	struct option_list items = { 0 };
	struct option whole = *key;
	int r;

	if (key->kind != OPTION_LIST)
		return set_scalar(s, key, text, err);
	whole.offset = 0;
	r = option_set_value(&whole, &items, text, &arena, err);
	if (r == 0)
		r = config_set_policies(s, items.items, items.n, err);
	array_done(&items);
	arena_done(&arena);
	return r;
}

void config_preset(struct settings *settings)
{
	memset(settings, 0, sizeof(*settings));
	for (const struct option *key = config_keys; key->name; key++)
		set_text(settings, key, key->preset, NULL);
}

void config_variable(const char *key, struct str *out)
{
	str_add(out, "MCKUBE_");
	for (; *key; key++) {
		bool is_upper = *key >= 'A' && *key <= 'Z';

		if (is_upper || *key == '.')
			str_addc(out, '_');
		if (*key != '.')
			str_addc(out, (char)(is_upper ? *key : *key - 'a' + 'A'));
	}
}

bool config_has_variable(const char *name, struct arena *arena, struct nearest *n)
{
	for (const struct option *key = config_keys; key->name; key++) {
		AUTO(str_done) struct str variable = STR_INIT;

		config_variable(key->name, &variable);
		if (strcmp(variable.s, name) == 0)
			return true;
		nearest_offer(n, arena_strndup(arena, variable.s, variable.n));
	}
	return false;
}

static const struct option *find_key(const char *path)
{
	for (const struct option *key = config_keys; key->name; key++)
		if (strcmp(key->name, path) == 0)
			return key;
	return NULL;
}

int config_set(struct settings *settings, const char *key, const char *text, struct error *err)
{
	return set_text(settings, find_key(key), text, err);
}

const struct config_alias config_aliases[] = {
	{ "MIGRATION_CHECK_INTERVAL", "migration.checkSeconds", "" },
	{ "RESOURCE_PRESSURE_THRESHOLD", "migration.threshold", "%" },
	{ "ENABLE_CHECKPOINTING", "migration.checkpoint", "" },
	{ "WATCH_NAMESPACE", "optimise.namespaces", "" },
	{ "POD_NAMESPACE", "optimise.namespace", "" },
	{ 0 },
};

static int read_aliases(const char *(*lookup)(const char *name), struct settings *settings,
			struct error *err)
{
	for (const struct config_alias *a = config_aliases; a->variable; a++) {
		const char *text = lookup(a->variable);

		if (!text || !*text)
			continue;
		AUTO_FREE char *value = xasprintf("%s%s", text, strchr(text, '%') ? "" : a->unit);
		if (set_text(settings, find_key(a->key), value, err) < 0)
			return error_wrap(err, "environment variable %s", a->variable);
	}
	return 0;
}

int config_read_environment(const char *(*lookup)(const char *name), struct settings *settings,
			    struct error *err)
{
	if (read_aliases(lookup, settings, err) < 0)
		return err ? err->code : -EINVAL;
	for (const struct option *key = config_keys; key->name; key++) {
		AUTO(str_done) struct str name = STR_INIT;

		config_variable(key->name, &name);
		const char *text = lookup(name.s);
		if (text && *text && set_text(settings, key, text, err) < 0)
			return error_wrap(err, "environment variable %s", name.s);
	}
	return 0;
}

/* The token of a scalar as option_set_value() wants it. A number is printed with as many digits as
 * it was written with (up to 15), so decimals stay exact. */
static int scalar_text(const struct option *key, const cJSON *value, char **ret, struct error *err)
{
	bool wants_text = key->kind == OPTION_ENUM || key->kind == OPTION_CHARS;

	if (key->kind == OPTION_BOOL && !cJSON_IsBool(value))
		return error_set(err, -EINVAL, "must be true or false");
	if (key->kind == OPTION_BOOL) {
		*ret = xstrdup(cJSON_IsTrue(value) ? "true" : "false");
		return 0;
	}
	if (wants_text ? !cJSON_IsString(value) : !cJSON_IsNumber(value) && !cJSON_IsRaw(value))
		return error_set(err, -EINVAL, "must be a %s", wants_text ? "string" : "number");
	*ret = wants_text ? xstrdup(json_text(value)) : cJSON_PrintUnformatted(value);
	return 0;
}

static int read_policy(const cJSON *item, struct settings *s, struct error *err)
{
	int64_t weight = 1;

	for (const cJSON *m = cJSON_IsObject(item) ? item->child : NULL; m; m = m->next)
		if (strcmp(m->string, "name") != 0 && strcmp(m->string, "weight") != 0)
			return error_set(err, -EINVAL, "unknown key '%s'", m->string);
	const char *name = json_text(json_get(item, "name"));
	if (!name)
		return error_set(err, -EINVAL, "must be an object with the key name");
	const cJSON *given = json_get(item, "weight");
	if (given && !json_int(given, &weight))
		return error_set(err, -EINVAL, "weight: must be a whole number");
	return add_policy(s, name, weight, err);
}

static int read_policies(const cJSON *value, struct settings *s, struct error *err)
{
	const cJSON *item;
	int i = 0;

	if (!cJSON_IsArray(value))
		return error_set(err, -EINVAL, "must be a list");
	config_set_policies(s, NULL, 0, NULL);
	cJSON_ArrayForEach(item, value) {
		if (read_policy(item, s, err) < 0)
			return error_wrap(err, "[%d]", i);
		i++;
	}
	return 0;
}

static int read_value(const struct option *key, const cJSON *value, struct settings *s,
		      struct error *err)
{
	AUTO_FREE char *text = NULL;
	int r;

	if (key->kind == OPTION_LIST)
		r = read_policies(value, s, err);
	else if ((r = scalar_text(key, value, &text, err)) == 0)
		r = set_scalar(s, key, text, err);
	return r < 0 ? error_wrap(err, "%s", key->name) : 0;
}

/* Is there a key below this path? */
static bool is_section(const char *path)
{
	size_t n = strlen(path);

	for (const struct option *key = config_keys; key->name; key++)
		if (strncmp(key->name, path, n) == 0 && key->name[n] == '.')
			return true;
	return false;
}

static int unknown_key(const char *path, struct error *err)
{
	struct nearest nearest = NEAREST_OF(path);

	for (const struct option *key = config_keys; key->name; key++)
		nearest_offer(&nearest, key->name);
	if (nearest.best)
		return error_set(err, -EINVAL, "unknown key '%s' (did you mean '%s'?)", path,
				 nearest.best);
	return error_set(err, -EINVAL, "unknown key '%s'", path);
}

/* Reads the members of an object; `prefix` is its path with a dot behind. */
static int read_members(const cJSON *object, const char *prefix, struct settings *s,
			struct error *err)
{
	for (const cJSON *m = object->child; m; m = m->next) {
		AUTO_FREE char *path = xasprintf("%s%s", prefix, m->string);
		const struct option *key = find_key(path);
		int r;

		if (key) {
			r = read_value(key, m, s, err);
		} else if (is_section(path)) {
			AUTO_FREE char *below = xasprintf("%s.", path);

			r = cJSON_IsObject(m)
				    ? read_members(m, below, s, err)
				    : error_set(err, -EINVAL, "%s: must be an object", path);
		} else {
			r = unknown_key(path, err);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

/* Checks apiVersion or kind and takes it out, so that only keys are left. */
static int take_word(cJSON *root, const char *key, const char *word, struct error *err)
{
	const char *text = json_text(json_get(root, key));

	if (!text || strcmp(text, word) != 0)
		return error_set(err, -EINVAL, "%s: must be %s", key, word);
	cJSON_DeleteItemFromObjectCaseSensitive(root, key);
	return 0;
}

int config_read(const char *text, size_t n, struct settings *settings, struct error *err)
{
	AUTO(str_done) struct str json = STR_INIT;
	AUTO_JSON cJSON *root = NULL;
	struct settings read = *settings;

	if (yaml_to_json(text, n, NULL, &json, err) < 0 ||
	    json_parse(json.s, json.n, &root, err) < 0)
		return err->code;
	if (!cJSON_IsObject(root))
		return error_set(err, -EINVAL, "is no %s object", kind);
	if (take_word(root, "apiVersion", api_version, err) < 0 ||
	    take_word(root, "kind", kind, err) < 0 || read_members(root, "", &read, err) < 0)
		return err->code;
	*settings = read;
	return 0;
}
