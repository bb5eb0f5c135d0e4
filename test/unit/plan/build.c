/* SPDX-License-Identifier: Apache-2.0 */
#include "test/unit/plan/build.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "test/unit/test.h"

#include "base/auto.h"
#include "plan/node_index.h"
#include "plugins/policies.h"
#include "test/unit/snapshot.h"

static const char *text_or(const char *s, const char *by_default)
{
	return s ? s : by_default;
}

/* The piece with a comma before it. */
static void add_more(struct str *yaml, const char *piece)
{
	if (piece && *piece)
		str_addf(yaml, ", %s", piece);
}

void build_node(struct str *yaml, struct test_node n)
{
	int cpus = n.cpus ? n.cpus : 2;

	str_addf(yaml, "---\n{apiVersion: v1, kind: Node, metadata: {name: %s, ", n.name);
	str_addf(yaml, "labels: {kubernetes.io/hostname: %s", n.name);
	add_more(yaml, n.labels);
	str_addf(yaml, "}, annotations: {%s}}, spec: {%s}, ", text_or(n.annotations, ""),
		 text_or(n.spec, ""));
	str_addf(yaml, "status: {capacity: {cpu: '%d'}, allocatable: {cpu: '%d', ", cpus, cpus);
	str_add(yaml, "memory: 8Gi, pods: '110'");
	add_more(yaml, n.allocatable);
	str_add(yaml, "}}}\n");
}

static void build_mckube(struct str *yaml, const struct test_pod *p)
{
	str_add(yaml, "---\n{apiVersion: mcoperator.sdv.com/v1, kind: McKube, ");
	str_addf(yaml, "metadata: {namespace: car, name: %s, uid: m-%s, ", p->name, p->name);
	str_add(yaml, "finalizers: [mckube.mcoperator.sdv.com/finalizer]}, ");
	str_addf(yaml, "spec: {selector: {matchLabels: {app: %s}}, criticality: %s, ", p->name,
		 text_or(p->criticality, "Low"));
	str_addf(yaml, "rtSettings: {period: 1000000, runtime_low: %d, runtime_hi: %d", p->low,
		 p->hi ? p->hi : p->low);
	add_more(yaml, p->rt);
	str_addc(yaml, '}');
	add_more(yaml, p->mckube);
	str_add(yaml, "}}\n");
}

/* As if it had been assigned to these cores with the budget that it asks for. */
static void build_assignment(struct str *yaml, const struct test_pod *p)
{
	str_addf(yaml, ", mckube.io/rt-core: '%s', mckube.io/rt-period: '1000000', ", p->cores);
	str_addf(yaml, "mckube.io/rt-runtime-low: '%d', mckube.io/rt-runtime-hi: '%d', ", p->low,
		 p->hi ? p->hi : p->low);
	str_addf(yaml, "mckube.io/criticality: %s", text_or(p->criticality, "Low"));
}

void build_pod(struct str *yaml, struct test_pod p)
{
	str_add(yaml, "---\n{apiVersion: v1, kind: Pod, metadata: {namespace: car, ");
	str_addf(yaml, "name: %s, uid: u-%s, labels: {app: %s", p.name, p.name, p.name);
	add_more(yaml, p.labels);
	str_add(yaml, "}, annotations: {mckube.io/rt-source: mckube");
	if (p.cores)
		build_assignment(yaml, &p);
	add_more(yaml, p.annotations);
	str_addf(yaml, "}, ownerReferences: [{apiVersion: v1, kind: %s, name: owner, uid: o, ",
		 text_or(p.owner, "ReplicaSet"));
	str_add(yaml, "controller: true}]");
	add_more(yaml, p.meta);
	str_addf(yaml, "}, spec: {schedulerName: %s, priority: %d, ",
		 text_or(p.scheduler, "mckube"), p.priority);
	if (p.node)
		str_addf(yaml, "nodeName: %s, ", p.node);
	str_addf(yaml, "containers: [{name: main, ports: [%s], resources: {requests: {%s}}",
		 text_or(p.ports, ""), text_or(p.requests, "cpu: 100m"));
	add_more(yaml, p.container);
	str_add(yaml, "}]");
	add_more(yaml, p.spec);
	str_addf(yaml, "}, status: {phase: %s}}\n", p.node ? "Running" : "Pending");
	if (p.low)
		build_mckube(yaml, &p);
}

