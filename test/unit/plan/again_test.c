/* SPDX-License-Identifier: Apache-2.0 */
/* A plan made with a memory of the plan before is the one that is made without, whatever happened
 * to the cluster in between. */
#include <string.h>

#include "base/auto.h"
#include "model/request_cache.h"
#include "plan/file/plan_file.h"
#include "plan/plan.h"
#include "plugins/policies.h"
#include "state/store.h"
#include "test/unit/test.h"

/* In the order of watched_kinds[]. */
enum { NODES, PODS, MCKUBES };

enum { STEPS = 600, EVENTS_MAX = 6, NAMES = 24, NODE_NAMES = 3, BEATS = 20, VERSIONS_MAX = 20000 };

struct history {
	struct store *store;
	struct request_cache memory;
	struct settings settings;
	unsigned random;
	int version;
};

static unsigned draw(struct history *h, unsigned n)
{
	h->random = h->random * 1103515245u + 12345u;
	return (h->random >> 16) % n;
}

#define ONE_OF(h, ...)                                                 \
	({                                                             \
		static const char *const choices_[] = { __VA_ARGS__ }; \
		choices_[draw((h), (unsigned)ARRAY_LEN(choices_))];    \
	})

static void happen(struct history *h, unsigned kind, enum watch_type type, const struct str *json)
{
	struct error err = ERROR_INIT;

	if (store_event(h->store, kind, type, slice_of(json->s), &err) < 0)
		fail_msg("%s in %s", err.msg, json->s);
}

static void add_meta(struct history *h, const char *kind, const char *api_version,
		     const char *prefix, unsigned name, struct str *json)
{
	str_addf(json,
		 "{\"kind\":\"%s\",\"apiVersion\":\"%s\",\"metadata\":{\"name\":\"%s%u\","
		 "%s\"uid\":\"u%d\",\"resourceVersion\":\"%d\",\"creationTimestamp\":"
		 "\"2026-01-01T00:00:%02uZ\"",
		 kind, api_version, prefix, name,
		 strcmp(kind, "Node") == 0 ? "" : "\"namespace\":\"default\",", h->version,
		 h->version, draw(h, 60));
	h->version++;
}

static void a_node(struct history *h)
{
	AUTO(str_done) struct str json = STR_INIT;

	add_meta(h, "Node", "v1", "n", draw(h, NODE_NAMES), &json);
	str_addf(&json,
		 ",\"annotations\":{\"mckube.io/rt-cores\":\"%s\"}},\"status\":{\"allocatable\":"
		 "{\"cpu\":\"4\",\"memory\":\"8Gi\",\"pods\":\"30\"}}}",
		 ONE_OF(h, "0-3", "1-3", "0-1"));
	happen(h, NODES, draw(h, 3) ? WATCH_MODIFIED : WATCH_DELETED, &json);
}

static void add_notes(struct history *h, struct str *json)
{
	int low = 200 * (1 + (int)draw(h, 5));

	str_addf(json,
		 ",\"annotations\":{\"mckube.io/rt-period\":\"%s\",\"mckube.io/rt-runtime-low\":"
		 "\"%d\",\"mckube.io/rt-runtime-hi\":\"%d\",\"mckube.io/criticality\":\"%s\"",
		 ONE_OF(h, "100000", "100000", "100000", "soon"), low, low * 2,
		 ONE_OF(h, "Low", "Middle", "High"));
	if (draw(h, 2))
		str_addf(json,
			 ",\"mckube.io/rt-core\":\"%s\",\"mckube.io/rt-source\":\"%s\","
			 "\"mckube.io/rt-current\":\"%s\"",
			 ONE_OF(h, "0", "1", "2", "3", "2-3", "x"),
			 ONE_OF(h, "mckube", "annotations"), ONE_OF(h, "low", "hi"));
	str_add(json, "}");
}

