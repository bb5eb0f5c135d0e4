/* SPDX-License-Identifier: Apache-2.0 */

/* mckube-node check: what this kernel can enforce. */
#include <string.h>

#include "base/auto.h"
#include "base/json_out.h"
#include "command.h"
#include "node/node_checks.h"

struct check_args {
	uint8_t format;
};

enum check_format { CHECK_TEXT, CHECK_JSON };
static const char *const formats[] = { "text", "json", NULL };

static const struct option check_options[] = {
	OPT_ENUM('o', "output", struct check_args, format, formats, "FORMAT", "output format",
		 .preset = "text"),
	{},
};

/* How overruns are seen, from best to worst. */
static const char *overrun_source(const struct kernel *k, const struct backend *b)
{
	if (b == &backend_noop)
		return "none";
	if (k->has[FEATURE_BTF] && k->has[FEATURE_TRACE_SWITCH] && k->has[FEATURE_TRACE_RUNTIME])
		return "bpf";
	return "cpu.stat";
}

static const char *limit_text(const struct kernel *k, char *buf, size_t size)
{
	if (k->rt_runtime_us < 0)
		snprintf(buf, size, "unlimited (the kernel admits any budget)");
	else
		snprintf(buf, size, "%lld us of every %lld us on each CPU",
			 (long long)k->rt_runtime_us, (long long)k->rt_period_us);
	return buf;
}

static void print_text(const struct kernel *k, const struct backend *b,
		       const struct node_warnings *w, FILE *out)
{
	char limit[80];

	fprintf(out, "kernel     %s, %u CPUs\n", k->release, k->cpus);
	fprintf(out, "cgroups    %s, cpu controller at %s\n", cgroup_kind_name(k->cgroup),
		*k->cpu ? k->cpu : "no place");
	fprintf(out, "RT limit   %s\n", limit_text(k, limit, sizeof(limit)));
	fprintf(out, "backend    %s\n", b->name);
	fprintf(out, "guarantee  %s\n", b->guarantee);
	fprintf(out, "overruns   %s\n\n", overrun_source(k, b));
	for (int i = 0; i < FEATURES; i++) {
		const struct feature_text *t = &feature_texts[i];

		fprintf(out, "%-3s  %-21s %s\n", k->has[i] ? "yes" : "no", t->key, t->what);
		if (!k->has[i])
			fprintf(out, "     %-21s needs %s\n", "", t->how);
	}
	array_each(warning, &w->list)
		fprintf(out, "%swarning: %s: %s\n", warning == w->list.items ? "\n" : "",
			warning->key, warning->text);
}

static void add_text(struct json_out *o, const char *key, const char *value)
{
	json_out_key(o, key);
	json_out_text(o, value);
}

static void add_features(struct json_out *o, const struct kernel *k)
{
	json_out_key(o, "features");
	json_out_object(o);
	for (int i = 0; i < FEATURES; i++) {
		json_out_key(o, feature_texts[i].key);
		json_out_object(o);
		json_out_member_bool(o, "present", k->has[i]);
		if (!k->has[i])
			add_text(o, "needs", feature_texts[i].how);
		json_out_end(o);
	}
	json_out_end(o);
}

static void add_warnings(struct json_out *o, const struct node_warnings *w)
{
	json_out_key(o, "warnings");
	json_out_array(o);
	array_each(warning, &w->list) {
		json_out_object(o);
		add_text(o, "key", warning->key);
		add_text(o, "text", warning->text);
		json_out_end(o);
	}
	json_out_end(o);
}

static void print_json(const struct kernel *k, const struct backend *b,
		       const struct node_warnings *w, FILE *out)
{
	AUTO(str_done) struct str text = STR_INIT;
	AUTO(json_out_done) struct json_out o = { .out = &text };

	json_out_object(&o);
	add_text(&o, "kernel", k->release);
	json_out_member_int(&o, "cpus", k->cpus);
	add_text(&o, "cgroups", cgroup_kind_name(k->cgroup));
	add_text(&o, "cpuController", k->cpu);
	json_out_member_int(&o, "rtPeriodUs", k->rt_period_us);
	json_out_member_int(&o, "rtRuntimeUs", k->rt_runtime_us);
	add_text(&o, "backend", b->name);
	add_text(&o, "capacityScope", b->scope == SCOPE_NODE ? "node" : "core");
	add_text(&o, "guarantee", b->guarantee);
	add_text(&o, "overruns", overrun_source(k, b));
	add_features(&o, k);
	add_warnings(&o, w);
	json_out_end(&o);
	fprintf(out, "%s\n", text.s);
}

static int check_run(const struct context *ctx, void *values, struct error *err)
{
	const struct check_args *args = values;
	const struct backend *b;
	AUTO(node_warnings_done) struct node_warnings w = { 0 };
	struct kernel k;

	if (context_probe(ctx, &k, &b, err) < 0)
		return err->code;
	node_warnings_find(&(struct kernel_roots){ ctx->common->cgroup_root, ctx->common->proc_root,
						   ctx->common->sys_root },
			   &k, b, &w);
	if (args->format == CHECK_JSON)
		print_json(&k, b, &w, ctx->out);
	else
		print_text(&k, b, &w, ctx->out);
	return 0;
}

const struct command command_check = {
	.name = "check",
	.summary = "Show what this kernel can enforce, and what it lacks",
	.options = check_options,
	.size = sizeof(struct check_args),
	.run = check_run,
};
