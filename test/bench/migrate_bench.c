/* SPDX-License-Identifier: Apache-2.0 */
/* migrate_bench FILE [RUNS]: reads a snapshot of which some nodes use too much, and plans it RUNS
 * times without migration and with it, in turn. Prints one line of JSON: microseconds of this
 * thread's CPU clock of each plan_make(), and the moves of one plan. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/auto.h"
#include "objects/config.h"
#include "plan/plan.h"
#include "plugins/policies.h"
#include "state/load.h"

enum { RUNS = 5, RUNS_MAX = 1000 };

struct measured {
	int64_t us[RUNS_MAX];
	size_t moves, actions;
};

static int64_t cpu_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int load(const char *path, struct cluster *ret, struct error *err)
{
	struct source source = { .path = path };
	struct loader *loader = loader_new();
	int r = loader_files(loader, &source, 1, err);

	if (r == 0)
		loader_finish(loader, ret);
	loader_free(loader);
	return r;
}

static int plan_once(const struct cluster *c, const struct settings *settings, int64_t *ret_us,
		     struct measured *m, struct error *err)
{
	AUTO(plan_done) struct plan plan = { 0 };
	int64_t began = cpu_us();

	if (plan_make(c, policies, settings, &plan, err) < 0)
		return err->code;
	*ret_us = cpu_us() - began;
	m->actions = plan.actions.n;
	m->moves = 0;
	array_each(a, &plan.actions)
		m->moves += a->kind == ACTION_MIGRATE;
	return 0;
}

static void print(const char *name, const struct measured *m, int runs)
{
	printf("\"%s\":{\"us\":[", name);
	for (int i = 0; i < runs; i++)
		printf("%s%lld", i ? "," : "", (long long)m->us[i]);
	printf("],\"moves\":%zu,\"actions\":%zu}", m->moves, m->actions);
}

/* The same cluster in which no node is marked: what there would be without migration. */
static void hide_taints(struct cluster *calm, const struct cluster *c)
{
	*calm = *c;
	calm->nodes.items = xmalloc(c->nodes.n * sizeof(*calm->nodes.items));
	for (size_t i = 0; i < c->nodes.n; i++) {
		calm->nodes.items[i] = c->nodes.items[i];
		calm->nodes.items[i].taints.n = 0;
	}
}

static int run(const char *path, int runs, struct error *err)
{
	static struct measured off, on;
	AUTO(cluster_done) struct cluster cluster = { 0 };
	struct settings settings;
	struct cluster calm;
	int r = 0;

	config_preset(&settings);
	if (load(path, &cluster, err) < 0)
		return err->code;
	hide_taints(&calm, &cluster);
	for (int i = 0; i < runs && r == 0; i++) {
		settings.migration.enabled = false;
		r = plan_once(&calm, &settings, &off.us[i], &off, err);
		settings.migration.enabled = true;
		if (r == 0)
			r = plan_once(&cluster, &settings, &on.us[i], &on, err);
	}
	free(calm.nodes.items);
	if (r < 0)
		return r;
	printf("{");
	print("off", &off, runs);
	printf(",");
	print("on", &on, runs);
	printf("}\n");
	return 0;
}

int main(int argc, char **argv)
{
	struct error err = ERROR_INIT;
	int runs = argc > 2 ? atoi(argv[2]) : RUNS;

	if (argc < 2 || runs < 1 || runs > RUNS_MAX) {
		fprintf(stderr, "usage: migrate_bench FILE [RUNS]\n");
		return 2;
	}
	if (run(argv[1], runs, &err) < 0) {
		fprintf(stderr, "%s: %s\n", argv[1], err.msg);
		return 1;
	}
	return 0;
}
