/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BASE_NAMES_H
#define MCKUBE_BASE_NAMES_H

/* Names on the wire that are ours, each once. Those of annotations and of the fields of McKube
 * objects are rows of model/members.h. */

#define MCKUBE_DOMAIN	   "mckube.io"
#define MCKUBE_API_VERSION MCKUBE_DOMAIN "/v1alpha1"  /* of plans and configuration files */
#define MCKUBE_SCHEDULER   "mckube"		      /* spec.schedulerName of pods that are ours */
#define MCKUBE_GATE	   MCKUBE_DOMAIN "/placement" /* their scheduling gate */
#define MCKUBE_LABEL	   "sdv.com"		      /* ... or their label */
#define MCKUBE_TAINT	   "McKubeRTDeadlinePressure" /* of a node whose budgets are not kept */
#define MCKUBE_PRESSURE	   MCKUBE_DOMAIN "/pressure"  /* taint of a node whose use is too high */
#define MCKUBE_GROUP	   "mcoperator.sdv.com"	      /* of the kind McKube */
#define MCKUBE_CRD	   "mckubes." MCKUBE_GROUP
#define MCKUBE_FINALIZER   "mckube." MCKUBE_GROUP "/finalizer" /* on McKubes */

/* Of the kinds of kcloud.io. */
#define KEDA_GROUP	       "keda.sh"
#define KCLOUD_GROUP	       "kcloud.io"
#define KCLOUD_API_VERSION     KCLOUD_GROUP "/v1alpha1"
#define KCLOUD_FINALIZER       "workloadoptimizer.kcloud.io/finalizer"
#define KCLOUD_PRICES	       "mckube-prices" /* ConfigMap with tables that a live plan may read */
#define KCLOUD_OPTIMIZER_LABEL "workload-optimizer" /* on the pods of a WorkloadOptimizer */

/* On the Lease of the controllers: when a planning round last succeeded. */
#define LEASE_LAST_PASS MCKUBE_DOMAIN "/last-pass"

#define HELPER_LEASE_PREFIX "mckube-node-"	     /* and the node's name: model/heartbeat.h */
#define HELPER_LABEL_KEY    "app.kubernetes.io/name" /* of that Lease */
#define HELPER_LABEL_VALUE  "mckube-node"
#define HELPER_USE	    MCKUBE_DOMAIN "/use" /* annotation of that Lease: model/pod_use.h */

/* A move of a running pod (migrate/move.h). The label is on both pods while it is under way. */
#define MIGRATING	     MCKUBE_DOMAIN "/migrating"
#define MIGRATE_TO	     MCKUBE_DOMAIN "/migrate-to"
#define MIGRATE_ID	     MCKUBE_DOMAIN "/migrate-id"
#define MIGRATE_STATE	     MCKUBE_DOMAIN "/migrate-state"
#define MIGRATE_FROM	     MCKUBE_DOMAIN "/migrate-from"
#define MIGRATE_READY	     MCKUBE_DOMAIN "/migrate-ready"
#define MIGRATE_CANCEL	     MCKUBE_DOMAIN "/migrate-cancel"
#define MIGRATE_GONE	     MCKUBE_DOMAIN "/migrate-gone"
#define MIGRATE_PLACEMENT    MCKUBE_DOMAIN "/migrate-placement"
#define MIGRATE_NEW	     MCKUBE_DOMAIN "/migrate-new"
#define MIGRATE_BASE	     MCKUBE_DOMAIN "/migrate-base"
#define NODE_ARRIVALS	     MCKUBE_DOMAIN "/migrate-arrivals" /* migrate/arrival.h */
#define NODE_CHECKPOINT	     MCKUBE_DOMAIN "/checkpoint"
#define NODE_CPU_FLAGS	     MCKUBE_DOMAIN "/cpu-flags"
#define NODE_MIGRATE_ADDRESS MCKUBE_DOMAIN "/migrate-address"
#define NODE_MIGRATE_LABEL   MCKUBE_DOMAIN "/migrate" /* where mckube-migrate runs */
#define MIGRATE_REGISTRY     "localhost:9809" /* containerd speaks to localhost without TLS, too */
/* Before the hash in the pod-template-hash of a pod that its ReplicaSet was made to release. */
#define MIGRATING_HASH "migrating-"

/* In the conditions of a McKube, of a pod that does not need its grant. */
#define MESSAGE_OUTRANKS "a container has CAP_SYS_NICE and can outrank the helper"

/* Annotations of a snapshot, which is a List. */
#define SNAPSHOT_SERVER	  MCKUBE_DOMAIN "/server"
#define SNAPSHOT_TAKEN_AT MCKUBE_DOMAIN "/taken-at"

/* A ReplicaSet's label on its pods. */
#define LABEL_TEMPLATE_HASH "pod-template-hash"
#define LABEL_REVISION_HASH "controller-revision-hash" /* of a StatefulSet's pod */

/* The kubelet's annotation on the mirror of a static pod. */
#define ANNOTATION_MIRROR "kubernetes.io/config.mirror"

#endif
