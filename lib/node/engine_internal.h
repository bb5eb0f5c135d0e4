/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_ENGINE_INTERNAL_H
#define MCKUBE_NODE_ENGINE_INTERNAL_H

#include "node/engine.h"

/* Between the engine's files: engine.c (life cycle, settling), engine_pods.c and engine_containers.c (assignments), engine_overrun.c (overruns and recovery), engine_view.c (what others see). The
 * lock is held. */

enum { SECOND_US = 1000000 };

/* A pod that comes close to its limit all the time: after so many unused warm-ups there is none until the next check of all. */
enum { UNUSED_WARMUPS_MAX = 3 };

struct engine_pod *engine_find(struct engine *e, const char *uid);
struct escalation_pod *engine_state(struct engine *e, const struct engine_pod *p);

/* A container's part of its pod's budget. */
int32_t engine_share(const struct engine_container *c, int32_t runtime_us);

void engine_add_event(struct engine *e, enum node_event_kind kind, const struct engine_pod *p,
		      const char *text);
/* The same of the pod's last overrun, which happened when the kernel saw it. */
void engine_add_overrun_event(struct engine *e, enum node_event_kind kind, const struct engine_pod *p,
		       uint64_t count, const char *text);

/* After pods or containers came, went or changed: makes the kernel agree. */
int engine_settle(struct engine *e, struct error *err);
/* What was written last must read the same; else all is read and written again soon. */
void engine_verify(struct engine *e);
void engine_want_all(struct engine *e);

/* Pods. */
int engine_refuse(struct engine *e, struct engine_pod *p, const struct budget *before,
		  const struct error *err);
void engine_report_applied(struct engine *e, struct engine_pod *p);
void engine_free_pod(struct engine_pod *p);
void engine_retry_refused(struct engine *e);

/* Containers. */
void engine_set_containers(struct engine *e, struct engine_pod *p, const struct pod_want *want);
bool engine_has_containers(const struct engine_pod *p, const struct pod_want *want);
int engine_open_containers(struct engine *e, struct engine_pod *p, struct error *err);
void engine_close_container(struct engine *e, struct engine_container *c);
bool engine_close_gone(struct engine *e);
void engine_drop_gone(struct engine *e);
void engine_free_containers(struct engine_pod *p);
void engine_pin(struct engine *e, struct engine_pod *p);
void engine_watch(struct engine *e, struct engine_pod *p);
void engine_list_watched(struct engine *e);

/* The handler of the overrun source. */
void engine_on_overrun(const struct overrun_event *event, void *arg);

#endif
