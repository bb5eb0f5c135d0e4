/* SPDX-License-Identifier: Apache-2.0 */
#include "reconcile/health.h"

#include <string.h>

#include "base/auto.h"
#include "test/unit/snapshot.h"
#include "test/unit/test.h"

static const char *state_of(const struct health *h, const char *check)
{
	array_each(f, &h->findings)
		if (strcmp(f->check, check) == 0)
			return health_state_name(f->state);
	return "none";
}

static const char *detail_of(const struct health *h, const char *check)
{
	array_each(f, &h->findings)
		if (strcmp(f->check, check) == 0)
			return f->detail;
	return "";
}

static struct health of_definition(const char *text)
{
	AUTO_JSON cJSON *definition = NULL;
	struct health h = { 0 };

	if (text)
		assert_int_equal(json_parse(text, strlen(text), &definition, NULL), 0);
	health_definition(&h, definition);
	return h;
}

#define DEFINITION(kind, spec, subresources)                                                   \
	"{\"spec\":{\"names\":{\"kind\":\"" kind                                               \
	"\"},\"versions\":[{\"name\":\"v1\",\"served\":true,"                                  \
	"\"subresources\":{" subresources "},\"schema\":{\"openAPIV3Schema\":{\"properties\":" \
	"{\"spec\":" spec "}}}}]}}"

TEST(definition_that_is_absent_is_missing)
{
	AUTO(health_done) struct health h = of_definition(NULL);

	assert_string_equal(state_of(&h, "definition"), "missing");
	assert_int_equal(h.n_missing, 1);
}

TEST(definition_that_keeps_unknown_fields_is_ok)
{
	AUTO(health_done)
	struct health h = of_definition(DEFINITION(
		"McKube", "{\"x-kubernetes-preserve-unknown-fields\":true}", "\"status\":{}"));

	assert_string_equal(state_of(&h, "definition"), "ok");
	assert_string_equal(detail_of(&h, "definition"), "McKube");
}

TEST(definition_that_drops_fields_names_them)
{
	AUTO(health_done)
	struct health h = of_definition(
		DEFINITION("MCKube", "{\"properties\":{\"recovery\":{}}}", "\"status\":{}"));

	assert_string_equal(state_of(&h, "definition"), "note");
	assert_non_null(strstr(detail_of(&h, "definition"), "drops spec.selector, spec.migration"));
	assert_non_null(strstr(detail_of(&h, "definition"), "--kind MCKube"));
	assert_int_equal(h.n_missing, 0);
}

TEST(definition_without_status_is_missing)
{
	AUTO(health_done)
	struct health h = of_definition(
		DEFINITION("McKube", "{\"x-kubernetes-preserve-unknown-fields\":true}", ""));

	assert_string_equal(state_of(&h, "definition"), "missing");
}

static struct health of_object(void (*check)(struct health *h, const cJSON *object),
			       const char *text)
{
	AUTO_JSON cJSON *object = NULL;
	struct health h = { 0 };

	assert_int_equal(json_parse(text, strlen(text), &object, NULL), 0);
	check(&h, object);
	return h;
}

#define DAEMON_SET(ready, updated, observed)                                         \
	"{\"metadata\":{\"generation\":2},\"status\":{\"desiredNumberScheduled\":3," \
	"\"numberReady\":" ready ",\"updatedNumberScheduled\":" updated              \
	",\"observedGeneration\":" observed "}}"

TEST(daemon_set_that_is_rolled_out_is_ok)
{
	AUTO(health_done) struct health h = of_object(health_daemon_set, DAEMON_SET("3", "3", "2"));

	assert_string_equal(state_of(&h, "daemonset"), "ok");
}

TEST(daemon_set_that_is_not_rolled_out_is_missing)
{
	static const char *const texts[] = {
		DAEMON_SET("2", "3", "2"),
		DAEMON_SET("3", "1", "2"),
		DAEMON_SET("3", "3", "1"),
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		AUTO(health_done) struct health h = of_object(health_daemon_set, texts[i]);

		assert_string_equal(state_of(&h, "daemonset"), "missing");
	}
}

