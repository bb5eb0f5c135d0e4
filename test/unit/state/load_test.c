/* SPDX-License-Identifier: Apache-2.0 */
#include "state/load.h"

#include "base/array.h"
#include "test/unit/state/cluster_text.h"
#include "test/unit/state/load_fixture.h"
#include "test/unit/test.h"

/* As `kubectl get nodes,pods,... -A` prints them, the same objects twice. */
#define DATA "unit/state/data/"
static const char *const yaml_path = DATA "cluster.yaml";
static const char *const json_path_ = DATA "cluster.json";

static struct cluster load_one(const char *path)
{
	struct cluster c = { 0 };
	struct error err = ERROR_INIT;

	if (load_paths(&path, 1, &c, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(c.problems.n, 0);
	return c;
}

static void is_text(const struct cluster *c, str_id id, const char *expect)
{
	assert_string_equal(cluster_str(c, id), expect);
}

TEST(every_kind_is_counted)
{
	static const char *const paths[] = { DATA "cluster.yaml", DATA "cluster.json" };

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		AUTO(cluster_done) struct cluster c = load_one(paths[i]);

		assert_int_equal(c.nodes.n, 2);
		assert_int_equal(c.pods.n, 3);
		assert_int_equal(c.mckubes.n, 2);
		assert_int_equal(c.pdbs.n, 2);
		assert_int_equal(c.priority_classes.n, 1);
		assert_int_equal(c.volumes.n, 1);
		assert_int_equal(c.claims.n, 1);
		assert_int_equal(c.namespaces.n, 1);
		assert_int_equal(c.n_skipped, 1);
		assert_int_equal(c.deployments.n, 1);
		assert_int_equal(c.node_metrics.n, 1);
		is_text(&c, c.server, "https://10.0.0.1:6443");
		assert_int_equal(c.taken_at, 1795251600);
	}
}

TEST(a_node_is_read)
{
	AUTO(cluster_done) struct cluster c = load_one(yaml_path);
	const struct node *one = &c.nodes.items[0], *two = &c.nodes.items[1];

	is_text(&c, one->meta.name, "edge-1");
	is_text(&c, one->meta.version, "9001");
	assert_int_equal(one->meta.ns, 0);
	assert_int_equal(one->meta.created, 1793520001);
	assert_int_equal(one->cpu_milli, 3800);
	assert_int_equal(one->capacity_cpu_milli, 4000);
	assert_true(one->memory == INT64_C(7905024) << 10);
	assert_int_equal(one->max_pods, 110);
	assert_true(one->has_allocatable);
	assert_int_equal(one->extended.n, 2);
	is_text(&c, one->annotations.backend, "cgroup-v1");
	is_text(&c, one->annotations.rt_cores, "0-3");
	assert_int_equal(one->annotations.topology, NONE);
	assert_int_equal(two->annotations.rt_cores, NONE);
	assert_false(one->is_unschedulable);
	is_text(&c,
		cluster_label(&c, two->labels, intern_cstr(&c.strings, "kubernetes.io/hostname")),
		"edge-2");
	assert_true(two->is_unschedulable);
	assert_int_equal(two->taints.n, 2);
	assert_int_equal(c.taints.items[two->taints.at + 1].effect, EFFECT_NO_EXECUTE);
}

TEST(a_pod_is_read)
{
	AUTO(cluster_done) struct cluster c = load_one(yaml_path);
	const struct pod *p = &c.pods.items[0];

	is_text(&c, p->meta.name, "brake-6d4cf56db6-x2x7p");
	is_text(&c, p->node_name, "edge-1");
	assert_int_equal(p->node, 0);
	is_text(&c, p->owner_kind, "ReplicaSet");
	is_text(&c, p->owner_name, "brake-6d4cf56db6");
	assert_int_equal(p->priority, 1000);
	assert_int_equal(p->phase, POD_RUNNING);
	assert_int_equal(p->qos, QOS_BURSTABLE);
	assert_true(p->is_ours && p->has_label && p->has_priority);
	assert_false(p->is_terminating || p->is_mirror || p->has_our_gate);

	const struct pod_annotations *n = &c.annotations.items[p->annotations];
	is_text(&c, n->core, "2");
	is_text(&c, n->runtime_hi, "250000");
	is_text(&c, n->criticality, "High");
	assert_int_equal(n->realtime, NONE);
	assert_int_equal(n->runtime_medium, NONE);
}

/* The init container needs more cpu than the rest together: 1000m beside the sidecar's 50m. */
TEST(requests_are_those_of_the_scheduler)
{
	AUTO(cluster_done) struct cluster c = load_one(yaml_path);
	const struct pod *p = &c.pods.items[0], *gated = &c.pods.items[1];

	assert_int_equal(p->cpu_milli, 1000 + 50 + 10);
	assert_int_equal(p->memory, (256 << 20) + 64000000 + (1 << 20));
	assert_int_equal(p->ephemeral, 1 << 30);
	assert_int_equal(p->extended.n, 1);
	is_text(&c, c.amounts.items[p->extended.at].name, "example.com/fpga");
	assert_int_equal(c.amounts.items[p->extended.at].value, 1);
	assert_int_equal(gated->cpu_milli, 1000); /* the limit stands for the request */
	assert_int_equal(gated->qos, QOS_GUARANTEED);
}

TEST(gates_mirrors_and_terminating_pods_are_known)
{
	AUTO(cluster_done) struct cluster c = load_one(yaml_path);
	const struct pod *gated = &c.pods.items[1], *store = &c.pods.items[2];

	assert_true(gated->has_our_gate && gated->has_other_gate && gated->is_ours);
	assert_true(gated->is_terminating);
	assert_int_equal(gated->node, NONE);
	assert_int_equal(gated->phase, POD_PENDING);
	assert_int_equal(gated->labels.at, c.pods.items[0].labels.at); /* shared */
	assert_true(store->is_mirror && !store->is_ours);
	is_text(&c, store->owner_kind, "Node");
	assert_int_equal(store->annotations, NONE);
}

TEST(placement_rules_are_read)
{
	AUTO(cluster_done) struct cluster c = load_one(yaml_path);
	const struct rules *r = &c.rules.items[c.pods.items[0].rules];

	is_text(&c, c.rules.items[c.pods.items[0].rules].text,
		"\"default\"[\"a\" in (\"b\")\"kubernetes.io/os\" in (\"linux\")]+"
		"{[\"cores\">(\"2\")\"kubernetes.io/arch\" in (\"amd64\"\"arm64\")]"
		"[\"metadata.name\" notin (\"edge-9\")]} "
		"tolerates {\"node.kubernetes.io/not-ready\"*\"\"3}{\"rt\"=\"yes\"1} near  away from "
		"{[\"app\" in (\"brake\")\"tier\" absent ()]-()()()\"kubernetes.io/hostname\"} spread "
		"{[\"app\" in (\"brake\")]()\"topology.kubernetes.io/zone\"1,2,0,1} ports "
		"\"127.0.0.1\":5353/1\"\":18080/0 claims "
		"(\"brake-data\"\"brake-6d4cf56db6-x2x7p-scratch\")");
	assert_int_equal(r->node_terms.n, 1);
	assert_int_equal(r->ports.n, 2);
	assert_int_equal(r->spreads.n, 1);
	assert_false(c.inter_pod.items[r->anti_affinity.at].namespaces_by_label.is_set);
}

TEST(a_mckube_is_kept_as_written)
{
	AUTO(cluster_done) struct cluster c = load_one(yaml_path);
	const struct mckube *m = &c.mckubes.items[0], *s = &c.mckubes.items[1];

	is_text(&c, m->podname, "brake-6d4cf56db6-x2x7p");
	is_text(&c, m->period.text, "1000000");
	assert_int_equal(m->period.kind, RAW_NUMBER);
	is_text(&c, m->runtime_medium.text, "220000");
	assert_int_equal(m->runtime_medium.kind, RAW_STRING);
	is_text(&c, m->runtime_low.text, "200000");
	assert_int_equal(m->budget_lo.kind, RAW_ABSENT);
	is_text(&c, m->status_core, "2");
	assert_true(m->has_finalizer && !m->is_deleting && !m->selector.is_set);

	is_text(&c, s->kind, "MCKube");
	is_text(&c, s->budget_hi.text, "1e+30");
	is_text(&c, s->runtime_floor.text, "[1]");
	assert_int_equal(s->runtime_floor.kind, RAW_OTHER);
	is_text(&c, s->core_count.text, "2");
	is_text(&c, s->recovery_mode.text, "nodeCpu");
	is_text(&c, s->node, "edge-2");
	assert_true(s->selector.is_set);
	assert_int_equal(s->selector.all.n, 1);
}

TEST(small_kinds_are_read)
{
	AUTO(cluster_done) struct cluster c = load_one(yaml_path);

	assert_int_equal(c.pdbs.items[0].disruptions_allowed, 1);
	assert_true(c.pdbs.items[0].pods.is_set);
	assert_false(c.pdbs.items[1].pods.is_set);
	assert_int_equal(c.priority_classes.items[0].value, 1000);
	assert_true(c.volumes.items[0].has_node_affinity);
	assert_int_equal(c.volumes.items[0].node_terms.n, 1);
	is_text(&c, c.claims.items[0].volume, "pv-1");
	assert_int_equal(c.namespaces.items[0].labels.n, 1);
}

TEST(all_spellings_give_the_same_cluster)
{
	AUTO(cluster_done) struct cluster yaml = load_one(yaml_path);
	AUTO(cluster_done) struct cluster json = load_one(json_path_);

	AUTO_FREE char *from_yaml = cluster_text(&yaml), *from_json = cluster_text(&json);
	assert_string_equal(from_yaml, from_json);
	assert_string_equal(yaml.digest, json.digest);
	assert_int_equal(strlen(yaml.digest), 7 + 64);

	AUTO(cluster_done)
	struct cluster a = load_text(
		"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\",\"labels\":"
		"{\"x\":\"1\",\"y\":\"2\"}},\"spec\":{\"nodeSelector\":{\"p\":\"q\",\"r\":\"s\"}}}"
		"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"b\"}}");
	AUTO(cluster_done)
	struct cluster b = load_text(
		"{\"apiVersion\":\"v1\",\"items\":[{\"kind\":\"Pod\",\"apiVersion\":\"v1\","
		"\"metadata\":{\"name\":\"b\"}},{\"spec\":{\"nodeSelector\":{ \"r\":\"s\","
		"\"\\u0070\":\"q\"}},\"kind\":\"Pod\",\"metadata\":{\"labels\":{\"y\":\"2\",\"x\":"
		"\"1\"},\"namespace\":\"default\",\"name\":\"a\"},\"apiVersion\":\"v1\"}]}");
	AUTO_FREE char *from_a = cluster_text(&a), *from_b = cluster_text(&b);
	assert_string_equal(from_a, from_b);
	assert_string_equal(a.digest, b.digest);
}

TEST(any_change_changes_the_cluster)
{
	static const char *const pods[] = {
		"metadata: {name: a}",
		"metadata: {name: b}",
		"metadata: {name: a, namespace: other}",
		"metadata: {name: a, uid: '1'}",
		"metadata: {name: a, resourceVersion: '1'}",
		"metadata: {name: a, labels: {k: v}}",
		"metadata: {name: a, labels: {k: w}}",
		"metadata: {name: a, annotations: {mckube.io/rt-core: ''}}",
		"metadata: {name: a, annotations: {mckube.io/rt-core: '1'}}",
		"metadata: {name: a, annotations: {mckube.io/rt-period: '1'}}",
		"metadata: {name: a, creationTimestamp: '2026-11-21T09:00:00Z'}",
		"metadata: {name: a, deletionTimestamp: '2026-11-21T09:00:00Z'}",
		"metadata: {name: a}\nspec: {nodeName: edge}",
		"metadata: {name: a}\nspec: {nodeSelector: {k: v}}",
		"metadata: {name: a}\nspec: {priority: 1}",
		"metadata: {name: a}\nspec: {priority: 0}",
		"metadata: {name: a}\nspec: {tolerations: [{operator: Exists}]}",
		"metadata: {name: a}\nspec: {containers: [{resources: {requests: {cpu: 1}}}]}",
		"metadata: {name: a}\nspec: {containers: [{resources: {requests: {x/y: 1}}}]}",
		"metadata: {name: a}\nstatus: {phase: Running}",
	};
	char *texts[ARRAY_LEN(pods)];

	for (size_t i = 0; i < ARRAY_LEN(pods); i++) {
		AUTO_FREE char *text = xasprintf("apiVersion: v1\nkind: Pod\n%s\n", pods[i]);
		AUTO(cluster_done) struct cluster c = load_text(text);

		assert_int_equal(c.problems.n, 0);
		texts[i] = cluster_text(&c);
		for (size_t k = 0; k < i; k++)
			if (strcmp(texts[i], texts[k]) == 0)
				fail_msg("%s and %s", pods[i], pods[k]);
	}
	for (size_t i = 0; i < ARRAY_LEN(pods); i++)
		free(texts[i]);
}

TEST(names_uids_and_versions_change_the_digest)
{
	static const char *const pods[] = {
		"name: a",	     "name: b",		  "name: a, namespace: other",
		"name: a, uid: '1'", "name: a, uid: '2'", "name: a, resourceVersion: '1'",
	};
	char digests[ARRAY_LEN(pods)][72];

	for (size_t i = 0; i < ARRAY_LEN(pods); i++) {
		AUTO_FREE char *text =
			xasprintf("apiVersion: v1\nkind: Pod\nmetadata: {%s}\n", pods[i]);
		AUTO(cluster_done) struct cluster c = load_text(text);

		memcpy(digests[i], c.digest, sizeof(c.digest));
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(digests[i], digests[k]);
	}
}

TEST(the_later_object_wins)
{
	static const char over[] = "apiVersion: v1\nkind: Node\nmetadata: {name: edge-1, uid: x}\n";
	AUTO_TEMP char *path = file_of(over, sizeof(over) - 1);
	const char *paths[] = { yaml_path, path };
	AUTO(cluster_done) struct cluster c = { 0 };

	assert_int_equal(load_paths(paths, 2, &c, NULL), 0);
	assert_int_equal(c.nodes.n, 2);
	is_text(&c, c.nodes.items[0].meta.uid, "x");
	assert_false(c.nodes.items[0].has_allocatable);
}

/* The API server's own lists: the items say neither kind nor version. */
TEST(items_of_typed_lists_are_what_the_list_says)
{
	static const char *const lists[] = {
		"{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{},\"items\":"
		"[{\"metadata\":{\"name\":\"a\"}},{\"metadata\":{\"name\":\"b\"}}]}",
		"{\"apiVersion\":\"v1\",\"items\":[{\"metadata\":{\"name\":\"a\"}},"
		"{\"metadata\":{\"name\":\"b\"}}],\"kind\":\"PodList\"}",
		"items:\n- metadata: {name: a}\n- metadata: {name: b}\nkind: PodList\n"
		"apiVersion: v1\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		AUTO(cluster_done) struct cluster c = load_text(lists[i]);

		assert_int_equal(c.pods.n, 2);
		assert_int_equal(c.problems.n, 0);
	}
}

TEST(kinds_count_only_in_their_group)
{
	AUTO(cluster_done)
	struct cluster c = load_text(
		"{\"apiVersion\":\"example.com/v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"a\"}}"
		"{\"apiVersion\":\"v1\",\"kind\":\"McKube\",\"metadata\":{\"name\":\"a\"}}"
		"{\"apiVersion\":\"v2\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"}}"
		"{\"apiVersion\":\"policy/v1beta1\",\"kind\":\"PodDisruptionBudget\",\"metadata\":"
		"{\"name\":\"a\"},\"spec\":{\"selector\":{}}}");

	assert_int_equal(c.n_skipped, 3);
	assert_int_equal(c.pdbs.n, 1);
	assert_false(c.pdbs.items[0].pods.is_set); /* {} matches nothing in v1beta1 */
}

