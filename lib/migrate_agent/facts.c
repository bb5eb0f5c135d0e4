/* SPDX-License-Identifier: Apache-2.0 */

/* What the node can do, looked at and written as annotations of it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/names.h"
#include "base/units.h"
#include "checkpoint/runtime_version.h"
#include "migrate_agent/helper.h"

enum { AGAIN_MS = 60000, RETRY_MS = 2000, CPU_HEX = 16, VERSION_MAX = 64 };

static void run_criu(const char *root, int out)
{
	dup2(out, STDOUT_FILENO);
	if (*root && (chroot(root) < 0 || chdir("/") < 0))
		_exit(127);
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", !!*root);
	execlp("criu", "criu", "--version", (char *)NULL);
	_exit(127);
}

/* "Version: 4.2.1" is its first line. */
static int criu_version(const char *root, char ret[VERSION_MAX], struct error *err)
{
	AUTO(str_done) struct str text = STR_INIT_MAX(4096);
	int pipes[2], status = 0;

	if (pipe2(pipes, O_CLOEXEC) < 0)
		return error_errno(err, "pipe");
	pid_t pid = fork();
	if (pid == 0)
		run_criu(root, pipes[1]);
	close(pipes[1]);
	if (pid > 0) {
		file_read_fd(pipes[0], "criu", &text, NULL);
		waitpid(pid, &status, 0);
	}
	close(pipes[0]);
	const char *at = strstr(text.s, "Version: ");
	if (pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0 || !at)
		return error_set(err, -ENOENT, "criu is not found on the node");
	at += strlen("Version: ");
	snprintf(ret, VERSION_MAX, "%.*s", (int)strcspn(at, "\n"), at);
	return 0;
}

/* Is it on a line of its own, maybe with a value behind it? */
static bool has_option(const char *text, const char *name)
{
	size_t n = strlen(name);

	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *word = line + strspn(line, " \t");

		if (strncmp(word, name, n) == 0 && (!word[n] || strchr(" \t\n", word[n])))
			return true;
	}
	return false;
}

/* Options of CRIU without which many programs cannot be moved, and which runc does not set. */
static void add_missing_options(const char *root, struct str *out)
{
	static const char *const wanted[] = { "tcp-close", "skip-in-flight", "file-locks",
					      "cpu-cap" };
	AUTO(str_done) struct str text = STR_INIT_MAX(1 << 16);
	AUTO_FREE char *path = xasprintf("%s/etc/criu/runc.conf", root);
	bool has_any = false;

	file_read(path, &text, NULL);
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		if (has_option(text.s, wanted[i]))
			continue;
		str_addf(out, "%s%s", has_any ? "+" : ",missing=", wanted[i]);
		has_any = true;
	}
}

static const char *restore_word(struct helper *h, const char *runtime)
{
	struct error why = ERROR_INIT;
	bool restores = false;

	if (containerd_can_restore(runtime, &why) < 0)
		return "unsupported";
	if (containerd_restores(&h->grpc, &restores, &why) < 0)
		return "unknown";
	return restores ? "true" : "off";
}

static int look(struct helper *h, struct str *out, struct error *err)
{
	AUTO(str_done) struct str runtime = STR_INIT;
	char criu[VERSION_MAX];

	if (containerd_version(&h->grpc, &runtime, err) < 0 ||
	    criu_version(h->args->host_root, criu, err) < 0 || criu_can_dump(criu, err) < 0)
		return err->code;
	str_addf(out, "criu=%s,containerd=%.*s,restore=%s", criu, (int)strcspn(runtime.s, "+"),
		 *runtime.s == 'v' ? runtime.s + 1 : runtime.s, restore_word(h, runtime.s));
	str_addf(out, ",pause=%lld+%lld", (long long)(h->args->pause_ns / NS_PER_S),
		 (long long)(h->args->pause_gib_ns / NS_PER_S));
	add_missing_options(h->args->host_root, out);
	return 0;
}

/* A process uses what the CPU has that dumped it: the flags of all CPUs, hashed. */
static void cpu_flags(char ret[static CPU_HEX + 1])
{
	AUTO(str_done) struct str text = STR_INIT_MAX(16 << 20);
	struct sha256 h = SHA256_INIT;
	char hex[SHA256_HEX];

	file_read("/proc/cpuinfo", &text, NULL);
	const char *at = strstr(text.s, "\nflags");
	if (!at)
		at = strstr(text.s, "\nFeatures");
	size_t n = at ? strcspn(at + 1, "\n") : 0;
	sha256_add(&h, at ? at + 1 : "", n);
	sha256_finish_hex(&h, hex);
	snprintf(ret, CPU_HEX + 1, "%.*s", CPU_HEX, hex);
}

/* NULL: it can do nothing any more. */
static int write_facts(struct helper *h, const char *facts, struct error *err)
{
	AUTO(kube_request_done) struct kube_request r = { 0 };
	AUTO(str_done) struct str address = STR_INIT;
	char cpu[CPU_HEX + 1];

	cpu_flags(cpu);
	str_addf(&address, "%s/%s", h->args->address, h->identity.fingerprint);
	const struct kube_pair notes[] = {
		{ NODE_CHECKPOINT, facts },
		{ NODE_CPU_FLAGS, facts ? cpu : NULL },
		{ NODE_MIGRATE_ADDRESS, facts ? address.s : NULL },
	};
	const struct kube_ref ref = { &kube_nodes, NULL, h->args->node_name, NULL, NULL };
	const struct kube_change change = {
		.kind = KUBE_PATCH_MERGE,
		.annotations = notes,
		.n_annotations = ARRAY_LEN(notes),
	};
	kube_patch(&r, &h->kube, &ref, &change);
	return kube_do(&h->kube, &r, err);
}

int facts_step(struct helper *h)
{
	AUTO(str_done) struct str facts = STR_INIT;
	struct error err = ERROR_INIT;
	int64_t left = h->facts_due_ms - clock_ms();

	if (left > 0)
		return (int)left;
	h->facts_due_ms = clock_ms() + AGAIN_MS;
	if (look(h, &facts, &err) < 0) {
		str_clear(&facts);
		str_addf(&facts, "no: %s", err.msg);
	}
	if (h->facts && strcmp(h->facts, facts.s) == 0)
		return AGAIN_MS;
	if (write_facts(h, facts.s, &err) < 0) {
		log_warning("node %s: %s", h->args->node_name, err.msg);
		h->facts_due_ms = clock_ms() + RETRY_MS;
		return RETRY_MS;
	}
	log_v(0, "node %s: %s", h->args->node_name, facts.s);
	free(h->facts);
	h->facts = str_detach(&facts);
	return AGAIN_MS;
}

void facts_withdraw(struct helper *h)
{
	struct error err = ERROR_INIT;

	if (h->facts && write_facts(h, NULL, &err) < 0)
		log_warning("node %s: %s", h->args->node_name, err.msg);
}
