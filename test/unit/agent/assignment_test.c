/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/assignment.h"

#include <string.h>

#include "test/unit/test.h"

#define SPEC                                                                                     \
	",\"spec\":{\"containers\":[{\"name\":\"app\"},{\"name\":\"log\",\"cgroup\":\"/a/b\"}]," \
	"\"initContainers\":[{\"name\":\"init\",\"pid\":7}],\"priority\":5}}"
#define POD(notes) "{\"metadata\":{\"name\":\"p\",\"uid\":\"u-1\",\"annotations\":{" notes "}}" SPEC
#define BUDGET                                                                       \
	"\"mckube.io/rt-period\":\"100000\",\"mckube.io/rt-runtime-low\":\"10000\"," \
	"\"mckube.io/rt-runtime-hi\":\"30000\""

static enum assignment_kind read_pod(const char *text, enum assignment_trust trust,
				     struct assignment *w, struct error *err)
{
	AUTO_JSON cJSON *pod = NULL;

	*err = ERROR_INIT;
	assert_int_equal(json_parse(text, strlen(text), &pod, err), 0);
	return assignment_read(pod, trust, 4, w, err);
}

TEST(assignment_is_read)
{
	struct assignment w;
	struct error err;

	assert_int_equal(
		read_pod(POD(BUDGET
			     ",\"mckube.io/rt-core\":\"2-3\",\"mckube.io/rt-source\":\"mckube\","
			     "\"mckube.io/criticality\":\"high\","
			     "\"mckube.io/rt-current\":\"hi\","
			     "\"mckube.io/rt-recovery\":\"nodeCpu,delaySeconds=7\""),
			 TRUST_ASSIGNED, &w, &err),
		ASSIGNMENT_VALID);
	assert_string_equal(w.want.uid, "u-1");
	assert_string_equal(w.want.ns, "default");
	assert_int_equal(w.want.budget.hi, 30000);
	assert_int_equal(w.want.budget.floor, 1000);
	assert_int_equal(w.want.budget.criticality, LEVEL_HIGH);
	assert_int_equal(w.want.level, LEVEL_HIGH);
	assert_int_equal(w.want.recovery.mode, RECOVERY_NODE_CPU);
	assert_int_equal(w.want.recovery.delay_seconds, 7);
	assert_int_equal(w.want.recovery.threshold, RECOVERY_NOT_GIVEN);
	assert_int_equal(w.want.priority, 5);
	assert_true(w.want.is_pinned && cpuset_has(&w.want.cores, 3));
	assert_int_equal(w.want.n_containers, 1);
	assert_string_equal(w.want.containers[0].name, "app");
	assert_int_equal(w.want.containers[0].share, PPM);
	assignment_done(&w);
}

TEST(a_degraded_pod_has_its_floor_at_any_level)
{
	struct assignment w;
	struct error err;

	assert_int_equal(
		read_pod(POD(BUDGET
			     ",\"mckube.io/rt-core\":\"2\",\"mckube.io/rt-source\":\"mckube\","
			     "\"mckube.io/rt-runtime-floor\":\"700\","
			     "\"mckube.io/rt-degraded\":\"2026-01-01T00:00:00Z\""),
			 TRUST_ASSIGNED, &w, &err),
		ASSIGNMENT_VALID);
	for (int level = LEVEL_LOW; level < LEVELS; level++)
		assert_int_equal(budget_runtime(&w.want.budget, (enum level)level), 700);
	assignment_done(&w);
}

TEST(request_without_cores_is_no_assignment)
{
	struct assignment w;
	struct error err;

	assert_int_equal(read_pod(POD(BUDGET), TRUST_ASSIGNED, &w, &err), ASSIGNMENT_NONE);
	assignment_done(&w);
	assert_int_equal(read_pod(POD(BUDGET), TRUST_ALL, &w, &err), ASSIGNMENT_VALID);
	assert_false(w.want.is_pinned);
	assert_int_equal(cpuset_count(&w.want.cores), 4);
	assignment_done(&w);
	assert_int_equal(read_pod(POD("\"a\":\"b\""), TRUST_ALL, &w, &err), ASSIGNMENT_NONE);
	assignment_done(&w);
}

