/* SPDX-License-Identifier: Apache-2.0 */

/* mckube-node status: the wanted budgets, and those of the kernel. */
#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "command.h"
#include "node/state_file.h"
#include "output/table.h"
#include "plan/plan.h"

struct status_args {
	const char *state_file;
	uint8_t format;
	bool has_no_headers;
};

static const char *const formats[] = { "table", "wide", "json", "yaml", NULL };

static const struct option status_options[] = {
	OPT_STRING(0, "state-file", struct status_args, state_file, "FILE",
		   "the helper's state file", .preset = "/run/mckube-node/state.json",
		   .complete = "file"),
	OPT_ENUM('o', "output", struct status_args, format, formats, "FORMAT", "output format",
		 .preset = "table"),
	OPT_BOOL(0, "no-headers", struct status_args, has_no_headers, "print no header line"),
	{},
};

static const struct column group_columns[] = {
	{ .title = "CGROUP", .key = "cgroup", .is_name = true },
	{ .title = "CPU", .key = "cpu", .is_wide = true },
	{ .title = "PERIOD", .key = "periodUs" },
	{ .title = "WANTED", .key = "wantedUs" },
	{ .title = "KERNEL", .key = "kernelUs" },
	{ .title = "FOUND", .key = "foundUs", .is_wide = true },
	{ .title = "DIFFERENCE", .key = "difference" },
	{},
};

static const char *difference(const struct backend *b, int code, struct bandwidth kernel,
			      const struct saved_group *g)
{
	const struct bandwidth wanted = g->wanted;

	if (!backend_enforces(b))
		return "not enforced";
	if (code < 0)
		return "gone";
	/* No longer assigned: nothing is wanted, and the kernel refuses to take it. */
	if (g->is_retained)
		return kernel.runtime_us ? "retained" : "none";
	if (budget_reads_as(kernel, wanted))
		return "none";
	return kernel.period_us != wanted.period_us ? "period" : "runtime";
}

static void add_row(struct table *t, const struct kernel *k, const struct backend *b,
		    const struct saved_group *g)
{
	int cpu = b->is_per_cpu ? (int)g->cpu_domain : CPU_ALL;
	struct bandwidth kernel = { 0 };
	struct group group;
	char cpu_domain[16] = "all";

	int code = group_open(&group, b, k, g->path, g->path, NULL);
	group.now = g->wanted;
	if (code == 0)
		code = group_read(&group, cpu, &kernel, NULL);
	group_close(&group);
	if (!backend_enforces(b))
		kernel.runtime_us = 0;
	if (cpu != CPU_ALL)
		snprintf(cpu_domain, sizeof(cpu_domain), "%d", cpu);
	table_row(t, CELL_TEXT(*g->path ? g->path : "/"), CELL_TEXT(cpu_domain),
		  CELL_US(g->wanted.period_us), CELL_US(g->is_retained ? 0 : g->wanted.runtime_us),
		  CELL_US(kernel.runtime_us), CELL_US(g->found.runtime_us),
		  CELL_TEXT(difference(b, code, kernel, g)));
}

static void print_pods(const struct saved_state *m, FILE *out)
{
	array_each(p, &m->pods)
		fprintf(out, "%-40s level %s, %s\n", p->name, level_name(p->level),
			p->enforcement ? enforcement_name(p->enforcement) : "none");
}

static int status_run(const struct context *ctx, void *values, struct error *err)
{
	const struct status_args *args = values;
	AUTO(saved_state_done) struct saved_state m = { 0 };
	AUTO(table_done) struct table t = { .columns = group_columns };
	AUTO(str_done) struct str text = STR_INIT;
	struct style look = { 0 };
	const struct backend *b;
	struct kernel k;

	if (context_probe(ctx, &k, &b, err) < 0 || state_file_load(args->state_file, &m, err) < 0)
		return err->code;
	if (!m.groups.n)
		return error_set(err, -ENOENT, "%s: no state of a helper", args->state_file);
	array_each(g, &m.groups)
		add_row(&t, &k, b, g);
	if (table_render(&t, (enum format)args->format, &look, !args->has_no_headers, &text, err) <
	    0)
		return err->code;
	if (args->format <= FORMAT_WIDE)
		print_pods(&m, ctx->out);
	fputs(text.s, ctx->out);
	return 0;
}

const struct command command_status = {
	.name = "status",
	.summary = "Show the wanted budgets, those of the kernel, and the differences",
	.options = status_options,
	.size = sizeof(struct status_args),
	.run = status_run,
};
