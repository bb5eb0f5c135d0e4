/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MODEL_MEMBERS_H
#define MCKUBE_MODEL_MEMBERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/names.h"

/* The members of objects that are ours, one row each: the member of the struct, its name on the
 * wire, and what its value may be. The rows make the structs of model/cluster.h, the tables that
 * decode them, what model/compact.h keeps, what annotations an assignment is made of, and what may
 * stay of a value in a snapshot without names. */

enum member_form {
	FORM_TEXT, /* free text: nothing of it may stay */
	FORM_NAME, /* the name or uid of an object */
	FORM_NUMBER,
	FORM_PERCENT, /* with a fraction or a sign of per cent */
	FORM_BOOL,
	FORM_CPUS,
	FORM_TIME,
	FORM_TOPOLOGY,
	FORM_CRITICALITY,
	FORM_LEVEL,
	FORM_ENFORCEMENT,
	FORM_RECOVERY,
	FORM_RECOVERY_MODE,
	FORM_MIGRATION,
	FORM_GUARANTEE,
	FORM_SCOPE,
	FORM_SOURCE,
	FORM_BACKEND,
	FORM_POLICY, /* of threads: budget/thread_class.h; the names of containers may not stay */
	FORM_PRIORITY,
	FORM_PAIR,	 /* two names, joined by a slash */
	FORM_CHECKPOINT, /* versions and abilities, "criu=4.2,restore=true" */
	FORM_HOURS,	 /* of a day: "9-17", "09:00-17:00" */
	FORM_SIGNED,	 /* a whole number */
	FORM_CURVE,	 /* pairs of decimals: "0:8.8,1:39.9" */
	FORM_DURATION,	 /* as Go writes it: "15.007s" */
	FORM_PROPOSAL,	 /* seconds since 1970 and a number: "1795251600:3" */
};

/* What an annotation of a pod is to the pod's assignment. */
enum annotation_part {
	PART_ASSIGNMENT, /* written with it, taken off with it */
	PART_BOTH,	 /* the same, unless the annotations are the request */
	PART_REQUEST,	 /* only ever written by users */
	PART_MIGRATION,	 /* of a move to another node: written and taken off with it */
};

/* member, key, form, part */
#define POD_ANNOTATIONS(ROW)                                                               \
	ROW(criticality, "mckube.io/criticality", FORM_CRITICALITY, PART_BOTH)             \
	ROW(applied, "mckube.io/rt-applied", FORM_BOOL, PART_ASSIGNMENT)                   \
	ROW(containers, "mckube.io/rt-containers", FORM_TEXT, PART_REQUEST)                \
	ROW(core, "mckube.io/rt-core", FORM_CPUS, PART_ASSIGNMENT)                         \
	ROW(core_request, "mckube.io/rt-core-request", FORM_CPUS, PART_REQUEST)            \
	ROW(current, "mckube.io/rt-current", FORM_LEVEL, PART_ASSIGNMENT)                  \
	ROW(degraded, "mckube.io/rt-degraded", FORM_TIME, PART_ASSIGNMENT)                 \
	ROW(do_not_evict, "mckube.io/do-not-evict", FORM_BOOL, PART_REQUEST)               \
	ROW(enforcement, "mckube.io/rt-enforcement", FORM_ENFORCEMENT, PART_ASSIGNMENT)    \
	ROW(guarantee, "mckube.io/rt-guarantee", FORM_GUARANTEE, PART_REQUEST)             \
	ROW(migrate_from, MIGRATE_FROM, FORM_PAIR, PART_MIGRATION)                         \
	ROW(migrate_id, MIGRATE_ID, FORM_NAME, PART_MIGRATION)                             \
	ROW(migrate_refused, "mckube.io/migrate-refused", FORM_TIME, PART_MIGRATION)       \
	ROW(migrate_state, MIGRATE_STATE, FORM_TEXT, PART_MIGRATION)                       \
	ROW(migrate_to, MIGRATE_TO, FORM_NAME, PART_MIGRATION)                             \
	ROW(migration, "mckube.io/migration", FORM_MIGRATION, PART_REQUEST)                \
	ROW(period, "mckube.io/rt-period", FORM_NUMBER, PART_BOTH)                         \
	ROW(policy, "mckube.io/rt-policy", FORM_POLICY, PART_BOTH)                         \
	ROW(priority, "mckube.io/rt-priority", FORM_PRIORITY, PART_BOTH)                   \
	ROW(recovery, "mckube.io/rt-recovery", FORM_RECOVERY, PART_BOTH)                   \
	ROW(runtime_floor, "mckube.io/rt-runtime-floor", FORM_NUMBER, PART_ASSIGNMENT)     \
	ROW(runtime_hi, "mckube.io/rt-runtime-hi", FORM_NUMBER, PART_BOTH)                 \
	ROW(runtime_low, "mckube.io/rt-runtime-low", FORM_NUMBER, PART_BOTH)               \
	ROW(runtime_medium, "mckube.io/rt-runtime-medium", FORM_NUMBER, PART_BOTH)         \
	ROW(source, "mckube.io/rt-source", FORM_SOURCE, PART_ASSIGNMENT)                   \
	/* rt-operator's */                                                                \
	ROW(realtime, "realtime", FORM_BOOL, PART_REQUEST)                                 \
	ROW(rt_runtime_us, "rt_runtime_us", FORM_NUMBER, PART_REQUEST)                     \
	/* which optimizer a pod is of, besides the label; and whether it may be moved */  \
	ROW(optimizer, "workload-optimizer", FORM_NAME, PART_REQUEST)                      \
	ROW(kcloud_optimizer, "kcloud.io/workload-optimizer", FORM_NAME, PART_REQUEST)     \
	ROW(is_disabled, "kcloud.io/optimization-disabled", FORM_BOOL, PART_REQUEST)       \
	ROW(moved_at, "kcloud.io/moved-at", FORM_TIME, PART_REQUEST)                       \
	ROW(moves, "kcloud.io/moves", FORM_NUMBER, PART_REQUEST)                           \
	ROW(baseline_cost, "kcloud.io/baseline-cost-per-hour", FORM_PERCENT, PART_REQUEST) \
	ROW(baseline_watts, "kcloud.io/baseline-watts", FORM_PERCENT, PART_REQUEST)        \
	ROW(do_not_disrupt, "karpenter.sh/do-not-disrupt", FORM_TEXT, PART_REQUEST)        \
	ROW(safe_to_evict, "cluster-autoscaler.kubernetes.io/safe-to-evict", FORM_BOOL,    \
	    PART_REQUEST)                                                                  \
	ROW(no_eviction, "descheduler.alpha.kubernetes.io/prefer-no-eviction", FORM_BOOL,  \
	    PART_REQUEST)                                                                  \
	ROW(deletion_cost, "controller.kubernetes.io/pod-deletion-cost", FORM_SIGNED, PART_REQUEST)

