/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/agent.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "agent/events.h"
#include "agent/heartbeat.h"
#include "agent/node_status.h"
#include "agent/pod_status.h"
#include "agent/pod_text.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/timer.h"
#include "build.h"
#include "kube/target.h"
#include "kube/watch.h"
#include "node/container.h"

enum { RETRY_MS = 5000, WATCH_AGAIN_MS = 10000, OWNER_MS = 5000, FLUSH_MS = 2000 };

/* A watch, and when it is started again after the server refused it. */
struct agent_watch {
	struct kube_watch watch;
	const char *what;
	int64_t again_ms;
};

struct agent {
	struct agent_options options;
	pthread_t thread;
	atomic_bool is_ending;
	struct kube_target target;
	struct kube kube;
	struct agent_watch pods, mckubes;
	struct str selector;
	struct events events;
	struct pod_statuses pod_statuses;
	struct node_status node;
	struct heartbeat heartbeat;
	const char *ns;	     /* of this pod; NULL: not in one */
	ARRAY(char *) known; /* uids before a new list */
	atomic_bool is_synced;
	int64_t send_due_ms;
};

static void forget_pod(struct agent *s, const char *uid)
{
	engine_remove_pod(s->options.engine, uid);
	pod_statuses_forget(&s->pod_statuses, uid);
}

static void forget_known(struct agent *s, const char *uid)
{
	for (size_t i = s->known.n; i-- > 0;) {
		if (strcmp(s->known.items[i], uid) != 0)
			continue;
		free(s->known.items[i]);
		s->known.items[i] = s->known.items[--s->known.n];
	}
}

/* The API server knows the ids of containers once they run: for runtimes whose files are not known.
 */
static void place_by_status(struct agent *s, const cJSON *pod, const struct pod_want *want)
{
	static const char *const lists[] = { "status.containerStatuses",
					     "status.initContainerStatuses" };
	char id[CONTAINER_ID_MAX + 1], path[PATH_MAX];
	const cJSON *status;

	for (int i = 0; i < 2; i++)
		cJSON_ArrayForEach(status, json_path(pod, lists[i])) {
			const char *name = json_text(json_get(status, "name"));
			const char *text = json_text(json_get(status, "containerID"));
			struct error err;

			if (!name || !text || container_id(text, id, &err) < 0 ||
			    container_find(s->options.kernel, pod_want_cgroup_uid(want), id, path,
					   &err) < 0)
				continue;
			engine_place(s->options.engine, want->uid, name, path, &err);
		}
}

static void report_invalid_assignment(struct agent *s, const struct assignment *w,
				      const struct error *err)
{
	struct node_event n = { .kind = NODE_EVENT_REFUSED, .count = 1 };

	log_warning("pod %s/%s: %s", w->want.ns ? w->want.ns : "", w->want.name ? w->want.name : "",
		    err->msg);
	if (!w->want.uid)
		return;
	snprintf(n.uid, sizeof(n.uid), "%s", w->want.uid);
	snprintf(n.ns, sizeof(n.ns), "%s", w->want.ns);
	snprintf(n.name, sizeof(n.name), "%s", w->want.name);
	snprintf(n.text, sizeof(n.text), "%.*s", NODE_EVENT_TEXT - 1, err->msg);
	agent_post_event(s, &n);
}

/* A pod changes often: an invalid assignment is reported once. */
static void take_assignment(struct agent *s, const cJSON *pod, struct assignment *w,
			    const struct error *invalid)
{
	const char *uid = json_text(json_path(pod, "metadata.uid"));
	struct error err = ERROR_INIT;

	if (!invalid && s->options.set(s->options.arg, w, &err) < 0)
		log_warning("pod %s/%s: %s", w->want.ns, w->want.name, err.msg);
	else if (!invalid && engine_awaits(s->options.engine, uid))
		place_by_status(s, pod, &w->want);
	pod_statuses_see_pod(&s->pod_statuses, pod);
	if (pod_statuses_set_invalid(&s->pod_statuses, uid, invalid ? invalid->msg : NULL) &&
	    invalid)
		report_invalid_assignment(s, w, invalid);
}

static bool has_ended(const cJSON *pod)
{
	const char *phase = json_text(json_path(pod, "status.phase"));

	return phase && (strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0);
}

static void take_pod(struct agent *s, const cJSON *pod, bool is_deleted)
{
	const char *uid = json_text(json_path(pod, "metadata.uid"));
	AUTO_FREE struct assignment *w = xcalloc(1, sizeof(*w));
	struct error err = ERROR_INIT;

	if (!uid)
		return;
	forget_known(s, uid);
	enum assignment_kind kind =
		assignment_read(pod, s->options.trust, s->options.kernel->cpus, w, &err);
	if (is_deleted || has_ended(pod) || kind == ASSIGNMENT_NONE)
		forget_pod(s, uid);
	else
		take_assignment(s, pod, w, kind == ASSIGNMENT_INVALID ? &err : NULL);
	assignment_done(w);
}

