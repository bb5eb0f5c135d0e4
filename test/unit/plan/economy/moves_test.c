/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/auto.h"
#include "plan/plan.h"
#include "plugins/policies.h"
#include "test/unit/snapshot.h"
#include "test/unit/test.h"

#define NODE(name, price, carbon)                                                           \
	"---\nkind: Node\napiVersion: v1\nmetadata:\n  name: " name                         \
	"\n  annotations: {mckube.io/price-per-hour: '" price                               \
	"', mckube.io/carbon-intensity: '" carbon                                           \
	"', mckube.io/power-curve: '0:0,1:400'}\nstatus: {allocatable: {cpu: '4', memory: " \
	"64Gi, pods: '110'}, capacity: {cpu: '4', memory: 64Gi, pods: '110'}}\n"
#define POD(name, node, of)                                                            \
	"---\nkind: Pod\napiVersion: v1\nmetadata:\n  name: " name                     \
	"\n  namespace: x\n  uid: u-" name "\n  labels: {workload-optimizer: " of      \
	"}\n  ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: r-" name \
	", uid: o-" name ", controller: true}]\nspec: {nodeName: " node                \
	", containers: [{name: c, resources: {requests: {cpu: '1'}}}]}\nstatus: {phase: Running}\n"
#define OPTIMIZER(name, most)                                                      \
	"---\nkind: WorkloadOptimizer\napiVersion: kcloud.io/v1alpha1\n"           \
	"metadata: {name: " name ", namespace: x}\nspec: {workloadType: serving, " \
	"costConstraints: {maxCostPerHour: " most "}}\n"

/* The pods that are evicted, in order: "p,q". At most a tenth of the pods and of the nodes are
 * moved at a time, here one. */
static void assert_evicts(const char *yaml, const char *pods)
{
	struct settings settings = SETTINGS_DEFAULT;
	AUTO(cluster_done) struct cluster c = snapshot_of(yaml);
	AUTO(plan_done) struct plan p = { 0 };
	AUTO(str_done) struct str names = STR_INIT;
	struct error err = ERROR_INIT;

	c.taken_at = 1000;
	if (plan_make(&c, policies, &settings, &p, &err) < 0)
		fail_msg("%s", err.msg);
	array_each(a, &p.actions)
		if (a->kind == ACTION_EVICT)
			str_addf(&names, "%s%s", names.n ? "," : "", a->on.name);
	assert_string_equal(names.s ? names.s : "", pods);
}

/* p and q are worth moving to c, where energy is clean. */
#define TWO_TO_MOVE(most_of_q)   \
	NODE("a", "0.5", "1000") \
	NODE("c", "0.2", "0")    \
	POD("p", "a", "of-p")    \
	POD("q", "a", "of-q")    \
	POD("r", "c", "of-r")    \
	OPTIMIZER("of-p", "9") OPTIMIZER("of-q", most_of_q) OPTIMIZER("of-r", "9")

TEST(a_workload_over_its_hourly_limit_is_moved_first)
{
	assert_evicts(TWO_TO_MOVE("9"), "p");
	assert_evicts(TWO_TO_MOVE("0.01"), "q");
}
