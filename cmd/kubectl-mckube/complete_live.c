/* SPDX-License-Identifier: Apache-2.0 */
#include "complete_live.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/scan.h"
#include "kube/list.h"

/* A line is a word: one with control characters would be several, or change the terminal. */
static bool is_printable(const char *s)
{
	while (*s && (unsigned char)*s >= ' ' && *s != '\x7f')
		s++;
	return !*s;
}

static void add_word(const char *prefix, const char *word, const char *typed, struct str *out)
{
	AUTO_FREE char *whole = xasprintf("%s%s", prefix, word);

	if (is_printable(whole) && strncmp(whole, typed, strlen(typed)) == 0)
		str_addf(out, "%s\n", whole);
}

/* From the kubeconfig. */

static void load_files(const struct cli *cli, struct kubeconfig *ret)
{
	const struct kube_environment env = kube_environment();

	kube_files_load(&cli->live.kube, &env, ret, NULL);
}

static void add_entries(struct cli *cli, enum kubeconfig_list list, const char *typed,
			struct str *out)
{
	AUTO(kubeconfig_done) struct kubeconfig c = { 0 };

	load_files(cli, &c);
	array_each(entry, &c.lists[list])
		add_word("", (*entry)->name, typed, out);
}

void complete_contexts(struct cli *cli, const char *typed, struct str *out)
{
	add_entries(cli, KUBECONFIG_CONTEXTS, typed, out);
}

void complete_clusters(struct cli *cli, const char *typed, struct str *out)
{
	add_entries(cli, KUBECONFIG_CLUSTERS, typed, out);
}

void complete_users(struct cli *cli, const char *typed, struct str *out)
{
	add_entries(cli, KUBECONFIG_USERS, typed, out);
}

/* From the server. */

/* No answer in time: kubectl wants a directive and exit code 0 all the same. */
static void on_alarm(int signal_number)
{
	static const char directive[] = ":4\n";

	(void)signal_number;
	if (write(STDOUT_FILENO, directive, sizeof(directive) - 1) < 0)
		_exit(1);
	_exit(0);
}

/* Prompts and messages of credential plugins, and warnings of the server, are discarded. */
static void be_quick_and_quiet(void)
{
	static const struct itimerval time = { .it_value = { COMPLETE_MS / 1000,
							     COMPLETE_MS % 1000 * 1000L } };
	AUTO_CLOSE int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		dup2(fd, STDIN_FILENO);
		dup2(fd, STDERR_FILENO);
	}
	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &time, NULL);
}

void complete_in_time(void)
{
	signal(SIGALRM, SIG_IGN);
}

struct names {
	const char *prefix, *typed;
	struct str *out;
};

/* metadata.name of an item. */
static int take_name(struct slice item, struct slice *ret_name, size_t *ret_used)
{
	struct scan s = scan_of(item), inner;
	struct slice key;
	int r = scan_open(&s, '{');

	*ret_name = (struct slice){ "", 0 };
	while (r == 0 && (r = scan_member(&s, &key)) > 0) {
		inner = s;
		r = scan_skip(&s);
		if (r < 0 || !slice_eq(key, "metadata") || scan_open(&inner, '{') < 0)
			continue;
		while (scan_member(&inner, &key) > 0) {
			if (slice_eq(key, "name")) {
				scan_blank(&inner);
				scan_string(&inner, ret_name);
				break;
			}
			if (scan_skip(&inner) < 0)
				break;
		}
	}
	*ret_used = (size_t)(s.at - item.s);
	return r;
}

static int add_name(struct kube_list *l, struct slice item, size_t *ret_used, struct error *err)
{
	const struct names *names = l->arg;
	struct slice name;
	int r = take_name(item, &name, ret_used);

	(void)err;
	if (r < 0)
		return r;
	AUTO_FREE char *text = xstrndup(name.s, name.n);
	add_word(names->prefix, text, names->typed, names->out);
	return 0;
}

/* The names that come in time. */
static void add_names(struct live *l, struct kube_list *lists, size_t n)
{
	int64_t end = clock_ms() + COMPLETE_LIST_MS, left;

	for (size_t i = 0; i < n; i++) {
		lists[i].take = add_name;
		kube_list_start(&l->kube, &lists[i]);
	}
	while ((left = end - clock_ms()) > 0 && http_run(l->kube.http, (int)left) > 0)
		;
	for (size_t i = 0; i < n; i++)
		kube_list_done(&lists[i]);
}

static void add_plain(struct cli *cli, const struct kube_resource *resource, const char *typed,
		      struct str *out)
{
	AUTO(live_close) struct live l = { 0 };
	struct names names = { "", typed, out };
	struct kube_list list = { .resource = resource, .arg = &names };

	be_quick_and_quiet();
	if (live_open(cli, &l, NULL) == 0)
		add_names(&l, &list, 1);
}

void complete_namespaces(struct cli *cli, const char *typed, struct str *out)
{
	add_plain(cli, &kube_namespaces, typed, out);
}

void complete_nodes(struct cli *cli, const char *typed, struct str *out)
{
	add_plain(cli, &kube_nodes, typed, out);
}

enum { WITH_NODES = 1, WITH_OPTIMIZERS = 2, WITH_NAMESPACES = 4 };

/* Could the word that is typed become one with this prefix? */
static bool may_become(const char *typed, const char *prefix)
{
	size_t n = strlen(typed), n_prefix = strlen(prefix);

	return strncmp(typed, prefix, n < n_prefix ? n : n_prefix) == 0;
}

/* Where the optimizers' kind is not installed there are none. */
static void add_objects(struct cli *cli, unsigned with, const char *typed, struct str *out)
{
	const struct {
		const char *prefix;
		const struct kube_resource *resource;
		bool is_wanted;
	} rows[] = {
		{ "node/", &kube_nodes, with & WITH_NODES },
		{ "ns/", &kube_namespaces, with & WITH_NAMESPACES },
		{ "pod/", &kube_pods, true },
		{ "wo/", &kube_optimizers, with & WITH_OPTIMIZERS },
	};
	AUTO(live_close) struct live l = { 0 };
	struct names names[ARRAY_LEN(rows)];
	struct kube_list lists[ARRAY_LEN(rows)];
	size_t n = 0;

	be_quick_and_quiet();
	if (live_open(cli, &l, NULL) < 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (!rows[i].is_wanted || !may_become(typed, rows[i].prefix))
			continue;
		names[n] = (struct names){ rows[i].prefix, typed, out };
		lists[n] = (struct kube_list){
			.resource = rows[i].resource,
			.ns = rows[i].resource->is_namespaced ? l.target.ns : NULL,
			.arg = &names[n],
		};
		n++;
	}
	add_names(&l, lists, n);
}

void complete_refs(struct cli *cli, const char *typed, struct str *out)
{
	add_objects(cli, WITH_NODES | WITH_OPTIMIZERS | WITH_NAMESPACES, typed, out);
}

void complete_workloads(struct cli *cli, const char *typed, struct str *out)
{
	add_objects(cli, WITH_OPTIMIZERS, typed, out);
}

void complete_pods(struct cli *cli, const char *typed, struct str *out)
{
	add_objects(cli, 0, typed, out);
}
