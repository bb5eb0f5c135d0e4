/* SPDX-License-Identifier: Apache-2.0 */
#include "kube.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/scan.h"
#include "kube/target.h"
#include "kube/watch.h"
#include "node/container.h"
#include "node/topology.h"
#include "report.h"

enum { STEP_MS = 500, SEND_MS = 1000, RETRY_MS = 5000, NODE_MS = 30000, NS_PER_MS = 1000000 };
enum { WATCH_AGAIN_MS = 10000, TEXT_MAX = 64 };

struct kube_side {
	struct run *run;
	pthread_t thread;
	atomic_bool is_ending;
	struct kube_target target;
	struct kube kube;
	struct kube_watch watch;
	struct str selector;
	struct reports reports;
	ARRAY(char *) known; /* uids that were seen before a new list */
	int64_t send_due_ms, node_due_ms;
	bool was_busy, is_described;
};

static int64_t now_ms(void)
{
	return engine_now_ns() / NS_PER_MS;
}

static void forget_pod(struct kube_side *s, const char *uid)
{
	engine_remove_pod(&s->run->engine, uid);
	reports_forget(&s->reports, uid);
}

static void strike_known(struct kube_side *s, const char *uid)
{
	for (size_t i = s->known.n; i-- > 0;) {
		if (strcmp(s->known.items[i], uid) != 0)
			continue;
		free(s->known.items[i]);
		s->known.items[i] = s->known.items[--s->known.n];
	}
}

/* The API server knows the ids of containers once they run: for runtimes whose files we do not. */
static void place_by_status(struct kube_side *s, const cJSON *pod, const char *uid)
{
	static const char *const lists[] = { "status.containerStatuses",
					     "status.initContainerStatuses" };
	char id[CONTAINER_ID_MAX + 1], path[PATH_MAX];
	const cJSON *status;

	for (int i = 0; i < 2; i++)
		cJSON_ArrayForEach(status, json_path(pod, lists[i]))
		{
			const char *name = json_text(json_get(status, "name"));
			const char *text = json_text(json_get(status, "containerID"));
			struct error err;

			if (!name || !text || container_id(text, id, &err) < 0 ||
			    container_find(&s->run->kernel, uid, id, path, &err) < 0)
				continue;
			engine_place(&s->run->engine, uid, name, path, &err);
		}
}

static void tell_bad_wish(struct kube_side *s, const struct wish *w, const struct error *err)
{
	struct note n = { .kind = NOTE_REFUSED };

	log_warning("pod %s/%s: %s", w->want.ns ? w->want.ns : "", w->want.name ? w->want.name : "",
		    err->msg);
	if (!w->want.uid)
		return;
	snprintf(n.uid, sizeof(n.uid), "%s", w->want.uid);
	snprintf(n.ns, sizeof(n.ns), "%s", w->want.ns);
	snprintf(n.name, sizeof(n.name), "%s", w->want.name);
	snprintf(n.text, sizeof(n.text), "%.*s", NOTE_TEXT - 1, err->msg);
	reports_add(&s->reports, &n);
}

static bool has_ended(const cJSON *pod)
{
	const char *phase = json_text(json_path(pod, "status.phase"));

	return phase && (strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0);
}

static void take_pod(struct kube_side *s, const cJSON *pod, bool is_deleted)
{
	const char *uid = json_text(json_path(pod, "metadata.uid"));
	AUTO_FREE struct wish *w = xcalloc(1, sizeof(*w));
	struct error err = ERROR_INIT;

	if (!uid)
		return;
	strike_known(s, uid);
	enum wish_kind kind = wish_read(pod, true, s->run->kernel.cpus, w, &err);
	if (is_deleted || has_ended(pod) || kind == WISH_NONE) {
		forget_pod(s, uid);
	} else if (kind == WISH_BAD) {
		tell_bad_wish(s, w, &err);
	} else if (run_set(s->run, w, &err) < 0) {
		log_warning("pod %s/%s: %s", w->want.ns, w->want.name, err.msg);
	} else if (engine_awaits(&s->run->engine, uid)) {
		place_by_status(s, pod, uid);
	}
	wish_done(w);
}

