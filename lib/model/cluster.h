/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MODEL_CLUSTER_H
#define MCKUBE_MODEL_CLUSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/intern.h"
#include "base/str.h"
#include "budget/budget.h"
#include "model/economy.h"
#include "model/members.h"
#include "model/parts.h"

/* A snapshot of a cluster: what a plan reads, and nothing else.
 *
 * It holds what the objects say, not what follows from it: requests (model/request.h) and
 * capacities (model/capacity.h) are computed from it by pure functions. lib/state fills it, object
 * by object, and calls cluster_finish() once; from then on it does not change (state/store.h keeps
 * one that does, between the uses of it).
 *
 * Things refer to each other by index into the arrays here. After cluster_finish() every array is
 * sorted by namespace and name, so the index order is the order of names, the same whatever the
 * order of the input was. Strings are ids of `strings`; 0 is the empty string and means "not given"
 * unless a field says otherwise. Lists inside objects are runs in the shared arrays at the end.
 *
 * Everything is dropped together by cluster_done(). A member that holds a string or a run, and is
 * no row of model/members.h, is also named in model/compact.c. */

enum taint_effect { EFFECT_ANY, EFFECT_NO_SCHEDULE, EFFECT_PREFER_NO_SCHEDULE, EFFECT_NO_EXECUTE };

struct taint {
	str_id key, value;
	uint8_t effect; /* enum taint_effect, never ANY */
	int64_t added;	/* timeAdded, seconds since 1970; 0: not given */
};

/* Gt and Lt compare the taint's value with the toleration's. */
enum toleration_op { TOLERATE_EQUAL, TOLERATE_EXISTS, TOLERATE_GT, TOLERATE_LT };

struct toleration {
	str_id key, value; /* key 0 with Exists: every taint */
	uint8_t effect;	   /* EFFECT_ANY: all of them */
	uint8_t op;	   /* enum toleration_op */
};

/* A required inter-pod (anti-)affinity term. */
struct pod_term {
	struct selector pods;
	struct selector namespaces_by_label;
	struct range namespaces;		/* cluster.names; both empty: the pod's own */
	struct range match_keys, mismatch_keys; /* cluster.names: label keys of the pod itself */
	str_id topology_key;
};

/* A DoNotSchedule topology spread constraint. */
struct spread {
	struct selector pods;
	struct range match_keys; /* cluster.names */
	str_id topology_key;
	int32_t max_skew, min_domains; /* min_domains 0: not given */
	bool ignores_affinity;	       /* nodeAffinityPolicy: Ignore (default Honor) */
	bool honors_taints;	       /* nodeTaintsPolicy: Honor (default Ignore) */
};

struct host_port {
	str_id ip; /* 0: all addresses (0.0.0.0 and :: too) */
	uint16_t port;
	uint8_t protocol; /* enum below */
};
enum { PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_SCTP };

/* Requests and what nodes have are cut to this (256 TiB), so that sums over a node's pods cannot
 * overflow. A pod with so much fits nowhere: nodes have less. */
#define AMOUNT_MAX ((int64_t)1 << 48)

/* The amount of an extended resource (nvidia.com/gpu), or of hugepages, in whole units. */
struct amount {
	str_id name;
	int64_t value;
};

/* The part of a pod's spec that says where it may run. Pods of one template share one entry (they
 * are found equal by the text of these fields), so that a filter's answer can be kept by rules_id.
 * `ns` is part of it because inter-pod terms and claims mean the pod's own namespace. */
struct rules {
	str_id ns;
	struct range node_selector; /* requirements, all of them */
	struct range node_terms;    /* alternatives; only if has_node_affinity */
	bool has_node_affinity;
	struct range tolerations;
	struct range affinity, anti_affinity; /* inter_pod, required ones only */
	struct range spreads;
	struct range ports;
	struct range claims;	 /* names: the persistentVolumeClaims of its volumes */
	struct range devices;	 /* names: its ResourceClaims; 0: one that is not made yet */
	bool has_in_tree_volume; /* gcePersistentDisk, awsElasticBlockStore, iscsi or rbd */
	bool restarts_all; /* a restart policy rule with RestartAllContainers: nodes declare that */
	str_id text;	   /* what made it equal to others; also its tie-break */
};

