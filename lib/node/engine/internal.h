/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_ENGINE_INTERNAL_H
#define MCKUBE_NODE_ENGINE_INTERNAL_H

#include "node/engine/engine.h"

/* Between the engine's files, each of which calls only those before it:
 *
 * view.c		what others see; finding a pod
 * classes.c	the policies of containers' threads
 * containers.c	containers: opened, pinned, watched, closed
 * missed.c	time that was granted and not received
 * use.c		time that was used
 * settle.c	makes the kernel agree with the assignments
 * pods.c	assignments: set, refused, placed, removed
 * left.c	what an earlier run of the helper left to pods without an assignment
 * overrun.c	overruns, recovery, checks
 * engine.c	the public entries, which take the lock
 *
 * The lock is held everywhere but in engine.c. */

/* A pod that comes close to its limit all the time: after so many unused warm-ups there is none
 * until the next check of all. */
enum { UNUSED_WARMUPS_MAX = 3 };

/* view.c */
struct engine_pod *engine_find(struct engine *e, const char *uid);
struct escalation_pod *engine_state(struct engine *e, const struct engine_pod *p);
/* What the pod shall have in each period at its level, whatever the kernel holds for it. */
int32_t engine_granted(const struct escalation_pod *state);
void engine_add_event(struct engine *e, enum node_event_kind kind, const struct engine_pod *p,
		      const char *text);
/* The same of the pod's last overrun, which happened when the kernel saw it. */
void engine_add_overrun_event(struct engine *e, enum node_event_kind kind,
			      const struct engine_pod *p, uint64_t count, const char *text);

/* classes.c */
void engine_class_set(struct engine *e, struct engine_container *c, struct thread_class class);
/* The container's cgroup was opened, is about to be closed: its threads get back what they had. */
void engine_class_open(struct engine *e, struct engine_container *c);
void engine_class_close(struct engine *e, struct engine_container *c);
/* Gives what is due, or looks at all containers; reports what has changed. Budgets come before. */
void engine_give_classes(struct engine *e, bool is_all);
bool engine_is_class_refused(const struct engine_pod *p);
void engine_class_entered(struct engine *e, uint64_t cgroup, pid_t tid, uint64_t start,
			  bool is_process);
void engine_restore_classes(struct engine *e);

/* containers.c */
/* A container's part of its pod's budget. */
int32_t engine_share(const struct engine_container *c, int32_t runtime_us);
void engine_want_all(struct engine *e);
/* Reads the budgets of a pod's containers from the kernel. True: all are those of its level. */
bool engine_read_back(struct engine *e, struct engine_pod *p);
void engine_set_containers(struct engine *e, struct engine_pod *p, const struct pod_want *want);
bool engine_has_containers(const struct engine_pod *p, const struct pod_want *want);
/* What groups had before us, from the given index on, is what an earlier run found. */
void engine_recall_found(struct engine *e, size_t first);
int engine_open_container(struct engine *e, struct engine_pod *p, struct engine_container *c,
			  struct error *err);
int engine_open_containers(struct engine *e, struct engine_pod *p, struct error *err);
/* Opens known paths that have a cgroup again; path NULL: all. True: one was opened. */
bool engine_open_created(struct engine *e, const char *path);
void engine_close_container(struct engine *e, struct engine_container *c);
bool engine_close_gone(struct engine *e);
bool engine_is_gone(const struct engine *e, const struct engine_container *c);
void engine_free_containers(struct engine_pod *p);
void engine_pin(struct engine *e, struct engine_pod *p);
/* The CPUs that an earlier run gave a container, if it has them still. NULL: it has not, or another
 * program has written since. */
const struct saved_cpus *engine_left_cpus(const struct engine *e, const char *path);
void engine_unpin_all(struct engine *e);
void engine_watch(struct engine *e, struct engine_pod *p);
void engine_list_watched(struct engine *e);

/* missed.c */
bool engine_missed_since(struct engine *e, int64_t now_ns, uint64_t *ret_us); /* engine_missed() */

/* use.c */
void engine_use_sample(struct engine *e, int64_t now_ns); /* engine_sample_use() */

/* settle.c */
/* After pods or containers came, went or changed. */
int engine_settle(struct engine *e, struct error *err);
/* Reads the pod's budgets back; reports the first time that all are in the kernel. */
void engine_confirm(struct engine *e, struct engine_pod *p);
/* What was written last must read the same; else all is read and written again soon. */
void engine_verify(struct engine *e);
void engine_drop_gone(struct engine *e);

/* pods.c */
int engine_pod_set(struct engine *e, const struct pod_want *want, struct error *err);
void engine_pod_remove(struct engine *e, const char *uid);
int engine_container_place(struct engine *e, const char *uid, const char *container,
			   const char *path, struct error *err);
void engine_retry_refused(struct engine *e);

/* A cgroup that is removed counts in its parent's sum until an RCU grace period is over: some 20
 * ms, on a busy machine hundreds. So a refused budget is tried again for a while: the first pause,
 * twice as long each time up to the last one. */
static const int64_t engine_retry_first_ns = 25000000, engine_retry_last_ns = 100000000,
		     engine_retry_for_ns = 2000000000;
void engine_free_pod(struct engine_pod *p);

/* left.c */
void engine_give_back_left(struct engine *e, engine_pod_test is_kept, void *arg);

/* overrun.c */
/* Of e->changes, those that cut a pod to its floor or end that, for pods that have come or gone. */
void engine_report_cuts(struct engine *e, size_t n_changes);
void engine_on_overrun(const struct overrun_event *event, void *arg);
int engine_pod_set_level(struct engine *e, const char *uid, enum level level, struct error *err);
void engine_report_overruns(struct engine *e, int64_t now_ns);
int engine_update(struct engine *e, int64_t now_ns); /* engine_tick() */

#endif
