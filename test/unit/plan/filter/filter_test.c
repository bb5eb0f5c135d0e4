/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/filter/filter.h"

#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "test/unit/plan/build.h"
#include "test/unit/test.h"

/* What the only node answers to the only RT pod. */
struct question {
	struct test_node node;
	struct test_pod pod;
	const char *more; /* objects besides */
	enum refusal refusal;
	const char *detail;
};

static void answers(struct question q)
{
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;
	char detail[64];

	q.node.name = "edge";
	q.pod.name = "new";
	q.pod.low = 1000;
	build_node(&yaml, q.node);
	build_pod(&yaml, q.pod);
	str_add(&yaml, q.more ? q.more : "");
	scene_start(&s, &yaml);

	const struct unit *u = unit_at(&s, "new");
	assert_int_equal(filter_node(&s.p.filters, u, 0, 0, detail, sizeof(detail)), q.refusal);
	assert_string_equal(detail, q.detail ? q.detail : "");
	bool is_kept = q.refusal != REFUSE_PIN && q.refusal != REFUSE_RESOURCES;
	assert_int_equal(filter_bit(filters_allowed(&s.p.filters, u), 0),
			 !is_kept || q.refusal == REFUSE_NOTHING);
	assert_int_equal(filter_is_final(&s.p.filters, u, 0),
			 q.refusal != REFUSE_NOTHING && q.refusal != REFUSE_RESOURCES);
}

TEST(a_node_without_objections_takes_the_pod)
{
	answers((struct question){ .refusal = REFUSE_NOTHING });
}

TEST(a_pin_to_another_node_refuses)
{
	answers((struct question){ .pod.mckube = "node: edge" });
	answers((struct question){ .pod.mckube = "node: gone", .refusal = REFUSE_PIN });
}

TEST(a_cordoned_node_refuses_unless_tolerated)
{
	answers((struct question){ .node.spec = "unschedulable: true",
				   .refusal = REFUSE_UNSCHEDULABLE });
	answers((struct question){
		.node.spec = "unschedulable: true",
		.pod.spec = "tolerations: [{key: node.kubernetes.io/unschedulable, operator: "
			    "Exists, effect: NoSchedule}]",
	});
	answers((struct question){ .node.spec = "unschedulable: true",
				   .pod.spec = "tolerations: [{operator: Exists}]" });
}

TEST(the_node_selector_needs_every_label)
{
	answers((struct question){ .node.labels = "disk: ssd, zone: a",
				   .pod.spec = "nodeSelector: {disk: ssd, zone: a}" });
	answers((struct question){ .node.labels = "disk: ssd, zone: b",
				   .pod.spec = "nodeSelector: {disk: ssd, zone: a}",
				   .refusal = REFUSE_SELECTOR });
	answers((struct question){ .pod.spec = "nodeSelector: {disk: ''}",
				   .refusal = REFUSE_SELECTOR });
}

#define NODE_AFFINITY(terms)                                                         \
	"affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: " \
	"{nodeSelectorTerms: [" terms "]}}}"
#define EXPRESSION(key, op, values) "{key: " key ", operator: " op ", values: [" values "]}"

TEST(one_term_of_the_node_affinity_is_enough)
{
	answers((struct question){
		.node.labels = "cpus: '8'",
		.pod.spec = NODE_AFFINITY("{matchExpressions: [" EXPRESSION(
			"cpus", "Lt", "'4'") "]}, "
					     "{matchExpressions: [" EXPRESSION("cpus", "Gt",
									       "'4'") "]}"),
	});
	answers((struct question){
		.node.labels = "cpus: '8'",
		.pod.spec = NODE_AFFINITY("{matchExpressions: [" EXPRESSION(
			"cpus", "Gt", "'4'") ", " EXPRESSION("cpus", "NotIn", "'8'") "]}"),
		.refusal = REFUSE_AFFINITY,
	});
}

TEST(node_affinity_may_name_nodes)
{
	answers((struct question){
		.pod.spec = NODE_AFFINITY(
			"{matchFields: [" EXPRESSION("metadata.name", "In", "edge") "]}"),
	});
	answers((struct question){
		.pod.spec = NODE_AFFINITY(
			"{matchFields: [" EXPRESSION("metadata.name", "NotIn", "edge") "]}"),
		.refusal = REFUSE_AFFINITY,
	});
}

TEST(an_empty_term_matches_no_node)
{
	answers((struct question){ .pod.spec = NODE_AFFINITY("{}"), .refusal = REFUSE_AFFINITY });
}

