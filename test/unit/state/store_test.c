/* SPDX-License-Identifier: Apache-2.0 */
#include "state/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/names.h"
#include "state/load.h"
#include "test/unit/state/cluster_text.h"
#include "test/unit/test.h"

/* In the order of watched_kinds[]. */
enum {
	NODES,
	PODS,
	MCKUBES,
	PDBS,
	CLASSES,
	VOLUMES,
	CLAIMS,
	CSI_NODES,
	RESOURCE_CLAIMS,
	NAMESPACES,
	LEASES,
	OPTIMIZERS,
	COST_POLICIES,
	POWER_POLICIES,
	TABLES,
	DEPLOYMENTS,
	STATEFUL_SETS,
	AUTOSCALERS,
	SCALED_OBJECTS,
	NODE_METRICS,
	POD_METRICS,
	SAMPLES,
	SCALE_TARGETS,
};

static void put(struct store *m, unsigned kind, enum watch_type type, const char *json)
{
	struct error err = ERROR_INIT;

	if (store_event(m, kind, type, slice_of(json), &err) < 0)
		fail_msg("%s in %s", err.msg, json);
}

static void list(struct store *m, unsigned kind, const char *const *items, size_t n)
{
	AUTO_FREE char *list_kind = xasprintf("%sList", watched_kinds[kind].resource->kind);
	struct error err = ERROR_INIT;
	size_t used;

	store_begin_list(m, kind);
	for (size_t i = 0; i < n; i++)
		if (store_item(m, kind, slice_of(items[i]), list_kind,
			       watched_kinds[kind].resource->api_version, &used, &err) < 0)
			fail_msg("%s in %s", err.msg, items[i]);
}

static const char node[] =
	"{\"kind\":\"Node\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"n1\",\"uid\":\"u1\","
	"\"resourceVersion\":\"%d\",\"annotations\":{\"mckube.io/rt-cores\":\"0-3\"}},"
	"\"spec\":{\"taints\":[{\"key\":\"a\",\"effect\":\"NoSchedule\"}]},"
	"\"status\":{\"allocatable\":{\"cpu\":\"4\"},\"conditions\":[{\"type\":\"Ready\","
	"\"lastHeartbeatTime\":\"%d\"}]}}";

static const char pod[] = "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"%s\","
			  "\"namespace\":\"default\",\"resourceVersion\":\"%d\"},\"spec\":{"
			  "\"nodeName\":\"n1\"},\"status\":{\"phase\":\"%s\"}}";

static void put_node(struct store *m, int version)
{
	AUTO_FREE char *json = xasprintf(node, version, version);

	put(m, NODES, WATCH_MODIFIED, json);
}

static void put_pod(struct store *m, const char *name, int version, const char *phase)
{
	AUTO_FREE char *json = xasprintf(pod, name, version, phase);

	put(m, PODS, WATCH_ADDED, json);
}

#define AUTO_MIRROR __attribute__((cleanup(store_free_ptr)))
static void store_free_ptr(struct store **m)
{
	store_free(*m);
}

TEST(nothing_shows_before_it_is_committed)
{
	AUTO_MIRROR struct store *m = store_new("");
	const struct cluster *c = store_cluster(m);

	put_pod(m, "a", 1, "Running");
	assert_true(store_is_dirty(m));
	assert_int_equal(c->pods.n, 0);
	assert_true(store_commit(m, 17));
	assert_false(store_is_dirty(m));
	assert_int_equal(c->pods.n, 1);
	assert_int_equal(c->taken_at, 17);
}

TEST(heartbeats_are_no_change)
{
	AUTO_MIRROR struct store *m = store_new("");
	const struct cluster *c = store_cluster(m);

	put_node(m, 1);
	assert_true(store_commit(m, 0));
	put_node(m, 2);
	assert_false(store_commit(m, 0));
	assert_string_equal(cluster_str(c, c->nodes.items[0].meta.version), "2");
}

