/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_RECONCILE_UNINSTALL_H
#define MCKUBE_RECONCILE_UNINSTALL_H

#include "kube/client.h"
#include "model/cluster.h"
#include "plan/plan.h"

/* What deleting an installation's objects leaves behind is removed first. No pod is planned,
 * moved or evicted for that, and what is gone already is no error: it works before and after the
 * objects of the installation were deleted, and again after it was interrupted.
 *
 *	uninstall_stop(&kube, &o, PROGRAM_WATCH, &err)		nothing plans any more
 *	uninstall_plan(&cluster, &plan), then execute it		assignments, finalizers,
 *taint uninstall_stop(&kube, &o, PROGRAM_NODE, &err)		helpers restore budgets as they end
 *	uninstall_nodes(&kube, &o, &cluster, &err)		what they reported on nodes
 *	uninstall_leases(&kube, &o, &err) */

struct uninstall_options {
	const char *ns;		   /* of the installation */
	int64_t timeout_ms;	   /* to wait for programs to end */
	bool is_dry_run;	   /* says what would be done, and does nothing */
	const char *(*stop)(void); /* why to stop; NULL: not to */
	void (*say)(const char *text);
};

/* Planners: Deployments and CronJobs. On nodes: DaemonSets. */
enum program { PROGRAM_WATCH, PROGRAM_NODE };

/* Deletes those with the label app.kubernetes.io/name=mckube, and waits until their pods are gone.
 */
int uninstall_stop(struct kube *k, const struct uninstall_options *o, enum program program,
		   struct error *err);

/* Status of each pod that has an assignment, Finalizer of each McKube that has ours, Untaint. Pure.
 * The plan's strings are the cluster's. */
void uninstall_plan(const struct cluster *c, struct plan *ret);

int uninstall_nodes(struct kube *k, const struct uninstall_options *o, const struct cluster *c,
		    struct error *err);

/* Heartbeats of helpers in all namespaces, and the Lease of planners, "NAMESPACE/NAME". */
int uninstall_leases(struct kube *k, const struct uninstall_options *o, const char *lease_ns,
		     const char *lease_name, struct error *err);

#endif