/* member, key, form; written by the node helper, or by seed controllers on their nodes.
 * rt_pressure: microseconds per second that pods of the node were granted and did not get, by the
 * helper's last report. */
#define NODE_ANNOTATIONS(ROW)                                                   \
	ROW(backend, "mckube.io/backend", FORM_BACKEND)                         \
	ROW(arrivals, NODE_ARRIVALS, FORM_TEXT)                                 \
	ROW(checkpoint, NODE_CHECKPOINT, FORM_CHECKPOINT)                       \
	ROW(cpu_flags, NODE_CPU_FLAGS, FORM_NAME)                               \
	ROW(capacity_scope, "mckube.io/capacity-scope", FORM_SCOPE)             \
	ROW(guarantee, "mckube.io/guarantee", FORM_TEXT)                        \
	ROW(overruns, "mckube.io/overruns", FORM_TEXT)                          \
	ROW(rt_capacity, "mckube.io/rt-capacity", FORM_NUMBER)                  \
	ROW(rt_cores, "mckube.io/rt-cores", FORM_CPUS)                          \
	ROW(rt_retained, "mckube.io/rt-retained", FORM_NUMBER)                  \
	ROW(rt_pressure, "mckube.io/rt-pressure", FORM_NUMBER)                  \
	ROW(topology, "mckube.io/topology", FORM_TOPOLOGY)                      \
	ROW(busy_seconds, "mckube.sdv.com/cpu-over90-duration-s", FORM_PERCENT) \
	ROW(cpu_usage, "mckube.sdv.com/cpu-usage", FORM_PERCENT)                \
	ROW(is_busy, "mckube.sdv.com/isCpuBusy", FORM_BOOL)                     \
	/* written by users: model/fleet.h */                                   \
	ROW(price, "mckube.io/price-per-hour", FORM_PERCENT)                    \
	ROW(power_curve, "mckube.io/power-curve", FORM_CURVE)                   \
	ROW(carbon, "mckube.io/carbon-intensity", FORM_PERCENT)                 \
	ROW(removable, "mckube.io/removable", FORM_BOOL)                        \
	ROW(keeps_running, "cluster-autoscaler.kubernetes.io/scale-down-disabled", FORM_BOOL)

/* member, key, form; on a Namespace, which tenants cannot write: plan/namespace_limits.h */
#define NAMESPACE_ANNOTATIONS(ROW)                                          \
	ROW(max_criticality, "mckube.io/max-criticality", FORM_CRITICALITY) \
	ROW(max_priority, "mckube.io/max-priority", FORM_NUMBER)            \
	ROW(rt_quota, "mckube.io/rt-quota", FORM_PERCENT)

