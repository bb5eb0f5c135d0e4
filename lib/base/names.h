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
#define MCKUBE_GROUP	   "mcoperator.sdv.com"	      /* of the kind McKube */
#define MCKUBE_CRD	   "mckubes." MCKUBE_GROUP
#define MCKUBE_FINALIZER   "mckube." MCKUBE_GROUP "/finalizer" /* on McKubes */

#define HELPER_LEASE_PREFIX "mckube-node-"	     /* and the node's name: model/heartbeat.h */
#define HELPER_LABEL_KEY    "app.kubernetes.io/name" /* of that Lease */
#define HELPER_LABEL_VALUE  "mckube-node"

/* Annotations of a snapshot, which is a List. */
#define SNAPSHOT_SERVER	  MCKUBE_DOMAIN "/server"
#define SNAPSHOT_TAKEN_AT MCKUBE_DOMAIN "/taken-at"

/* The kubelet's annotation on the mirror of a static pod. */
#define ANNOTATION_MIRROR "kubernetes.io/config.mirror"

#endif
