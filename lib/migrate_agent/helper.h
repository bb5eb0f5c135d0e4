/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MIGRATE_AGENT_HELPER_H
#define MCKUBE_MIGRATE_AGENT_HELPER_H

#include <pthread.h>
#include <stdbool.h>

#include "base/array.h"
#include "checkpoint/archive.h"
#include "checkpoint/containerd.h"
#include "checkpoint/dump.h"
#include "kube/target.h"
#include "kube/watch.h"
#include "migrate/move.h"
#include "migrate_agent/hold.h"
#include "migrate_agent/peer.h"

/* The running helper. Its main thread talks to the API server and decides; threads of their own
 * work with containerd and serve connections. What they share is under one lock. */

struct args {
	const char *node_name, *kubeconfig, *socket, *folder, *listen, *address, *host_root,
		*cgroup_root;
	int64_t pause_ns, pause_gib_ns; /* how long a source may stand still before it is resumed */
	int verbosity;
	bool is_help, is_version;
};

struct helper;

/* A move away from this node. */
struct move_out {
	struct move_out *next;
	struct helper *helper;
	char id[MOVE_ID_SIZE];
	char *ns, *pod, *uid, *to;
	char peer[SHA256_HEX]; /* the target's certificate */
	struct out_container {
		char *name, *id;
		struct archive archive;
		char *threads; /* checkpoint/thread_cpus.h; NULL: not known */
	} containers[MOVE_CONTAINERS];
	size_t n_containers;
	int64_t limit_ms;     /* how long it may be paused */
	struct pod_hold hold; /* found before there are archives; taken when it is sent */

	/* Under the lock. */
	enum move_state state; /* WAITING, PAUSED, SENT, RESUMED, FAILED */
	char why[256];
	char cancel[200];  /* "": go on */
	bool is_working;   /* a thread pauses, checkpoints or resumes */
	bool has_archives; /* complete, and may be served */
	bool is_deleting;  /* the source has a deletionTimestamp */
	bool is_unseen;	   /* the source is gone, or has its label no more */
	bool is_new_gone;  /* mckube.io/migrate-gone */
	bool is_killed;
	bool is_thawed;	 /* it was sent, and is being deleted */
	bool may_return; /* a StatefulSet's: while its pod is there nothing runs on the target */
	bool is_settled; /* ... it runs there, or never will */
	int64_t paused_ms, deleting_ms, killed_ms;
	unsigned n_users; /* connections */

	/* Of the main thread. */
	enum move_state reported;
};

/* A move to this node. */
struct move_in {
	struct move_in *next;
	struct helper *helper;
	char id[MOVE_ID_SIZE];
	char *ns;
	char *source, *source_uid, *source_version, *from; /* NULL: not seen */
	char *new, *new_uid, *bases, *bases_want;	   /* the same */
	char *ids;     /* of the new pod's containers, by commas */
	char *address; /* of the source's helper; NULL: not known */
	char peer[SHA256_HEX];

	/* Under the lock. */
	enum in_work { IN_IDLE, IN_WORKING, IN_DONE, IN_REFUSED } prepare, pull, bind, settle;
	char why[200];
	char lost[160];	    /* what is not as it was, "": all is */
	int64_t relayed_ms; /* the last byte of an archive; 0: none yet */
	int64_t running_ms; /* seen to run here */
	bool is_running, is_source_seen, is_new_seen;
	unsigned n_users;

	/* Of the main thread. */
	bool is_ready_told, is_restored_told;
	/* A StatefulSet's pod: all is pulled here before the source is deleted. */
	bool pulls_ahead, may_pull, is_called_off;
	unsigned n_containers;
	int64_t retry_ms;
};

/* A pod of the watch, as it came last. */
struct seen_pod {
	char *uid;
	cJSON *json;
	bool is_dirty, is_gone, is_listed;
};

/* sweep.c. What was found is the thread's while it lists or drops. */
struct sweep {
	enum sweep_state {
		SWEEP_IDLE,
		SWEEP_LISTING,
		SWEEP_LISTED,
		SWEEP_DROPPING,
		SWEEP_FAILED,
	} state; /* under the lock */
	struct checkpoint_images found;
	int64_t due_ms; /* 0: it is not wanted */
	bool is_wanted_again;
};