/* A value as it was written, for fields whose errors we report ourselves. */
enum raw_kind { RAW_ABSENT, RAW_NUMBER, RAW_STRING, RAW_OTHER };

struct raw {
	str_id text; /* the JSON token; of a string its content */
	uint8_t kind;
};

/* The annotations of ours on a pod and on a node, as written. Absent is NONE, because "" is a
 * value. Nothing but ids may stand here. */
#define MEMBER(member, ...) str_id member;
struct pod_annotations {
	POD_ANNOTATIONS(MEMBER)
};
struct node_annotations {
	NODE_ANNOTATIONS(MEMBER)
};
struct namespace_annotations {
	NAMESPACE_ANNOTATIONS(MEMBER)
};
#undef MEMBER

enum pod_phase { POD_PENDING, POD_RUNNING, POD_ENDED };
struct pod {
	struct meta meta;
	str_id node_name;      /* as written; also of a node that is not in the snapshot */
	node_id node;	       /* NONE: not bound, or to a node we do not know */
	str_id nominated_name; /* status.nominatedNodeName, as written */
	node_id nominated;     /* NONE: none, or a node we do not know */
	rules_id rules;
	struct range labels;			  /* sorted by key id */
	annotations_id annotations;		  /* NONE: no annotation of ours */
	str_id owner_kind, owner_uid, owner_name; /* its controller */
	str_id priority_class;
	str_id unscheduled; /* reason, a line feed and message of condition PodScheduled while it
			     * is False; 0: it is not */
	int64_t memory, ephemeral; /* bytes; effective requests as kube-scheduler computes them */
	int64_t cpu_milli;
	struct range extended; /* amounts */
	int64_t started;       /* status.startTime, seconds since 1970; 0: not started */
	/* What its containers that go on running ask for together, as autoscalers count it: without
	 * overhead and init containers; NO_LIMIT where one of them does not say. */
	int64_t asked_cpu_milli, asked_memory;
	int64_t ready_since; /* lastTransitionTime of condition Ready; 0: unknown */
	int32_t priority;    /* priorityClassName is looked up when spec.priority is absent */
	uint8_t phase;	     /* enum pod_phase */
	uint8_t qos;	     /* enum pod_qos, computed from the containers if status has none */
	bool has_priority;
	bool is_terminating; /* has a deletionTimestamp */
	bool is_mirror;	     /* annotation kubernetes.io/config.store */
	bool is_ours; /* scheduler "mckube", or gate mckube.io/placement; or neither a scheduler
		       * nor a node is named and it has the label sdv.com */
	bool has_our_gate;
	bool has_other_gate; /* another controller still holds it back */
	bool has_label;	     /* sdv.com */
	bool is_not_started; /* status.phase is Pending, whatever its node */
	bool is_ready;	     /* condition Ready */
	bool is_unready;     /* ... is False; neither: it has none, or is Unknown */
	bool has_ready_condition;
	bool has_local_data;	   /* a volume of kind emptyDir or hostPath */
	bool is_unread;		   /* something of it could not be read: it stays where it is */
	bool has_unread_labels;	   /* ... which may be any */
	bool avoids_unknown;	   /* ... so that it may keep any pod out of its domains */
	bool takes_unknown;	   /* ... so that what it takes of its node is not known */
	bool is_anywhere;	   /* ... not even which node that is */
	bool has_preemption;	   /* spec.preemptionPolicy; else its PriorityClass says */
	bool never_preempts;	   /* preemptionPolicy: Never */
	uint16_t bars;		   /* enum checkpoint_bar, as bits */
	uint16_t patience_seconds; /* the shortest time that a liveness probe waits for an answer
				    * before its container is killed; 0: there is none */
	str_id bar_names;	   /* see cluster_bar_names() */
};

/* Has it no controller? (One that is no Node, which mirrors have.) */
static inline bool pod_is_bare(const struct pod *pod)
{
	return !pod->owner_kind;
}

