/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/migrate/method.h"

#include "base/auto.h"
#include "test/unit/plan/build.h"
#include "test/unit/test.h"

#define CAN \
	"mckube.io/checkpoint: 'criu=4.2.1,containerd=2.2.9,restore=true', mckube.io/cpu-flags: "

/* What keeps the pod's memory from going from node a to node b. */
static void check_bar(const struct test_pod *pod, const char *notes_of_a, const char *notes_of_b,
		      const char *expect)
{
	AUTO(scene_done) struct scene s;
	AUTO(str_done) struct str why = STR_INIT;
	struct str yaml = STR_INIT;
	struct movers movers;

	build_node(&yaml, (struct test_node){ "a", .annotations = notes_of_a });
	build_node(&yaml, (struct test_node){ "b", .annotations = notes_of_b });
	build_pod(&yaml, *pod);
	scene_start(&s, &yaml);
	movers_init(&movers, &s.p.trial, false);
	bool has_bar = movers_bar_checkpoint(&movers, 0, scene_node(&s, "b"), &why);
	assert_string_equal(why.s, expect);
	assert_int_equal(has_bar, *expect != '\0');
	assert_int_equal(movers_bar_checkpoint(&movers, 0, scene_node(&s, "b"), NULL), has_bar);
	movers_done(&movers);
}

TEST(what_keeps_memory_from_being_moved_is_named)
{
	static const struct {
		const char *spec, *why;
	} rows[] = {
		{ NULL, "" },
		{ "hostPID: true", "hostPID: its process ids may be taken on the other node" },
		{ "hostPID: false, hostNetwork: false, hostUsers: true, runtimeClassName: ''", "" },
		{ "hostNetwork: true", "hostNetwork: its sockets have addresses of the node" },
		{ "hostUsers: false", "hostUsers: false is not supported" },
		{ "runtimeClassName: gvisor",
		  "runtimeClassName: only the node's own runtime can do it" },
		{ "volumes: [{name: cache, emptyDir: {}}]",
		  "emptyDir cache: its content would be lost" },
		{ "volumes: [{name: shm, emptyDir: {medium: Memory}}, {name: c, configMap: {name: c}}, "
		  "{name: tmp, emptyDir: {}}]",
		  "emptyDir shm, tmp: its content would be lost" },
		{ "volumes: [{name: dev, hostPath: {path: /dev}}]",
		  "hostPath dev: it stays on the node" },
		{ "initContainers: [{name: first}, {name: proxy, restartPolicy: Always}, {name: log, "
		  "restartPolicy: Always}]",
		  "" },
		{ "resourceClaims: [{name: gpu, resourceClaimName: gpu}]",
		  "resourceClaims: devices stay on the node" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_bar(&(struct test_pod){ "p", "a", .spec = rows[i].spec }, CAN "aa", CAN "aa",
			  rows[i].why);
	check_bar(&(struct test_pod){ "p", "a", .requests = "example.com/gpu: 1" }, CAN "aa",
		  CAN "aa", "example.com/gpu: devices stay on the node");
	check_bar(&(struct test_pod){ "p", "a", .owner = "Job" }, CAN "aa", CAN "aa",
		  "its owner is a Job: only bare pods can be, and those of ReplicaSets and "
		  "StatefulSets");
	check_bar(&(struct test_pod){ "p", "a", .scheduler = "other" }, CAN "aa", CAN "aa",
		  "schedulerName: another scheduler places the new pod");
	check_bar(&(struct test_pod){ "p", "a", .owner = "StatefulSet" }, CAN "aa", CAN "aa", "");
}

TEST(a_liveness_probe_that_waits_too_short_is_named)
{
	static const struct {
		const char *probe, *why;
	} rows[] = {
		{ "httpGet: {port: 1}, periodSeconds: 1, failureThreshold: 2",
		  "livenessProbe of container main: it would end the container while it is paused" },
		{ "tcpSocket: {port: 1}, periodSeconds: 1, failureThreshold: 3", "" },
		{ "tcpSocket: {port: 1}", "" },
		{ "exec: {command: [x]}, periodSeconds: 1, failureThreshold: 1", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_FREE char *probe = xasprintf("livenessProbe: {%s}", rows[i].probe);

		check_bar(&(struct test_pod){ "p", "a", .container = probe }, CAN "aa", CAN "aa",
			  rows[i].why);
	}
}

TEST(what_the_nodes_cannot_do_is_named)
{
	static const struct test_pod pod = { "p", "a" };

	check_bar(&pod, "mckube.io/checkpoint: 'no: criu is not found on the node'", CAN "aa",
		  "node a: criu is not found on the node");
	check_bar(&pod, NULL, CAN "aa", "node a: mckube-migrate does not report there");
	check_bar(&pod, CAN "aa", NULL, "node b: mckube-migrate does not report there");
	check_bar(&pod, CAN "aa", "mckube.io/checkpoint: 'criu=4.2.1,restore=off'",
		  "node b: containerd does not restore: set enable_experimental_restore_via_create "
		  "= true below [plugins.'io.containerd.cri.v1.runtime'] and restart it");
	check_bar(&pod, CAN "aa", CAN "bb", "node b: its CPUs differ from those of a");
}
