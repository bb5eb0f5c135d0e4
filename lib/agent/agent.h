/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_AGENT_AGENT_H
#define MCKUBE_AGENT_AGENT_H

#include "agent/assignment.h"
#include "node/cpu_usage.h"
#include "node/engine/engine.h"
#include "node/rt_pressure.h"

/* The helper's connection to the API server: a thread that watches the pods of this node, writes
 * their status and Events, and describes the node in its annotations. Nothing urgent waits for it.
 */
struct agent;
struct kube_target;

/* What the agent shares with the rest of the helper. All of it outlives the agent. */
struct agent_options {
	const char *kubeconfig; /* NULL: as kubectl finds it, or the pod's service account */
	const char *node_name;
	enum assignment_trust trust;
	int64_t capacity_us; /* of a second, for kubepods; 0: all that the kernel allows */
	const struct cpuset *reserved; /* CPUs that are not for real-time pods */
	const struct kernel *kernel;
	const struct kernel_roots *roots;
	const struct backend *backend;
	const struct overruns *overruns;
	struct cpu_usage *usage;
	struct rt_pressure *pressure;
	struct engine *engine;
	/* Applies an assignment. */
	int (*set)(void *arg, struct assignment *w, struct error *err);
	/* Do the helper's threads make progress? */
	bool (*is_healthy)(void *arg);
	void *arg;
};

/* The options are copied. */
int agent_start(const struct agent_options *options, struct agent **ret, struct error *err);

/* Ends the thread; agent_daemonset_exists() may still be called. */
void agent_stop(struct agent *s);
void agent_free(struct agent *s);

/* The API server that it follows, while the agent lives. */
const struct kube_target *agent_target(const struct agent *s);

/* Has the first list of pods been worked through? */
bool agent_is_synced(const struct agent *s);

/* Does this DaemonSet ("NAMESPACE/NAME") exist and is not being deleted? The server is asked for
 * five seconds; one that cannot be reached means yes. Only after agent_stop(). */
bool agent_daemonset_exists(struct agent *s, const char *daemon_set);

/* Queues an event to be posted. */
void agent_post_event(struct agent *s, const struct node_event *n);

/* Wakes the thread: the engine's revision has changed, or the node has become busy or calm, or
 * its real-time pressure began or ended. NULL is fine. */
void agent_notify(struct agent *s);

#endif