static int take_text(struct kube_side *s, struct slice text, bool is_deleted, struct error *err)
{
	AUTO_JSON cJSON *pod = NULL;

	if (json_parse(text.s, text.n, &pod, err) < 0)
		return err->code;
	take_pod(s, pod, is_deleted);
	return 0;
}

static int on_item(struct kube_watch *w, struct slice text, size_t *ret_used, struct error *err)
{
	struct scan scan = scan_of(text);
	int r = scan_skip(&scan);

	if (r < 0)
		return r;
	*ret_used = (size_t)(scan.at - text.s);
	return take_text(w->arg, (struct slice){ text.s, *ret_used }, false, err);
}

static int on_event(struct kube_watch *w, const struct watch_event *e, struct error *err)
{
	if (e->type > WATCH_DELETED)
		return 0;
	return take_text(w->arg, e->object, e->type == WATCH_DELETED, err);
}

/* What was known before a new list and is not in it is gone. */
static void on_sync(struct kube_watch *w, bool is_complete)
{
	struct kube_side *s = w->arg;
	struct engine *e = &s->run->engine;

	if (!is_complete) {
		pthread_mutex_lock(&e->lock);
		array_each(p, &e->pods)
			*array_add(&s->known) = xstrdup(p->uid);
		pthread_mutex_unlock(&e->lock);
		return;
	}
	array_each(uid, &s->known) {
		forget_pod(s, *uid);
		free(*uid);
	}
	array_clear(&s->known);
}

static void start_watch(struct kube_side *s)
{
	kube_watch_done(&s->watch);
	s->watch = (struct kube_watch){
		.resource = &kube_pods,
		.field_selector = s->selector.s,
		.item = on_item,
		.event = on_event,
		.sync = on_sync,
		.arg = s,
	};
	kube_watch_start(&s->kube, &s->watch);
}

static int patch_node(struct kube_side *s, const struct kube_pair *notes, size_t n,
		      struct error *err)
{
	AUTO(kube_request_done) struct kube_request request = { 0 };
	const struct kube_ref ref = { &kube_nodes, NULL, s->run->args->node_name, NULL, NULL };
	const struct kube_change change = { .annotations = notes, .n_annotations = n };

	kube_patch(&request, &s->kube, &ref, &change);
	return kube_do(&s->kube, &request, err);
}

/* What the planner must know of the node; see model/capacity.h. */
static int describe_node(struct kube_side *s, struct error *err)
{
	const struct run *r = s->run;
	AUTO(str_done) struct str topology = STR_INIT;
	char capacity[TEXT_MAX], cores[TEXT_MAX];
	int64_t limit = r->kernel.rt_runtime_us < 0
				? PPM
				: r->kernel.rt_runtime_us * PPM / r->kernel.rt_period_us;

	if (r->args->capacity_us && r->args->capacity_us < limit)
		limit = r->args->capacity_us;
	snprintf(capacity, sizeof(capacity), "%lld", (long long)limit);
	snprintf(cores, sizeof(cores), "0-%u", r->kernel.cpus - 1);
	topology_read(&r->roots, r->kernel.cpus, &topology);
	const struct kube_pair notes[] = {
		{ "mckube.io/backend", r->backend->name },
		{ "mckube.io/guarantee", r->backend->guarantee },
		{ "mckube.io/overruns", r->overruns.source->name },
		{ "mckube.io/capacity-scope", r->backend->scope == SCOPE_NODE ? "node" : "core" },
		{ "mckube.io/rt-capacity", capacity },
		{ "mckube.io/rt-cores", r->kernel.cpus > 1 ? cores : "0" },
		{ "mckube.io/topology", topology.n ? topology.s : NULL },
	};
	return patch_node(s, notes, sizeof(notes) / sizeof(notes[0]), err);
}