TEST(usage_is_read_and_no_change)
{
	static const char busy_node[] =
		"{\"kind\":\"Node\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"n1\","
		"\"annotations\":{\"mckube.sdv.com/cpu-usage\":\"%s\",\"mckube.sdv.com/"
		"cpu-over90-duration-s\":\"%s\",\"mckube.sdv.com/isCpuBusy\":\"%s\"}}}";
	static const struct {
		const char *usage, *seconds, *flag;
		bool is_change;
	} steps[] = { { "50", "0", "false", true },
		      { "70", "0", "false", false },
		      { "95", "0", "true", true },
		      { "96", "30", "true", false } };
	AUTO_MIRROR struct store *m = store_new("");
	const struct cluster *c = store_cluster(m);

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		AUTO_FREE char *json =
			xasprintf(busy_node, steps[i].usage, steps[i].seconds, steps[i].flag);

		put(m, NODES, WATCH_MODIFIED, json);
		assert_int_equal(store_commit(m, 0), steps[i].is_change);
		assert_string_equal(cluster_str(c, c->nodes.items[0].annotations.cpu_usage),
				    steps[i].usage);
	}
}

TEST(an_optimizer_that_says_the_same_is_no_change)
{
	static const char text[] =
		"{\"kind\":\"WorkloadOptimizer\",\"apiVersion\":\"kcloud.io/v1alpha1\",\"metadata\":{"
		"\"name\":\"o\",\"namespace\":\"x\",\"resourceVersion\":\"%d\"},\"spec\":{"
		"\"autoScaling\":{\"metrics\":[{\"type\":\"cpu\",\"threshold\":50}]}},\"status\":{"
		"\"nodes\":[\"a\",\"%s\"],\"history\":[\"1:2\"],\"targetRef\":{\"kind\":\"Deployment\","
		"\"name\":\"d\"}}}";
	static const char *const nodes[] = { "b", "b", "c", "c" };
	AUTO_MIRROR struct store *m = store_new("");

	for (int i = 0; i < (int)ARRAY_LEN(nodes); i++) {
		AUTO_FREE char *json = xasprintf(text, i, nodes[i]);

		put(m, OPTIMIZERS, WATCH_MODIFIED, json);
		assert_int_equal(store_commit(m, 0), i % 2 == 0);
	}
}

/* Metrics are listed again and again: what matters of them is what is used. */
static void list_use(struct store *m, const char *const *names, size_t n, int milli, int second)
{
	static const char use[] =
		"{\"kind\":\"PodMetrics\",\"apiVersion\":\"metrics.k8s.io/v1beta1\",\"metadata\":{"
		"\"name\":\"%s\",\"namespace\":\"default\",\"creationTimestamp\":"
		"\"2026-01-01T00:00:%02dZ\"},\"timestamp\":\"2026-01-01T00:00:%02dZ\",\"window\":\"15.%ds\","
		"\"containers\":[{\"name\":\"c\",\"usage\":{\"cpu\":\"%dm\",\"memory\":\"64Mi\"}}]}";
	char *items[4] = { 0 };

	assert_in_range(n, 0, ARRAY_LEN(items));
	for (size_t i = 0; i < n; i++)
		items[i] = xasprintf(use, names[i], second, second, second, milli);
	list(m, POD_METRICS, (const char *const *)items, n);
	for (size_t i = 0; i < n; i++)
		free(items[i]);
}

TEST(a_list_of_the_same_use_is_no_change)
{
	static const char *const names[] = { "b", "a", "c" }, *const other[] = { "a", "c", "d" },
				 *const sorted[] = { "a", "b", "c" };
	AUTO_MIRROR struct store *m = store_new("");
	const struct cluster *c = store_cluster(m);

	list_use(m, names, 3, 1000, 0);
	assert_true(store_commit(m, 0));
	list_use(m, names, 3, 1003, 15);
	assert_false(store_commit(m, 0));
	list_use(m, sorted, 3, 1003, 30);
	assert_false(store_commit(m, 0));
	assert_int_equal(c->pod_metrics.n, 3);
	assert_int_equal(c->pod_metrics.items[2].cpu_milli, 1003);
	assert_int_equal(c->pod_metrics.items[2].measured % 60, 30);
	list_use(m, names, 3, 1100, 45);
	assert_true(store_commit(m, 0));
	list_use(m, other, 3, 1100, 45);
	assert_true(store_commit(m, 0));
	list_use(m, other, 2, 1100, 45);
	assert_true(store_commit(m, 0));
	list_use(m, other, 0, 0, 45);
	assert_true(store_commit(m, 0));
	list_use(m, other, 0, 0, 50);
	assert_false(store_commit(m, 0));
}

