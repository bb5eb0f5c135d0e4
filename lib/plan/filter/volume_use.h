/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_FILTER_VOLUME_USE_H
#define MCKUBE_PLAN_FILTER_VOLUME_USE_H

#include "plan/filter/filter.h"

/* kube-scheduler's plugins VolumeRestrictions and NodeVolumeLimits: what other pods do with
 * volumes. A claim with ReadWriteOncePod is for one pod of the cluster; a CSINode says how many
 * volumes of a driver its node takes. Volumes of pods that may be evicted for `rank` do not count,
 * nor does the new pod's where one of those has it: the answer is "refused" only where every choice
 * of victims leaves it refused.
 * trial.terms has the pods with claims. */
enum refusal volume_use_refuses(const struct trial *t, const struct unit *u, node_id node,
				unsigned rank);

/* Do the two pods want the same claim with ReadWriteOncePod? */
bool volume_use_clash(const struct cluster *c, pod_id a, pod_id b);

#endif
