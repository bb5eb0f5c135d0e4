/* SPDX-License-Identifier: Apache-2.0 */
#include "execute/effect.h"

#include <string.h>

#include "test/unit/test.h"

static const struct action assignment = {
	.on = { .kind = "Pod", .ns = "default", .name = "brake" },
	.to = { .node = "n1",
		.cores = "2-3",
		.period = 1000,
		.runtime = 100,
		.level = LEVEL_LOW,
		.enforcement = ENFORCE_WATCH },
	.budget = { .period = 1000, .low = 100, .hi = 300, .floor = 5, .criticality = LEVEL_HIGH },
	.source = "mckube",
};

#define NOTES(core, current)                                                           \
	"\"mckube.io/rt-core\":\"" core "\",\"mckube.io/rt-period\":\"1000\","         \
	"\"mckube.io/rt-runtime-low\":\"100\",\"mckube.io/rt-runtime-hi\":\"300\","    \
	"\"mckube.io/rt-runtime-floor\":\"5\",\"mckube.io/rt-enforcement\":\"watch\"," \
	"\"mckube.io/rt-current\":\"" current "\",\"mckube.io/criticality\":\"High\"," \
	"\"mckube.io/rt-source\":\"mckube\""

static void becomes(const char *before, const struct action *a, const char *expect)
{
	AUTO_JSON cJSON *object = NULL;

	assert_int_equal(json_parse(before, strlen(before), &object, NULL), 0);
	assert_int_equal(effect_apply(object, a), EFFECT_CHANGED);

	AUTO_FREE char *text = cJSON_PrintUnformatted(object);
	assert_string_equal(text, expect);
}

static void vanishes(const char *before, const struct action *a)
{
	AUTO_JSON cJSON *object = NULL;

	assert_int_equal(json_parse(before, strlen(before), &object, NULL), 0);
	assert_int_equal(effect_apply(object, a), EFFECT_GONE);
}

TEST(bind_sets_node_notes_and_phase_and_opens_our_gate)
{
	struct action a = assignment;

	a.kind = ACTION_BIND;
	becomes("{\"metadata\":{\"name\":\"brake\",\"resourceVersion\":\"99\","
		"\"annotations\":{\"x\":\"y\"}},"
		"\"spec\":{\"schedulingGates\":[{\"name\":\"mckube.io/placement\"}],\"n\":1.50,"
		"\"big\":9007199254740993},\"status\":{\"phase\":\"Pending\",\"q\":null}}",
		&a,
		"{\"metadata\":{\"name\":\"brake\",\"resourceVersion\":\"100\","
		"\"annotations\":{\"x\":\"y\"," NOTES(
			"2-3",
			"low") "}},"
			       "\"spec\":{\"n\":1.5,\"big\":9007199254740993,\"nodeName\":\"n1\"},"
			       "\"status\":{\"phase\":\"Running\",\"q\":null}}");
}

TEST(what_replaces_a_moved_pod_says_so)
{
	const struct action a = {
		.kind = ACTION_BIND,
		.on = assignment.on,
		.to = { .node = "n1" },
		.moved_at = 1795251600,
		.moves = 2,
	};

	becomes("{}", &a,
		"{\"spec\":{\"nodeName\":\"n1\"},\"status\":{\"phase\":\"Running\"},"
		"\"metadata\":{\"annotations\":{\"kcloud.io/moved-at\":\"2026-11-21T09:00:00Z\","
		"\"kcloud.io/moves\":\"2\"}}}");
}

TEST(gates_of_others_stay)
{
	struct action a = assignment;

	a.kind = ACTION_BIND;
	becomes("{\"spec\":{\"schedulingGates\":[{\"name\":\"mckube.io/placement\"},"
		"{\"name\":\"x/y\"}]}}",
		&a,
		"{\"spec\":{\"schedulingGates\":[{\"name\":\"x/y\"}],\"nodeName\":\"n1\"},"
		"\"status\":{\"phase\":\"Running\"},"
		"\"metadata\":{\"annotations\":{" NOTES("2-3", "low") "}}}");
}

TEST(move_replaces_notes_in_place)
{
	struct action a = assignment;

	a.kind = ACTION_MOVE;
	a.to.level = LEVEL_HIGH;
	becomes("{\"metadata\":{\"annotations\":{\"mckube.io/rt-runtime-medium\":\"200\"," NOTES(
			"0", "low") ",\"z\":\"\"},\"resourceVersion\":\"abc\"}}",
		&a,
		"{\"metadata\":{\"annotations\":{" NOTES(
			"2-3", "hi") ",\"z\":\"\"},\"resourceVersion\":\"abc\"}}");
}

TEST(set_level_touches_one_note)
{
	struct action a = { .kind = ACTION_SET_LEVEL,
			    .on.kind = "Pod",
			    .to = { .level = LEVEL_MIDDLE, .has_level = true } };

	becomes("{\"metadata\":{\"annotations\":{" NOTES("1", "hi") "}}}", &a,
		"{\"metadata\":{\"annotations\":{" NOTES("1", "medium") "}}}");
}

