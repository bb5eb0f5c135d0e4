/* SPDX-License-Identifier: Apache-2.0 */
/* The client library by hand, for the cases of test/http and test/integration:
 *
 *	kube_client [global options] list RESOURCE [CHUNK]
 *	kube_client [global options] watch RESOURCE EVENTS	ends after so many lines of output
 *	kube_client [global options] get|delete|evict RESOURCE NAME [UID [VERSION]]
 *	kube_client [global options] bind pods NAME UID NODE
 *	kube_client [global options] patch RESOURCE NAME VERSION JSON
 *	kube_client [global options] apply RESOURCE NAME JSON
 *	kube_client [global options] resize|status RESOURCE NAME VERSION JSON
 *	kube_client [global options] scale RESOURCE NAME REPLICAS
 *	kube_client [global options] event TIMES	the same Event so often
 *	kube_client [global options] lease NAME TIMEOUT_MS [BUSY_MS]	one of 3 s, and no step
 *					for BUSY_MS
 *	kube_client [global options] sendloop FILE	the requests in it, 16 at a time
 *
 * With --peak the memory it took is said in the end. Errors go to standard error as "error: ...",
 *with exit code 1. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/file.h"
#include "base/log.h"
#include "base/scan.h"
#include "base/timer.h"
#include "kube/event.h"
#include "kube/lease.h"
#include "kube/watch.h"

struct args {
	bool is_dry_run, force, says_peak, says_turns;
	int32_t qps, verbosity, stall;
	const char *ns;
};

static const struct option own_options[] = {
	OPT_BOOL(0, "dry-run", struct args, is_dry_run, "dryRun=All"),
	OPT_STRING('n', "namespace", struct args, ns, "NAME", "namespace"),
	OPT_BOOL(0, "force", struct args, force, "take fields over"),
	OPT_BOOL(0, "peak", struct args, says_peak, "say how much memory it took"),
	OPT_INT(0, "qps", struct args, qps, 0, 1000, "N", "requests a second"),
	OPT_INT(0, "stall", struct args, stall, 0, 1000, "S", "seconds without bytes"),
	OPT_BOOL(0, "turns", struct args, says_turns, "say where http_run() came back with news"),
	OPT_INT('v', "v", struct args, verbosity, 0, 10, "LEVEL", "say more"),
	{ 0 },
};

struct session {
	struct kube kube;
	struct args args;
	const char *ns, *list_ns; /* a list is of all namespaces unless -n was given */
	char **words;
	size_t n;
	long left; /* lines of a watch */
};

