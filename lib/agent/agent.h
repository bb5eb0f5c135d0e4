/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_AGENT_AGENT_H
#define MCKUBE_AGENT_AGENT_H

#include "agent/assignment.h"
#include "node/cpu_usage.h"
#include "node/engine.h"

/* Kubernetes' side of the helper: a thread that watches the pods of this node, reports about them,
 * and describes the node in its annotations. Nothing urgent waits for it. */
struct kube_side;

/* What the agent shares with the rest of the helper. All of it outlives the agent. */
struct agent_options {
	const char *kubeconfig; /* NULL: as kubectl finds it, or the pod's service account */
	const char *node_name;
	int64_t capacity_us; /* of a second, for kubepods; 0: all that the kernel allows */
	const struct kernel *kernel;
	const struct kernel_roots *roots;
	const struct backend *backend;
	const struct overruns *overruns;
	const struct cpu_usage *usage;
	struct engine *engine;
	/* Puts an assignment into force. */
	int (*set)(void *arg, struct wish *w, struct error *err);
	void *arg;
};

/* The options are copied. */
int kube_side_start(const struct agent_options *options, struct kube_side **ret, struct error *err);

/* Ends the thread. What follows may still be asked. */
void kube_side_stop(struct kube_side *s);
void kube_side_free(struct kube_side *s);

/* Has the first list of pods been worked through? */
bool kube_side_is_synced(const struct kube_side *s);

/* Does this DaemonSet ("NAMESPACE/NAME") exist and stay? The server is asked for two seconds; one
 * that cannot be reached means yes. Only after kube_side_stop(). */
bool kube_side_stays(struct kube_side *s, const char *daemon_set);

/* Takes a note to be told as an Event. */
void kube_side_tell(struct kube_side *s, const struct note *n);

/* The engine's revision has changed, or the node has become busy or calm: it sleeps until it is
 * told so. NULL is fine. */
void kube_side_look(struct kube_side *s);

#endif