static void a_pod(struct history *h)
{
	AUTO(str_done) struct str json = STR_INIT;
	unsigned name = draw(h, NAMES), app = draw(h, 16) ? name : draw(h, NAMES);

	add_meta(h, "Pod", "v1", "p", name, &json);
	str_addf(&json, ",\"labels\":{\"sdv.com\":\"x\",\"app\":\"a%u\"}", app);
	if (draw(h, 3))
		add_notes(h, &json);
	str_add(&json,
		"},\"spec\":{\"schedulerName\":\"mckube\",\"containers\":[{\"name\":\"c\"}]");
	if (draw(h, 3))
		str_addf(&json, ",\"nodeName\":\"n%u\"", draw(h, NODE_NAMES));
	str_add(&json, "},\"status\":{\"phase\":\"Running\"}}");
	happen(h, PODS, draw(h, 4) ? WATCH_MODIFIED : WATCH_DELETED, &json);
}

/* Most mean the pod of their number, by its name or by a label. */
static void a_mckube(struct history *h)
{
	AUTO(str_done) struct str json = STR_INIT;
	unsigned name = draw(h, NAMES / 2), pod = draw(h, 16) ? name : draw(h, NAMES);
	int low = 200 * (1 + (int)draw(h, 5));

	add_meta(h, "McKube", "mcoperator.sdv.com/v1", "m", name, &json);
	str_add(&json, "},\"spec\":{");
	str_addf(&json,
		 name % 2 ? "\"podname\":\"p%u\""
			  : "\"selector\":{\"matchLabels\":{\"app\":\"a%u\"}}",
		 pod);
	if (draw(h, 3) == 0)
		str_addf(&json, ",\"node\":\"n%u\"", draw(h, NODE_NAMES));
	str_addf(&json,
		 ",\"criticality\":\"%s\",\"rtSettings\":{\"period\":100000,\"runtime_low\":%d,"
		 "\"runtime_hi\":%d",
		 ONE_OF(h, "Low", "Middle", "High", "High", "Huge"), low, low * 2);
	if (draw(h, 4) == 0)
		str_addf(&json, ",\"core\":\"%u\"", draw(h, 4));
	str_addf(&json, "}},\"status\":{\"allocatedCore\":\"%u\",\"currentRuntime\":\"low\"}}",
		 draw(h, 4));
	happen(h, MCKUBES, draw(h, 4) ? WATCH_MODIFIED : WATCH_DELETED, &json);
}

/* McKubes change seldom, as one that changes lets all be looked for again. */
static void something(struct history *h)
{
	unsigned what = draw(h, 100);

	if (what < 8)
		a_node(h);
	else if (what < 16)
		a_mckube(h);
	else
		a_pod(h);
}

static void plan_text(const struct history *h, struct request_cache *memory, struct str *ret)
{
	AUTO(plan_done) struct plan plan = { 0 };
	struct error err = ERROR_INIT;

	if (plan_make_cached(store_cluster(h->store), policies, &h->settings, memory, &plan, &err) <
	    0)
		fail_msg("%s", err.msg);
	plan_write_json(&plan, ret);
}

static void compare(struct history *h)
{
	AUTO(str_done) struct str known = STR_INIT;
	AUTO(str_done) struct str to_place = STR_INIT;

	plan_text(h, &h->memory, &known);
	plan_text(h, NULL, &to_place);
	assert_string_equal(known.s, to_place.s);
}

/* Versions come and go. */
static void heartbeats(struct history *h)
{
	for (int i = 0; i < BEATS; i++) {
		AUTO(str_done) struct str json = STR_INIT;

		add_meta(h, "Node", "v1", "beating", 0, &json);
		str_add(&json, "}}");
		happen(h, NODES, WATCH_MODIFIED, &json);
	}
}

static void live(struct history *h, unsigned steps, unsigned events)
{
	for (unsigned step = 0; step < steps; step++) {
		for (unsigned n = 1 + draw(h, events); n > 0; n--)
			something(h);
		heartbeats(h);
		store_commit(h->store, step);
		if (draw(h, 200) == 0)
			h->settings.ignores_legacy_pins = !h->settings.ignores_legacy_pins;
		compare(h);
	}
}

static void history_done(struct history *h)
{
	request_cache_done(&h->memory);
	store_free(h->store);
}

TEST(a_plan_with_a_memory_is_the_plan_without)
{
	AUTO(history_done)
	struct history h = {
		.store = store_new(""), .settings = SETTINGS_DEFAULT, .random = 7, .version = 1
	};

	live(&h, STEPS, EVENTS_MAX);
	/* Strings of before were forgotten, and their ids given to others. */
	assert_true(store_stats(h.store).compactions > 0);
}