/* What of a pod's spec keeps its running containers from being restored on another node, or what
 * would be lost. */
enum checkpoint_bar {
	BAR_HOST_PID = 1 << 0,	     /* CRIU cannot make its process ids again */
	BAR_HOST_NETWORK = 1 << 1,   /* nor bind sockets to addresses of another node */
	BAR_USER_NAMESPACE = 1 << 2, /* hostUsers: false */
	BAR_RUNTIME_CLASS = 1 << 3,  /* another runtime than the node's own */
	BAR_EMPTY_DIR = 1 << 4,	     /* its content stays behind */
	BAR_HOST_PATH = 1 << 5,
};

/* Bars that are about volumes or containers of the pod, and of which its spec has a name each. */
enum bar_kind { BAR_OF_EMPTY_DIRS, BAR_OF_HOST_PATHS, BAR_OF_PROBE, BAR_KINDS };

/* A condition of a McKube that a pass may have written; ids 0: it has none of that type. */
enum mckube_condition_type {
	MCKUBE_CONDITION_ACCEPTED,
	MCKUBE_CONDITION_PLACED,
	MCKUBE_CONDITION_READY,
	MCKUBE_CONDITION_MIGRATED, /* by a move, not by every pass */
	MCKUBE_CONDITION_TYPES,
};
struct mckube_said {
	str_id text;  /* status, reason and message, with line feeds between them */
	str_id since; /* lastTransitionTime, as written */
};

struct mckube {
	struct meta meta;
	str_id kind, api_version; /* "McKube" or "MCKube", as written */
	str_id podname;
	struct selector selector;
	str_id node; /* spec.node */
#define MEMBER(member, ...) struct raw member;
	MCKUBE_MEMBERS(MEMBER)
#undef MEMBER
#define MEMBER(member, ...) str_id member; /* 0: not given */
	MCKUBE_STATUS(MEMBER)
#undef MEMBER
	struct mckube_said said[MCKUBE_CONDITION_TYPES];
	bool is_deleting;
	bool has_finalizer; /* ours */
	bool is_unread;	    /* which pods it is about could not be read */
	bool is_anywhere;   /* ... not even their namespace */
	bool holds_unknown; /* what it asks for or has granted could not be read */
};

struct node {
	struct meta meta;
	struct range labels; /* sorted by key id */
	struct range taints;
	int64_t cpu_milli, memory, ephemeral, max_pods; /* allocatable */
	int64_t capacity_cpu_milli, capacity_memory;
	struct range extended; /* amounts, allocatable */
	struct range capacity_extended;
	bool has_allocatable, is_unschedulable;
	bool restarts_all;	   /* declares RestartAllContainersOnContainerExits */
	int32_t heartbeat_seconds; /* how long the heartbeat holds */
	int64_t heartbeat; /* renewTime of the Lease of its helper, seconds since 1970; 0: none.
			    * See model/heartbeat.h */
	bool is_unread;	   /* something of it could not be read: it takes nothing more */
	bool has_unread_labels; /* ... which may be any */
	struct node_annotations annotations;
};

struct pdb {
	struct meta meta;
	struct selector pods;
	int32_t disruptions_allowed; /* 0 where the status does not say */
	int32_t current_healthy, desired_healthy;
	bool is_stale;		    /* its status is about an earlier generation of the spec */
	bool frees_unready;	    /* unhealthyPodEvictionPolicy: AlwaysAllow */
	bool frees_unready_healthy; /* IfHealthyBudget, the default */
	bool is_unread;		    /* it covers all pods of its namespace, and allows nothing */
	bool is_anywhere;	    /* ... of all namespaces */
};

struct priority_class {
	struct meta meta;
	int32_t value;
	bool is_default, never_preempts;
};

struct volume { /* PersistentVolume */
	struct meta meta;
	struct range labels; /* sorted by key id */
	struct range node_terms;
	bool has_node_affinity;
	bool is_unread;
	str_id driver, handle; /* spec.csi; 0: none */
};

