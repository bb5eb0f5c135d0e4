/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/file/plan_file.h"

#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "test/unit/test.h"

/* A plan that has everything once; also valid by test/schema. */
static struct str sample = STR_INIT;

static int load_sample(void **state)
{
	AUTO_FILE FILE *f = fopen("unit/plan/sample.plan.json", "re");
	char buf[4096];

	(void)state;
	for (size_t n; f && (n = fread(buf, 1, sizeof(buf), f)) > 0;)
		str_addn(&sample, buf, n);
	return sample.n ? 0 : -1;
}

static int drop_sample(void **state)
{
	(void)state;
	str_done(&sample);
	return 0;
}

TEST(what_is_read_is_written_with_the_same_bytes)
{
	AUTO(plan_done) struct plan p = { 0 };
	AUTO(str_done) struct str text = STR_INIT;
	struct error err = ERROR_INIT;

	assert_int_equal(plan_read_json(sample.s, sample.n, &p, &err), 0);
	plan_write_json(&p, &text);
	assert_string_equal(text.s, sample.s);
}

TEST(every_value_arrives)
{
	AUTO(plan_done) struct plan p = { 0 };

	assert_int_equal(plan_read_json(sample.s, sample.n, &p, NULL), 0);
	assert_int_equal(p.taken_at, 1795251600);
	assert_int_equal(p.settings.core_utilization_threshold, 900000);
	assert_string_equal(p.settings.policies[0].name, "spread");
	assert_int_equal(p.actions.n, 10);

	const struct action *bind = &p.actions.items[2];
	assert_int_equal(bind->kind, ACTION_BIND);
	assert_string_equal(bind->on.kind, "Pod");
	assert_string_equal(bind->on.version, "815");
	assert_null(bind->from.node);
	assert_null(bind->by.name);
	assert_string_equal(bind->to.cores, "2");
	assert_int_equal(bind->budget.period, 1000000);
	assert_int_equal(bind->budget.medium, 300000);
	assert_int_equal(bind->budget.criticality, LEVEL_HIGH);
	assert_int_equal(bind->n_after, 2);
	assert_int_equal(bind->after[1], 2);

	const struct action *status = &p.actions.items[4];
	assert_string_equal(status->on.kind, "McKube");
	assert_true(status->to.has_level);
	assert_int_equal(status->to.enforcement, ENFORCE_NONE);
	assert_string_equal(status->to.pod_uid, "uid-brake");
	assert_int_equal(p.actions.items[7].since, 1795251600);
	assert_string_equal(p.actions.items[8].on.kind, "Node");
	assert_string_equal(p.actions.items[5].on.uid, "");
	assert_int_equal(p.unplaced.items[0].reason, REASON_NO_ROOM);
	assert_int_equal(p.results.items[1].state, RESULT_FAILED);
}

/* The sample with the first `from` replaced. */
static void replace(struct str *out, const char *from, const char *to)
{
	const char *at = strstr(sample.s, from);

	assert_non_null(at);
	str_addn(out, sample.s, (size_t)(at - sample.s));
	str_add(out, to);
	str_add(out, at + strlen(from));
}