static int take_text(struct agent *s, struct slice text, bool is_deleted, struct error *err)
{
	AUTO(str_done) struct str reduced = STR_INIT;
	AUTO_JSON cJSON *pod = NULL;

	if (pod_text_reduce(text, &reduced, err) < 0 ||
	    json_parse(reduced.s, reduced.n, &pod, err) < 0)
		return err->code;
	take_pod(s, pod, is_deleted);
	return 0;
}

static int on_item(struct kube_watch *w, struct slice text, size_t *ret_used, struct error *err)
{
	struct slice item;
	int r = watch_whole_item(text, &item, ret_used);

	return r < 0 ? r : take_text(w->arg, item, false, err);
}

static int on_event(struct kube_watch *w, const struct watch_event *e, struct error *err)
{
	if (e->type > WATCH_DELETED)
		return 0;
	return take_text(w->arg, e->object, e->type == WATCH_DELETED, err);
}

static bool is_invalid(const char *uid, void *arg)
{
	struct agent *s = arg;
	const struct pod_status *p = pod_statuses_find(&s->pod_statuses, uid);

	return p && *p->invalid;
}

/* A pod that was known before a new list and is not in it is gone. */
static void on_sync(struct kube_watch *w, bool is_complete)
{
	struct agent *s = w->arg;
	struct engine *e = s->options.engine;

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
	engine_return_left(e, is_invalid, s);
	s->is_synced = true;
}

/* McKubes: only which pod has a new one; see mckube_status.h. */

static int take_mckube(struct agent *s, struct slice text, struct error *err)
{
	AUTO_JSON cJSON *mckube = NULL;

	if (json_parse(text.s, text.n, &mckube, err) < 0)
		return err->code;
	const char *ns = json_text(json_path(mckube, "metadata.namespace"));
	const char *podname = json_text(json_path(mckube, "spec.podname"));
	if (!ns || !podname)
		return 0;
	pod_statuses_see_mckube(&s->pod_statuses, ns, podname);
	http_wake(s->kube.http);
	return 0;
}

static int on_mckube_item(struct kube_watch *w, struct slice text, size_t *ret_used,
			  struct error *err)
{
	struct slice item;
	int r = watch_whole_item(text, &item, ret_used);

	return r < 0 ? r : take_mckube(w->arg, item, err);
}

static int on_mckube_event(struct kube_watch *w, const struct watch_event *e, struct error *err)
{
	return e->type > WATCH_DELETED ? 0 : take_mckube(w->arg, e->object, err);
}

static void on_mckube_sync(struct kube_watch *w, bool is_complete)
{
	(void)w;
	(void)is_complete;
}

/* The thread. */

static void start_pods(struct agent *s)
{
	kube_watch_done(&s->pods.watch);
	s->pods.watch = (struct kube_watch){
		.resource = &kube_pods,
		.field_selector = s->selector.s,
		.item = on_item,
		.event = on_event,
		.sync = on_sync,
		.arg = s,
	};
	kube_watch_start(&s->kube, &s->pods.watch);
}

static void start_mckubes(struct agent *s)
{
	kube_watch_done(&s->mckubes.watch);
	s->mckubes.watch = (struct kube_watch){
		.resource = &kube_mckubes,
		.is_optional = true,
		.item = on_mckube_item,
		.event = on_mckube_event,
		.sync = on_mckube_sync,
		.arg = s,
	};
	kube_watch_start(&s->kube, &s->mckubes.watch);
}

/* These return after how many milliseconds to call them again if nothing happens. */

static int step_watch(struct agent_watch *w, void (*start)(struct agent *), struct agent *s)
{
	int wait = kube_watch_step(&w->watch);

	if (wait >= 0)
		return wait;
	if (!w->again_ms) {
		log_warning("watch %s: %s", w->what, w->watch.err.msg);
		w->again_ms = clock_ms() + WATCH_AGAIN_MS;
	}
	int64_t left = w->again_ms - clock_ms();
	if (left > 0)
		return (int)left;
	w->again_ms = 0;
	start(s);
	return 0;
}

static int send_all(struct agent *s, struct error *err)
{
	int node = node_status_send(&s->node, &s->options, &s->kube, err);
	if (node < 0)
		return node;
	int pods = pod_statuses_send(&s->pod_statuses, &s->kube, err);
	return pods < node ? pods : node;
}

