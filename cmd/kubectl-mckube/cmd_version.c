/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <curl/curlver.h>
#include <string.h>
#include <yaml.h>

#include "base/auto.h"
#include "base/json_out.h"
#include "base/yaml.h"

#include "build.h"
#include "command.h"

enum version_format { VERSION_TEXT, VERSION_JSON, VERSION_YAML };

struct version_args {
	bool is_client;
	int32_t output; /* enum version_format */
};

static const char *const formats[] = { "text", "json", "yaml", NULL };

static const struct option options[] = {
	OPT_BOOL(0, "client", struct version_args, is_client,
		 "accepted as by kubectl; the version is always the client's"),
	OPT_ENUM('o', "output", struct version_args, output, formats, "FORMAT", "output format",
		 .preset = "text"),
	{},
};

static const char *yaml_version(void)
{
	return yaml_get_version_string();
}

/* libcurl is not asked for its version: loading it takes longer than all the rest of a start. */
static const struct fact {
	const char *key, *title;
	const char *value;
	const char *(*ask)(void);
} facts[] = {
	{ "version", "kubectl-mckube", MCKUBE_VERSION, NULL },
	{ "gitCommit", "git commit", MCKUBE_GIT_COMMIT, NULL },
	{ "compiler", "compiler", MCKUBE_COMPILER, NULL },
	{ "platform", "platform", MCKUBE_PLATFORM, NULL },
	{ "curl", "libcurl", LIBCURL_VERSION, NULL },
	{ "cJSON", "cJSON", NULL, cJSON_Version },
	{ "libyaml", "libyaml", NULL, yaml_version },
};

static const char *fact_value(const struct fact *f)
{
	return f->ask ? f->ask() : f->value;
}

static void add_text(struct str *out)
{
	for (size_t i = 0; i < ARRAY_LEN(facts); i++)
		if (*fact_value(&facts[i]))
			str_addf(out, "%s: %s\n", facts[i].title, fact_value(&facts[i]));
}

static void add_json(struct str *out)
{
	AUTO(json_out_done) struct json_out o = { .out = out };

	json_out_object(&o);
	json_out_key(&o, "clientVersion");
	json_out_object(&o);
	for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
		json_out_key(&o, facts[i].key);
		json_out_text(&o, fact_value(&facts[i]));
	}
	json_out_end(&o);
	json_out_end(&o);
	str_addc(out, '\n');
}

static int run(struct cli *cli, const void *args, struct error *err)
{
	const struct version_args *a = args;
	AUTO(str_done) struct str json = STR_INIT;
	AUTO(str_done) struct str out = STR_INIT;

	(void)cli;
	if (a->output == VERSION_TEXT)
		add_text(&out);
	else
		add_json(&json);
	if (a->output == VERSION_YAML && yaml_from_json(json.s, json.n, &out, err) < 0)
		return err->code;
	return print_text(a->output == VERSION_JSON ? &json : &out, EXIT_DONE, err);
}

const struct command command_version = {
	.name = "version",
	.synopsis = "[options]",
	.summary = "print the version of this program and of its libraries",
	.description = "Print the version of this program, what it was built from, and the "
		       "libraries it runs with.",
	.examples = "# as text\n"
		    "kubectl mckube version\n"
		    "\n"
		    "# for a script\n"
		    "kubectl mckube version -o json\n",
	.options = options,
	.args_size = sizeof(struct version_args),
	.run = run,
};