TEST(rt_operators_annotations_are_read)
{
	struct assignment w;
	struct error err;

	assert_int_equal(read_pod(POD("\"realtime\":\"true\",\"rt_runtime_us\":\"25000\""),
				  TRUST_DIRECT, &w, &err),
			 ASSIGNMENT_VALID);
	assert_int_equal(w.want.budget.period, 1000000);
	assert_int_equal(w.want.budget.low, 25000);
	assert_int_equal(w.want.budget.hi, 25000);
	assignment_done(&w);
	assert_int_equal(read_pod(POD("\"realtime\":\"false\",\"rt_runtime_us\":\"25000\""),
				  TRUST_DIRECT, &w, &err),
			 ASSIGNMENT_NONE);
	assignment_done(&w);
}

/* Any creator of a pod can write these annotations: without an assignment they grant nothing. */
TEST(only_assigned_budgets_are_taken_from_the_api_server)
{
	static const char *const texts[] = {
		POD("\"realtime\":\"true\",\"rt_runtime_us\":\"25000\""),
		POD(BUDGET ",\"mckube.io/rt-core\":\"1\""),
		POD(BUDGET ",\"mckube.io/rt-core\":\"\",\"mckube.io/rt-source\":\"mckube\""),
		POD(BUDGET ",\"mckube.io/rt-core\":\"1\",\"mckube.io/rt-source\":\"\""),
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct assignment w;
		struct error err;

		assert_int_equal(read_pod(texts[i], TRUST_ASSIGNED, &w, &err), ASSIGNMENT_NONE);
		assignment_done(&w);
	}
}

TEST(empty_degraded_annotation_degrades_nothing)
{
	struct assignment w;
	struct error err;

	assert_int_equal(
		read_pod(POD(BUDGET ",\"mckube.io/rt-degraded\":\"\""), TRUST_ALL, &w, &err),
		ASSIGNMENT_VALID);
	assert_int_equal(w.want.budget.low, 10000);
	assert_false(w.want.is_degraded);
	assignment_done(&w);
}

/* The level of a pod that the helper had cut before a restart. */
TEST(floor_is_a_level_that_begins_low)
{
	struct assignment w;
	struct error err;

	assert_int_equal(
		read_pod(POD(BUDGET ",\"mckube.io/rt-current\":\"floor\""), TRUST_ALL, &w, &err),
		ASSIGNMENT_VALID);
	assert_int_equal(w.want.level, LEVEL_LOW);
	assignment_done(&w);
}

TEST(static_pod_has_the_cgroup_of_its_hash)
{
	struct assignment w;
	struct error err;

	assert_int_equal(read_pod(POD(BUDGET ",\"kubernetes.io/config.mirror\":\"0a1b\","
					     "\"kubernetes.io/config.hash\":\"0a1b\""),
				  TRUST_ALL, &w, &err),
			 ASSIGNMENT_VALID);
	assert_string_equal(w.want.uid, "u-1");
	assert_string_equal(pod_want_cgroup_uid(&w.want), "0a1b");
	assignment_done(&w);
	assert_int_equal(read_pod(POD(BUDGET ",\"kubernetes.io/config.hash\":\"0a1b\""), TRUST_ALL,
				  &w, &err),
			 ASSIGNMENT_VALID);
	assert_string_equal(pod_want_cgroup_uid(&w.want), "u-1");
	assignment_done(&w);
}