void build_pdb(struct str *yaml, const char *name, const char *label, int allowed)
{
	str_addf(yaml,
		 "---\n{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {namespace: "
		 "car, name: %s}, spec: {selector: {matchLabels: {%s}}}, status: "
		 "{disruptionsAllowed: %d}}\n",
		 name, label, allowed);
}

/* ---- Random clusters ---- */

uint32_t random_below(uint32_t *state, uint32_t n)
{
	/* Marsaglia's xorshift with 32 bits */
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state % n;
}

static const char *one_of(uint32_t *random, const char *const words[], uint32_t n)
{
	return words[random_below(random, n)];
}

static void build_random_pod(struct str *yaml, uint32_t *random, int number, int nodes)
{
	static const char *const criticalities[] = { "Low", "Middle", "High" };
	static const char *const cores[] = { NULL, "0", "1", "0", "1", "0-1" };
	static const char *const owners[] = { "ReplicaSet", "ReplicaSet", "DaemonSet",
					      "StatefulSet" };
	static const char *const specs[] = {
		"",
		"",
		"",
		"affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
		"[{labelSelector: {matchLabels: {group: a}}, topologyKey: kubernetes.io/hostname}]}}",
		"topologySpreadConstraints: [{maxSkew: 2, whenUnsatisfiable: DoNotSchedule, "
		"topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {group: b}}}]",
	};
	static const char *const groups[] = { "group: a", "group: b", "group: c", "group: c" };
	char name[16], node[16];
	bool is_bound = random_below(random, 3) > 0;
	int low = 20000 + 10000 * (int)random_below(random, 40);

	snprintf(name, sizeof(name), "pod-%d", number);
	snprintf(node, sizeof(node), "node-%d", (int)random_below(random, (uint32_t)nodes));
	const char *at = one_of(random, cores, ARRAY_LEN(cores));
	build_pod(yaml,
		  (struct test_pod){
			  .name = name,
			  .node = is_bound ? node : NULL,
			  .cores = is_bound ? at : NULL,
			  .criticality = one_of(random, criticalities, 3),
			  .low = low,
			  .hi = low + 10000 * (int)random_below(random, 30),
			  .rt = at && strcmp(at, "0-1") == 0 ? "coreCount: 2" : NULL,
			  .labels = one_of(random, groups, ARRAY_LEN(groups)),
			  .spec = one_of(random, specs, ARRAY_LEN(specs)),
			  .ports = random_below(random, 5) ? NULL
							   : "{containerPort: 80, hostPort: 80}",
			  .owner = one_of(random, owners, ARRAY_LEN(owners)),
			  .priority = (int)random_below(random, 3),
		  });
}

void build_random(struct str *yaml, uint32_t seed)
{
	uint32_t random = seed * 2654435761u + 1;
	int nodes = 1 + (int)random_below(&random, 3), pods = 4 + (int)random_below(&random, 8);

	for (int i = 0; i < nodes; i++) {
		char name[16];

		snprintf(name, sizeof(name), "node-%d", i);
		build_node(yaml, (struct test_node){
					 .name = name,
					 .cpus = 2 + (int)random_below(&random, 2),
					 .annotations = random_below(&random, 4)
								? NULL
								: "mckube.io/capacity-scope: node",
				 });
	}
	for (int i = 0; i < pods; i++)
		build_random_pod(yaml, &random, i, nodes);
	build_pdb(yaml, "budget", "group: c", (int)random_below(&random, 3));
}

/* ---- Scenes ---- */

static void start(struct scene *s, struct cluster c)
{
	static const struct settings settings = SETTINGS_DEFAULT;
	struct planner *p = &s->p;

	*s = (struct scene){ .c = c, .settings = settings };
	p->is_exact = true;
	p->policies[0] = &policy_spread;
	p->weights[0] = 1;
	p->n_policies = 1;
	planner_start(p, &s->c, &s->settings, NULL);
}

