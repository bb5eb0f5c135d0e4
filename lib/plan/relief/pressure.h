/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_RELIEF_PRESSURE_H
#define MCKUBE_PLAN_RELIEF_PRESSURE_H

#include "model/cluster.h"
#include "model/settings.h"

/* Is a node under pressure? It depends on settings.pressure.trigger:
 *
 * realTime: the node reports real-time time that its pods were granted and did not get
 * (mckube.io/rt-pressure, see lib/node/rt_pressure.h), or the kernel refused a budget
 * (mckube.io/rt-applied: "false"). CPU time that other processes use is no pressure: real-time
 * threads preempt them.
 *
 * cpu: all of the node's annotations that tell its CPU use say so: mckube.sdv.com/isCpuBusy,
 * cpu-usage (per cent, against pressure.busy) and cpu-over90-duration-s (against delaySeconds). It
 * is calm when none says otherwise (cpu-usage against pressure.calm). In between nothing happens:
 * that is the hysteresis.
 *
 * The readings of a silent helper (model/heartbeat.h) count as in between. */
enum pressure {
	PRESSURE_CALM,
	PRESSURE_BETWEEN,
	PRESSURE_SOON, /* busy, but not for delaySeconds yet */
	PRESSURE_BUSY,
};

/* `is_refused`: a budget on the node was refused. */
enum pressure pressure_of(const struct cluster *c, const struct node *node,
			  const struct settings *settings, bool is_refused);

/* The node's CPU use in ppm; -1 where it is not reported. */
int64_t pressure_usage(const struct cluster *c, const struct node *node);

/* Lost real-time time in us per second, which are ppm of one core; 0 where none is reported. */
int64_t pressure_lost(const struct cluster *c, const struct node *node);

/* How much time has to be freed to end the pressure, in ppm of one core; at least 1. */
int64_t pressure_excess(const struct cluster *c, const struct node *node,
			const struct settings *settings);

/* Does the pod's helper report that the kernel does not hold its budget? */
bool pressure_is_refused(const struct cluster *c, const struct pod *pod);

#endif