TEST(deployment_is_missing_until_all_replicas_are_ready)
{
	AUTO(health_done)
	struct health half = of_object(
		health_deployment,
		"{\"spec\":{\"replicas\":2},\"status\":{\"readyReplicas\":1,\"updatedReplicas\":2}}");
	AUTO(health_done)
	struct health all = of_object(
		health_deployment,
		"{\"spec\":{\"replicas\":2},\"status\":{\"readyReplicas\":2,\"updatedReplicas\":2}}");
	AUTO(health_done)
	struct health none =
		of_object(health_deployment, "{\"spec\":{\"replicas\":0},\"status\":{}}");

	assert_string_equal(state_of(&half, "deployment"), "missing");
	assert_string_equal(state_of(&all, "deployment"), "ok");
	assert_string_equal(state_of(&none, "deployment"), "missing");
	assert_true(all.has_watch && !none.has_watch);
}

#define SERVED(version) "{\"versions\":[{\"groupVersion\":\"" version "\"}]}"

TEST(versions_that_the_server_lacks_are_named_with_what_is_lost)
{
	static const char most[] =
		"{\"groups\":[" SERVED("coordination.k8s.io/v1") "," SERVED("events.k8s.io/v1") "," SERVED("policy/v1") "," SERVED(
			"scheduling.k8s.io/v1") "," SERVED("storage.k8s.io/v1") "," SERVED("admissionregistration.k8s.io/v1") "]}";
	AUTO(health_done) struct health h = of_object(health_versions, most);
	AUTO(health_done) struct health none = of_object(health_versions, "{\"groups\":[]}");

	assert_string_equal(state_of(&h, "api"), "note");
	assert_string_equal(
		detail_of(&h, "api"),
		"this server lacks resource.k8s.io/v1 (pods with resource claims are not bound)");
	assert_string_equal(state_of(&none, "api"), "missing");
}

static struct health of_lease_beside(bool has_watch, const char *text, int64_t now)
{
	AUTO_JSON cJSON *lease = NULL;
	struct health h = { .has_watch = has_watch };

	assert_int_equal(json_parse(text, strlen(text), &lease, NULL), 0);
	health_lease(&h, lease, now);
	return h;
}

static struct health of_lease(const char *text, int64_t now)
{
	return of_lease_beside(false, text, now);
}

#define HELD(notes)                                                                 \
	"{\"metadata\":{\"annotations\":{" notes "}},\"spec\":{\"holderIdentity\":" \
	"\"a\",\"renewTime\":\"1970-01-01T00:10:00.000000Z\"}}"
#define PASS "\"mckube.io/last-pass\":\"1970-01-01T00:09:00Z\""

TEST(lease_and_rounds_of_a_controller_that_should_plan)
{
	AUTO(health_done) struct health fine = of_lease_beside(true, HELD(PASS), 605);
	AUTO(health_done) struct health dead = of_lease_beside(true, HELD(PASS), 700);
	AUTO(health_done) struct health late = of_lease_beside(true, HELD(PASS), 540 + 901);
	AUTO(health_done) struct health none = of_lease_beside(true, HELD(""), 605);
	AUTO(health_done) struct health free_one = of_lease_beside(true, "{\"spec\":{}}", 605);

	assert_string_equal(state_of(&fine, "planning"), "ok");
	assert_string_equal(detail_of(&fine, "planning"),
			    "the last planning round succeeded 65 s ago");
	assert_string_equal(state_of(&dead, "lease"), "missing");
	assert_string_equal(state_of(&late, "planning"), "note");
	assert_string_equal(state_of(&none, "planning"), "missing");
	assert_string_equal(state_of(&free_one, "lease"), "missing");
}

TEST(lease_that_was_renewed_lately_is_ok)
{
	static const char held[] = "{\"spec\":{\"holderIdentity\":\"a\",\"renewTime\":"
				   "\"1970-01-01T00:10:00.000000Z\"}}";
	AUTO(health_done) struct health now = of_lease(held, 605);
	AUTO(health_done) struct health late = of_lease(held, 700);
	AUTO(health_done)
	struct health free_one = of_lease("{\"spec\":{\"holderIdentity\":\"\"}}", 0);

	assert_string_equal(state_of(&now, "lease"), "ok");
	assert_non_null(strstr(detail_of(&now, "lease"), "held by a, renewed 5 s ago"));
	assert_string_equal(state_of(&late, "lease"), "note");
	assert_string_equal(state_of(&free_one, "lease"), "note");
}

