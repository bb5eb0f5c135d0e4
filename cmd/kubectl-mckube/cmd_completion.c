/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/embedded.h"

#include "command.h"

extern const struct embedded scripts[]; /* completions/kubectl-mckube.NAME */

struct completion_args {
	const char *install;
};

static const struct option options[] = {
	OPT_STRING(
		0, "install", struct completion_args, install, "DIR",
		"make the link kubectl_complete-mckube in this folder of the PATH, through which "
		"kubectl completes 'kubectl mckube'",
		.complete = "file"),
	{},
};

static int print_script(struct cli *cli, const char *shell, struct error *err)
{
	AUTO(str_done) struct str out = STR_INIT;

	for (const struct embedded *s = scripts; s->name; s++)
		if (strcmp(s->name, shell) == 0) {
			str_addn(&out, s->text.s, s->text.n);
			return print_text(&out, EXIT_DONE, err);
		}
	return usage_error(cli, err, "unknown shell \"%s\": must be one of bash|zsh|fish", shell);
}

static int install(const char *folder, struct error *err)
{
	AUTO_FREE char *link = xasprintf("%s/kubectl_complete-mckube", folder);
	AUTO(str_done) struct str out = STR_INIT;
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n < 0)
		return error_errno(err, "/proc/self/exe");
	self[n] = '\0';
	if (symlink(self, link) < 0) {
		int cause = errno;
		AUTO_FREE char *there = realpath(link, NULL);

		if (!there || strcmp(there, self) != 0) {
			errno = cause;
			return error_errno(err, "%s", link);
		}
	}
	str_addf(&out, "%s -> %s\n", link, self);
	return print_text(&out, EXIT_DONE, err);
}

static int run(struct cli *cli, const void *args, struct error *err)
{
	const struct completion_args *a = args;

	if (a->install)
		return install(a->install, err);
	if (!cli->words.n)
		return usage_error(cli, err, "completion needs a shell: bash, zsh or fish");
	return print_script(cli, cli->words.items[0], err);
}

static const char *const word_kinds[] = { "shell", NULL };

const struct command command_completion = {
	.name = "completion",
	.synopsis = "(bash|zsh|fish | --install DIR)",
	.summary = "print a completion script, or install kubectl's completion helper",
	.description =
		"Print a script that completes kubectl-mckube in a shell, or install the helper by "
		"which\nkubectl itself completes 'kubectl mckube' (kubectl 1.26 and later).",
	.examples = "# for kubectl\n"
		    "kubectl mckube completion --install .\n"
		    "\n"
		    "# for kubectl-mckube, called directly\n"
		    "kubectl mckube completion bash > kubectl-mckube.bash\n",
	.options = options,
	.args_size = sizeof(struct completion_args),
	.max_words = 1,
	.word_kinds = word_kinds,
	.run = run,
};