TEST(a_member_given_twice_counts_once)
{
	AUTO(cluster_done)
	struct cluster c = load_text(
		"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\",\"uid\":\"u\"},"
		"\"metadata\":{\"name\":\"b\",\"labels\":{\"k\":\"1\",\"k\":\"2\"}}}");

	assert_int_equal(c.pods.n, 1);
	is_text(&c, c.pods.items[0].meta.name, "b");
	assert_int_equal(c.pods.items[0].meta.uid, 0);
	assert_int_equal(c.pods.items[0].labels.n, 1);
	is_text(&c, c.labels.items[c.pods.items[0].labels.at].value, "2");
}

TEST(hosts_ports_of_pods_in_the_hosts_network)
{
	AUTO(cluster_done)
	struct cluster c = load_text(
		"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\"},\"spec\":"
		"{\"containers\":[{\"ports\":[{\"containerPort\":80},{\"containerPort\":81,"
		"\"hostPort\":0,\"hostIP\":\"0.0.0.0\"}]}],\"hostNetwork\":true}}");
	const struct rules *r = &c.rules.items[c.pods.items[0].rules];

	assert_int_equal(r->ports.n, 2);
	assert_int_equal(c.ports.items[r->ports.at].port, 80);
	assert_int_equal(c.ports.items[r->ports.at + 1].ip, 0);
}