static struct health of_cluster(const char *yaml)
{
	AUTO(cluster_done) struct cluster c = snapshot_of(yaml);
	struct health h = { 0 };

	health_cluster(&h, &c);
	return h;
}

#define NODE(name, annotations, spec)                                                              \
	"apiVersion: v1\nkind: Node\nmetadata: {name: " name ", annotations: {" annotations "}}\n" \
	"spec: {" spec "}\n"                                                                       \
	"status: {allocatable: {cpu: \"4\", memory: 1Gi, pods: \"9\"}}\n---\n"

TEST(nodes_without_a_helper_are_counted)
{
	AUTO(health_done)
	struct health h =
		of_cluster(NODE("a", "mckube.io/backend: cgroup-v1", "") NODE("b", "", ""));

	assert_string_equal(state_of(&h, "helpers"), "note");
	assert_non_null(
		strstr(detail_of(&h, "helpers"), "no backend, 0.950 of every core is assumed: b"));
}

TEST(all_nodes_with_helpers_are_ok)
{
	AUTO(health_done)
	struct health h = of_cluster(NODE("a", "mckube.io/backend: cgroup-v1", ""));

	assert_string_equal(state_of(&h, "helpers"), "ok");
	assert_string_equal(state_of(&h, "taints"), "none");
}

TEST(each_backend_has_a_row_with_its_guarantee)
{
	AUTO(health_done)
	struct health h = of_cluster(NODE("a", "mckube.io/backend: cgroup-v1", "") NODE(
		"b", "mckube.io/backend: noop", "") NODE("c", "mckube.io/backend: cgroup-v1", ""));
	size_t n = 0;

	array_each(f, &h.findings)
		n += strcmp(f->check, "backend") == 0;
	assert_int_equal(n, 2);
	assert_string_equal(detail_of(&h, "backend"),
			    "cgroup-v1 (Kernel, real-time budgets, by the kernel): a, c");
	assert_string_equal(state_of(&h, "backend"), "ok");
	assert_string_equal(h.findings.items[3].detail, "noop (Any, enforces nothing): b");
	assert_int_equal(h.findings.items[3].state, HEALTH_NOTE);
}

#define FACTS(facts, cpu) "mckube.io/checkpoint: '" facts "', mckube.io/cpu-flags: " cpu

static bool has_detail(const struct health *h, const char *check, const char *text)
{
	array_each(f, &h->findings)
		if (strcmp(f->check, check) == 0 && strstr(f->detail, text))
			return true;
	return false;
}

TEST(checkpoints_are_off_where_no_node_tells_of_them)
{
	AUTO(health_done) struct health h = of_cluster(NODE("a", "", ""));

	assert_string_equal(state_of(&h, "checkpoints"), "ok");
	assert_true(has_detail(&h, "checkpoints", "off: moves restart containers"));
	assert_string_equal(state_of(&h, "trust"), "none");
}

TEST(checkpoints_have_a_row_for_each_node_with_what_it_lacks)
{
	AUTO(health_done)
	struct health h = of_cluster(
		NODE("a", FACTS("criu=4.2.1,containerd=2.2.9,restore=true", "aa"),
		     "") NODE("b", FACTS("criu=4.2.1,containerd=2.2.9,restore=off", "aa"), "")
			NODE("c",
			     FACTS("criu=4.2.1,containerd=2.4.0,restore=unsupported,"
				   "missing=tcp-close+file-locks",
				   "aa"),
			     "") NODE("d", FACTS("no: criu is not found on the node", "aa"), "")
				NODE("e", "", ""));

	assert_true(has_detail(&h, "checkpoints",
			       "a: containers can be moved from it and to it (criu 4.2.1, "
			       "containerd 2.2.9)"));
	assert_true(
		has_detail(&h, "checkpoints", "b: containers can be moved from it, but not to it"));
	assert_true(has_detail(&h, "checkpoints", "enable_experimental_restore_via_create = true"));
	assert_true(has_detail(&h, "checkpoints", "c: containers can be moved from it, but not"));
	assert_true(has_detail(&h, "checkpoints",
			       "c: /etc/criu/runc.conf lacks tcp-close, file-locks:"));
	assert_true(has_detail(&h, "checkpoints",
			       "d: nothing can be moved from or to it: criu is not found"));
	assert_false(has_detail(&h, "checkpoints", "d, e"));
	assert_false(has_detail(&h, "checkpoints", "CPUs differ"));
	assert_true(has_detail(&h, "trust", "trusted images alone: a"));
}

