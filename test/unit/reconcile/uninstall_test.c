/* SPDX-License-Identifier: Apache-2.0 */
#include "reconcile/uninstall.h"

#include "base/auto.h"
#include "test/unit/snapshot.h"
#include "test/unit/test.h"

TEST(assignments_finalizers_and_taints_are_planned_away)
{
	AUTO(cluster_done)
	struct cluster c = snapshot_of(
		"kind: Node\napiVersion: v1\nmetadata: {name: n1, uid: u-n1}\n"
		"spec: {taints: [{key: McKubeRTDeadlinePressure, value: 'True', effect: NoSchedule}]}\n"
		"---\nkind: Node\napiVersion: v1\nmetadata: {name: n2}\n"
		"spec: {taints: [{key: example.com/x, effect: NoSchedule}, "
		"{key: mckube.io/pressure, value: 'True', effect: PreferNoSchedule}]}\n"
		"---\nkind: Pod\napiVersion: v1\n"
		"metadata: {name: assigned, namespace: x, uid: u1, resourceVersion: '7', "
		"annotations: {mckube.io/rt-core: '0', mckube.io/rt-source: mckube}}\n"
		"spec: {nodeName: n1, containers: [{name: c}]}\n"
		"---\nkind: Pod\napiVersion: v1\n"
		"metadata: {name: asks, namespace: x, annotations: {mckube.io/rt-period: '1000'}}\n"
		"spec: {containers: [{name: c}]}\n"
		"---\nkind: McKube\napiVersion: mcoperator.sdv.com/v1\n"
		"metadata: {name: held, namespace: x, finalizers: "
		"[mckube.mcoperator.sdv.com/finalizer]}\nspec: {podname: assigned}\n"
		"---\nkind: McKube\napiVersion: mcoperator.sdv.com/v1\n"
		"metadata: {name: free, namespace: x}\nspec: {podname: asks}\n"
		"---\nkind: WorkloadOptimizer\napiVersion: kcloud.io/v1alpha1\n"
		"metadata: {name: keeps, namespace: x, finalizers: "
		"[workloadoptimizer.kcloud.io/finalizer]}\nspec: {workloadType: serving}\n"
		"---\nkind: WorkloadOptimizer\napiVersion: kcloud.io/v1alpha1\n"
		"metadata: {name: lets, namespace: x}\nspec: {workloadType: serving}\n");
	AUTO(plan_done) struct plan plan = { 0 };
	static const struct {
		enum action_kind kind;
		const char *name;
	} expect[] = {
		{ ACTION_STATUS, "assigned" }, { ACTION_FINALIZER, "held" },
		{ ACTION_FINALIZER, "keeps" }, { ACTION_UNTAINT, "n1" },
		{ ACTION_UNTAINT, "n2" },
	};

	uninstall_plan(&c, &plan);
	assert_int_equal(plan.actions.n, ARRAY_LEN(expect));
	for (size_t i = 0; i < ARRAY_LEN(expect); i++) {
		assert_int_equal(plan.actions.items[i].id, i + 1);
		assert_int_equal(plan.actions.items[i].kind, expect[i].kind);
		assert_string_equal(plan.actions.items[i].on.name, expect[i].name);
	}
	assert_string_equal(plan.actions.items[0].on.version, "7");
}