TEST(many_changes_at_a_time)
{
	AUTO(history_done)
	struct history h = {
		.store = store_new(""), .settings = SETTINGS_DEFAULT, .random = 11, .version = 1
	};

	live(&h, STEPS / 10, 3 * NAMES);
}

/* ---- What is read, and what is not ---- */

static size_t n_kept(const struct request_cache *m, const struct request *before, size_t n)
{
	size_t same = 0;

	for (size_t i = 0; i < n && i < m->requests.list.n; i++)
		same += memcmp(&before[i], &m->requests.list.items[i], sizeof(*before)) == 0;
	return same;
}

static const char versioned_pod[] =
	"{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"p%d\",\"namespace\":"
	"\"default\",\"resourceVersion\":\"%d\",\"labels\":{\"sdv.com\":\"x\"},\"annotations\":{"
	"\"mckube.io/rt-period\":\"100000\",\"mckube.io/rt-runtime-low\":\"%d\","
	"\"mckube.io/rt-runtime-hi\":\"9000\"}},\"spec\":{\"containers\":[]}}";

static void put_versioned(struct history *h, int name, int version, int low)
{
	AUTO(str_done) struct str json = STR_INIT;

	str_addf(&json, versioned_pod, name, version, low);
	happen(h, PODS, WATCH_MODIFIED, &json);
}

/* What has the version of before is not looked at: here it lies, which no API server does. */
TEST(only_new_versions_are_read)
{
	AUTO(history_done)
	struct history h = { .store = store_new(""), .settings = SETTINGS_DEFAULT };
	AUTO(str_done) struct str text = STR_INIT;

	put_versioned(&h, 1, 1, 1000);
	put_versioned(&h, 2, 2, 1000);
	store_commit(h.store, 0);
	plan_text(&h, &h.memory, &text);
	struct request before[2];
	assert_int_equal(h.memory.requests.list.n, 2);
	memcpy(before, h.memory.requests.list.items, sizeof(before));

	put_versioned(&h, 1, 1, 2000);
	put_versioned(&h, 2, 3, 2000);
	store_commit(h.store, 0);
	plan_text(&h, &h.memory, &text);
	assert_int_equal(n_kept(&h.memory, before, 2), 1);
	assert_int_equal(h.memory.requests.list.items[0].budget.low, 1000);
	assert_int_equal(h.memory.requests.list.items[1].budget.low, 2000);
}

/* An id that meant a version of before may mean another one after strings were forgotten. */
TEST(reused_ids_are_not_confused)
{
	AUTO(history_done)
	struct history h = { .store = store_new(""), .settings = SETTINGS_DEFAULT };
	AUTO(str_done) struct str text = STR_INIT;
	const struct cluster *c = store_cluster(h.store);
	int version = 2;

	put_versioned(&h, 1, 1, 1000);
	store_commit(h.store, 0);
	plan_text(&h, &h.memory, &text);
	str_id first = c->pods.items[0].meta.version;
	for (; store_stats(h.store).compactions == 0; store_commit(h.store, 0))
		put_versioned(&h, 1, version++, 2000);
	for (; c->pods.items[0].meta.version != first; store_commit(h.store, 0)) {
		assert_true(version < VERSIONS_MAX);
		put_versioned(&h, 1, version++, 2000);
	}
	plan_text(&h, &h.memory, &text);
	assert_int_equal(h.memory.requests.list.items[0].budget.low, 2000);
}

/* Objects from files may have no version. */
TEST(objects_without_a_version_are_always_read)
{
	AUTO(history_done)
	struct history h = { .store = store_new(""), .settings = SETTINGS_DEFAULT };
	AUTO(str_done) struct str text = STR_INIT;
	AUTO(str_done) struct str json = STR_INIT;

	for (int low = 1000; low <= 2000; low += 1000) {
		str_clear(&json);
		str_addf(&json, versioned_pod, 1, 1, low);
		char *version = strstr(json.s, "\"resourceVersion\":\"1\",");
		memset(version, ' ', strlen("\"resourceVersion\":\"1\","));
		happen(&h, PODS, WATCH_MODIFIED, &json);
		store_commit(h.store, 0);
		plan_text(&h, &h.memory, &text);
		assert_int_equal(h.memory.requests.list.items[0].budget.low, low);
	}
}