/* However slowly a use grows, it is seen. */
TEST(use_that_drifts_is_a_change_at_times)
{
	static const char *const names[] = { "a" };
	AUTO_MIRROR struct store *m = store_new("");
	int n_changes = 0;

	for (int milli = 1000; milli <= 1200; milli++) {
		list_use(m, names, 1, milli, 0);
		n_changes += store_commit(m, 0);
	}
	assert_in_range(n_changes, 10, 30);
}

TEST(pods_find_their_node_when_it_comes)
{
	AUTO_MIRROR struct store *m = store_new("");
	const struct cluster *c = store_cluster(m);

	put_pod(m, "a", 1, "Running");
	store_commit(m, 0);
	assert_int_equal(c->pods.items[0].node, NONE);
	put_node(m, 1);
	store_commit(m, 0);
	assert_int_equal(c->pods.items[0].node, 0);
	put_pod(m, "b", 2, "Running");
	store_commit(m, 0);
	assert_int_equal(c->pods.items[1].node, 0);
	put(m, NODES, WATCH_DELETED, "{\"metadata\":{\"name\":\"n1\"}}");
	store_commit(m, 0);
	assert_int_equal(c->pods.items[0].node, NONE);
}

TEST(a_pod_that_ended_is_gone)
{
	AUTO_MIRROR struct store *m = store_new("");

	put_pod(m, "a", 1, "Running");
	store_commit(m, 0);
	put_pod(m, "a", 2, "Succeeded");
	assert_true(store_commit(m, 0));
	assert_int_equal(store_cluster(m)->pods.n, 0);
}

TEST(the_last_of_several_changes_counts)
{
	AUTO_MIRROR struct store *m = store_new("");
	const struct cluster *c = store_cluster(m);

	put_pod(m, "a", 1, "Pending");
	put(m, PODS, WATCH_DELETED, "{\"metadata\":{\"name\":\"a\",\"namespace\":\"default\"}}");
	put_pod(m, "a", 3, "Running");
	put_pod(m, "b", 4, "Running");
	put(m, PODS, WATCH_DELETED, "{\"metadata\":{\"name\":\"b\",\"namespace\":\"default\"}}");
	store_commit(m, 0);
	assert_int_equal(c->pods.n, 1);
	assert_int_equal(c->pods.items[0].phase, POD_RUNNING);
	assert_string_equal(cluster_str(c, c->pods.items[0].meta.version), "3");
}

