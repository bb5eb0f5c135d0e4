/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/use_report.h"

#include <string.h>

#include "base/auto.h"
#include "model/pod_use.h"
#include "test/unit/test.h"

static const int64_t now = 1763715600, now_ns = 500000000000, second_ns = 1000000000;

/* Pods of one container each; later ones use more of their budget. */
static void add_pods(struct engine *e, size_t n, struct engine_container *containers,
		     char (*uids)[40])
{
	pthread_mutex_init(&e->lock, NULL);
	for (size_t i = 0; i < n; i++) {
		snprintf(uids[i], sizeof(uids[i]), "00000000-0000-0000-0000-%012zu", i);
		containers[i] = (struct engine_container){
			.name = (char *)"app",
			.share = 1000000,
			.use = { 60 * second_ns, (uint32_t)(1000 + i), (uint32_t)(2000 + i), true },
		};
		*array_add(&e->pods) = (struct engine_pod){
			.uid = uids[i],
			.containers = &containers[i],
			.n_containers = 1,
			.overruns = i,
			.changed_ns = i == 1 ? now_ns - 60 * second_ns : 0,
		};
		*array_add(&e->escalation.pods) = (struct escalation_pod){
			.budget = { .period = 100000, .low = 20000, .hi = 30000 },
		};
	}
}

static void done(struct engine *e)
{
	array_done(&e->pods);
	array_done(&e->escalation.pods);
	pthread_mutex_destroy(&e->lock);
}

TEST(report_says_what_pods_use)
{
	struct engine e = { 0 };
	struct engine_container containers[2];
	char uids[2][40];
	AUTO(str_done) struct str out = STR_INIT;

	add_pods(&e, 2, containers, uids);
	containers[0].use = (struct container_use){ 0 };
	use_report(&e, now, now_ns, &out);
	assert_string_equal(
		out.s,
		"{\"pods\":[{\"uid\":\"00000000-0000-0000-0000-000000000001\",\"overruns\":1,"
		"\"changed\":\"2025-11-21T08:59:00Z\",\"containers\":[{\"name\":\"app\","
		"\"usedUs\":1001,\"p99Us\":2001}]},"
		"{\"uid\":\"00000000-0000-0000-0000-000000000000\",\"overruns\":0,"
		"\"containers\":[{\"name\":\"app\"}]}]}");
	done(&e);
}

TEST(report_is_bounded_and_keeps_those_that_use_most)
{
	enum { N = 300 };
	static struct engine_container containers[N];
	static char uids[N][40];
	struct engine e = { 0 };
	AUTO(str_done) struct str out = STR_INIT;
	AUTO(arena_done) struct arena arena = { 0 };
	struct pod_uses uses = { 0 };
	struct error err;

	add_pods(&e, N, containers, uids);
	use_report(&e, now, now_ns, &out);
	assert_true(out.n <= POD_USE_MAX + 64);
	assert_int_equal(pod_uses_read(out.s, out.n, &arena, &uses, &err), 0);
	assert_in_range(uses.list.n, 50, N - 1);
	assert_int_equal(uses.omitted, N - uses.list.n);
	assert_non_null(pod_uses_find(&uses, uids[N - 1]));
	assert_null(pod_uses_find(&uses, uids[0]));
	array_done(&uses.list);
	done(&e);
}
