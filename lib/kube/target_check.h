/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_KUBE_TARGET_CHECK_H
#define MCKUBE_KUBE_TARGET_CHECK_H

#include "kube/kubeconfig.h"

/* What must hold of a cluster and a user before a connection is tried, with flags already on top:
 * both forms of one thing, halves of a pair and two ways to log in are errors, as client-go's
 * tools/clientcmd/validation.go has it. Errors name the entry and its fields. Private to
 * kube/target.c. */
int cluster_check(const struct kube_cluster *c, struct error *err);
int user_check(const struct kube_user *u, struct error *err);

#endif
