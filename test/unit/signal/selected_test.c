/* SPDX-License-Identifier: Apache-2.0 */
#include "signal/selected.h"

#include <string.h>

#include "base/auto.h"
#include "test/unit/snapshot.h"
#include "test/unit/test.h"

#define POD(name, annotations, spec)                                                \
	"---\n{apiVersion: v1, kind: Pod, metadata: {name: " name ", namespace: x," \
	" uid: u-" name ", labels: {app: a}, annotations: {" annotations "}}, spec: {" spec "}}\n"
#define ASSIGNED "mckube.io/rt-core: '1', mckube.io/rt-current: "
#define MCKUBE                                                                       \
	"---\n{apiVersion: mcoperator.sdv.com/v1, kind: McKube, metadata: {name: m," \
	" namespace: x}, spec: {selector: {matchLabels: {app: a}}}, status: {"
#define NODE "---\n{apiVersion: v1, kind: Node, metadata: {name: n1}}\n"

static void word_of(const struct cluster *c, struct selected *s, struct mckube_report *w)
{
	selected_count(c, &c->mckubes.items[0], s);
	selected_report(s, w);
}

TEST(the_worst_level_and_the_pods_that_are_ready_are_told)
{
	AUTO(cluster_done)
	struct cluster c = snapshot_of(
		NODE MCKUBE
		"}}\n" POD("a", ASSIGNED "low, mckube.io/rt-applied: 'true'", "nodeName: n1")
			POD("b", ASSIGNED "hi, mckube.io/rt-applied: 'true'", "nodeName: n1")
				POD("c", "", "schedulerName: mckube"));
	struct selected s;
	struct mckube_report w;

	word_of(&c, &s, &w);
	assert_string_equal(w.pods, "2/3");
	assert_string_equal(w.level, "hi");
	assert_false(w.conditions[MCKUBE_CONDITION_PLACED].is_true);
	assert_string_equal(w.conditions[MCKUBE_CONDITION_PLACED].message,
			    "2 of 3 pods have cores");
	assert_string_equal(w.conditions[MCKUBE_CONDITION_READY].reason, "PodsNotReady");
	assert_false(selected_is_said(&c, &c.mckubes.items[0], &w));
}

TEST(a_pod_at_its_floor_is_not_ready)
{
	AUTO(cluster_done)
	struct cluster c = snapshot_of(NODE MCKUBE "}}\n" POD(
		"a", ASSIGNED "floor, mckube.io/rt-applied: 'true'", "nodeName: n1"));
	struct selected s;
	struct mckube_report w;

	word_of(&c, &s, &w);
	assert_string_equal(w.pods, "0/1");
	assert_string_equal(w.level, "floor");
	assert_true(w.conditions[MCKUBE_CONDITION_PLACED].is_true);
	assert_string_equal(w.conditions[MCKUBE_CONDITION_READY].reason, "Degraded");
}

TEST(a_selector_that_finds_no_pod_says_so)
{
	AUTO(cluster_done) struct cluster c = snapshot_of(NODE MCKUBE "}}\n");
	struct selected s;
	struct mckube_report w;

	word_of(&c, &s, &w);
	assert_string_equal(w.pods, "0/0");
	assert_null(w.level);
	assert_string_equal(w.conditions[MCKUBE_CONDITION_READY].reason, "NoPods");
}

TEST(what_the_status_says_is_not_written_again)
{
	AUTO(cluster_done)
	struct cluster c = snapshot_of(
		NODE MCKUBE
		"pods: 1/1, currentRuntime: low, conditions: ["
		"{type: Placed, status: 'True', reason: Assigned, message: 1 of 1 pods have cores},"
		"{type: Ready, status: 'True', reason: Ready, message: "
		"'1 of 1 pods have their budget, 0 only their floor'}]}}\n" POD(
			"a", ASSIGNED "low, mckube.io/rt-applied: 'true'", "nodeName: n1"));
	struct selected s;
	struct mckube_report w;

	word_of(&c, &s, &w);
	assert_true(selected_is_said(&c, &c.mckubes.items[0], &w));
	w.pods = "0/1";
	assert_false(selected_is_said(&c, &c.mckubes.items[0], &w));
}