static const struct {
	const char *from, *to, *error;
} bad[] = {
	{ "mckube.io/v1alpha1", "v1", "apiVersion: must be 'mckube.io/v1alpha1'" },
	{ "\"Plan\"", "\"List\"", "kind: must be 'Plan'" },
	{ "\"kind\": \"Plan\",", "", "kind: is missing" },
	{ "\"spec\":", "\"spec\": 1, \"spek\":", "spec: must be an object" },
	{ "\"server\":", "\"servers\": 1, \"server\":",
	  "spec.cluster.servers: is not part of a plan" },
	{ "2026-11-21T09:00:00Z", "2026-11-31T09:00:00Z",
	  "spec.cluster.takenAt: must be a time such as "
	  "2026-11-21T09:00:00Z" },
	{ "900000", "9e5", "spec.settings.coreUtilizationThreshold: must be a whole number" },
	{ "900000", "1000001",
	  "spec.settings.coreUtilizationThreshold: must be from 0 to 1000000" },
	{ "\"honor\"", "\"maybe\"", "spec.settings.legacyPins: unknown value 'maybe'" },
	{ "\"spread\"", "\"a name that is much too long for a policy\"",
	  "spec.settings.policies[0].name: must be at most 31 bytes long" },
	{ "\"id\": 2", "\"id\": 3", "spec.actions[1]: id: must be 2, is 3" },
	{ "\"Move\"", "\"Shove\"", "spec.actions[0].kind: unknown value 'Shove'" },
	{ "\"kind\": \"Move\"", "\"kind\": \"Bind\"",
	  "spec.actions[0]: from: is not part of a Bind" },
	{ "\"kind\": \"Evict\"", "\"kind\": \"Move\"", "spec.actions[1]: to: is missing" },
	{ "\"pod\": {\n          \"namespace\": \"default\",\n          \"name\": \"old\"\n        },",
	  "", "spec.actions[5]: one of pod and object is required" },
	{ "\"kind\": \"McKube\"", "\"kind\": \"Pod\"",
	  "spec.actions[4]: object: use pod for a Pod" },
	{ "\"kind\": \"McKube\"", "\"kind\": \"CostPolicy\"",
	  "spec.actions[4]: status: is of a WorkloadOptimizer or a policy" },
	{ "          2\n", "          3\n",
	  "spec.actions[2]: after: action 3 is not an earlier one" },
	{ "          2\n", "          0\n",
	  "spec.actions[2].after[1]: must be the id of an action" },
	{ "\"0-1,3\"", "\"3,0-1\"", "spec.actions[1].from.cores: must be written '0-1,3'" },
	{ "\"0-1,3\"", "\"0-4000000000\"",
	  "spec.actions[1].from.cores: '0-4000000000' is not a list of CPUs from 0 to 1023, such "
	  "as 2 or 0-3,8" },
	{ "\"node\": \"edge-1\",\n          \"cores\": \"2\"", "\"node\": \"edge-1\"",
	  "spec.actions[0]: from.cores: is missing" },
	{ "\"node\": \"edge-2\",\n          \"cores\": \"0\"", "\"node\": \"edge-2\"",
	  "spec.actions[1]: replacement.cores: is missing" },
	{ "\"name\": \"logger\"", "\"name\": \"../secrets\"",
	  "spec.actions[0].pod.name: '../secrets' is not a valid name" },
	{ "\"enforcement\": \"watch\",", "", "spec.actions[0].to: incomplete assignment" },
	{ "\"runtimeFloor\": 17500,", "", "spec.actions[0].to: incomplete assignment" },
	{ "\"runtimeLow\": 350000", "\"runtimeLow\": 350001",
	  "spec.actions[0].to: runtimeFloor <= runtimeLow <= runtimeHi <= period must hold" },
	{ "\"runtimeMedium\": 300000", "\"runtimeMedium\": 400001",
	  "spec.actions[2].to: runtimeMedium: must be from runtimeLow to runtimeHi" },
	{ "\"runtime\": 350000", "\"runtime\": 1000001",
	  "spec.actions[0].to: runtime: must not be more than the period" },
	{ "\"source\": \"mckube\"", "\"source\": \"rumour\"",
	  "spec.actions[0].to: source: unknown value 'rumour'" },
	{ "\"period\": 100000,", "\"period\": 99,",
	  "spec.actions[3].to.period: must be from 100 to 4000000" },
	{ "\"reason\": \"NoRoom\"", "\"reason\": \"Placed\"",
	  "spec.unplaced[0].reason: unknown value 'Placed'" },
	{ "\"state\": \"Done\"", "\"state\": \"Lost\"",
	  "status.results[0].state: unknown value 'Lost'" },
	{ "\"id\": 3,\n        \"state\"", "\"id\": 99,\n        \"state\"",
	  "status.results[2].id: no action 99" },
	{ "\"source\": \"mckube\"", "\"source\": \"mckube\", \"podUID\": \"u\"",
	  "spec.actions[0]: to.podUID: is not part of a Move" },
	{ "\"kind\": \"Move\"", "\"since\": \"2026-11-21T09:00:00Z\", \"kind\": \"Move\"",
	  "spec.actions[0]: since: is not part of a Move" },
};

TEST(what_is_wrong_is_named_by_path)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		AUTO(str_done) struct str text = STR_INIT;
		struct plan p = { 0 };
		struct error err = ERROR_INIT;

		replace(&text, bad[i].from, bad[i].to);
		assert_int_equal(plan_read_json(text.s, text.n, &p, &err), -EINVAL);
		assert_string_equal(err.msg, bad[i].error);
		assert_int_equal(p.actions.n, 0);
	}
}

TEST(a_plan_that_was_edited_is_refused)
{
	AUTO(str_done) struct str text = STR_INIT;
	struct plan p;
	struct error err = ERROR_INIT;

	replace(&text, "\"cores\": \"3\"", "\"cores\": \"1\"");
	assert_int_equal(plan_read_json(text.s, text.n, &p, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "is not the digest of spec"));
	assert_non_null(strstr(err.msg, "was changed after it was made"));
}

TEST(results_are_not_part_of_the_name)
{
	AUTO(str_done) struct str text = STR_INIT;
	AUTO(plan_done) struct plan p = { 0 };

	replace(&text, "\"state\": \"Done\"", "\"state\": \"Pending\"");
	assert_int_equal(plan_read_json(text.s, text.n, &p, NULL), 0);
}

/* Versions are opaque: RFC 1123 holds for names alone. */
TEST(a_resource_version_of_any_length_is_read_again)
{
	AUTO(plan_done) struct plan p = { 0 }, again = { 0 };
	AUTO(str_done) struct str text = STR_INIT;
	struct error err = ERROR_INIT;
	char version[4096];

	memset(version, '9', sizeof(version) - 1);
	version[sizeof(version) - 1] = '\0';
	assert_int_equal(plan_read_json(sample.s, sample.n, &p, NULL), 0);
	p.actions.items[2].on.version = version;
	plan_name(&p);
	plan_write_json(&p, &text);
	assert_int_equal(plan_read_json(text.s, text.n, &again, &err), 0);
	assert_string_equal(again.actions.items[2].on.version, version);
}

TEST(every_cut_is_an_error)
{
	for (size_t n = 0; n + 2 < sample.n; n += 7) {
		struct plan p;
		struct error err = ERROR_INIT;

		assert_true(plan_read_json(sample.s, n, &p, &err) < 0);
		assert_true(*err.msg);
	}
}

GROUP(load_sample, drop_sample)
