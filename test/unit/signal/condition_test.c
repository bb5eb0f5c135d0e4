/* SPDX-License-Identifier: Apache-2.0 */
#include "signal/condition.h"

#include <string.h>

#include "base/auto.h"
#include "test/unit/snapshot.h"
#include "test/unit/test.h"

#define POD(conditions)                                                                        \
	"{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: x}, status: {conditions: " \
	"[" conditions "]}}\n"
#define MCKUBE(conditions)                                                                    \
	"{apiVersion: mcoperator.sdv.com/v1, kind: McKube, metadata: {name: m, namespace: x," \
	" uid: u1}, spec: {podname: p}, status: {conditions: " conditions "}}\n"

TEST(only_a_pod_that_a_node_would_help_is_unschedulable)
{
	assert_string_equal(condition_pod_reason(REASON_NO_ROOM), "Unschedulable");
	assert_string_equal(condition_pod_reason(REASON_NO_NODE), "Unschedulable");
	assert_string_equal(condition_pod_reason(REASON_BAD_REQUEST), "SchedulerError");
	assert_string_equal(condition_pod_reason(REASON_NO_REQUEST), "SchedulerError");
}

TEST(a_pod_says_what_its_condition_says)
{
	AUTO(cluster_done)
	struct cluster c = snapshot_of(POD(
		"{type: PodScheduled, status: 'False', reason: Unschedulable, message: no \"x\"}"));

	assert_true(condition_pod_says(&c, &c.pods.items[0], "Unschedulable", "no \"x\""));
	assert_false(condition_pod_says(&c, &c.pods.items[0], "Unschedulable", "other"));
	assert_false(condition_pod_says(&c, &c.pods.items[0], "SchedulerError", "no \"x\""));
}

TEST(a_scheduled_pod_says_nothing)
{
	AUTO(cluster_done)
	struct cluster c = snapshot_of(POD("{type: PodScheduled, status: 'True'}"));

	assert_int_equal(c.pods.items[0].unscheduled, 0);
}

TEST(the_time_is_that_of_the_first_refusal)
{
	AUTO(str_done) struct str first = STR_INIT, later = STR_INIT;

	condition_pod_json("Unschedulable", "full", true, 0, &first);
	condition_pod_json("Unschedulable", "full", false, 0, &later);
	assert_string_equal(first.s,
			    "\"status\":{\"conditions\":[{\"type\":\"PodScheduled\",\"status\":"
			    "\"False\",\"reason\":\"Unschedulable\",\"message\":\"full\","
			    "\"lastTransitionTime\":\"1970-01-01T00:00:00Z\"}]}");
	assert_null(strstr(later.s, "lastTransitionTime"));
}

TEST(a_mckube_keeps_the_time_while_the_status_stays)
{
	AUTO(cluster_done)
	struct cluster c =
		snapshot_of(MCKUBE("[{type: Placed, status: 'False', reason: NoRoom, message: a,"
				   " lastTransitionTime: '2026-01-01T00:00:00Z'}]"));
	AUTO(str_done) struct str same = STR_INIT, other = STR_INIT;
	struct mckube_report w = { 0 };

	w.conditions[MCKUBE_CONDITION_PLACED] = (struct condition){ false, "NoNode", "b" };
	condition_mckube_json(&c, &c.mckubes.items[0], &w, 0, &same);
	assert_non_null(strstr(same.s, "2026-01-01T00:00:00Z"));
	w.conditions[MCKUBE_CONDITION_PLACED].is_true = true;
	condition_mckube_json(&c, &c.mckubes.items[0], &w, 0, &other);
	assert_non_null(strstr(other.s, "1970-01-01T00:00:00Z"));
}

TEST(a_move_is_told_with_its_figures)
{
	AUTO(cluster_done) struct cluster c = snapshot_of(MCKUBE("[]"));
	AUTO(str_done) struct str json = STR_INIT;
	const struct mckube_move move = { .pod = "p",
					  .from = "a",
					  .to = "b",
					  .method = "Checkpoint",
					  .result = "Migrated",
					  .downtime_ms = 1050,
					  .period_us = 100000 };
	struct mckube_report w = { .move = &move };

	w.conditions[MCKUBE_CONDITION_MIGRATED] = (struct condition){ true, "Migrated", "x" };
	condition_mckube_json(&c, &c.mckubes.items[0], &w, 0, &json);
	assert_non_null(strstr(json.s, "\"lastMigration\":{\"pod\":\"p\",\"from\":\"a\",\"to\":"
				       "\"b\",\"method\":\"Checkpoint\",\"result\":\"Migrated\","
				       "\"time\":\"1970-01-01T00:00:00Z\",\"downtimeMs\":1050,"
				       "\"missedPeriods\":10}"));
	assert_non_null(strstr(json.s, "{\"type\":\"Migrated\",\"status\":\"True\""));
}

TEST(conditions_of_another_form_are_not_there)
{
	AUTO(cluster_done)
	struct cluster c = snapshot_of(MCKUBE("[7, {type: Placed, status: [1]}, {}]"));

	assert_int_equal(c.mckubes.items[0].period.kind, RAW_ABSENT);
	assert_int_equal(c.mckubes.items[0].said[MCKUBE_CONDITION_READY].text, 0);
}