TEST(a_degraded_pod_says_since_when)
{
	struct action a = { .kind = ACTION_DEGRADE, .on.kind = "Pod", .since = 1795251600 };
	struct action back = { .kind = ACTION_SET_LEVEL, .on.kind = "Pod" };

	becomes("{\"metadata\":{\"annotations\":{\"mckube.io/rt-current\":\"low\"}}}", &a,
		"{\"metadata\":{\"annotations\":{\"mckube.io/rt-current\":\"low\","
		"\"mckube.io/rt-degraded\":\"2026-11-21T09:00:00Z\"}}}");
	a.since = 0;
	becomes("{}", &a, "{\"metadata\":{\"annotations\":{\"mckube.io/rt-degraded\":\"\"}}}");
	becomes("{\"metadata\":{\"annotations\":{\"mckube.io/rt-degraded\":\"\"}}}", &back,
		"{\"metadata\":{\"annotations\":{\"mckube.io/rt-current\":\"low\"}}}");
}

#define TAINT(more)                                                                               \
	"{\"key\":\"McKubeRTDeadlinePressure\",\"value\":\"True\",\"effect\":\"NoSchedule\"" more \
	"}"
#define OTHER_TAINT "{\"key\":\"x\",\"effect\":\"NoExecute\"}"

TEST(a_node_has_our_taint_once)
{
	struct action a = { .kind = ACTION_TAINT, .on.kind = "Node", .since = 1795251600 };

	becomes("{\"metadata\":{},\"spec\":{\"podCIDR\":\"c\"}}", &a,
		"{\"metadata\":{},\"spec\":{\"podCIDR\":\"c\",\"taints\":[" TAINT(
			",\"timeAdded\":\"2026-11-21T09:00:00Z\"") "]}}");
	a.since = 0;
	becomes("{\"metadata\":{},\"spec\":{\"taints\":[" TAINT(
			",\"timeAdded\":\"t\"") "," OTHER_TAINT "],\"n\":1}}",
		&a,
		"{\"metadata\":{},\"spec\":{\"taints\":[" OTHER_TAINT "," TAINT("") "],\"n\":1}}");
}

TEST(untaint_leaves_those_of_others)
{
	struct action a = { .kind = ACTION_UNTAINT, .on.kind = "Node" };

	becomes("{\"metadata\":{},\"spec\":{\"taints\":[" TAINT("") "," OTHER_TAINT "]}}", &a,
		"{\"metadata\":{},\"spec\":{\"taints\":[" OTHER_TAINT "]}}");
	becomes("{\"metadata\":{},\"spec\":{\"taints\":[" TAINT("") "]}}", &a,
		"{\"metadata\":{},\"spec\":{}}");
	becomes("{\"metadata\":{},\"spec\":{}}", &a, "{\"metadata\":{},\"spec\":{}}");
}

TEST(an_evicted_pod_vanishes)
{
	vanishes("{}", &(struct action){ .kind = ACTION_EVICT, .on.kind = "Pod" });
}

