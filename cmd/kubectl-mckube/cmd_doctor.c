/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/units.h"
#include "output/table.h"
#include "reconcile/health.h"

#include "command.h"
#include "execute.h"

struct doctor_args {
	const char *ns;
	int32_t output; /* enum format */
	bool has_no_headers, waits;
	int64_t timeout; /* ns */
};

enum { LOOK_MS = 2000 };

static const struct option options[] = {
	OPT_ENUM('o', "output", struct doctor_args, output, listing_formats, "FORMAT",
		 "output format", .preset = "table"),
	OPT_BOOL(0, "no-headers", struct doctor_args, has_no_headers, "leave out the headings"),
	OPT_BOOL(0, "wait", struct doctor_args, waits,
		 "wait until helper and controller are installed and nothing is missing"),
	OPT_DURATION(0, "timeout", struct doctor_args, timeout, "how long to wait", .preset = "2m"),
	OPT_STRING(0, "install-namespace", struct doctor_args, ns, "NAME",
		   "the namespace that the programs are installed in", .complete = "namespace",
		   .preset = "mckube-system"),
	{},
};

static const struct column columns[] = {
	{ "CHECK", "check", .is_name = true },
	{ "STATE", "state" },
	{ "DETAIL", "detail" },
	{},
};

/* The first thing that is missing, as often as it is another one. */
static void say_missing(const struct health *h, char **said)
{
	array_each(f, &h->findings) {
		if (f->state != HEALTH_MISSING)
			continue;
		char *text = xasprintf("waiting for %s: %s", f->check, f->detail);

		if (!*said || strcmp(*said, text) != 0)
			fprintf(stderr, "%s\n", text);
		free(*said);
		*said = text;
		return;
	}
}

/* Looks until nothing is missing, the time is up, or the user interrupts. */
static int look(struct live *live, const struct health_options *o, int64_t timeout_ms,
		struct health *h, struct error *err)
{
	int64_t end = clock_ms() + timeout_ms;
	AUTO_FREE char *said = NULL;

	for (;;) {
		if (health_check(&live->kube, o, h, err) < 0)
			return err->code;
		if (!h->n_missing || clock_ms() + LOOK_MS >= end)
			return 0;
		if (interrupt_reason())
			return error_set(err, -EINTR, "%s", interrupt_reason());
		say_missing(h, &said);
		http_wait(live->kube.http, LOOK_MS);
		health_done(h);
		*h = (struct health){ 0 };
	}
}

static int run(struct cli *cli, const void *args, struct error *err)
{
	const struct doctor_args *a = args;
	AUTO(live_close) struct live live = { 0 };
	AUTO(health_done) struct health health = { 0 };
	AUTO(table_done) struct table table = { .columns = columns };
	AUTO(str_done) struct str out = STR_INIT;

	if (a->waits)
		interrupt_catch();
	if (live_open(cli, &live, err) < 0)
		return err->code;
	const struct health_options o = { .server = live.target.cluster.server,
					  .ns = a->ns,
					  .chunk = (uint32_t)cli->live.chunk,
					  .needs_programs = a->waits };
	if (look(&live, &o, a->waits ? a->timeout / NS_PER_MS : 0, &health, err) < 0)
		return err->code;
	array_each(f, &health.findings)
		table_row(&table, CELL_TEXT(f->check), CELL_TEXT(health_state_name(f->state)),
			  CELL_TEXT(f->detail));
	if (table_render(&table, (enum format)a->output, &cli->style, !a->has_no_headers, &out,
			 err) < 0)
		return err->code;
	return print_text(&out, health.n_missing ? EXIT_ERROR : EXIT_DONE, err);
}

const struct command command_doctor = {
	.name = "doctor",
	.synopsis = "[options]",
	.summary = "check an installation: what is missing, what is left over",
	.description =
		"Check an installation: is the server reachable, are McKube objects defined, are "
		"the permissions\nfor plan and apply granted, are the programs rolled out, does the "
		"controller plan, what do the nodes\nenforce, and what was left behind. Exits with 1 "
		"when something is missing; --wait waits for it first.",
	.examples = "# the cluster of the current context\n"
		    "kubectl mckube doctor\n"
		    "\n"
		    "# after an installation\n"
		    "kubectl mckube doctor --wait --timeout 5m\n"
		    "\n"
		    "# in a script\n"
		    "kubectl mckube doctor -o json\n",
	.options = options,
	.args_size = sizeof(struct doctor_args),
	.needs = NEEDS_SERVER,
	.run = run,
};