/* member, key, form, its path but for the key */
#define MCKUBE_RT_SETTINGS(ROW)                                              \
	ROW(budget_hi, "budget_hi", FORM_NUMBER, "spec.rtSettings.")         \
	ROW(budget_lo, "budget_lo", FORM_NUMBER, "spec.rtSettings.")         \
	ROW(core, "core", FORM_CPUS, "spec.rtSettings.")                     \
	ROW(core_count, "coreCount", FORM_NUMBER, "spec.rtSettings.")        \
	ROW(period, "period", FORM_NUMBER, "spec.rtSettings.")               \
	ROW(policy, "policy", FORM_POLICY, "spec.rtSettings.")               \
	ROW(priority, "priority", FORM_PRIORITY, "spec.rtSettings.")         \
	ROW(runtime_floor, "runtime_floor", FORM_NUMBER, "spec.rtSettings.") \
	ROW(runtime_hi, "runtime_hi", FORM_NUMBER, "spec.rtSettings.")       \
	ROW(runtime_low, "runtime_low", FORM_NUMBER, "spec.rtSettings.")     \
	ROW(runtime_medium, "runtime_medium", FORM_NUMBER, "spec.rtSettings.")

#define MCKUBE_RECOVERY(ROW)                                               \
	ROW(recovery_delay, "delaySeconds", FORM_NUMBER, "spec.recovery.") \
	ROW(recovery_mode, "mode", FORM_RECOVERY_MODE, "spec.recovery.")   \
	ROW(recovery_threshold, "threshold", FORM_NUMBER, "spec.recovery.")

#define MCKUBE_SPEC(ROW)                                           \
	ROW(criticality, "criticality", FORM_CRITICALITY, "spec.") \
	ROW(guarantee, "guarantee", FORM_GUARANTEE, "spec.")       \
	ROW(migration, "migration", FORM_MIGRATION, "spec.")

/* All that are kept as they are written, whatever they are. */
#define MCKUBE_MEMBERS(ROW) MCKUBE_RT_SETTINGS(ROW) MCKUBE_RECOVERY(ROW) MCKUBE_SPEC(ROW)

/* member, key, form */
#define MCKUBE_STATUS(ROW)                                \
	ROW(status_core, "allocatedCore", FORM_CPUS)      \
	ROW(status_current, "currentRuntime", FORM_LEVEL) \
	ROW(status_node, "node", FORM_NAME)               \
	ROW(status_overrun, "lastOverrunTime", FORM_TIME) \
	ROW(status_pods, "pods", FORM_TEXT)               \
	ROW(status_uid, "podUID", FORM_NAME)

enum pod_annotation {
#define ROW(member, ...) POD_ANNOTATION_##member,
	POD_ANNOTATIONS(ROW)
#undef ROW
		POD_ANNOTATIONS_N
};

enum node_annotation {
#define ROW(member, ...) NODE_ANNOTATION_##member,
	NODE_ANNOTATIONS(ROW)
#undef ROW
		NODE_ANNOTATIONS_N
};

enum namespace_annotation {
#define ROW(member, ...) NAMESPACE_ANNOTATION_##member,
	NAMESPACE_ANNOTATIONS(ROW)
#undef ROW
		NAMESPACE_ANNOTATIONS_N
};

enum mckube_member {
#define ROW(member, ...) MCKUBE_MEMBER_##member,
	MCKUBE_MEMBERS(ROW)
#undef ROW
		MCKUBE_MEMBERS_N
};

struct member_row {
	const char *key;
	const char *path; /* from the object: "metadata.annotations[...]", "spec.rtSettings...." */
	uint16_t offset;  /* in struct pod_annotations, node_annotations, mckube */
	uint8_t form;	  /* enum member_form */
	uint8_t part;	  /* enum annotation_part; of pods' annotations only */
};

extern const struct member_row pod_annotation_rows[POD_ANNOTATIONS_N];
extern const struct member_row node_annotation_rows[NODE_ANNOTATIONS_N];
extern const struct member_row namespace_annotation_rows[NAMESPACE_ANNOTATIONS_N];
extern const struct member_row mckube_rows[MCKUBE_MEMBERS_N];

/* POD_ANNOTATION(core) is "mckube.io/rt-core". */
#define POD_ANNOTATION(member)	    (pod_annotation_rows[POD_ANNOTATION_##member].key)
#define POD_ANNOTATION_PATH(member) (pod_annotation_rows[POD_ANNOTATION_##member].path)
#define NODE_ANNOTATION(member)	    (node_annotation_rows[NODE_ANNOTATION_##member].key)
#define MCKUBE_PATH(member)	    (mckube_rows[MCKUBE_MEMBER_##member].path)

/* Can the text be a value of this form? */
bool member_fits(enum member_form form, const char *text);

#endif