struct helper {
	const struct args *args;
	struct grpc grpc;
	struct identity identity;
	struct kube_target target;
	struct kube kube;
	struct kube_watch watch;
	ARRAY(struct seen_pod) pods;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct move_out *out;
	struct move_in *in;
	struct sweep sweep;
	int registry_fd, peer_fd;
	int64_t facts_due_ms, watch_due_ms;
	char *facts; /* as told last */
};

static inline void helper_lock(struct helper *h)
{
	pthread_mutex_lock(&h->lock);
}

static inline void helper_unlock(struct helper *h)
{
	pthread_mutex_unlock(&h->lock);
}

/* What others wait for has changed; under the lock. */
void helper_notify(struct helper *h);

/* Starts a detached thread. */
int helper_start(void *(*run)(void *), void *arg, struct error *err);

int helper_run(const struct args *args, struct error *err);

/* Writes annotations of a pod; drops_label: takes mckube.io/migrating off. -EBUSY: the pod is not
 * the one of that uid, or not as it was at that version (NULL: any). */
int helper_annotate(struct helper *h, const char *ns, const char *pod, const char *uid,
		    const char *version, const struct kube_pair *notes, size_t n, bool drops_label,
		    struct error *err);

/* Does this node wait for the pod of that move (migrate/arrival.h)? Negative: not known. */
int helper_has_arrival(struct helper *h, const char *id, struct error *err);

/* Another node's helper: mckube.io/migrate-address. */
int helper_find_peer(struct helper *h, const char *node, char **ret_address,
		     char ret_peer[static SHA256_HEX], struct error *err);

/* pods.c */
void pods_start(struct helper *h);
int pods_step(struct helper *h);

/* facts.c: what the node can do, as annotations of it. */
int facts_step(struct helper *h);
/* The helper ends: the annotations are taken off. */
void facts_withdraw(struct helper *h);

/* serve.c: the two sockets. */
int serve_open(struct helper *h, struct error *err);

/* source.c */
void source_see(struct helper *h, const struct move_pod *p);
void source_unsee(struct helper *h, const char *uid);
/* The new pod of a move. */
void source_see_new(struct helper *h, const struct move_pod *p);
/* A list is complete: what is not in it is gone. */
void source_unsee_others(struct helper *h, bool (*is_seen)(struct helper *h, const char *uid));
int source_step(struct helper *h);
/* What an earlier process has left: paused containers are resumed, unless their archive was sent.
 */
void source_recover(struct helper *h);
/* The move of that id that this peer may have; it is in use until source_release(). */
struct move_out *source_take(struct helper *h, const char *id, const char *peer);
void source_release(struct move_out *m);
/* Waits for its archives, and makes them when nothing did so yet. */
bool source_await(struct move_out *m);
/* From now on it is not resumed by itself. False: it was called off. */
bool source_commit(struct move_out *m);

/* source_work.c: threads, and what they share with source.c. */
void *source_checkpoint(void *arg);
void *source_go_back(void *arg);
void source_folder(const struct move_out *m, struct str *out);
void source_container_folder(const struct move_out *m, size_t i, struct str *out);
void source_remove_folder(const struct move_out *m);
int source_save(const struct move_out *m, struct error *err);
int source_resume_all(const struct move_out *m, struct error *err);
/* The pod may end: and, unless it is_leaving, begin again. */
void source_unhold(struct move_out *m, bool is_leaving);

/* target.c */
void target_see_source(struct helper *h, const struct move_pod *p);
void target_see_new(struct helper *h, const struct move_pod *p);
void target_unsee(struct helper *h, const char *uid);
int target_step(struct helper *h);
/* The move of that id once its source's helper is known; waits for it for a few seconds. */
struct move_in *target_take(struct helper *h, const char *id);
void target_release(struct move_in *m, bool has_relayed);
/* Does a pod that is known here need the checkpoint of that move still? */
bool target_wants(struct helper *h, const char *id);

/* target_threads.c: a thread. */
void *target_bind_threads(void *arg);

/* sweep.c: checkpoints that no move needs any more are removed. */
void sweep_want(struct helper *h);
int sweep_step(struct helper *h);

#endif