TEST(checkpoints_name_chosen_nodes_that_are_silent)
{
	AUTO(health_done)
	struct health h = of_cluster("apiVersion: v1\nkind: Node\n"
				     "metadata: {name: a, labels: {mckube.io/migrate: \"true\"}}\n"
				     "---\n" NODE("b", "", ""));

	assert_string_equal(state_of(&h, "checkpoints"), "missing");
	assert_true(has_detail(&h, "checkpoints", "mckube-migrate does not report there: a"));
}

TEST(checkpoints_tell_of_cpus_that_differ)
{
	AUTO(health_done)
	struct health h = of_cluster(
		NODE("a", FACTS("criu=4.2.1,containerd=2.2.9,restore=true", "aa"),
		     "") NODE("b", FACTS("criu=4.2.1,containerd=2.2.9,restore=true", "bb"), "")
			NODE("c", FACTS("criu=4.2.1,containerd=2.2.9,restore=true", "aa"), ""));

	assert_true(has_detail(&h, "checkpoints", "between these groups: a, c | b"));
}

TEST(our_taint_is_noted)
{
	AUTO(health_done)
	struct health h = of_cluster(
		NODE("a", "", "taints: [{key: McKubeRTDeadlinePressure, effect: NoSchedule}]")
			NODE("b", "", "taints: [{key: other, effect: NoSchedule}]"));

	assert_string_equal(state_of(&h, "taints"), "note");
	assert_non_null(strstr(detail_of(&h, "taints"), "1 of 2 nodes"));
}

TEST(mckubes_being_deleted_with_our_finalizer_are_noted)
{
	AUTO(health_done)
	struct health h = of_cluster(
		"apiVersion: mcoperator.sdv.com/v1\nkind: McKube\n"
		"metadata: {name: a, namespace: v, deletionTimestamp: \"2026-01-01T00:00:00Z\","
		" finalizers: [mckube.mcoperator.sdv.com/finalizer]}\n"
		"spec: {podname: a, rtSettings: {period: 1000, runtime_low: 100}}\n");

	assert_string_equal(state_of(&h, "finalizers"), "note");
	assert_non_null(strstr(detail_of(&h, "finalizers"), "1 of 1 McKubes are being deleted"));
}

TEST(readings_without_a_helper_are_left_over)
{
	AUTO(health_done)
	struct health h =
		of_cluster(NODE("a", "mckube.io/backend: v1",
				"taints: [{key: mckube.io/pressure, effect: NoSchedule}]"));

	assert_string_equal(state_of(&h, "leftovers"), "note");
	assert_non_null(strstr(detail_of(&h, "taints"), "mckube.io/pressure is on 1 of 1"));
}

TEST(containers_that_can_outrank_are_named)
{
	AUTO(health_done)
	struct health h = of_cluster(
		"apiVersion: mcoperator.sdv.com/v1\nkind: McKube\n"
		"metadata: {name: brake, namespace: vehicle}\nspec: {podname: brake}\n"
		"status: {conditions: [{type: Ready, status: 'True', reason: Ready, message: "
		"'5 us of every 9 us; a container has CAP_SYS_NICE and can outrank the helper'}]}\n");

	assert_string_equal(state_of(&h, "capabilities"), "note");
	assert_non_null(strstr(detail_of(&h, "capabilities"), "vehicle/brake"));
}
