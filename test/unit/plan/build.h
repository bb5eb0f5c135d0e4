/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_TEST_PLAN_BUILD_H
#define MCKUBE_TEST_PLAN_BUILD_H

#include "base/str.h"
#include "plan/planner.h"

/* Small clusters for the planner's tests: objects are written down with what matters, become a
 * snapshot by way of lib/state, and a planner stands before its first step. Pieces of YAML are the
 * inside of a flow mapping, such as "zone: a, disk: ssd"; what is left out is left out, but for the
 * defaults named here. */

struct test_node {
	const char *name;
	int cpus; /* default 2 */
	const char *labels, *annotations, *spec;
	const char *allocatable; /* besides cpu, memory and pods */
};

/* A pod of namespace "car", with the label app: <name>, for us to schedule. */
struct test_pod {
	const char *name;
	const char *node;  /* NULL: pending */
	const char *cores; /* NULL: it has none */
	const char *criticality;
	int low, hi;	    /* of a period of 1,000,000 us; hi 0: as low; low 0: no RT pod */
	const char *rt;	    /* more of its McKube's rtSettings */
	const char *mckube; /* more of its McKube's spec */
	const char *meta;   /* more of its metadata */
	const char *labels, *annotations, *spec;
	const char *owner;     /* kind; default ReplicaSet */
	const char *ports;     /* of its container, the inside of the list */
	const char *requests;  /* resources of its container; default cpu 100m */
	const char *container; /* more of it */
	const char *scheduler; /* default mckube */
	int priority;
};

void build_node(struct str *yaml, struct test_node n);
void build_pod(struct str *yaml, struct test_pod p);

/* disruptionsAllowed for the pods with this label */
void build_pdb(struct str *yaml, const char *name, const char *label, int allowed);

/* A random cluster of some nodes and pods, the same for the same seed: pods pending, running,
 * without cores, on several cores; cores over their capacity, ports, anti-affinity, budgets. */
void build_random(struct str *yaml, uint32_t seed);

/* The documents of a YAML text, which begin with "---", in another order. */
void build_shuffled(const char *yaml, uint32_t *random, struct str *ret);

/* A random number below n. */
uint32_t random_below(uint32_t *state, uint32_t n);

struct scene {
	struct cluster c;
	struct settings settings;
	struct planner p;
};

/* Reads the objects and prepares a planner with the default settings; `yaml` is released. */
void scene_start(struct scene *s, struct str *yaml);
/* The same of objects of which something cannot be read. */
void scene_start_unread(struct scene *s, struct str *yaml);
void scene_done(struct scene *s);

/* By name. */
unit_id scene_unit(const struct scene *s, const char *pod);
struct unit *unit_at(struct scene *s, const char *pod);
node_id scene_node(const struct scene *s, const char *node);

/* "edge:0,2": where the unit is in the trial; "-" for nowhere. */
const char *scene_place(const struct scene *s, place_id place);

/* All that changes in a trial, as text that can be compared. */
void trial_picture(const struct trial *t, struct str *ret);

#endif
