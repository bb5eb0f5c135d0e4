/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/file/file_parts.h"

static const char *legacy_pins_word(unsigned v)
{
	return legacy_pin_words[v];
}

static const struct field_words legacy_pins = { legacy_pins_word, 0, 2, sizeof(bool) };

static const struct field policy_fields[] = {
	FILE_FIELD("name", &field_chars, offsetof(struct policy_weight, name), .needed = true,
		   .max = sizeof(((struct policy_weight *)0)->name)),
	FILE_FIELD("weight", &field_u32, offsetof(struct policy_weight, weight), .needed = true,
		   .max = 1000),
	{ 0 },
};

static bool policies_are_absent(const struct file_field *f, const void *value)
{
	(void)f;
	return ((const struct settings *)value)->n_policies == 0;
}

static void policies_write(const struct file_field *f, const void *value, struct json_out *o)
{
	const struct settings *s = value;

	(void)f;
	json_out_array(o);
	for (uint32_t i = 0; i < s->n_policies; i++)
		fields_write(policy_fields, &s->policies[i], o);
	json_out_end(o);
}

static int read_policy(struct decoder *d, void *arg)
{
	struct settings *s = arg;

	if (s->n_policies == MAX_POLICIES)
		return decode_refuse(d, "at most %d policies are possible", MAX_POLICIES);
	return fields_read(policy_fields, d, &s->policies[s->n_policies++], NULL);
}

static int policies_read(const struct file_field *f, struct decoder *d, void *value)
{
	(void)f;
	return decode_list(d, read_policy, value);
}

/* settings.policies and n_policies. */
static const struct field_type field_policies = { policies_are_absent, policies_write,
						  policies_read };

static const struct field search_fields[] = {
	FILE_FIELD("steps", &field_u32, offsetof(struct settings, search_steps), .needed = true),
	FILE_FIELD("preemptionNodes", &field_u32, offsetof(struct settings, preemption_nodes),
		   .needed = true),
	{ 0 },
};

static const char *eviction_word(unsigned v)
{
	return pressure_eviction_words[v];
}

static const char *trigger_word(unsigned v)
{
	return pressure_trigger_words[v];
}

static const char *action_word(unsigned v)
{
	return pressure_action_words[v];
}

static const char *eviction_bare_word(unsigned v)
{
	return eviction_bare_words[v];
}

static const char *eviction_outside_word(unsigned v)
{
	return eviction_outside_words[v];
}

static const struct field_words eviction_outside = { eviction_outside_word, 0,
						     EVICT_FOR_NOTHING + 1, 1 };
static const struct field_words eviction_bare = { eviction_bare_word, 0, 2, sizeof(bool) };
static const struct field_words evictions = { eviction_word, 0, PRESSURE_EVICT_ALL + 1, 1 };
static const struct field_words triggers = { trigger_word, 0, PRESSURE_CPU + 1, 1 };
static const struct field_words pressure_actions = { action_word, 0, PRESSURE_RAISE + 1, 1 };

#define SECONDS(key_, member)                                                                  \
	FILE_FIELD(key_, &field_u32, offsetof(struct settings, pressure.member), .max = 86400, \
		   .needed = true)

static const struct field pressure_fields[] = {
	FILE_FIELD("enabled", &field_bool, offsetof(struct settings, pressure.enabled),
		   .needed = true),
	FILE_FIELD("trigger", &field_word, offsetof(struct settings, pressure.trigger),
		   .of = &triggers, .needed = true),
	FILE_FIELD("onBusy", &field_word, offsetof(struct settings, pressure.on_busy),
		   .of = &pressure_actions, .needed = true),
	FILE_FIELD("busy", &field_u32, offsetof(struct settings, pressure.busy), .max = PPM,
		   .needed = true),
	FILE_FIELD("calm", &field_u32, offsetof(struct settings, pressure.calm), .max = PPM,
		   .needed = true),
	SECONDS("delaySeconds", delay_seconds),
	SECONDS("stepSeconds", step_seconds),
	SECONDS("holdSeconds", hold_seconds),
	FILE_FIELD("evict", &field_word, offsetof(struct settings, pressure.evict),
		   .of = &evictions, .needed = true),
	{ 0 },
};

#define MIGRATION(key_, member, max_)                                                          \
	FILE_FIELD(key_, &field_u32, offsetof(struct settings, migration.member), .max = max_, \
		   .needed = true)

static const struct field migration_fields[] = {
	FILE_FIELD("enabled", &field_bool, offsetof(struct settings, migration.enabled),
		   .needed = true),
	MIGRATION("threshold", threshold, PPM),
	MIGRATION("hysteresis", hysteresis, PPM),
	MIGRATION("checkSeconds", check_seconds, 86400),
	MIGRATION("cooldownSeconds", cooldown_seconds, 86400),
	MIGRATION("perPass", per_pass, 100),
	FILE_FIELD("checkpoint", &field_bool, offsetof(struct settings, migration.checkpoint),
		   .needed = true),
	FILE_FIELD("failOpen", &field_bool, offsetof(struct settings, migration.fail_open),
		   .needed = true),
	{ 0 },
};

/* Left out where it changes nothing. */
static bool has_migration(const void *settings)
{
	return ((const struct settings *)settings)->migration.enabled;
}

static const char *consolidate_word(unsigned v)
{
	return consolidate_words[v];
}

static const struct field_words consolidates = { consolidate_word, 0, CONSOLIDATE_NONE + 1, 1 };