TEST(a_taint_is_named_unless_it_is_tolerated)
{
	static const char taint[] = "taints: [{key: rt, value: 'yes', effect: NoSchedule}]";

	answers((struct question){ .node.spec = taint, .refusal = REFUSE_TAINT, .detail = "rt" });
	answers((struct question){
		.node.spec = taint,
		.pod.spec = "tolerations: [{key: rt, value: 'yes', effect: NoSchedule}]" });
	answers((struct question){ .node.spec = taint,
				   .pod.spec = "tolerations: [{key: rt, operator: Exists}]" });
	answers((struct question){
		.node.spec = taint,
		.pod.spec = "tolerations: [{key: rt, value: 'no'}]",
		.refusal = REFUSE_TAINT,
		.detail = "rt",
	});
	answers((struct question){
		.node.spec = taint,
		.pod.spec = "tolerations: [{key: rt, operator: Exists, effect: NoExecute}]",
		.refusal = REFUSE_TAINT,
		.detail = "rt",
	});
}

TEST(a_preference_is_no_refusal)
{
	answers((struct question){ .node.spec = "taints: [{key: rt, effect: PreferNoSchedule}]" });
	answers((struct question){ .node.spec = "taints: [{key: gone, effect: NoExecute}]",
				   .refusal = REFUSE_TAINT,
				   .detail = "gone" });
}

TEST(the_resource_that_is_short_is_named)
{
	answers((struct question){
		.pod.requests = "cpu: 2001m", .refusal = REFUSE_RESOURCES, .detail = "cpu" });
	answers((struct question){ .pod.requests = "cpu: '2', memory: 9Gi",
				   .refusal = REFUSE_RESOURCES,
				   .detail = "memory" });
	answers((struct question){ .pod.requests = "ephemeral-storage: 1Gi",
				   .refusal = REFUSE_RESOURCES,
				   .detail = "ephemeral-storage" });
	answers((struct question){ .pod.requests = "cpu: '2', memory: 8Gi" });
}

TEST(of_extended_resources_the_missing_one_is_named)
{
	answers((struct question){ .node.allocatable = "a.io/x: '1', a.io/y: '1'",
				   .pod.requests = "a.io/x: 1, a.io/y: 1" });
	answers((struct question){ .node.allocatable = "a.io/x: '1', a.io/y: '1'",
				   .pod.requests = "a.io/x: 1, a.io/y: 2",
				   .refusal = REFUSE_RESOURCES,
				   .detail = "a.io/y" });
	answers((struct question){ .node.allocatable = "a.io/x: '1', a.io/y: '1'",
				   .pod.requests = "a.io/x: 2, a.io/y: 1",
				   .refusal = REFUSE_RESOURCES,
				   .detail = "a.io/x" });
}

#define CLAIM(volume, phase)                                                                          \
	"---\n{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {namespace: car, name: data}, " \
	"spec: {" volume "}, status: {phase: " phase "}}\n"
#define VOLUME(labels, host)                                                                        \
	"---\n{apiVersion: v1, kind: PersistentVolume, metadata: {name: pv, labels: {" labels       \
	"}}, spec: {nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [" EXPRESSION( \
		"kubernetes.io/hostname", "In", host) "]}]}}}}\n"
#define USES_CLAIM "volumes: [{name: d, persistentVolumeClaim: {claimName: data}}]"

static void volume_answers(const char *more, const char *detail)
{
	answers((struct question){
		.pod.spec = USES_CLAIM,
		.more = more,
		.refusal = *detail ? REFUSE_VOLUME : REFUSE_NOTHING,
		.detail = detail,
	});
}

TEST(a_bound_volume_restricts_its_pods_nodes)
{
	volume_answers(CLAIM("volumeName: pv", "Bound") VOLUME("", "edge"), "");
	volume_answers(CLAIM("volumeName: pv", "Bound") VOLUME("", "other"),
		       "claim data: node affinity of its volume");
}

TEST(a_claim_that_is_not_bound_is_refused)
{
	volume_answers(CLAIM("", "Pending") VOLUME("", "edge"), "claim data: it is not bound");
	volume_answers(CLAIM("volumeName: pv", "Pending") VOLUME("", "edge"),
		       "claim data: it is not bound");
	volume_answers(CLAIM("volumeName: pv", "Lost"), "claim data: its volume is lost");
	volume_answers(CLAIM("volumeName: pv", "Bound"), "claim data: its volume is not found");
	volume_answers(NULL, "claim data: not found");
}

