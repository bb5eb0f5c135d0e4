/* SPDX-License-Identifier: Apache-2.0 */
/* plan_bench FILE [RUNS]: reads a snapshot, plans it RUNS times (default 5; 0 only reads it), and
 * prints one line of JSON: CPU time of the reading, of each plan_make(), and what the plan holds.
 * Times are of this thread's CPU clock in microseconds, so a busy machine disturbs them little. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/auto.h"
#include "objects/config.h"
#include "plan/plan.h"
#include "plugins/policies.h"
#include "state/load.h"

enum { RUNS = 5, RUNS_MAX = 1000 };

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

static int plan_once(const struct cluster *c, const struct settings *settings, bool is_last,
		     struct error *err)
{
	AUTO(plan_done) struct plan plan = { 0 };
	int64_t began = cpu_us();

	if (plan_make(c, policies, settings, &plan, err) < 0)
		return err->code;
	printf("%lld%s", (long long)(cpu_us() - began), is_last ? "" : ",");
	if (is_last)
		printf("],\"actions\":%zu,\"unplaced\":%zu,\"steps\":%llu,\"exact\":%s}\n",
		       plan.actions.n, plan.unplaced.n, (unsigned long long)plan.search.steps,
		       plan.search.is_exact ? "true" : "false");
	return 0;
}

static int run(const char *path, int runs, struct error *err)
{
	AUTO(cluster_done) struct cluster cluster = { 0 };
	struct settings settings;
	int64_t began = cpu_us();

	config_preset(&settings);
	if (load(path, &cluster, err) < 0)
		return err->code;
	printf("{\"nodes\":%zu,\"pods\":%zu,\"load_us\":%lld,\"plan_us\":[", cluster.nodes.n,
	       cluster.pods.n, (long long)(cpu_us() - began));
	for (int i = 0; i < runs; i++)
		if (plan_once(&cluster, &settings, i == runs - 1, err) < 0)
			return err->code;
	if (runs == 0)
		printf("]}\n");
	return 0;
}

int main(int argc, char **argv)
{
	struct error err = ERROR_INIT;
	long runs = argc == 3 ? strtol(argv[2], NULL, 10) : RUNS;

	if (argc < 2 || argc > 3 || runs < 0 || runs > RUNS_MAX) {
		fprintf(stderr, "usage: plan_bench FILE [RUNS]\n");
		return EXIT_FAILURE;
	}
	if (run(argv[1], (int)runs, &err) < 0) {
		fprintf(stderr, "error: %s\n", err.msg);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