void scene_start(struct scene *s, struct str *yaml)
{
	start(s, snapshot_of(yaml->s));
	str_done(yaml);
}

void scene_start_unread(struct scene *s, struct str *yaml)
{
	start(s, unread_snapshot_of(yaml->s));
	str_done(yaml);
}

void scene_done(struct scene *s)
{
	planner_done(&s->p);
	cluster_done(&s->c);
}

unit_id scene_unit(const struct scene *s, const char *pod)
{
	pod_id id = cluster_pod(&s->c, "car", pod);

	if (id == NONE || s->p.trial.unit_of_pod[id] == NONE)
		fail_msg("there is no unit '%s'", pod);
	return s->p.trial.unit_of_pod[id];
}

struct unit *unit_at(struct scene *s, const char *pod)
{
	return &s->p.trial.units.items[scene_unit(s, pod)];
}

node_id scene_node(const struct scene *s, const char *node)
{
	node_id id = cluster_node(&s->c, node);

	if (id == NONE)
		fail_msg("there is no node '%s'", node);
	return id;
}

const char *scene_place(const struct scene *s, place_id place)
{
	static char text[256];
	const struct trial *t = &s->p.trial;
	size_t n;

	if (place == NONE)
		return "-";

	const struct core_set *set = &t->places.items[place];
	n = (size_t)snprintf(text, sizeof(text),
			     "%s:", cluster_str(&s->c, s->c.nodes.items[set->node].meta.name));
	for (uint32_t i = 0; i < set->cores.n && n < sizeof(text); i++)
		n += (size_t)snprintf(
			text + n, sizeof(text) - n, "%s%d", i ? "," : "",
			t->cap.cores.items[t->place_cores.items[set->cores.at + i]].cpu);
	return text;
}

static void picture_nodes(const struct trial *t, struct str *out)
{
	for (node_id id = 0; id < t->c->nodes.n; id++) {
		str_addf(out, "node %u:", id);
		for (int r = 0; r < LEVELS; r++)
			for (int i = 0; i < RES_KINDS; i++)
				str_addf(out, " %lld", (long long)t->nodes[id].used[r][i]);
		str_addc(out, '\n');
	}
	array_each(x, &t->extended)
		str_addf(out, "extended %u: %lld %lld %lld\n", x->name, (long long)x->used[0],
			 (long long)x->used[1], (long long)x->used[2]);
}

void trial_picture(const struct trial *t, struct str *ret)
{
	str_clear(ret);
	for (cell_id id = 0; id < t->n_cells; id++) {
		str_addf(ret, "cell %u:", id);
		for (size_t r = 0; r < ARRAY_LEN(t->cells[id].used); r++)
			for (int k = 0; k < LEVELS; k++)
				str_addf(ret, " %u", t->cells[id].used[r][k]);
		str_addc(ret, '\n');
	}
	for (size_t i = 0; i < t->cap.cores.n; i++)
		str_addf(ret, "core %zu: %u pods\n", i, t->pods_on_core[i]);
	picture_nodes(t, ret);
	for (pdb_id id = 0; id < t->c->pdbs.n; id++)
		str_addf(ret, "pdb %u: %d\n", id, t->evictions.of_pdb[id]);
	array_each(u, &t->units)
		str_addf(ret, "pod %u: at %u evicted %d\n", u->pod, u->at, u->is_evicted);
}

void build_shuffled(const char *yaml, uint32_t *random, struct str *ret)
{
	ARRAY(struct slice) docs = { 0 };

	for (const char *end; *yaml; yaml = end) {
		end = strstr(yaml + 1, "\n---\n");
		end = end ? end + 1 : yaml + strlen(yaml);
		*array_add(&docs) = (struct slice){ yaml, (size_t)(end - yaml) };
	}
	str_clear(ret);
	while (docs.n > 0) {
		uint32_t i = random_below(random, (uint32_t)docs.n);

		str_addn(ret, docs.items[i].s, docs.items[i].n);
		docs.items[i] = docs.items[--docs.n];
	}
	array_done(&docs);
}
