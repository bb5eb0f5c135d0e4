/* SPDX-License-Identifier: Apache-2.0 */
#include "migrate/decide.h"

#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "test/unit/test.h"

#define ID	"abcdefghijklmnopqrstuvwxyz012345"
#define RUNNING "{\"name\":\"c\",\"containerID\":\"containerd://1\",\"state\":{\"running\":{}}}"
#define REFUSED                                                                \
	"{\"name\":\"c\",\"state\":{\"waiting\":{\"reason\":\"ErrImagePull\"," \
	"\"message\":\"not found\"}}}"

/* One pod: what differs from test to test. */
struct shape {
	const char *state, *ready, *cancel, *gone, *to, *hash, *owner, *status, *node, *new_name,
		*revision, *phase, *created;
	bool has_id, is_deleting, is_ready, is_foreign;
};

static void add(struct str *out, const char *key, const char *value)
{
	if (value)
		str_addf(out, ",\"mckube.io/migrate-%s\":\"%s\"", key, value);
}

static cJSON *make(const struct shape *s, const char *name)
{
	AUTO(str_done) struct str t = STR_INIT;
	cJSON *json = NULL;
	struct error err;

	str_addf(&t,
		 "{\"metadata\":{\"name\":\"%s\",\"namespace\":\"n\",\"uid\":\"u-%s\"%s,\"labels\":"
		 "{\"x\":\"y\"",
		 name, name, s->is_deleting ? ",\"deletionTimestamp\":\"t\"" : "");
	if (s->hash)
		str_addf(&t, ",\"pod-template-hash\":\"%s\"", s->hash);
	if (s->revision)
		str_addf(&t, ",\"controller-revision-hash\":\"%s\"", s->revision);
	str_add(&t, "},");
	if (s->created)
		str_addf(&t, "\"creationTimestamp\":\"%s\",", s->created);
	str_add(&t, "\"annotations\":{\"x\":\"y\"");
	add(&t, "id", s->has_id ? ID : NULL);
	add(&t, "to", s->to);
	add(&t, "state", s->state);
	add(&t, "ready", s->ready);
	add(&t, "cancel", s->cancel);
	add(&t, "gone", s->gone);
	add(&t, "new", s->new_name);
	str_add(&t, "}");
	if (s->owner)
		str_addf(&t, ",\"ownerReferences\":[{\"kind\":\"%s\",\"controller\":true}]",
			 s->owner);
	str_addf(&t, "},\"spec\":{\"schedulerName\":\"%s\",\"containers\":[{\"name\":\"c\"}]",
		 s->is_foreign ? "default-scheduler" : "mckube");
	if (s->node)
		str_addf(&t, ",\"nodeName\":\"%s\"", s->node);
	str_addf(
		&t,
		"},\"status\":{\"phase\":\"%s\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"%s\"}],"
		"\"containerStatuses\":[%s]}}",
		s->phase ? s->phase : "Running", s->is_ready ? "True" : "False",
		s->status ? s->status : RUNNING);
	assert_int_equal(json_parse(t.s, t.n, &json, &err), 0);
	return json;
}

/* What the target's Node holds of it. */
static const struct arrival *noted;

static enum move_step decide_at(const struct shape *source, const struct shape *new, int64_t age,
				struct move_decision *d)
{
	AUTO_JSON cJSON *a = source ? make(source, "a") : NULL;
	AUTO_JSON cJSON *b = new ? make(new, "b") : NULL;
	struct move_pod pods[2];
	struct error err;

	if (a)
		assert_int_equal(move_pod_read(a, &pods[0], &err), 0);
	if (b)
		assert_int_equal(move_pod_read(b, &pods[1], &err), 0);
	const struct move_view v = { a ? &pods[0] : NULL, b ? &pods[1] : NULL, 1000 + age, 1000,
				     noted };
	move_decide(&v, d);
	return d->step;
}

static enum move_step decide(const struct shape *source, const struct shape *new)
{
	struct move_decision d;

	return decide_at(source, new, 1, &d);
}