TEST(a_list_replaces_all_that_was)
{
	AUTO_MIRROR struct store *m = store_new("");
	const struct cluster *c = store_cluster(m);
	AUTO_FREE char *b = xasprintf(pod, "b", 9, "Running"),
		       *a = xasprintf(pod, "a", 8, "Running");
	const char *const items[] = { b, a };

	put_pod(m, "x", 1, "Running");
	store_commit(m, 0);
	put_pod(m, "y", 2, "Running");
	list(m, PODS, items, 2);
	put_pod(m, "c", 10, "Running");
	assert_true(store_commit(m, 0));
	assert_int_equal(c->pods.n, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(cluster_str(c, c->pods.items[i].meta.name)[0], 'a' + (int)i);
	list(m, PODS, NULL, 0);
	assert_true(store_commit(m, 0));
	assert_int_equal(c->pods.n, 0);
}

TEST(a_bad_object_is_a_problem_until_it_is_good)
{
	static const char bad[] =
		"{\"metadata\":{\"name\":\"a\",\"namespace\":\"default\"},"
		"\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"spec\":{\"nodeName\":7}}";
	AUTO_MIRROR struct store *m = store_new("");
	const struct cluster *c = store_cluster(m);

	put_pod(m, "a", 1, "Running");
	store_commit(m, 0);
	for (int i = 0; i < 2; i++) {
		put(m, PODS, WATCH_MODIFIED, bad);
		assert_true(store_commit(m, 0));
		assert_int_equal(c->pods.n, 1);
		assert_true(c->pods.items[0].is_unread);
		assert_int_equal(c->problems.n, 1);
		assert_string_equal(cluster_str(c, c->problems.items[0].object), "Pod default/a");
	}
	put_pod(m, "a", 2, "Running");
	assert_true(store_commit(m, 0));
	assert_int_equal(c->problems.n, 0);
	assert_int_equal(c->pods.n, 1);
	assert_false(c->pods.items[0].is_unread);
	put(m, PODS, WATCH_MODIFIED, bad);
	store_commit(m, 0);
	list(m, PODS, NULL, 0);
	store_commit(m, 0);
	assert_int_equal(c->problems.n, 0);
}

TEST(an_object_of_another_kind_is_an_error)
{
	AUTO_MIRROR struct store *m = store_new("");
	struct error err = ERROR_INIT;

	assert_int_equal(store_event(m, PODS, WATCH_ADDED,
				     SLICE("{\"kind\":\"Node\",\"apiVersion\":\"v1\","
					   "\"metadata\":{\"name\":\"n\"}}"),
				     &err),
			 -EPROTO);
	assert_string_equal(err.msg, "pods: an object of another kind");
	store_commit(m, 0);
	assert_int_equal(store_cluster(m)->nodes.n, 0);
	assert_int_equal(store_event(m, PODS, WATCH_DELETED, SLICE("{\"metadata\":{}}"), &err),
			 -EBADMSG);
}

/* A server with a few objects of each kind, changed at random: what is mirrored must be what a
 * fresh reading of all its objects gives. */

enum { NAMES = 12, ROUNDS = 25000 };

struct server {
	char *objects[N_WATCHED_KINDS][NAMES];
	unsigned seed;
	int version;
};

static unsigned pick(struct server *s, unsigned n)
{
	return (unsigned)rand_r(&s->seed) % n;
}

static const char *const words[] = { "a", "b", "c", "gpu", "zone-1" };

static const char *any_word(struct server *s)
{
	return words[pick(s, ARRAY_LEN(words))];
}

static void add_selector(struct server *s, struct str *out)
{
	str_addf(out,
		 "{\"matchLabels\":{\"%s\":\"%s\"},\"matchExpressions\":[{\"key\":\"%s\","
		 "\"operator\":\"In\",\"values\":[\"%s\",\"%s\"]}]}",
		 any_word(s), any_word(s), any_word(s), any_word(s), any_word(s));
}

static void add_pod(struct server *s, struct str *out)
{
	str_addf(out,
		 "\"spec\":{\"nodeName\":\"%s%u\",\"nodeSelector\":{\"%s\":\"%s\"},"
		 "\"priorityClassName\":\"class%u\",\"tolerations\":[{\"key\":\"%s\","
		 "\"operator\":\"Exists\"}],\"containers\":[{\"name\":\"c\",\"resources\":{"
		 "\"requests\":{\"cpu\":\"%u\",\"example.com/%s\":\"%u\"}},\"ports\":[{"
		 "\"hostPort\":%u}]}],\"volumes\":[{\"persistentVolumeClaim\":{"
		 "\"claimName\":\"%s\"}}],\"affinity\":{\"podAntiAffinity\":{"
		 "\"requiredDuringSchedulingIgnoredDuringExecution\":[{\"topologyKey\":\"%s\","
		 "\"namespaces\":[\"%s\"],\"labelSelector\":",
		 pick(s, 2) ? "name" : "", pick(s, NAMES), any_word(s), any_word(s), pick(s, NAMES),
		 any_word(s), pick(s, 4), any_word(s), pick(s, 3), 1 + pick(s, 3), any_word(s),
		 any_word(s), any_word(s));
	add_selector(s, out);
	str_add(out, "}]}},\"topologySpreadConstraints\":[{\"maxSkew\":1,\"topologyKey\":\"zone\","
		     "\"whenUnsatisfiable\":\"DoNotSchedule\",\"labelSelector\":");
	add_selector(s, out);
	str_addf(out, "}]},\"status\":{\"phase\":\"%s\"}", pick(s, 8) ? "Running" : "Failed");
}

static void add_mckube(struct server *s, struct str *out)
{
	str_addf(out,
		 "\"spec\":{\"criticality\":\"%s\",\"rtSettings\":{\"period\":%u,"
		 "\"runtime_low\":%u,\"core\":\"%u\"},\"selector\":",
		 any_word(s), pick(s, 5), pick(s, 5), pick(s, 5));
	add_selector(s, out);
	str_addf(out, "},\"status\":{\"currentRuntime\":\"%s\"}", any_word(s));
}

static void add_economy(struct server *s, unsigned kind, struct str *out)
{
	if (kind == OPTIMIZERS) {
		str_addf(
			out,
			"\"spec\":{\"costConstraints\":{\"maxCostPerHour\":%u},\"placementPolicy\":"
			"{\"nodeSelector\":{\"%s\":\"%s\"},\"affinity\":[{\"key\":\"%s\","
			"\"value\":\"%s\"}]},\"autoScaling\":{\"metrics\":[{\"type\":\"latency\","
			"\"threshold\":%u,\"query\":\"%s\"}]}},\"status\":{\"budget\":{"
			"\"spent\":%u},\"avoid\":[{\"node\":\"%s\"}],\"history\":[\"%s\"],"
			"\"nodes\":[\"%s-%d\",\"%s\"],\"targetRef\":{\"kind\":\"%s-%d\","
			"\"name\":\"%s-%d\"},\"assignedNode\":\"%s\",\"lastMove\":{"
			"\"from\":\"%s\",\"to\":\"%s\"}}",
			1 + pick(s, 3), any_word(s), any_word(s), any_word(s), any_word(s),
			1 + pick(s, 3), any_word(s), pick(s, 3), any_word(s), any_word(s),
			any_word(s), s->version, any_word(s), any_word(s), s->version, any_word(s),
			s->version, any_word(s), any_word(s), any_word(s));
	} else if (kind == DEPLOYMENTS || kind == STATEFUL_SETS) {
		str_addf(out,
			 "\"spec\":{\"replicas\":%u,\"template\":{\"metadata\":{\"labels\":{"
			 "\"%s\":\"%s\"}}},\"selector\":",
			 pick(s, 4), any_word(s), any_word(s));
		add_selector(s, out);
		str_addc(out, '}');
	} else if (kind == AUTOSCALERS || kind == SCALED_OBJECTS) {
		str_addf(out,
			 "\"spec\":{\"scaleTargetRef\":{\"apiVersion\":\"apps/v1\","
			 "\"kind\":\"Deployment\",\"name\":\"%s\"}}",
			 any_word(s));
	} else if (kind == TABLES) {
		str_addf(out, "\"data\":{\"%s\":\"%s,%u\"}", any_word(s), any_word(s), pick(s, 3));
	} else {
		str_addf(out, "\"spec\":{\"%s\":%u,\"namespaceSelector\":",
			 kind == COST_POLICIES ? "costPerHourLimit" : "maxPowerUsage",
			 1 + pick(s, 3));
		add_selector(s, out);
		str_add(out, "}");
	}
}

static void add_content(struct server *s, unsigned kind, struct str *out)
{
	static const char term[] = "{\"matchExpressions\":[{\"key\":\"zone\",\"operator\":\"In\","
				   "\"values\":[\"%s\"]}]}";

	if (kind == PODS) {
		add_pod(s, out);
	} else if (kind == MCKUBES) {
		add_mckube(s, out);
	} else if (kind == NODES) {
		str_addf(out,
			 "\"spec\":{\"taints\":[{\"key\":\"%s\",\"effect\":\"NoSchedule\"}]},"
			 "\"status\":{\"allocatable\":{\"cpu\":\"%u\",\"example.com/%s\":\"1\"}}",
			 any_word(s), pick(s, 4), any_word(s));
	} else if (kind == PDBS) {
		str_add(out, "\"spec\":{\"selector\":");
		add_selector(s, out);
		str_addf(out, "},\"status\":{\"disruptionsAllowed\":%u}", pick(s, 3));
	} else if (kind == CLASSES) {
		str_addf(out, "\"value\":%u", pick(s, 100));
	} else if (kind == VOLUMES) {
		str_add(out, "\"spec\":{\"nodeAffinity\":{\"required\":{\"nodeSelectorTerms\":[");
		str_addf(out, term, any_word(s));
		str_add(out, "]}}}");
	} else if (kind == CLAIMS) {
		str_addf(out, "\"spec\":{\"volumeName\":\"name%u\"}", pick(s, NAMES));
	} else if (kind == LEASES) {
		str_addf(out,
			 "\"spec\":{\"renewTime\":\"2026-11-21T09:00:%02u.000000Z\","
			 "\"leaseDurationSeconds\":40}",
			 pick(s, 60));
	} else if (kind >= OPTIMIZERS && kind <= SCALED_OBJECTS) {
		add_economy(s, kind, out);
	} else {
		str_add(out, "\"spec\":{}");
	}
}

static char *make_object(struct server *s, unsigned kind, unsigned name)
{
	struct str out = STR_INIT;

	s->version++;
	str_addf(&out,
		 "{\"apiVersion\":\"%s\",\"kind\":\"%s\",\"metadata\":{\"name\":\"%sname%u\","
		 "\"uid\":\"u%d\",\"resourceVersion\":\"%d\",\"labels\":{\"%s\":\"%s\"},"
		 "\"annotations\":{\"mckube.io/rt-core\":\"%u\"}",
		 watched_kinds[kind].resource->api_version, watched_kinds[kind].resource->kind,
		 kind == LEASES ? HELPER_LEASE_PREFIX : "", name, s->version, s->version,
		 any_word(s), any_word(s), pick(s, 4));
	if (watched_kinds[kind].resource->is_namespaced)
		str_add(&out, ",\"namespace\":\"default\"");
	str_add(&out, "},");
	add_content(s, kind, &out);
	str_addc(&out, '}');
	return str_detach(&out);
}

static void change_one(struct server *s, struct store *m)
{
	unsigned kind = pick(s, N_WATCHED_KINDS), name = pick(s, NAMES);
	char **object = &s->objects[kind][name];

	if (*object && pick(s, 4) == 0) {
		put(m, kind, WATCH_DELETED, *object);
		free(*object);
		*object = NULL;
		return;
	}
	free(*object);
	*object = make_object(s, kind, name);
	put(m, kind, WATCH_MODIFIED, *object);
}

static void relist(struct server *s, struct store *m)
{
	const char *items[NAMES];
	unsigned kind = pick(s, N_WATCHED_KINDS);
	size_t n = 0;

	for (unsigned i = 0; i < NAMES; i++)
		if (s->objects[kind][i])
			items[n++] = s->objects[kind][i];
	list(m, kind, items, n);
}

static void read_all(const struct server *s, struct cluster *ret)
{
	struct loader *l = loader_new();
	struct error err = ERROR_INIT;

	for (unsigned kind = 0; kind < N_WATCHED_KINDS; kind++)
		for (unsigned i = 0; i < NAMES; i++)
			if (s->objects[kind][i] &&
			    loader_object(l, slice_of(s->objects[kind][i]), "test", &err) < 0)
				fail_msg("%s", err.msg);
	loader_finish(l, ret);
	loader_free(l);
}

static void is_the_same(const struct server *s, const struct store *m)
{
	AUTO(cluster_done) struct cluster fresh;
	struct cluster *c = (struct cluster *)(uintptr_t)store_cluster(m);

	read_all(s, &fresh);
	AUTO_FREE char *kept = cluster_text(c), *read = cluster_text(&fresh);
	assert_string_equal(kept, read);
	assert_int_equal(c->pods.n, fresh.pods.n);
	for (size_t i = 0; i < c->pods.n; i++) {
		assert_int_equal(c->pods.items[i].node, fresh.pods.items[i].node);
		assert_int_equal(c->pods.items[i].priority, fresh.pods.items[i].priority);
	}
}

TEST(any_changes_give_what_a_fresh_reading_gives)
{
	AUTO_MIRROR struct store *m = store_new("");
	struct server s = { .seed = 1 };

	for (int i = 0; i < ROUNDS; i++) {
		if (pick(&s, 500) == 0)
			relist(&s, m);
		else
			change_one(&s, m);
		if (pick(&s, 40) == 0) {
			store_commit(m, 0);
			is_the_same(&s, m);
		}
	}
	assert_true(store_stats(m).compactions >= 2);
	for (unsigned kind = 0; kind < N_WATCHED_KINDS; kind++)
		for (unsigned i = 0; i < NAMES; i++)
			free(s.objects[kind][i]);
}

TEST(memory_does_not_grow_with_changes)
{
	AUTO_MIRROR struct store *m = store_new("");
	const struct cluster *c = store_cluster(m);
	size_t most = 0;

	for (int i = 0; i < 100000; i++) {
		put_pod(m, i % 2 ? "a" : "b", i, "Running");
		if (i % 100 == 0)
			store_commit(m, 0);
		if (i == 20000)
			most = c->strings.arena.used + c->strings.n;
	}
	assert_true(store_stats(m).compactions >= 9);
	assert_true(c->strings.arena.used + c->strings.n < 2 * most);
}