struct claim { /* PersistentVolumeClaim */
	struct meta meta;
	str_id volume; /* 0: none */
	bool is_unread;
	bool is_bound; /* to that volume, both ways */
	bool is_lost;  /* its volume has gone */
	bool is_terminating;
	bool is_for_one_pod; /* access mode ReadWriteOncePod */
};

struct csi_node { /* CSINode */
	struct meta meta;
	struct range limits; /* amounts: by driver, how many volumes the node takes */
	bool is_unread;
};

struct resource_claim { /* ResourceClaim */
	struct meta meta;
	struct range node_terms;
	bool is_allocated;
	bool has_node_selector; /* the allocation has: node_terms */
	bool is_full;		/* no further pod can reserve it */
	bool is_terminating;
};

struct namespace
{
	struct meta meta;
	struct range labels;
	struct namespace_annotations annotations;
	bool has_unread_labels; /* they may be any */
	bool has_unread_annotations;
};

/* The Lease of a node's helper: model/heartbeat.h. */
struct helper_lease {
	struct meta meta;
	str_id node;	 /* 0: another Lease */
	int32_t seconds; /* how long a renewal holds */
	int64_t renewed; /* seconds since 1970 */
};

/* What a node or a pod uses, as metrics.k8s.io says: a NodeMetrics, or the sum over the containers
 * of a PodMetrics. */
struct metrics {
	struct meta meta;
	int64_t measured; /* seconds since 1970; 0: not given */
	int64_t cpu_milli, memory;
	int32_t window;		  /* seconds that it was measured over, rounded up; 0: not given */
	bool has_cpu, has_memory; /* of all containers */
	bool is_unread;
};

/* Something in the input that was left out or read otherwise than written; it becomes a warning of
 * the plan. `object` is "Kind ns/name", or the place in the file when there is no name. */
struct problem {
	str_id object, reason, message;
};

enum {
	LACKS_NODE = 1,
	LACKS_NAMESPACE = 2,
	LACKS_VOLUME = 4, /* or claim */
	LACKS_CSI_NODE = 8,
	LACKS_PRIORITY_CLASS = 16,
};

struct cluster {
	struct intern strings;
	struct arena arena;

	str_id server;	  /* URL; 0 for files */
	int64_t taken_at; /* seconds since 1970: the snapshot's clock; 0 unknown */
	char digest[72];  /* "sha256:<hex>" over all objects, whatever their order */

	ARRAY(struct node) nodes;
	ARRAY(struct pod) pods; /* those that ended (Succeeded, Failed) are not kept */
	ARRAY(struct mckube) mckubes;
	ARRAY(struct pdb) pdbs;
	ARRAY(struct priority_class) priority_classes;
	ARRAY(struct volume) volumes;
	ARRAY(struct claim) claims;
	ARRAY(struct csi_node) csi_nodes;
	ARRAY(struct resource_claim) resource_claims;
	ARRAY(struct namespace) namespaces;
	ARRAY(struct helper_lease) helper_leases;
	ARRAY(struct optimizer) optimizers;
	ARRAY(struct cost_policy) cost_policies;
	ARRAY(struct power_policy) power_policies;
	ARRAY(struct price_table) price_tables;
	ARRAY(struct scalable) deployments, stateful_sets;
	ARRAY(struct scalable) scale_targets; /* of other kinds; by the optimizers' names */
	ARRAY(struct autoscaler) autoscalers, scaled_objects;
	ARRAY(struct metric_sample) metric_samples;
	bool has_heartbeats; /* some of them are of helpers */
	unsigned lacks; /* LACKS_*: kinds of which an object was left out, its name being unreadable
			 */
	ARRAY(struct metrics) node_metrics, pod_metrics;
	ARRAY(struct problem) problems;
	uint64_t n_skipped; /* objects of kinds that are not ours */

