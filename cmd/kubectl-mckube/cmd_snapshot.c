/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <sys/random.h>

#include "base/auto.h"
#include "base/file.h"
#include "execute/to_snapshot.h"
#include "plan/plan.h"
#include "state/redact.h"

#include "command.h"

struct snapshot_args {
	int32_t output; /* enum list_format */
	const char *out;
	bool redacts;
	const char *redact_key; /* NULL: a random one */
};

static const char *const formats[] = {
	[LIST_JSON] = "json",
	[LIST_YAML] = "yaml",
	NULL,
};

static const struct option options[] = {
	OPT_ENUM('o', "output", struct snapshot_args, output, formats, "FORMAT", "output format",
		 .preset = "yaml"),
	OPT_STRING(0, "out", struct snapshot_args, out, "FILE",
		   "write to this file instead of standard output", .complete = "file"),
	OPT_BOOL(0, "redact", struct snapshot_args, redacts,
		 "drop what a plan does not read, and replace names by pseudonyms"),
	OPT_STRING(0, "redact-key", struct snapshot_args, redact_key, "TEXT",
		   "derive the pseudonyms from this key, so that those of several snapshots can "
		   "be compared (default: a random one)"),
	{},
};

/* What was read, each object once, unchanged. */
static int write_plain(const struct inputs *in, enum list_format format, FILE *out,
		       struct error *err)
{
	struct plan nothing = {
		.server = cluster_str(&in->cluster, in->cluster.server),
		.taken_at = in->cluster.taken_at,
	};

	return execute_on_files(&nothing, in->sources.items, in->sources.n, format, out, err);
}

static int make_key(char key[static 33], struct error *err)
{
	unsigned char bytes[16];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return error_errno(err, "make a key");
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(key + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

/* By way of a file without a name, in which each object stands once. */
static int write_redacted(const struct inputs *in, const struct snapshot_args *a, FILE *out,
			  struct error *err)
{
	AUTO_FILE FILE *plain = tmpfile();
	char path[32], key[33];
	const struct source source = { .path = path };

	if (!plain)
		return error_errno(err, "keep the cluster's objects");
	if (write_plain(in, LIST_JSON, plain, err) < 0)
		return err->code;
	if (fflush(plain) != 0)
		return error_errno(err, "keep the cluster's objects");
	if (!a->redact_key && make_key(key, err) < 0)
		return err->code;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fileno(plain));
	return redact_files(&source, 1, a->redact_key ? a->redact_key : key, in->cluster.taken_at,
			    (enum list_format)a->output, out, err);
}

static int run(struct cli *cli, const void *args, struct error *err)
{
	const struct snapshot_args *a = args;
	AUTO(inputs_done) struct inputs in = { 0 };
	AUTO(save_done) struct save out = { 0 };

	if (a->redact_key && !a->redacts)
		return usage_error(cli, err, "--redact-key needs --redact");
	if (inputs_load(cli, true, &in, err) < 0 || save_open(&out, a->out ? a->out : "-", err) < 0)
		return err->code;

	int r = a->redacts ? write_redacted(&in, a, out.f, err)
			   : write_plain(&in, (enum list_format)a->output, out.f, err);
	if (r < 0 || save_commit(&out, err) < 0)
		return err->code;
	return EXIT_DONE;
}

const struct command command_snapshot = {
	.name = "snapshot",
	.synopsis = "[--snapshot FILE] [-f FILE]... [options]",
	.summary = "write what a plan reads, as one List",
	.description =
		"Write what a plan reads as one List: several files, documents and folders become "
		"one, and of an\nobject that occurs more than once the last one is kept.\n"
		"\n"
		"Of an API server also what WorkloadOptimizers scale by is read: PodMetrics, and from "
		"Prometheus or\nthe APIs of custom and external metrics each value as a MetricSample. One "
		"that could not be read has\na reason in the place of the value. The number of replicas of "
		"what they scale that is neither Deployment\nnor StatefulSet is a ScaleTarget.\n"
		"\n"
		"With --redact it can be shown to others. Kept are numbers, amounts, times, "
		"phases, versions,\nannotations of mckube, and the keys that Kubernetes or mckube define. "
		"Names, namespaces, uids, other\nkeys and all label values become pseudonyms such "
		"as x0017-9f3ac1d2, the same ones everywhere;\nlabel values that are whole numbers "
		"stay. All else is dropped: images, environments, commands,\naddresses, other "
		"annotations, other kinds of objects. Pseudonyms sort as the names did, so a plan\n"
		"of it is the plan of the original with other names.",
	.examples = "# one file of many\n"
		    "kubectl mckube snapshot --snapshot test/example/cluster.yaml -o json --out "
		    "cluster.json\n"
		    "\n"
		    "# something to attach to a bug report\n"
		    "kubectl mckube snapshot --snapshot test/example/cluster.yaml --redact --out "
		    "redacted.yaml\n",
	.options = options,
	.args_size = sizeof(struct snapshot_args),
	.needs = NEEDS_INPUT,
	.run = run,
};