#define POD(rest) "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n" rest

TEST(values_that_cannot_be_read_are_named)
{
	static const struct {
		const char *text, *object, *message;
	} bad[] = {
		{ POD("spec: {containers: [{}, {resources: {requests: {cpu: abc}}}]}"), "Pod p",
		  "spec.containers[1].resources.requests.cpu: 'abc' is not a quantity" },
		{ POD("spec: {containers: [{resources: {limits: {example.com/x: 9Xi}}}]}"), "Pod p",
		  "spec.containers[0].resources.limits[example.com/x]: '9Xi' is not a quantity" },
		{ POD("spec: {containers: [{resources: {limits: {memory: -1}}}]}"), "Pod p",
		  "spec.containers[0].resources.limits.memory: '-1' is negative" },
		{ POD("spec: {overhead: {cpu: [1]}}"), "Pod p",
		  "spec.overhead.cpu: '[1]' is not a quantity" },
		{ POD("spec: {containers: {}}"), "Pod p", "spec.containers: must be a list" },
		{ POD("spec: {nodeName: 5}"), "Pod p", "spec.nodeName: must be a string" },
		{ POD("spec: {priority: high}"), "Pod p", "spec.priority: must be a whole number" },
		{ POD("spec: {priority: 1.5}"), "Pod p", "spec.priority: must be a whole number" },
		{ POD("spec: {hostNetwork: 'true'}"), "Pod p",
		  "spec.hostNetwork: must be true or false" },
		{ POD("spec: {nodeSelector: {zone: on}}"), "Pod p",
		  "spec.nodeSelector.zone: must be a string" },
		{ POD("spec: {tolerations: [{}, {effect: Never}]}"), "Pod p",
		  "spec.tolerations[1].effect: unknown value 'Never'" },
		{ POD("status: {phase: Lost}"), "Pod p", "status.phase: unknown value 'Lost'" },
		{ POD("spec: {containers: [{ports: [{hostPort: 70000}]}]}"), "Pod p",
		  "spec.containers[0].ports[0]: hostPort: 70000 is not a port" },
		{ "{apiVersion: v1, kind: Pod, metadata: {name: a, labels: {k: 1}}}", "Pod a",
		  "metadata.labels.k: must be a string" },
		{ "{apiVersion: v1, kind: Pod, metadata: {name: a, creationTimestamp: soon}}",
		  "Pod a", "metadata.creationTimestamp: 'soon' is not a time" },
		{ "{apiVersion: v1, kind: Pod, metadata: {name: A_b, namespace: x}}", "Pod x/A_b",
		  "metadata.name: 'A_b' is not a name" },
		{ "{apiVersion: v1, kind: Node, metadata: {name: -a}}", "Node -a",
		  "metadata.name: '-a' is not a name" },
		{ "{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: x.y}}", "Pod x.y/a",
		  "metadata.namespace: 'x.y' is not a name" },
		{ "{apiVersion: v1, kind: Node, metadata: {name: n1}, spec: {taints: [{key: a}]}}",
		  "Node n1", "spec.taints[0]: key or effect is missing" },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		AUTO(cluster_done) struct cluster c = load_text(bad[i].text);
		const char *message;

		assert_int_equal(c.problems.n, 1);
		message = cluster_str(&c, c.problems.items[0].message);
		is_text(&c, c.problems.items[0].object, bad[i].object);
		if (strncmp(message, bad[i].message, strlen(bad[i].message)) != 0)
			fail_msg("%s", message);
		assert_int_equal(c.nodes.n + c.pods.n, strcmp(bad[i].object, "Node -a") != 0);
	}
}