	ARRAY(struct rules) rules;
	ARRAY(struct pod_annotations) annotations;
	ARRAY(str_id) names;
	ARRAY(struct label) labels;
	ARRAY(struct requirement) requirements;
	ARRAY(struct node_term) node_terms;
	ARRAY(struct taint) taints;
	ARRAY(struct toleration) tolerations;
	ARRAY(struct pod_term) inter_pod;
	ARRAY(struct spread) spreads;
	ARRAY(struct host_port) ports;
	ARRAY(struct amount) amounts;
	ARRAY(struct preference) preferences;
	ARRAY(struct scaling_metric) scaling_metrics;
	ARRAY(struct avoid) avoids;
	ARRAY(struct past_saving) past_savings;
	ARRAY(struct condition_note) conditions;
	ARRAY(struct alert) alerts;
	ARRAY(struct alert_note) alert_notes;
	ARRAY(struct day_span) day_spans;
};

/* Sorts, drops what ended and duplicates (the later object wins: that is how -f overrides objects
 * of a snapshot), turns node names into ids, and looks up priorities. */
void cluster_finish(struct cluster *c);
void cluster_done(struct cluster *c);

/* The last step alone, for a sorted snapshot in which rows were changed since: all pods after nodes
 * or priority classes have come or gone, else those that are new. */
void cluster_resolve(struct cluster *c);
void cluster_resolve_pod(const struct cluster *c, struct pod *pod);
/* Gives each node what its helper's Lease holds. */
void cluster_resolve_heartbeats(struct cluster *c);

const char *cluster_str(const struct cluster *c, str_id id);

/* By name, NONE when there is none. Binary search. */
node_id cluster_node(const struct cluster *c, const char *name);
pod_id cluster_pod(const struct cluster *c, const char *ns, const char *name);

/* The same, as a row; NULL when there is none. */
const struct claim *cluster_claim(const struct cluster *c, str_id ns, str_id name);
const struct volume *cluster_volume(const struct cluster *c, str_id name);
const struct csi_node *cluster_csi_node(const struct cluster *c, str_id name);
const struct metrics *cluster_node_metrics(const struct cluster *c, str_id name);
const struct metrics *cluster_pod_metrics(const struct cluster *c, str_id ns, str_id name);

/* Does a WorkloadOptimizer scale? */
bool cluster_scales(const struct cluster *c);

/* Are two apiVersions of the same group? */
bool same_group(const char *a, const char *b);

/* The apiVersion of the object that a WorkloadOptimizer names; and is that a Deployment or a
 * StatefulSet, all of which a snapshot has? */
const char *optimizer_target_version(const struct cluster *c, const struct optimizer *o);
bool optimizer_target_is_listed(const struct cluster *c, const struct optimizer *o);

/* The object of another kind that is scaled; NULL when no WorkloadOptimizer names it. The version
 * counts by its group. */
const struct scalable *cluster_scale_target(const struct cluster *c, const char *api_version,
					    const char *kind, const char *ns, const char *name);

/* What an action is about: a Pod, Node, McKube, WorkloadOptimizer, CostPolicy, Deployment,
 * StatefulSet or scale target. */
const struct meta *cluster_object(const struct cluster *c, const char *kind, const char *ns,
				  const char *name);
const struct resource_claim *cluster_resource_claim(const struct cluster *c, str_id ns,
						    str_id name);

/* Orders two strings as bytes. Equal ids are equal. */
int cluster_cmp(const struct cluster *c, str_id a, str_id b);

/* The names of what the pod's bars are about: "cache, tmp", ""; of BAR_OF_PROBE the container whose
 * liveness probe waits the shortest time. pod.bar_names has a line for each kind. */
struct slice cluster_bar_names(const struct cluster *c, const struct pod *pod, enum bar_kind kind);

/* The value of a label, INTERN_NONE if it is not there. `labels` is a run of cluster.labels. */
str_id cluster_label(const struct cluster *c, struct range labels, str_id key);

/* The node's first taint with this key; NULL: none. */
const struct taint *cluster_taint(const struct cluster *c, const struct node *node,
				  const char *key);

/* Does the selector match these labels? */
bool selector_matches(const struct cluster *c, struct selector sel, struct range labels);
bool requirement_matches(const struct cluster *c, const struct requirement *r, str_id value);

void cluster_problem(struct cluster *c, const char *object, const char *reason, const char *fmt,
		     ...) __attribute__((format(printf, 4, 5)));

#endif