static const char *cost_basis_word(unsigned v)
{
	return cost_basis_words[v];
}

static const struct field_words cost_bases = { cost_basis_word, 0, COST_BY_USAGE + 1, 1 };

#define OPTIMISE(key_, member)                                                                     \
	FILE_FIELD(key_, &field_u32, offsetof(struct settings, optimise.member), .max = 100000000, \
		   .needed = true)

static const struct field optimise_fields[] = {
	OPTIMISE("energyPrice", energy_price),
	OPTIMISE("pue", pue),
	OPTIMISE("carbonPrice", carbon_price),
	FILE_FIELD("prices", &field_chars, offsetof(struct settings, optimise.prices),
		   .max = sizeof(((struct settings *)0)->optimise.prices)),
	FILE_FIELD("namespaces", &field_chars, offsetof(struct settings, optimise.namespaces),
		   .max = sizeof(((struct settings *)0)->optimise.namespaces)),
	FILE_FIELD("namespace", &field_chars, offsetof(struct settings, optimise.namespace),
		   .max = sizeof(((struct settings *)0)->optimise.namespace)),
	FILE_FIELD("consolidate", &field_word, offsetof(struct settings, optimise.consolidate),
		   .of = &consolidates, .needed = true),
	FILE_FIELD("costBasis", &field_word, offsetof(struct settings, optimise.cost_basis),
		   .of = &cost_bases),
	FILE_FIELD("allowTerminate", &field_bool,
		   offsetof(struct settings, optimise.allow_terminate)),
	OPTIMISE("disruptionNodes", disruption_nodes),
	OPTIMISE("disruptionPods", disruption_pods),
	OPTIMISE("onDemandBase", on_demand_base),
	FILE_FIELD("restartSeconds", &field_u32,
		   offsetof(struct settings, optimise.restart_seconds), .max = 86400),
	FILE_FIELD("utcOffset", &field_i32, offsetof(struct settings, optimise.utc_offset),
		   .min = -840, .max = 840),
	{ 0 },
};

static bool optimise_is_absent(const struct file_field *f, const void *value)
{
	(void)f;
	return !((const struct settings *)value)->optimise.applies;
}

static void optimise_write(const struct file_field *f, const void *value, struct json_out *o)
{
	(void)f;
	fields_write(optimise_fields, value, o);
}

static int optimise_read(const struct file_field *f, struct decoder *d, void *value)
{
	struct settings *s = value;

	(void)f;
	s->optimise.applies = true;
	return fields_read(optimise_fields, d, s, NULL);
}

/* settings.optimise, in plans with an economy. */
static const struct field_type field_optimise = { optimise_is_absent, optimise_write,
						  optimise_read };

#define EVICTIONS(key_, member)                                                                   \
	FILE_FIELD(key_, &field_u32, offsetof(struct settings, evictions.member), .max = 1000000, \
		   .needed = true)

static const struct field eviction_fields[] = {
	EVICTIONS("perPass", per_pass),
	EVICTIONS("perNode", per_node),
	EVICTIONS("perNamespace", per_namespace),
	FILE_FIELD("bare", &field_word, offsetof(struct settings, evictions.keeps_bare),
		   .of = &eviction_bare),
	FILE_FIELD("windows", &field_chars, offsetof(struct settings, evictions.windows),
		   .max = sizeof(((struct settings *)0)->evictions.windows)),
	FILE_FIELD("outside", &field_word, offsetof(struct settings, evictions.outside),
		   .of = &eviction_outside),
	FILE_FIELD("utcOffset", &field_i32, offsetof(struct settings, optimise.utc_offset),
		   .min = -840, .max = 840),
	{ 0 },
};

static bool has_evictions(const void *settings)
{
	const struct settings *s = settings;

	return evictions_are_limited(s) || s->evictions.keeps_bare || *s->evictions.windows ||
	       s->evictions.outside;
}

static const struct field core_scheduler_fields[] = {
	FILE_FIELD("failOpen", &field_bool, offsetof(struct settings, core_scheduler.fail_open),
		   .needed = true),
	{ 0 },
};

static bool has_core_scheduler(const void *settings)
{
	return ((const struct settings *)settings)->core_scheduler.fail_open;
}

const struct field file_settings[] = {
	FILE_FIELD("coreUtilizationThreshold", &field_u32,
		   offsetof(struct settings, core_utilization_threshold), .needed = true,
		   .max = PPM),
	FILE_FIELD("rtCapacity", &field_u32, offsetof(struct settings, rt_capacity), .needed = true,
		   .max = PPM),
	FILE_FIELD("legacyPins", &field_word, offsetof(struct settings, ignores_legacy_pins),
		   .of = &legacy_pins, .needed = true),
	FILE_FIELD("policies", &field_policies, FIELD_SELF, .needed = true),
	FILE_FIELD("search", &field_object, FIELD_SELF, .of = search_fields, .needed = true),
	FILE_FIELD("evictions", &field_object, FIELD_SELF, .of = eviction_fields,
		   .is_given = has_evictions),
	FILE_FIELD("pressure", &field_object, FIELD_SELF, .of = pressure_fields, .needed = true),
	FILE_FIELD("migration", &field_object, FIELD_SELF, .of = migration_fields,
		   .is_given = has_migration),
	FILE_FIELD("coreScheduler", &field_object, FIELD_SELF, .of = core_scheduler_fields,
		   .is_given = has_core_scheduler),
	FILE_FIELD("optimise", &field_optimise, FIELD_SELF),
	{ 0 },
};
