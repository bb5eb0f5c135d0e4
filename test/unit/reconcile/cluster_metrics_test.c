/* SPDX-License-Identifier: Apache-2.0 */
#include "reconcile/cluster_metrics.h"

#include <string.h>

#include "base/auto.h"
#include "test/unit/snapshot.h"
#include "test/unit/test.h"

#define NODE                                                                     \
	"kind: Node\napiVersion: v1\nmetadata: {name: n1}\n"                     \
	"status: {allocatable: {cpu: '2', memory: 8Gi, pods: '110'}, capacity: " \
	"{cpu: '2', memory: 8Gi, pods: '110'}}\n"
/* A pod on core 0 of it, at a level. */
#define POD(level)                                                                              \
	"---\nkind: Pod\napiVersion: v1\nmetadata:\n  name: a\n  namespace: x\n  uid: u1\n"     \
	"  labels: {sdv.com: a}\n  annotations: {mckube.io/rt-core: '0', mckube.io/rt-source: " \
	"annotations, mckube.io/criticality: High, mckube.io/rt-period: '100000', "             \
	"mckube.io/rt-runtime-low: '30000', mckube.io/rt-runtime-hi: '50000', "                 \
	"mckube.io/rt-current: " level "}\nspec: {nodeName: n1, schedulerName: mckube, "        \
	"containers: [{name: c, resources: {requests: {cpu: 100m}}}]}\nstatus: {phase: Running}\n"

static void renew(struct snapshot_metrics *m, const char *yaml)
{
	const struct settings settings = SETTINGS_DEFAULT;
	AUTO(cluster_done) struct cluster c = snapshot_of(yaml);

	snapshot_metrics_renew(m, &c, &settings);
}

static void holds(const struct snapshot_metrics *m, const char *line)
{
	AUTO(str_done) struct str out = STR_INIT;

	snapshot_metrics_write(m, &out);
	if (!strstr(out.s, line))
		fail_msg("no '%s' in:\n%s", line, out.s);
}

TEST(cores_and_their_loads_are_told)
{
	AUTO(snapshot_metrics_done) struct snapshot_metrics m = { 0 };

	renew(&m, NODE POD("low"));
	holds(&m, "mckube_cores{state=\"used\"} 1\n");
	holds(&m, "mckube_cores{state=\"free\"} 1\n");
	holds(&m, "mckube_core_utilization_ratio{node=\"n1\",cpu=\"0\",mode=\"low\"} 0.300000\n");
	holds(&m, "mckube_core_utilization_ratio{node=\"n1\",cpu=\"0\",mode=\"high\"} 0.500000\n");
}

TEST(changes_of_level_count_from_the_second_look)
{
	AUTO(snapshot_metrics_done) struct snapshot_metrics m = { 0 };

	renew(&m, NODE POD("hi"));
	holds(&m, "mckube_escalations_seen_total 0\n");
	renew(&m, NODE POD("low"));
	holds(&m, "mckube_recoveries_seen_total 1\n");
	renew(&m, NODE POD("hi"));
	holds(&m, "mckube_escalations_seen_total 1\n");
	holds(&m, "mckube_pod_level{namespace=\"x\",pod=\"a\"} 2\n");
	renew(&m, NODE POD("hi"));
	holds(&m, "mckube_escalations_seen_total 1\n");
}

TEST(pod_that_comes_again_is_new)
{
	AUTO(snapshot_metrics_done) struct snapshot_metrics m = { 0 };

	renew(&m, NODE POD("low"));
	renew(&m, NODE);
	renew(&m, NODE POD("hi"));
	holds(&m, "mckube_escalations_seen_total 0\n");
	holds(&m, "mckube_recoveries_seen_total 0\n");
}