/* The older CPU agent's annotations: at once when the node becomes busy or calm, else rarely. */
static int tell_usage(struct kube_side *s, struct error *err)
{
	const struct cpu_usage *u = &s->run->usage;
	int64_t now = engine_now_ns();
	char usage[TEXT_MAX], over[TEXT_MAX];

	if (u->is_busy == s->was_busy && now_ms() < s->node_due_ms)
		return 0;
	int64_t seconds = u->over_since_ns ? (now - u->over_since_ns) / 1000000000 : 0;
	snprintf(usage, sizeof(usage), "%u", u->ppm / 10000);
	snprintf(over, sizeof(over), "%lld", (long long)seconds);
	const struct kube_pair notes[] = {
		{ "mckube.sdv.com/cpu-usage", usage },
		{ "mckube.sdv.com/cpu-over90-duration-s", over },
		{ "mckube.sdv.com/isCpuBusy", u->is_busy ? "true" : "false" },
	};
	int r = patch_node(s, notes, 3, err);
	if (r == 0) {
		s->was_busy = u->is_busy;
		s->node_due_ms = now_ms() + NODE_MS;
	}
	return r;
}

static void send(struct kube_side *s)
{
	struct error err = ERROR_INIT;

	if (now_ms() < s->send_due_ms)
		return;
	int r = s->is_described ? 0 : describe_node(s, &err);
	s->is_described |= r == 0;
	if (r == 0)
		r = reports_send(&s->reports, &s->kube, &err);
	if (r == 0)
		r = tell_usage(s, &err);
	if (r < 0)
		log_warning("report to the API server: %s", err.msg);
	s->send_due_ms = now_ms() + (r < 0 ? RETRY_MS : SEND_MS);
}

static void *serve(void *arg)
{
	struct kube_side *s = arg;
	int64_t again_ms = 0;

	start_watch(s);
	while (!s->is_ending) {
		int wait = kube_watch_step(&s->watch);

		if (wait < 0 && !again_ms) {
			log_warning("watch pods: %s", s->watch.err.msg);
			again_ms = now_ms() + WATCH_AGAIN_MS;
		} else if (wait < 0 && now_ms() >= again_ms) {
			again_ms = 0;
			start_watch(s);
		}
		http_run(s->kube.http, wait < 0 || wait > STEP_MS ? STEP_MS : wait);
		send(s);
	}
	return NULL;
}

static void free_side(struct kube_side *s)
{
	kube_watch_done(&s->watch);
	http_close(s->kube.http);
	kube_target_done(&s->target);
	str_done(&s->selector);
	reports_done(&s->reports);
	array_each(uid, &s->known)
		free(*uid);
	array_done(&s->known);
	free(s);
}

static int open_side(struct kube_side *s, struct error *err)
{
	const struct kube_environment env = kube_environment();
	const struct kube_overrides flags = { .kubeconfig = s->run->args->kubeconfig };
	const struct http_options options = { .user_agent = "mckube-node", .qps = 20, .burst = 40 };

	str_addf(&s->selector, "spec.nodeName=%s", s->run->args->node_name);
	s->kube.manager = "mckube-node";
	if (kube_target_load(&flags, &env, &s->target, err) < 0 ||
	    http_open(&s->target, &options, &s->kube.http, err) < 0)
		return err->code;
	int r = pthread_create(&s->thread, NULL, serve, s);
	return r ? error_set(err, -r, "start a thread: %s", strerror(r)) : 0;
}

int kube_side_start(struct run *r, struct kube_side **ret, struct error *err)
{
	struct kube_side *s = xcalloc(1, sizeof(*s));

	s->run = r;
	s->selector = (struct str)STR_INIT;
	reports_init(&s->reports, r->args->node_name);
	int code = open_side(s, err);
	if (code < 0)
		free_side(s);
	else
		*ret = s;
	return code;
}

void kube_side_stop(struct kube_side *s)
{
	if (!s)
		return;
	s->is_ending = true;
	pthread_join(s->thread, NULL);
	free_side(s);
}

void kube_side_tell(struct kube_side *s, const struct note *n)
{
	if (s)
		reports_add(&s->reports, n);
}