/* What of a pod counts although something else of it cannot be read. */
TEST(the_rest_of_a_pod_that_cannot_be_read_counts)
{
	static const struct {
		const char *rest;
		bool is_unread, takes_unknown, is_anywhere;
	} pods[] = {
		{ "tolerations: [{operator: Like}]", true, false, false },
		{ "nodeSelector: {zone: 1}", true, false, false },
		{ "priority: high", true, false, false },
		{ "overhead: {cpu: none}", true, true, false },
		{ "hostNetwork: 1", true, true, false },
		{ "affinity: {podAntiAffinity: []}", true, true, false },
		{ "nodeName: [a]", true, true, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(pods); i++) {
		AUTO_FREE char *text = xasprintf(
			"apiVersion: v1\nkind: Pod\nmetadata: {name: p, creationTimestamp: x}\n"
			"spec:\n  nodeName: a\n  %s\n  containers: [{ports: [{hostPort: 7}], "
			"resources: {requests: {memory: 5}}}]\n",
			pods[i].rest);
		AUTO(cluster_done) struct cluster c = load_text(text);
		const struct pod *pod = &c.pods.items[0];

		assert_int_equal(c.pods.n, 1);
		assert_int_equal(pod->is_unread, pods[i].is_unread);
		assert_int_equal(pod->takes_unknown, pods[i].takes_unknown);
		assert_int_equal(pod->is_anywhere, pods[i].is_anywhere);
		assert_int_equal(pod->memory, 5);
		assert_int_equal(c.rules.items[pod->rules].ports.n, 1);
	}
}

TEST(a_term_that_cannot_be_read_keeps_all_pods_away)
{
	AUTO(cluster_done)
	struct cluster c = load_text(
		"apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {affinity: {podAntiAffinity: "
		"{requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: zone, "
		"labelSelector: {matchExpressions: [{key: a, operator: Like}]}}]}}}\n");
	const struct pod_term *t = &c.inter_pod.items[c.rules.items[0].anti_affinity.at];

	assert_true(c.pods.items[0].is_unread);
	assert_false(c.pods.items[0].takes_unknown);
	assert_true(t->pods.is_set && t->namespaces_by_label.is_set);
	assert_int_equal(t->pods.all.n, 0);
	is_text(&c, t->topology_key, "zone");
}

TEST(a_resize_counts_the_greatest)
{
	static const struct {
		const char *status;
		int64_t milli;
	} pods[] = {
		{ "{}", 1000 },
		{ "{allocatedResources: {cpu: 3500m}}", 3500 },
		{ "{resources: {requests: {cpu: 2500m}}}", 2500 },
		{ "{allocatedResources: {cpu: 500m}}", 1000 },
		{ "{name: other, allocatedResources: {cpu: 4}}", 1000 },
	};

	for (size_t i = 0; i < ARRAY_LEN(pods); i++) {
		AUTO_FREE char *text =
			xasprintf("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n"
				  "spec: {containers: [{resources: {requests: {cpu: 1}}}]}\n"
				  "status: {containerStatuses: [%s]}\n",
				  pods[i].status);
		AUTO(cluster_done) struct cluster c = load_text(text);

		assert_int_equal(c.pods.items[0].cpu_milli, pods[i].milli);
	}

	AUTO(cluster_done)
	struct cluster c = load_text(
		"apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n"
		"spec: {containers: [{resources: {requests: {cpu: 9}}}]}\n"
		"status: {containerStatuses: [{allocatedResources: {cpu: 1}}], conditions: "
		"[{type: PodResizePending, reason: Infeasible}]}\n");
	assert_int_equal(c.pods.items[0].cpu_milli, 1000);
}

TEST(objects_without_a_name_are_named_by_their_place)
{
	static const char text[] = "kind: Namespace\n---\n"
				   "items:\n- {apiVersion: v1, kind: Node, metadata: {name: n1}}\n"
				   "- {apiVersion: v1, kind: Pod, metadata: {generateName: a-}}\n";
	AUTO_TEMP char *path = file_of(text, sizeof(text) - 1);
	AUTO_FREE char *first = xasprintf("%s, document 1", path);
	AUTO_FREE char *second = xasprintf("%s, document 2, item 2", path);
	const char *paths[] = { path };
	AUTO(cluster_done) struct cluster c = { 0 };

	assert_int_equal(load_paths(paths, 1, &c, NULL), 0);
	assert_int_equal(c.nodes.n, 1);
	assert_int_equal(c.problems.n, 2);
	is_text(&c, c.problems.items[0].object, first);
	is_text(&c, c.problems.items[0].message, "apiVersion is missing");
	is_text(&c, c.problems.items[1].object, second);
	is_text(&c, c.problems.items[1].message,
		"metadata.name: is missing; it is neither placed nor moved");
	assert_int_equal(c.pods.n, 1);
}

TEST(a_node_that_cannot_be_read_in_full_takes_no_more)
{
	AUTO(cluster_done)
	struct cluster c = load_text(
		"{\"kind\":\"Node\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"n1\"},\"spec\":"
		"{\"taints\":[{\"key\":\"k\",\"effect\":\"NoSchedule\"}]},\"status\":3}");

	assert_int_equal(c.nodes.n, 1);
	assert_true(c.nodes.items[0].is_unread);
	assert_int_equal(c.nodes.items[0].taints.n, 1);
	assert_int_equal(c.problems.n, 1);
}

TEST(single_objects_are_taken_from_memory)
{
	struct loader *l = loader_new();
	AUTO(cluster_done) struct cluster c = { 0 };
	struct error err;

	assert_int_equal(loader_object(l,
				       SLICE("{\"kind\":\"Node\",\"apiVersion\":\"v1\","
					     "\"metadata\":{\"name\":\"n1\"}}"),
				       "nodes", &err),
			 0);
	assert_int_equal(loader_object(l, SLICE("{\"kind\":\"Node\","), "nodes", &err), -EINVAL);
	assert_string_equal(err.msg, "nodes: the text ends in the middle of an object");
	assert_int_equal(loader_object(l, SLICE("{\"kind\":x"), "nodes", &err), -EINVAL);
	assert_string_equal(err.msg, "nodes: not a JSON value");
	loader_finish(l, &c);
	loader_free(l);
	assert_int_equal(c.nodes.n, 1);
}