/* Waits after an error. */
static int send(struct agent *s)
{
	struct error err = ERROR_INIT;
	int64_t left = s->send_due_ms - clock_ms();

	if (left > 0)
		return (int)left;
	int wait = send_all(s, &err);
	if (wait >= 0)
		return wait;
	log_warning("report to the API server: %s", err.msg);
	s->send_due_ms = clock_ms() + RETRY_MS;
	return RETRY_MS;
}

static int step(struct agent *s)
{
	const int waits[] = {
		step_watch(&s->pods, start_pods, s),
		step_watch(&s->mckubes, start_mckubes, s),
		events_step(&s->events),
		heartbeat_step(&s->heartbeat, &s->kube, s->ns, s->options.node_name,
			       s->options.engine, s->options.is_healthy(s->options.arg)),
		send(s),
	};

	return timer_min(waits, ARRAY_LEN(waits));
}

static void *serve(void *arg)
{
	struct agent *s = arg;

	start_pods(s);
	start_mckubes(s);
	while (!s->is_ending)
		http_wait(s->kube.http, step(s));
	events_flush(&s->events, FLUSH_MS);
	return NULL;
}

static void free_agent(struct agent *s)
{
	kube_watch_done(&s->pods.watch);
	kube_watch_done(&s->mckubes.watch);
	events_done(&s->events);
	http_close(s->kube.http);
	kube_target_done(&s->target);
	str_done(&s->selector);
	pod_statuses_done(&s->pod_statuses);
	array_each(uid, &s->known)
		free(*uid);
	array_done(&s->known);
	free(s);
}

static int open_agent(struct agent *s, struct error *err)
{
	const struct kube_environment env = kube_environment();
	const struct kube_overrides flags = { .kubeconfig = s->options.kubeconfig };
	/* Two watches, and two more: a connection costs 60 kB. */
	const struct http_options http = {
		.user_agent = "mckube-node/v" MCKUBE_VERSION " (" MCKUBE_PLATFORM ")",
		.qps = 20,
		.burst = 40,
		.max_connections = 4,
		.buffer_bytes = 16 << 10,
	};

	s->ns = env.pod_namespace;
	str_addf(&s->selector, "spec.nodeName=%s", s->options.node_name);
	s->kube.manager = "mckube-node";
	if (kube_target_load(&flags, &env, &s->target, err) < 0 ||
	    http_open(&s->target, &http, &s->kube.http, err) < 0)
		return err->code;
	events_init(&s->events, &s->kube, s->options.node_name);
	int r = pthread_create(&s->thread, NULL, serve, s);
	return r ? error_set(err, -r, "start a thread: %s", strerror(r)) : 0;
}

int agent_start(const struct agent_options *options, struct agent **ret, struct error *err)
{
	struct agent *s = xcalloc(1, sizeof(*s));

	s->options = *options;
	s->selector = (struct str)STR_INIT;
	s->pods.what = "pods";
	s->mckubes.what = "mckubes";
	s->pod_statuses.engine = options->engine;
	s->pod_statuses.node_name = options->node_name;
	int code = open_agent(s, err);
	if (code < 0)
		free_agent(s);
	else
		*ret = s;
	return code;
}

void agent_stop(struct agent *s)
{
	if (!s)
		return;
	s->is_ending = true;
	http_wake(s->kube.http);
	pthread_join(s->thread, NULL);
}

const struct kube_target *agent_target(const struct agent *s)
{
	return &s->target;
}

void agent_free(struct agent *s)
{
	if (s)
		free_agent(s);
}

bool agent_is_synced(const struct agent *s)
{
	return s->is_synced;
}

static bool is_retiring(const struct kube_request *request)
{
	AUTO_JSON cJSON *object = NULL;
	struct error ignored;

	return json_parse(request->call.reply.s, request->call.reply.n, &object, &ignored) == 0 &&
	       json_path(object, "metadata.deletionTimestamp");
}

bool agent_daemonset_exists(struct agent *s, const char *daemon_set)
{
	static const struct kube_resource daemon_sets = { "apps/v1", "DaemonSet", "daemonsets",
							  true };
	AUTO(kube_request_done) struct kube_request request = { 0 };
	const char *slash = strchr(daemon_set, '/');
	AUTO_FREE char *ns = xstrndup(daemon_set, (size_t)(slash - daemon_set));
	const struct kube_ref ref = { &daemon_sets, ns, slash + 1, NULL, NULL };
	struct error err;

	kube_get(&request, &ref);
	request.call.timeout_ms = OWNER_MS;
	if (kube_do(&s->kube, &request, &err) == 0)
		return !is_retiring(&request);
	return request.call.code != 401 && request.call.code != 403 && request.call.code != 404;
}

void agent_post_event(struct agent *s, const struct node_event *n)
{
	if (!s)
		return;
	events_add(&s->events, n);
	http_wake(s->kube.http);
}

void agent_notify(struct agent *s)
{
	if (s)
		http_wake(s->kube.http);
}