TEST(evictions_use_up_a_budget)
{
	static const struct {
		const char *before, *after;
		uint32_t n;
	} cases[] = {
		{ "{\"metadata\":{\"resourceVersion\":\"7\"},"
		  "\"status\":{\"disruptionsAllowed\":3,\"x\":1}}",
		  "{\"metadata\":{\"resourceVersion\":\"8\"},"
		  "\"status\":{\"disruptionsAllowed\":1,\"x\":1}}",
		  2 },
		{ "{\"status\":{\"disruptionsAllowed\":1},\"metadata\":{}}",
		  "{\"status\":{\"disruptionsAllowed\":0},\"metadata\":{}}", 2 },
		{ "{\"spec\":{}}", "{\"spec\":{}}", 1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_JSON cJSON *pdb = NULL;

		assert_int_equal(json_parse(cases[i].before, strlen(cases[i].before), &pdb, NULL),
				 0);
		effect_evictions(pdb, cases[i].n);

		AUTO_FREE char *text = cJSON_PrintUnformatted(pdb);
		assert_string_equal(text, cases[i].after);
	}
}

TEST(status_of_a_mckube_is_set_or_taken_away)
{
	struct action set = {
		.kind = ACTION_STATUS,
		.on.kind = "McKube",
		.to = { .node = "n1", .cores = "2", .has_level = true, .pod_uid = "u" }
	};
	struct action clear = { .kind = ACTION_STATUS, .on.kind = "MCKube" };

	becomes("{\"kind\":\"McKube\",\"metadata\":{}}", &set,
		"{\"kind\":\"McKube\",\"metadata\":{},"
		"\"status\":{\"allocatedCore\":\"2\",\"currentRuntime\":\"low\",\"podUID\":\"u\","
		"\"node\":\"n1\"}}");
	becomes("{\"metadata\":{},\"status\":{\"allocatedCore\":\"2\",\"currentRuntime\":\"hi\","
		"\"lastOverrunTime\":\"t\",\"podUID\":\"u\",\"node\":\"n1\"}}",
		&clear, "{\"metadata\":{},\"status\":{\"lastOverrunTime\":\"t\"}}");
}

TEST(a_pod_that_asks_no_more_loses_its_assignment)
{
	struct action a = { .kind = ACTION_STATUS, .on.kind = "Pod" };

	becomes("{\"metadata\":{\"annotations\":{" NOTES("1", "hi") ",\"x\":\"y\"}}}", &a,
		"{\"metadata\":{\"annotations\":{\"x\":\"y\"}}}");
	becomes("{\"metadata\":{\"annotations\":{" NOTES("1", "hi") "}}}", &a, "{\"metadata\":{}}");
}

/* The annotations that were the request are the user's. */
TEST(a_request_by_annotations_outlives_the_assignment)
{
	struct action a = { .kind = ACTION_STATUS, .on.kind = "Pod" };

	becomes("{\"metadata\":{\"annotations\":{\"mckube.io/rt-period\":\"1000\","
		"\"mckube.io/rt-core\":\"1\",\"mckube.io/rt-source\":\"annotations\","
		"\"mckube.io/rt-runtime-floor\":\"9\",\"mckube.io/rt-degraded\":\"\"}}}",
		&a, "{\"metadata\":{\"annotations\":{\"mckube.io/rt-period\":\"1000\"}}}");
}

TEST(our_finalizer_goes_and_the_object_if_it_waited_for_that)
{
	struct action a = { .kind = ACTION_FINALIZER,
			    .reason = REASON_FINALIZER_REMOVED,
			    .on.kind = "McKube" };

	becomes("{\"metadata\":{\"finalizers\":[\"x\",\"mckube.mcoperator.sdv.com/finalizer\"],"
		"\"deletionTimestamp\":\"2026-11-21T09:00:00Z\"}}",
		&a,
		"{\"metadata\":{\"finalizers\":[\"x\"],"
		"\"deletionTimestamp\":\"2026-11-21T09:00:00Z\"}}");
	becomes("{\"metadata\":{\"finalizers\":[\"mckube.mcoperator.sdv.com/finalizer\"]}}", &a,
		"{\"metadata\":{}}");
	vanishes("{\"metadata\":{\"finalizers\":[\"mckube.mcoperator.sdv.com/finalizer\"],"
		 "\"deletionTimestamp\":\"2026-11-21T09:00:00Z\"}}",
		 &a);
}

TEST(our_finalizer_comes_behind_those_of_others)
{
	struct action a = { .kind = ACTION_FINALIZER,
			    .reason = REASON_FINALIZER_ADDED,
			    .on.kind = "McKube" };

	becomes("{\"metadata\":{\"finalizers\":[\"x\"]}}", &a,
		"{\"metadata\":{\"finalizers\":[\"x\",\"mckube.mcoperator.sdv.com/finalizer\"]}}");
	becomes("{\"metadata\":{\"finalizers\":null}}", &a,
		"{\"metadata\":{\"finalizers\":[\"mckube.mcoperator.sdv.com/finalizer\"]}}");
}

TEST(an_optimizer_has_a_finalizer_of_its_own)
{
	struct action a = { .kind = ACTION_FINALIZER,
			    .reason = REASON_FINALIZER_ADDED,
			    .on.kind = "WorkloadOptimizer" };

	becomes("{\"metadata\":{}}", &a,
		"{\"metadata\":{\"finalizers\":[\"workloadoptimizer.kcloud.io/finalizer\"]}}");
	a.reason = REASON_FINALIZER_REMOVED;
	becomes("{\"metadata\":{\"finalizers\":[\"mckube.mcoperator.sdv.com/finalizer\","
		"\"workloadoptimizer.kcloud.io/finalizer\"]}}",
		&a, "{\"metadata\":{\"finalizers\":[\"mckube.mcoperator.sdv.com/finalizer\"]}}");
}

TEST(a_released_pod_keeps_the_gates_of_others)
{
	struct action a = { .kind = ACTION_RELEASE, .on.kind = "Pod" };

	becomes("{\"metadata\":{},\"spec\":{\"schedulingGates\":[{\"name\":\"mckube.io/placement\"},"
		"{\"name\":\"x\"}]}}",
		&a, "{\"metadata\":{},\"spec\":{\"schedulingGates\":[{\"name\":\"x\"}]}}");
	becomes("{\"metadata\":{},\"spec\":{\"schedulingGates\":[{\"name\":\"mckube.io/placement\"}]}}",
		&a, "{\"metadata\":{},\"spec\":{}}");
}

TEST(versions_grow_without_losing_digits)
{
	struct action a = { .kind = ACTION_FINALIZER,
			    .reason = REASON_FINALIZER_REMOVED,
			    .on.kind = "McKube" };

	becomes("{\"metadata\":{\"resourceVersion\":\"9007199254740993\"}}", &a,
		"{\"metadata\":{\"resourceVersion\":\"9007199254740994\"}}");
	becomes("{\"metadata\":{\"resourceVersion\":\"\"}}", &a,
		"{\"metadata\":{\"resourceVersion\":\"\"}}");
}
