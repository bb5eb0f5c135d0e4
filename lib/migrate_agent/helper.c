/* SPDX-License-Identifier: Apache-2.0 */
#include "migrate_agent/helper.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/names.h"
#include "base/timer.h"
#include "build.h"
#include "migrate/arrival.h"

static volatile sig_atomic_t is_ending;
static struct http *woken_by_signals;

static void on_signal(int number)
{
	(void)number;
	is_ending = 1;
	http_wake(woken_by_signals);
}

void helper_notify(struct helper *h)
{
	pthread_cond_broadcast(&h->changed);
	http_wake(h->kube.http);
}

int helper_start(void *(*run)(void *), void *arg, struct error *err)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, before;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int code = pthread_create(&thread, &attr, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return code ? error_set(err, -code, "start a thread: %s", strerror(code)) : 0;
}

/* The API server. */

int helper_annotate(struct helper *h, const char *ns, const char *pod, const char *uid,
		    const char *version, const struct kube_pair *notes, size_t n, bool drops_label,
		    struct error *err)
{
	AUTO(kube_request_done) struct kube_request r = { 0 };
	const struct kube_ref ref = { &kube_pods, ns, pod, uid, version };
	const struct kube_change change = {
		.kind = KUBE_PATCH_STRATEGIC,
		.annotations = notes,
		.n_annotations = n,
		.metadata = drops_label ? "\"labels\":{\"" MIGRATING "\":null}" : NULL,
	};

	kube_patch(&r, &h->kube, &ref, &change);
	return kube_do(&h->kube, &r, err);
}

static int read_node(struct helper *h, const char *name, cJSON **ret, struct error *err)
{
	AUTO(kube_request_done) struct kube_request r = { 0 };
	const struct kube_ref ref = { &kube_nodes, NULL, name, NULL, NULL };

	kube_get(&r, &ref);
	if (kube_do(&h->kube, &r, err) < 0 ||
	    json_parse(r.call.reply.s, r.call.reply.n, ret, err) < 0)
		return error_wrap(err, "node %s", name);
	return 0;
}

int helper_has_arrival(struct helper *h, const char *id, struct error *err)
{
	AUTO_JSON cJSON *node = NULL, *arrivals = NULL;
	const cJSON *a;

	if (read_node(h, h->args->node_name, &node, err) < 0)
		return err->code;
	arrivals = arrivals_read(node);
	cJSON_ArrayForEach(a, arrivals) {
		const char *its = json_text(json_get(a, "id"));

		if (its && strcmp(its, id) == 0)
			return 1;
	}
	return 0;
}

int helper_find_peer(struct helper *h, const char *node, char **ret_address,
		     char ret_peer[static SHA256_HEX], struct error *err)
{
	AUTO_JSON cJSON *json = NULL;

	if (read_node(h, node, &json, err) < 0)
		return err->code;
	const char *text =
		json_text(json_get(json_path(json, "metadata.annotations"), NODE_MIGRATE_ADDRESS));
	const char *slash = text ? strchr(text, '/') : NULL;
	if (!slash || strlen(slash + 1) != SHA256_HEX - 1)
		return error_set(err, -ENOENT, "node %s: no mckube-migrate runs there", node);
	*ret_address = xstrndup(text, (size_t)(slash - text));
	memcpy(ret_peer, slash + 1, SHA256_HEX);
	return 0;
}

static int open_api(struct helper *h, struct error *err)
{
	const struct kube_environment env = kube_environment();
	const struct kube_overrides flags = { .kubeconfig = h->args->kubeconfig };
	const struct http_options http = {
		.user_agent = "mckube-migrate/v" MCKUBE_VERSION " (" MCKUBE_PLATFORM ")",
		.qps = 50,
		.burst = 100,
		.max_connections = 4,
		.buffer_bytes = 16 << 10,
	};

	h->kube.manager = "mckube-migrate";
	if (kube_target_load(&flags, &env, &h->target, err) < 0)
		return err->code;
	return http_open(&h->target, &http, &h->kube.http, err);
}

static void open_lock(struct helper *h)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&h->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&h->changed, &attr);
	pthread_condattr_destroy(&attr);
}

static int open_all(struct helper *h, struct error *err)
{
	if (mkdir(h->args->folder, 0700) < 0 && errno != EEXIST)
		return error_errno(err, "make %s", h->args->folder);
	if (chmod(h->args->folder, 0700) < 0)
		return error_errno(err, "chmod %s", h->args->folder);
	if (grpc_load(err) < 0 || open_api(h, err) < 0 ||
	    identity_open(h->args->folder, h->args->node_name, &h->identity, err) < 0)
		return err->code;
	/* First of all: what an earlier process has paused. */
	source_recover(h);
	return serve_open(h, err);
}

/* In this order: what the pods say first. */
static int step(struct helper *h)
{
	int pods = pods_step(h);
	int source = source_step(h);
	int target = target_step(h);

	return TIMER_MIN(pods, source, target, sweep_step(h), facts_step(h));
}

int helper_run(const struct args *args, struct error *err)
{
	struct helper *h = xcalloc(1, sizeof(*h));
	const struct sigaction action = { .sa_handler = on_signal };

	h->args = args;
	h->grpc = (struct grpc){ .socket = args->socket, .namespace = "k8s.io" };
	open_lock(h);
	signal(SIGPIPE, SIG_IGN);
	if (open_all(h, err) < 0)
		return err->code;
	woken_by_signals = h->kube.http;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	pods_start(h);
	while (!is_ending)
		http_wait(h->kube.http, step(h));
	facts_withdraw(h);
	/* Threads may still run: the process ends with all that it has. */
	return 0;
}
