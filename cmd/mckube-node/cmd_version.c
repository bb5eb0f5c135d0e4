/* SPDX-License-Identifier: Apache-2.0 */

/* mckube-node version: this program, what it was built from, and its libbpf. */
#include <bpf/libbpf.h>

#include "base/array.h"
#include "base/auto.h"
#include "base/json_out.h"
#include "build.h"
#include "command.h"

struct version_args {
	uint8_t format;
};

enum version_format { VERSION_TEXT, VERSION_JSON };
static const char *const formats[] = { "text", "json", NULL };

static const struct option version_options[] = {
	OPT_ENUM('o', "output", struct version_args, format, formats, "FORMAT", "output format",
		 .preset = "text"),
	{},
};

static const struct {
	const char *key, *name, *value; /* empty: not known */
} facts[] = {
	{ "version", "mckube-node", MCKUBE_VERSION },
	{ "gitCommit", "git commit", MCKUBE_GIT_COMMIT },
	{ "compiler", "compiler", MCKUBE_COMPILER },
	{ "platform", "platform", MCKUBE_PLATFORM },
};

static void print_text(FILE *out)
{
	for (size_t i = 0; i < ARRAY_LEN(facts); i++)
		if (*facts[i].value)
			fprintf(out, "%s: %s\n", facts[i].name, facts[i].value);
	fprintf(out, "libbpf: %s\n", libbpf_version_string());
}

static void print_json(FILE *out)
{
	AUTO(str_done) struct str text = STR_INIT;
	AUTO(json_out_done) struct json_out o = { .out = &text };

	json_out_object(&o);
	for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
		json_out_key(&o, facts[i].key);
		json_out_text(&o, facts[i].value);
	}
	json_out_key(&o, "libbpf");
	json_out_text(&o, libbpf_version_string());
	json_out_end(&o);
	fprintf(out, "%s\n", text.s);
}

static int version_run(const struct context *ctx, void *values, struct error *err)
{
	const struct version_args *args = values;

	(void)err;
	(args->format == VERSION_JSON ? print_json : print_text)(ctx->out);
	return 0;
}

const struct command command_version = {
	.name = "version",
	.summary = "Show the version of this program and of libbpf",
	.options = version_options,
	.size = sizeof(struct version_args),
	.run = version_run,
};
