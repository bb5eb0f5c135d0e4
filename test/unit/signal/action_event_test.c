/* SPDX-License-Identifier: Apache-2.0 */
#include "signal/action_event.h"

#include <string.h>

#include "base/auto.h"
#include "test/unit/snapshot.h"
#include "test/unit/test.h"

static const struct action eviction = {
	.kind = ACTION_EVICT,
	.on = { .kind = "Pod", .ns = "x", .name = "logger" },
	.from = { .node = "n", .cores = "1" },
	.by = { .kind = "Pod", .ns = "y", .name = "brake" },
	.message = "core 1 would be full",
};

static void assert_note(const struct action *a, const char *note)
{
	AUTO(str_done) struct str out = STR_INIT;

	action_event_note(a, &out);
	assert_string_equal(out.s, note);
}

TEST(an_eviction_names_the_pod_that_gains)
{
	struct cluster c = { 0 };
	struct action repair = eviction;

	assert_string_equal(action_event_of(&c, &eviction).reason, "Preempted");
	assert_note(&eviction, "Preempted by y/brake on node n, core 1: core 1 would be full");
	repair.by.name = NULL;
	assert_string_equal(action_event_of(&c, &repair).reason, "Evicted");
	assert_note(&repair, "Evicted on node n, core 1: core 1 would be full");
}

TEST(a_bind_reads_as_that_of_kube_scheduler)
{
	struct cluster c = { 0 };
	const struct action bind = { .kind = ACTION_BIND,
				     .on = eviction.on,
				     .to = { .node = "n", .cores = "0-1" },
				     .message = "fits" };

	assert_string_equal(action_event_of(&c, &bind).reason, "Scheduled");
	assert_note(&bind, "Successfully assigned x/logger to node n, core 0-1");
}

TEST(kube_scheduler_tells_of_a_pod_behind_our_gate)
{
	AUTO(cluster_done)
	struct cluster c = snapshot_of(
		"{apiVersion: v1, kind: Pod, metadata: {name: logger, namespace: x}, spec: "
		"{schedulingGates: [{name: mckube.io/placement}]}}\n");
	const struct action bind = { .kind = ACTION_BIND, .on = eviction.on };

	assert_null(action_event_of(&c, &bind).reason);
}

TEST(small_repairs_are_not_told)
{
	struct cluster c = { 0 };
	const struct action status = { .kind = ACTION_STATUS };

	assert_null(action_event_of(&c, &status).reason);
}

TEST(an_eviction_from_a_spot_node_that_goes_says_so)
{
	struct cluster c = { 0 };
	const struct action a = { .kind = ACTION_EVICT, .reason = REASON_SPOT_INTERRUPTED };
	const struct action release = { .kind = ACTION_RELEASE };

	assert_string_equal(action_event_of(&c, &a).reason, "SpotInterruption");
	assert_true(action_event_of(&c, &a).concerns_node);
	assert_string_equal(action_event_of(&c, &release).reason, "Released");
}