TEST(budget_is_divided_among_containers)
{
	struct assignment w;
	struct error err;

	assert_int_equal(read_pod(POD(BUDGET ",\"mckube.io/rt-containers\":\"app=70,log,init\""),
				  TRUST_ALL, &w, &err),
			 ASSIGNMENT_VALID);
	assert_int_equal(w.want.n_containers, 3);
	assert_int_equal(w.want.containers[0].share, 700000);
	assert_int_equal(w.want.containers[1].share, 150000);
	assert_string_equal(w.want.containers[1].path, "a/b");
	assert_int_equal(w.pids[2], 7);
	assignment_done(&w);
}

TEST(containers_with_a_part_of_the_budget_get_their_policy)
{
	struct assignment w;
	struct error err;

	assert_int_equal(read_pod(POD(BUDGET ",\"mckube.io/rt-containers\":\"app,log\","
					     "\"mckube.io/rt-policy\":\"app=FIFO\","
					     "\"mckube.io/rt-priority\":\"7\""),
				  TRUST_ALL, &w, &err),
			 ASSIGNMENT_VALID);
	assert_int_equal(w.want.containers[0].class.policy, THREAD_POLICY_FIFO);
	assert_int_equal(w.want.containers[0].class.priority, 7);
	assert_int_equal(w.want.containers[1].class.policy, THREAD_POLICY_KEEP);
	assignment_done(&w);
	assert_int_equal(read_pod(POD(BUDGET ",\"mckube.io/rt-policy\":\"RR\","
					     "\"mckube.io/criticality\":\"Middle\""),
				  TRUST_ALL, &w, &err),
			 ASSIGNMENT_VALID);
	assert_int_equal(w.want.containers[0].class.policy, THREAD_POLICY_RR);
	assert_int_equal(w.want.containers[0].class.priority, 20);
	assignment_done(&w);
}

static void refused(const char *text, const char *why)
{
	struct assignment w;
	struct error err;

	assert_int_equal(read_pod(text, TRUST_ALL, &w, &err), ASSIGNMENT_INVALID);
	assert_non_null(strstr(err.msg, why));
	assignment_done(&w);
}

TEST(nonsense_names_its_field)
{
	refused(POD("\"mckube.io/rt-period\":\"soon\""), "[mckube.io/rt-period]: 'soon'");
	refused(POD("\"mckube.io/rt-period\":\"-1\""), "[mckube.io/rt-period]: -1 is not between");
	refused(POD(BUDGET ",\"mckube.io/rt-core\":\"x\""), "[mckube.io/rt-core]: 'x'");
	refused(POD(BUDGET ",\"mckube.io/criticality\":\"C\""), "[mckube.io/criticality]: 'C'");
	refused(POD(BUDGET ",\"mckube.io/rt-current\":\"up\""), "rt-current]: unknown value 'up'");
	refused(POD(BUDGET ",\"mckube.io/rt-containers\":\"none\""), "'none' names no container");
	refused(POD(BUDGET ",\"mckube.io/rt-containers\":\"app=0\""), "'app=0' names no container");
	refused(POD(BUDGET ",\"mckube.io/rt-containers\":\"app=60,log=50\""), "more than 100");
	refused(POD(BUDGET ",\"mckube.io/rt-containers\":\"app,\""), "names no container");
	refused(POD(BUDGET ",\"mckube.io/rt-policy\":\"BATCH\""), "[mckube.io/rt-policy]: invalid");
	refused(POD(BUDGET ",\"mckube.io/rt-priority\":\"99\""),
		"[mckube.io/rt-priority]: invalid value '99'");
	refused(POD(BUDGET ",\"mckube.io/rt-policy\":\"log=FIFO\""),
		"[mckube.io/rt-policy]: 'log=FIFO' names a container without a budget");
	refused("{\"metadata\":{\"name\":\"../x\",\"annotations\":{" BUDGET "}}" SPEC,
		"metadata.uid: '../x'");
	refused("{\"metadata\":{\"name\":\"p\",\"annotations\":{" BUDGET "}},\"spec\":{}}",
		"spec.containers: is empty");
}