TEST(zones_of_a_volume_hold_on_nodes_that_have_some)
{
	static const char other[] = "claim data: zone of its volume";
#define IN_ZONE(labels) CLAIM("volumeName: pv", "Bound") VOLUME(labels, "edge")
	static const struct {
		const char *node, *more, *detail;
	} rows[] = {
		{ "", IN_ZONE("topology.kubernetes.io/zone: b"), "" },
		{ "topology.kubernetes.io/zone: b", IN_ZONE("topology.kubernetes.io/zone: b"), "" },
		{ "topology.kubernetes.io/zone: c", IN_ZONE("topology.kubernetes.io/zone: a__c"),
		  "" },
		{ "topology.kubernetes.io/zone: c", IN_ZONE("topology.kubernetes.io/zone: a__b"),
		  other },
		{ "topology.kubernetes.io/zone: a_", IN_ZONE("topology.kubernetes.io/zone: a__b"),
		  other },
		{ "topology.kubernetes.io/zone: b",
		  IN_ZONE("failure-domain.beta.kubernetes.io/zone: b"), "" },
		{ "topology.kubernetes.io/zone: c",
		  IN_ZONE("failure-domain.beta.kubernetes.io/zone: b"), other },
		{ "failure-domain.beta.kubernetes.io/zone: b",
		  IN_ZONE("topology.kubernetes.io/zone: b"), other },
		{ "topology.kubernetes.io/zone: b", IN_ZONE("topology.kubernetes.io/region: r"),
		  other },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		answers((struct question){
			.node.labels = rows[i].node,
			.pod.spec = USES_CLAIM,
			.more = rows[i].more,
			.refusal = *rows[i].detail ? REFUSE_VOLUME : REFUSE_NOTHING,
			.detail = rows[i].detail,
		});
}

#define DEVICE(status)                                                                           \
	"---\n{apiVersion: resource.k8s.io/v1, kind: ResourceClaim, metadata: {namespace: car, " \
	"name: gpu}, status: {" status "}}\n"

static void device_answers(const char *more, const char *detail)
{
	answers((struct question){
		.pod.spec = "resourceClaims: [{name: g, resourceClaimName: gpu}]",
		.more = more,
		.refusal = *detail ? REFUSE_DEVICE : REFUSE_NOTHING,
		.detail = detail,
	});
}

#define ALLOCATED(host)                                                               \
	"allocation: {nodeSelector: {nodeSelectorTerms: [{matchFields: [" EXPRESSION( \
		"metadata.name", "In", host) "]}]}}"

TEST(a_resource_claim_must_be_allocated_to_the_node)
{
	device_answers(NULL, "gpu: not found");
	device_answers(DEVICE(""), "gpu: it is not allocated");
	device_answers(DEVICE("allocation: {}"), "");
	device_answers(DEVICE(ALLOCATED("edge")), "");
	device_answers(DEVICE(ALLOCATED("other")), "gpu: it is allocated to another node");
	answers((struct question){
		.pod.spec = "resourceClaims: [{name: g, resourceClaimTemplateName: gpu}]",
		.refusal = REFUSE_DEVICE,
		.detail = "it is not created yet",
	});
}

/* "one-3" */
static const char *name_of(char buf[static 16], const char *word, size_t i)
{
	snprintf(buf, 16, "%s-%zu", word, i);
	return buf;
}

TEST(equal_rules_share_one_answer)
{
	static const char *const specs[] = {
		"nodeSelector: {zone: a}",
		"nodeSelector: {zone: b}",
		"nodeSelector: {disk: a}",
		"tolerations: [{key: zone, operator: Exists}]",
		"tolerations: [{key: zone, value: a}]",
		"tolerations: [{key: zone, value: a, effect: NoSchedule}]",
		NODE_AFFINITY("{matchExpressions: [" EXPRESSION("zone", "In", "a") "]}"),
		NODE_AFFINITY("{matchFields: [" EXPRESSION("metadata.name", "In", "a") "]}"),
		"volumes: [{name: d, persistentVolumeClaim: {claimName: data}}]",
		"",
	};
	AUTO(scene_done) struct scene s;
	struct str yaml = STR_INIT;
	const uint64_t *sets[ARRAY_LEN(specs)];
	char name[16];

	for (size_t i = 0; i < ARRAY_LEN(specs); i++) {
		build_pod(&yaml,
			  (struct test_pod){ name_of(name, "one", i), .low = 1, .spec = specs[i] });
		build_pod(&yaml,
			  (struct test_pod){ name_of(name, "two", i), .low = 1, .spec = specs[i],
					     .ports = "{containerPort: 80, hostPort: 80}" });
	}
	scene_start(&s, &yaml);
	for (size_t i = 0; i < ARRAY_LEN(specs); i++) {
		const struct unit *one = unit_at(&s, name_of(name, "one", i));
		const struct unit *two = unit_at(&s, name_of(name, "two", i));

		assert_int_not_equal(unit_pod(&s.p.trial, one)->rules,
				     unit_pod(&s.p.trial, two)->rules);
		sets[i] = filters_allowed(&s.p.filters, one);
		assert_ptr_equal(filters_allowed(&s.p.filters, two), sets[i]);
		for (size_t k = 0; k < i; k++)
			assert_ptr_not_equal(sets[k], sets[i]);
	}
}

TEST(the_first_refusal_is_the_one_reported)
{
	answers((struct question){
		.node.spec = "unschedulable: true, taints: [{key: rt, effect: NoSchedule}]",
		.pod.spec = "nodeSelector: {disk: ssd}",
		.refusal = REFUSE_UNSCHEDULABLE,
	});
	answers((struct question){
		.node.spec = "taints: [{key: rt, effect: NoSchedule}]",
		.pod.spec = "nodeSelector: {disk: ssd}",
		.refusal = REFUSE_SELECTOR,
	});
}

TEST(every_refusal_has_words)
{
	for (int r = 0; r < REFUSALS; r++)
		assert_true(refusal_text((enum refusal)r) && *refusal_text((enum refusal)r));
}