/* A bare source in this state, its target ready. */
#define SOURCE(state_, ...) UNREADY(state_, .ready = "Ready", ##__VA_ARGS__)
#define UNREADY(state_, ...)                       \
	(&(const struct shape){ .has_id = true,    \
				.to = "node-b",    \
				.node = "node-a",  \
				.state = (state_), \
				##__VA_ARGS__ })
#define NEW(...) (&(const struct shape){ .has_id = true, .node = "node-b", ##__VA_ARGS__ })
#define UP	 NEW(.state = "Restored", .is_ready = true)

TEST(a_bare_pod_goes_its_way)
{
	assert_int_equal(decide(&(const struct shape){ .node = "node-a" }, NULL), STEP_PROMISE);
	assert_int_equal(decide(SOURCE("Requested"), NULL), STEP_WAIT);
	assert_int_equal(decide(UNREADY("Waiting"), NULL), STEP_WAIT);
	assert_int_equal(decide(SOURCE("Waiting"), NULL), STEP_CREATE);
	assert_int_equal(decide(SOURCE("Waiting"), NEW(.status = "{\"name\":\"c\"}")), STEP_WAIT);
	assert_int_equal(decide(SOURCE("Paused"), NEW()), STEP_WAIT);
	assert_int_equal(decide(SOURCE("Sent: 500"), NEW()), STEP_WAIT);
	assert_int_equal(decide(SOURCE("Sent: 500"), UP), STEP_DELETE_SOURCE);
	assert_int_equal(decide(SOURCE("Sent: 500", .is_deleting = true), UP), STEP_WAIT);
	assert_int_equal(decide(NULL, UP), STEP_DONE);
}

TEST(a_pod_of_a_replica_set_is_released_and_replaced)
{
	struct shape s = *SOURCE("Waiting", .owner = "ReplicaSet", .hash = "h1");
	struct shape n = { .status = "{\"name\":\"c\"}" };

	assert_int_equal(decide(&s, NULL), STEP_RELEASE);
	s.hash = "migrating-h1";
	s.owner = NULL;
	assert_int_equal(decide(&s, NULL), STEP_WAIT);
	assert_int_equal(decide(&s, &n), STEP_PLACE);
	n.has_id = true;
	assert_int_equal(decide(&s, &n), STEP_RECORD);
	s.new_name = "b";
	assert_int_equal(decide(&s, &n), STEP_BIND);
	n.node = "node-b";
	assert_int_equal(decide(&s, &n), STEP_WAIT);
	s.state = "Sent: 1";
	assert_int_equal(decide(&s, UP), STEP_DELETE_SOURCE);
}

TEST(what_cannot_be_moved_is_refused_untouched)
{
	assert_int_equal(decide(&(const struct shape){ .owner = "DaemonSet" }, NULL), STEP_FAILED);
	assert_int_equal(decide(&(const struct shape){ .owner = "ReplicaSet",
						       .hash = "h",
						       .is_foreign = true },
				NULL),
			 STEP_FAILED);
	assert_int_equal(decide(&(const struct shape){ .status = "{\"name\":\"c\"}" }, NULL),
			 STEP_FAILED);
	assert_int_equal(decide(&(const struct shape){ .is_deleting = true }, NULL), STEP_FAILED);
}

TEST(a_moved_pod_is_no_source_of_a_move)
{
	/* It keeps its id. */
	assert_int_equal(decide(NEW(.state = "Restored: 3", .is_ready = true), NULL), STEP_PROMISE);
}

TEST(a_source_that_is_deleted_meanwhile_ends_the_move)
{
	const char *now = "1970-01-01T00:16:40Z"; /* 1000 */
	struct move_decision d;

	assert_int_equal(decide(NULL, NEW(.state = "Restored: 3")), STEP_DONE);
	assert_int_equal(decide(NULL, NEW(.created = now)), STEP_WAIT);
	assert_int_equal(decide_at(NULL, NEW(.created = now), MOVE_SECONDS + 1, &d),
			 STEP_DELETE_NEW);
	assert_int_equal(decide(NULL, NEW(.created = now, .status = REFUSED)), STEP_DELETE_NEW);
	assert_int_equal(decide(NULL, NEW(.created = now, .is_deleting = true)), STEP_FAILED);
	assert_int_equal(decide(NULL, NULL), STEP_FAILED);
}

TEST(a_failure_before_the_end_calls_it_off)
{
	struct move_decision d;

	assert_int_equal(decide_at(SOURCE("Waiting"), NEW(.status = REFUSED), 1, &d), STEP_CANCEL);
	assert_string_equal(d.why, "container c of the new pod: ErrImagePull: not found");
	assert_int_equal(decide_at(UNREADY("Waiting", .ready = "Failed: no image"), NULL, 1, &d),
			 STEP_CANCEL);
	assert_string_equal(d.why, "target node: no image");
	assert_int_equal(decide_at(SOURCE("Requested"), NULL, MOVE_SECONDS + 1, &d), STEP_CANCEL);
	assert_int_equal(decide(SOURCE("Paused"), NEW(.is_deleting = true)), STEP_CANCEL);
	/* Sent: time alone is no reason. */
	assert_int_equal(decide_at(SOURCE("Sent: 1"), NEW(), MOVE_SECONDS + 1, &d), STEP_WAIT);
	assert_int_equal(decide(SOURCE("Sent: 1"), NULL), STEP_CANCEL);
}

TEST(the_way_back_before_it_is_sent)
{
	assert_int_equal(decide(SOURCE("Paused", .cancel = "why"), NEW()), STEP_WAIT);
	assert_int_equal(decide(SOURCE("Resumed: why"), NEW()), STEP_DELETE_NEW);
	assert_int_equal(decide(SOURCE("Resumed: why"), NEW(.is_deleting = true)), STEP_WAIT);
	assert_int_equal(decide(SOURCE("Resumed: why"), NULL), STEP_CLEAN);
	assert_int_equal(decide(SOURCE("Failed: why"), NULL), STEP_CLEAN);
	assert_int_equal(decide(SOURCE("Resumed: why", .hash = "migrating-h"), NEW()), STEP_ADOPT);
}

TEST(the_way_back_after_it_is_sent_waits_until_the_new_pod_is_gone)
{
	assert_int_equal(decide(SOURCE("Sent: 1", .cancel = "why"), NEW()), STEP_DELETE_NEW);
	assert_int_equal(decide(SOURCE("Sent: 1", .cancel = "why"), NEW(.is_deleting = true)),
			 STEP_WAIT);
	assert_int_equal(decide(SOURCE("Sent: 1", .cancel = "why"), NULL), STEP_GONE);
	assert_int_equal(decide(SOURCE("Sent: 1", .cancel = "why", .gone = "true"), NULL),
			 STEP_WAIT);
}

TEST(a_new_pod_that_is_not_ready_leaves_the_source)
{
	assert_int_equal(decide(SOURCE("Sent: 1"), NEW(.state = "Restored")), STEP_WAIT);
	assert_int_equal(decide(SOURCE("Sent: 1"), NEW(.is_ready = true)), STEP_WAIT);
}

#define SET(state_, ready_, ...) \
	UNREADY(state_, .ready = (ready_), .owner = "StatefulSet", ##__VA_ARGS__)

static const struct arrival arrival = {
	.id = ID, .uid = "u-a", .from = "node-a", .revision = "r1", .since = 1000
};
static const struct arrival lost = {
	.id = ID, .uid = "u-a", .from = "node-a", .revision = "r1", .since = 1000, .failed = "why"
};

TEST(a_stateful_sets_pod_is_deleted_when_the_target_has_all_of_it)
{
	noted = NULL;
	assert_int_equal(decide(&(const struct shape){ .owner = "StatefulSet" }, NULL),
			 STEP_PROMISE);
	assert_int_equal(
		decide(&(const struct shape){ .owner = "StatefulSet", .is_foreign = true }, NULL),
		STEP_FAILED);
	assert_int_equal(decide(SET("Waiting", NULL), NULL), STEP_WAIT);
	assert_int_equal(decide(SET("Paused", NULL), NULL), STEP_WAIT);
	assert_int_equal(decide(SET("Sent: 5", NULL), NULL), STEP_WAIT);
	assert_int_equal(decide(SET("Paused", "Pulled"), NULL), STEP_WAIT);
	assert_int_equal(decide(SET("Sent: 5", "Pulled"), NULL), STEP_KEEP);
	noted = &arrival;
	assert_int_equal(decide(SET("Sent: 5", "Pulled"), NULL), STEP_DELETE_SOURCE);
	assert_int_equal(decide(SET("Sent: 5", "Pulled", .is_deleting = true), NULL), STEP_WAIT);
}

TEST(a_stateful_sets_pod_that_is_gone_arrives)
{
	struct shape n = { .status = "{\"name\":\"c\"}", .revision = "r1" };

	noted = &arrival;
	assert_int_equal(decide(NULL, NULL), STEP_WAIT);
	assert_int_equal(decide(NULL, &n), STEP_PLACE);
	n.has_id = true;
	assert_int_equal(decide(NULL, &n), STEP_BIND);
	n.node = "node-b";
	assert_int_equal(decide(NULL, &n), STEP_WAIT);
	n.state = "Restored: 3";
	assert_int_equal(decide(NULL, &n), STEP_FORGET);
	noted = NULL;
	assert_int_equal(decide(NULL, &n), STEP_DONE);
}

TEST(a_stateful_sets_pod_that_cannot_be_restored_starts_afresh)
{
	struct shape n = { .status = REFUSED, .revision = "r1", .has_id = true, .node = "node-b" };
	struct move_decision d;

	noted = &arrival;
	assert_int_equal(decide(NULL, &n), STEP_FAIL);
	n.status = "{\"name\":\"c\"}";
	assert_int_equal(decide_at(NULL, &n, ARRIVAL_SECONDS + 1, &d), STEP_FAIL);
	assert_int_equal(decide_at(NULL, NULL, ARRIVAL_SECONDS + 1, &d), STEP_FAIL);
	n.phase = "Failed";
	assert_int_equal(decide(NULL, &n), STEP_FAIL);
	n.phase = NULL;
	n.revision = "r2";
	assert_int_equal(decide(NULL, &n), STEP_FAIL);
	noted = &lost;
	n.revision = "r1";
	assert_int_equal(decide(NULL, &n), STEP_DELETE_NEW);
	n.is_deleting = true;
	assert_int_equal(decide(NULL, &n), STEP_WAIT);
	assert_int_equal(decide(NULL, NULL), STEP_WAIT);
	n = (struct shape){ .status = "{\"name\":\"c\"}", .revision = "r1" };
	assert_int_equal(decide(NULL, &n), STEP_RETURN);
	assert_int_equal(decide_at(NULL, &n, RETURN_SECONDS + 1, &d), STEP_FORGET);
	n.revision = "r2";
	assert_int_equal(decide(NULL, &n), STEP_FORGET);
	n = (struct shape){ .revision = "r1", .node = "node-a" };
	assert_int_equal(decide_at(NULL, &n, 1, &d), STEP_FORGET);
	assert_string_equal(d.why, "why");
	noted = NULL;
}

TEST(a_stateful_sets_pod_goes_back_as_long_as_it_is_there)
{
	struct move_decision d;

	noted = NULL;
	assert_int_equal(
		decide_at(UNREADY("Sent: 1", .owner = "StatefulSet", .ready = "Failed: no room"),
			  NULL, 1, &d),
		STEP_CANCEL);
	noted = &arrival;
	assert_int_equal(decide(SET("Sent: 1", "Pulled", .cancel = "why"), NULL), STEP_WAIT);
	assert_int_equal(decide(SET("Resumed: why", "Pulled", .cancel = "why"), NULL), STEP_FORGET);
	noted = NULL;
	assert_int_equal(decide(SET("Resumed: why", "Pulled", .cancel = "why"), NULL), STEP_CLEAN);
}