static const struct kube_resource *resource_of(const char *plural)
{
	static const struct kube_resource *const all[] = {
		&kube_pods, &kube_nodes, &kube_mckubes, &kube_leases, &kube_pdbs,
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (strcmp(all[i]->plural, plural) == 0)
			return all[i];
	return &kube_pods;
}

static const char *word(const struct session *s, size_t i)
{
	return i < s->n ? s->words[i] : NULL;
}

/* metadata.name of an object, and how long it is. */
static int name_of(struct slice text, struct slice *ret_name, size_t *ret_used)
{
	struct scan s = scan_of(text);
	const char *at;
	int r = scan_skip(&s);

	if (r < 0)
		return r;
	*ret_used = (size_t)(s.at - text.s);
	at = memmem(text.s, *ret_used, "\"name\":\"", 8);
	*ret_name = (struct slice){ at ? at + 8 : "", at ? strcspn(at + 8, "\"") : 0 };
	return 0;
}

static int print_item(struct kube_list *l, struct slice text, size_t *ret_used, struct error *err)
{
	struct slice name;
	int r = name_of(text, &name, ret_used);

	(void)err;
	if (r == 0)
		printf("%s %.*s\n", l->split.kind.s, (int)name.n, name.s);
	return r;
}

static void print_restart(struct kube_list *l)
{
	(void)l;
	puts("restart");
}

static int run_list(struct session *s, struct error *err)
{
	struct kube_list l = { .resource = resource_of(word(s, 1)),
			       .ns = s->list_ns,
			       .take = print_item,
			       .restart = print_restart,
			       .chunk = (uint32_t)atoi(word(s, 2) ? word(s, 2) : "0") };
	int r = kube_list_all(&s->kube, &l, 1, err);

	if (r == 0)
		printf("%llu items, version %s\n", (unsigned long long)l.n_items, l.version.s);
	kube_list_done(&l);
	return r;
}

static int count_line(struct session *s)
{
	return --s->left > 0 ? 0 : -ECANCELED;
}

static int watch_item(struct kube_watch *w, struct slice text, size_t *ret_used, struct error *err)
{
	struct slice name;
	int r = name_of(text, &name, ret_used);

	if (r < 0)
		return r;
	printf("item %.*s\n", (int)name.n, name.s);
	return count_line(w->arg) < 0 ? error_set(err, -ECANCELED, "enough") : 0;
}

static int watch_event(struct kube_watch *w, const struct watch_event *e, struct error *err)
{
	static const char *const names[] = { "added", "modified", "deleted" };
	struct slice name;
	size_t used;

	if (name_of(e->object, &name, &used) == 0)
		printf("%s %.*s %s\n", names[e->type], (int)name.n, name.s, e->version);
	return count_line(w->arg) < 0 ? error_set(err, -ECANCELED, "enough") : 0;
}

static void watch_sync(struct kube_watch *w, bool is_complete)
{
	(void)w;
	puts(is_complete ? "complete" : "list");
}

static int run_watch(struct session *s, struct error *err)
{
	struct kube_watch w = { .resource = resource_of(word(s, 1)),
				.ns = s->list_ns,
				.item = watch_item,
				.event = watch_event,
				.sync = watch_sync,
				.arg = s,
				.stream_seconds = 300,
				.stall_seconds = (uint32_t)s->args.stall };
	int wait;

	s->left = atol(word(s, 2));
	kube_watch_start(&s->kube, &w);
	while ((wait = kube_watch_step(&w)) >= 0) {
		long before = s->left;

		fflush(stdout);
		http_wait(s->kube.http, TIMER_MIN(wait, 1000));
		if (s->args.says_turns && s->left < before)
			puts("turn");
	}
	int r = w.result == -ECANCELED ? 0 : w.result;
	*err = w.err;
	kube_watch_done(&w);
	return r;
}

static struct kube_ref ref_of(const struct session *s, const char *uid, const char *version)
{
	const struct kube_resource *r = resource_of(word(s, 1));

	return (struct kube_ref){ .resource = r,
				  .ns = r->is_namespaced ? s->ns : NULL,
				  .name = word(s, 2),
				  .uid = uid,
				  .version = version };
}

/* Prepares the request of a write. */
static void prepare(struct session *s, struct kube_request *r)
{
	static const struct kube_pair notes[] = { { "mckube.io/rt-core", "2" } };
	const char *verb = word(s, 0);
	struct kube_ref named = ref_of(s, word(s, 3), word(s, 4));
	struct kube_ref versioned = ref_of(s, NULL, word(s, 3));
	struct kube_ref plain = ref_of(s, NULL, NULL);
	struct kube_change change = { .json = word(s, 4) };

	if (strcmp(verb, "get") == 0)
		kube_get(r, &plain);
	else if (strcmp(verb, "evict") == 0)
		kube_evict(r, &s->kube, &named);
	else if (strcmp(verb, "bind") == 0)
		kube_bind(r, &s->kube, &named, word(s, 4), notes, 1);
	else if (strcmp(verb, "apply") == 0)
		kube_apply(r, &s->kube, &plain, NULL, slice_of(word(s, 3)), s->args.force);
	else {
		change.subresource = strcmp(verb, "patch") == 0 ? NULL : verb;
		change.kind = strcmp(verb, "resize") == 0 ? KUBE_PATCH_STRATEGIC : KUBE_PATCH_MERGE;
		kube_patch(r, &s->kube, &versioned, &change);
	}
}

static int run_request(struct session *s, struct error *err)
{
	struct kube_request r = { 0 };

	prepare(s, &r);
	int result = kube_do(&s->kube, &r, err);
	if (result == 0)
		printf("%d%s%s\n", r.call.code, strcmp(word(s, 0), "get") == 0 ? " " : "",
		       strcmp(word(s, 0), "get") == 0 ? r.call.reply.s : "");
	if (kube_status_is_blocked(&r.call.status))
		puts("blocked");
	kube_request_done(&r);
	return result;
}

static int run_event(struct session *s)
{
	struct event_writer *w = event_writer_new(&s->kube, "mckube.io/test", "one");
	const struct event e = { .resource = &kube_pods,
				 .ns = "default",
				 .name = "a",
				 .uid = "u1",
				 .is_warning = true,
				 .reason = "RTOverrun",
				 .action = "Escalate",
				 .note = "ran over" };

	for (int i = atoi(word(s, 1)); i > 0; i--) {
		event_post(w, &e);
		event_step(w);
		http_run(s->kube.http, 20);
	}
	event_flush(w, 5000);
	struct event_stats stats = event_stats(w);
	printf("%llu posted, %llu written, %llu dropped\n", (unsigned long long)stats.posted,
	       (unsigned long long)stats.written, (unsigned long long)stats.dropped);
	event_writer_free(w);
	return 0;
}

enum { BUSY_DURATION_S = 3 };

static int run_lease(struct session *s, struct error *err)
{
	struct kube_lease l = { .ns = s->ns, .name = word(s, 1) };
	const char *busy_ms = word(s, 3);

	l.duration_s = busy_ms ? BUSY_DURATION_S : 0;
	int r = kube_lease_acquire(&s->kube, &l, atoi(word(s, 2)), err);
	if (r == 0)
		puts("held");
	if (r == 0 && busy_ms) {
		usleep((useconds_t)atoi(busy_ms) * 1000);
		puts(kube_lease_refresh(&l) ? "still held" : "lost");
	}
	kube_lease_release(&l);
	return r;
}

/* Given requests and nothing else: what the server can take. Each line of the file is the method,
 * the path, the type of the body and the body. */

enum { LOOP_PARALLEL = 16 };

struct loop {
	struct session *s;
	struct http_call calls[LOOP_PARALLEL];
	char *next; /* line */
	int failed;
};

static void send_line(struct loop *l, struct http_call *call);

static void on_answer(struct http_call *call)
{
	struct loop *l = call->arg;

	l->failed += call->result < 0;
	http_call_done(call);
	send_line(l, call);
}

static char *take_word(char **line, char end)
{
	char *word = *line, *p = strchr(word, end);

	if (!p)
		return NULL;
	*p = '\0';
	*line = p + 1;
	return word;
}

static void send_line(struct loop *l, struct http_call *call)
{
	char *method = take_word(&l->next, ' ');
	char *path = method ? take_word(&l->next, ' ') : NULL;
	char *type = path ? take_word(&l->next, ' ') : NULL;
	char *body = type ? take_word(&l->next, '\n') : NULL;

	if (!body)
		return;
	*call = (struct http_call){ .method = method,
				    .path = path,
				    .content_type = type,
				    .body = { body, strlen(body) },
				    .done = on_answer,
				    .arg = l };
	http_start(l->s->kube.http, call);
}

static int run_send_loop(struct session *s, struct error *err)
{
	AUTO(str_done) struct str file = STR_INIT;
	struct loop l = { .s = s };

	if (file_read(word(s, 1), &file, err) < 0)
		return err->code;
	l.next = file.s;
	for (size_t i = 0; i < LOOP_PARALLEL; i++)
		send_line(&l, &l.calls[i]);
	while (http_run(s->kube.http, 1000))
		;
	return l.failed ? error_set(err, -EIO, "%d requests failed", l.failed) : 0;
}

static int run(struct session *s, struct error *err)
{
	if (strcmp(word(s, 0), "sendloop") == 0)
		return run_send_loop(s, err);
	if (strcmp(word(s, 0), "event") == 0)
		return run_event(s);
	if (strcmp(word(s, 0), "lease") == 0)
		return run_lease(s, err);
	if (strcmp(word(s, 0), "list") == 0)
		return run_list(s, err);
	return strcmp(word(s, 0), "watch") == 0 ? run_watch(s, err) : run_request(s, err);
}

static void print_warning(const char *text, void *arg)
{
	(void)arg;
	fprintf(stderr, "Warning: %s\n", text);
}

static int connect_and_run(struct session *s, const struct kube_overrides *flags, struct error *err)
{
	struct kube_environment env = kube_environment();
	struct kube_target target = { 0 };
	const struct http_options options = { .user_agent = "kubectl-mckube/test",
					      .qps = (uint32_t)s->args.qps,
					      .burst = 1,
					      .stall_seconds = (uint32_t)s->args.stall,
					      .on_warning = print_warning };
	int r = kube_target_load(flags, &env, &target, err);

	if (r == 0)
		r = http_open(&target, &options, &s->kube.http, err);
	if (r == 0) {
		s->ns = target.ns;
		s->list_ns = flags->ns;
		r = run(s, err);
	}
	http_close(s->kube.http);
	kube_target_done(&target);
	return r;
}

/* VmHWM, in MB: what rusage tells includes the process before exec. A sanitizer's is not ours. */
static void say_peak(void)
{
#ifndef __SANITIZE_ADDRESS__
	AUTO_FILE FILE *f = fopen("/proc/self/status", "re");
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, "VmHWM:", 6) == 0)
			fprintf(stderr, "peak %ld MB\n", atol(line + 6) >> 10);
#endif
}

int main(int argc, char **argv)
{
	struct arena arena = { 0 };
	struct option_list rest = { 0 };
	struct kube_overrides flags = { 0 };
	struct session s = { .kube.manager = "kubectl-mckube" };
	struct option_set sets[] = { { "Options", kube_global_options, &flags },
				     { "Own", own_options, &s.args },
				     { 0 } };
	struct error err = ERROR_INIT;

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	int r = option_parse(sets, argc - 1, argv + 1, &arena, &rest, &err);
	log_set_level(s.args.verbosity);
	s.kube.is_dry_run = s.args.is_dry_run;
	flags.ns = s.args.ns;
	s.words = (char **)(uintptr_t)rest.items;
	s.n = rest.n;
	if (r == 0)
		r = connect_and_run(&s, &flags, &err);
	if (r < 0)
		fprintf(stderr, "error: %s\n", err.msg);
	if (s.args.says_peak)
		say_peak();
	option_done(sets);
	array_done(&rest);
	arena_done(&arena);
	return r < 0;
}
