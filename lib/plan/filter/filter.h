/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_FILTER_FILTER_H
#define MCKUBE_PLAN_FILTER_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "plan/trial.h"

/* kube-scheduler's filters (required ones only), and ours before and after them, in the order in
 * which a refusal is reported. They have the semantics of kube-scheduler's plugins
 * NodeUnschedulable, NodeName, NodeAffinity, TaintToleration, NodeResourcesFit, NodePorts,
 * InterPodAffinity, PodTopologySpread, VolumeRestrictions, NodeVolumeLimits, VolumeBinding,
 * VolumeZone and DynamicResources, the last three as model/storage.h says. */
enum refusal {
	REFUSE_NOTHING,
	REFUSE_OTHER_NODE,    /* it is bound to another node */
	REFUSE_PIN,	      /* spec.node names another node */
	REFUSE_UNREAD,	      /* what it has, or what is taken of it, cannot be read */
	REFUSE_GUARANTEE,     /* its backend is below what the pod demands */
	REFUSE_UNSCHEDULABLE, /* cordoned */
	REFUSE_FEATURES, /* NodeDeclaredFeatures: the pod needs one that the node does not declare
			  */
	REFUSE_SELECTOR,
	REFUSE_AFFINITY,
	REFUSE_TAINT,
	REFUSE_RESOURCES,
	REFUSE_PORTS,
	REFUSE_POD_AFFINITY,
	REFUSE_POD_ANTI_AFFINITY,
	REFUSE_SPREAD,
	REFUSE_CLAIM_IN_USE, /* ReadWriteOncePod, and another pod has it */
	REFUSE_VOLUME_LIMIT, /* of its CSINode */
	REFUSE_VOLUME,
	REFUSE_DEVICE,
	REFUSE_CORES, /* it has no such cores, or too few RT cores */
	REFUSE_BUDGET,
	REFUSALS,
};

/* Answers that depend on rules, guarantee and node alone are kept, one bit a node, once asked for.
 * Rules that ask the same of a node, such as those of one pool's pods in many namespaces, share
 * them. */
struct filters {
	const struct trial *trial;
	const uint64_t **allowed; /* by rules_id and guarantee, in `sets`; NULL: not asked yet */
	uint8_t *guarantee;	  /* by node_id: enum guarantee */
	struct intern questions;  /* all that an answer depends on, as numbers */
	ARRAY(uint64_t *) sets;	  /* by str_id of the question */
	size_t n_words;
};

void filters_init(struct filters *f, const struct trial *t);
void filters_done(struct filters *f);

/* The nodes that the pod's rules and guarantee allow, as a bit set: everything but what changes
 * during a plan (resources, ports, other pods) and the pod's own pins. */
const uint64_t *filters_allowed(struct filters *f, const struct unit *u);

/* The same for a pod that requests no real time. */
const uint64_t *filters_allowed_by_rules(struct filters *f, rules_id id);

/* Does the node's backend give what the pod demands? The one filter of pods that are bound. */
bool filter_guarantees(const struct filters *f, const struct unit *u, node_id node);

static inline bool filter_bit(const uint64_t *bits, node_id node)
{
	return bits[node / 64] >> node % 64 & 1;
}

/* May the two pods not be on the node at the same time: for their host ports, their anti-affinity,
 * or a claim that is for one pod? */
bool filter_clash(const struct trial *t, pod_id a, pod_id b, node_id node);

/* The first refusal of a node, all filters but the budget; REFUSE_NOTHING if there is none.
 * `rank`: pods of lower rank that may be evicted do not count where they take requests or
 * ports. `detail`, if not NULL, gets a word or two that make the refusal concrete: the taint, the
 * resource. */
enum refusal filter_node(struct filters *f, const struct unit *u, node_id id, unsigned rank,
			 char *detail, size_t size);

/* The same of a pod that requests no real time: what filters_allowed_by_rules() covers, alone. */
enum refusal filter_pod_rules(struct filters *f, pod_id pod, node_id id, char *detail, size_t size);

/* The same without what filters_allowed() covers. */
enum refusal filter_node_now(const struct trial *t, const struct unit *u, node_id node,
			     unsigned rank, char *detail, size_t size);

/* Host ports, inter-pod affinity and anti-affinity, and topology spread alone. */
enum refusal filter_inter_pod(const struct trial *t, const struct unit *u, node_id node,
			      unsigned rank);

/* Does a filter other than resources refuse the node, so that no room would help? */
bool filter_is_final(struct filters *f, const struct unit *u, node_id node);

/* "taint", "insufficient core budget": how a message calls it. */
const char *refusal_text(enum refusal r);

#endif
