/* SPDX-License-Identifier: Apache-2.0 */
#include "reconcile/uninstall.h"

#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/names.h"
#include "model/members.h"

enum { LOOK_MS = 500 };

static const struct kube_resource deployments = { "apps/v1", "Deployment", "deployments", true };
static const struct kube_resource cron_jobs = { "batch/v1", "CronJob", "cronjobs", true };
static const struct kube_resource daemon_sets = { "apps/v1", "DaemonSet", "daemonsets", true };

static void say(const struct uninstall_options *o, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void say(const struct uninstall_options *o, const char *format, ...)
{
	AUTO(str_done) struct str text = STR_INIT;
	va_list ap;

	va_start(ap, format);
	str_vaddf(&text, format, ap);
	va_end(ap);
	if (o->is_dry_run)
		str_add(&text, " (dry run)");
	o->say(text.s);
}

static int stopped(const struct uninstall_options *o, struct error *err)
{
	const char *why = o->stop ? o->stop() : NULL;

	return why ? error_set(err, -EINTR, "%s", why) : 0;
}

/* The list; a kind that the server does not have, or that may not be seen, has no items. */
static int list(struct kube *k, const struct kube_resource *resource, const char *ns,
		const char *label, cJSON **ret, struct error *err)
{
	AUTO(kube_request_done) struct kube_request r = { 0 };
	const struct kube_ref ref = { .resource = resource, .ns = ns };

	kube_get(&r, &ref);
	kube_query(&r.path, "labelSelector", label);
	int code = kube_do(k, &r, err);
	if (code == -ENOENT)
		return 0;
	return code < 0 ? code : json_parse(r.call.reply.s, r.call.reply.n, ret, err);
}

static int delete_object(struct kube *k, const struct uninstall_options *o,
			 const struct kube_ref *ref, struct error *err)
{
	AUTO(kube_request_done) struct kube_request r = { 0 };
	int code = 0;

	if (!o->is_dry_run) {
		kube_delete(&r, k, ref);
		code = kube_do(k, &r, err);
	}
	if (code == -ENOENT)
		return 0;
	if (code == 0)
		say(o, "%s %s%s%s: deleted", ref->resource->kind, ref->ns ? ref->ns : "",
		    ref->ns ? "/" : "", ref->name);
	return code;
}

/* An object whose dependents go first is there until they are gone. */
static int await_gone(struct kube *k, const struct uninstall_options *o, const struct kube_ref *ref,
		      struct error *err)
{
	int64_t end = clock_ms() + o->timeout_ms;

	while (!o->is_dry_run) {
		AUTO(kube_request_done) struct kube_request r = { 0 };

		kube_get(&r, ref);
		int code = kube_do(k, &r, err);
		if (code == -ENOENT)
			break;
		if (code < 0)
			return code;
		if (stopped(o, err) < 0)
			return err->code;
		if (clock_ms() >= end)
			return error_set(err, -ETIMEDOUT,
					 "%s %s/%s: its pods are still there after %lld s",
					 ref->resource->kind, ref->ns, ref->name,
					 (long long)o->timeout_ms / 1000);
		http_run(k->http, LOOK_MS);
	}
	return 0;
}

static int stop_kind(struct kube *k, const struct uninstall_options *o,
		     const struct kube_resource *resource, struct error *err)
{
	AUTO_JSON cJSON *found = NULL;
	const cJSON *item;

	if (list(k, resource, o->ns, HELPER_LABEL_KEY "=mckube", &found, err) < 0)
		return err->code;
	cJSON_ArrayForEach(item, json_get(found, "items")) {
		const struct kube_ref ref = {
			.resource = resource,
			.ns = o->ns,
			.name = json_text(json_path(item, "metadata.name")),
			.uid = json_text(json_path(item, "metadata.uid")),
		};

		if (ref.name &&
		    (delete_object(k, o, &ref, err) < 0 || await_gone(k, o, &ref, err) < 0))
			return err->code;
	}
	return 0;
}

int uninstall_stop(struct kube *k, const struct uninstall_options *o, enum program program,
		   struct error *err)
{
	if (program == PROGRAM_NODE)
		return stop_kind(k, o, &daemon_sets, err);
	if (stop_kind(k, o, &deployments, err) < 0)
		return err->code;
	return stop_kind(k, o, &cron_jobs, err);
}

/* The plan. */

static struct action *add(struct plan *p, enum action_kind kind, enum reason reason,
			  const char *message)
{
	struct action *a = array_add(&p->actions);

	*a = (struct action){ .id = (uint32_t)p->actions.n, .kind = kind, .reason = reason };
	a->message = message;
	return a;
}

static struct target target_of(const struct cluster *c, const char *kind, const char *api_version,
			       const struct meta *meta)
{
	return (struct target){
		.kind = kind,
		.api_version = api_version,
		.ns = cluster_str(c, meta->ns),
		.name = cluster_str(c, meta->name),
		.uid = cluster_str(c, meta->uid),
		.version = cluster_str(c, meta->version),
	};
}

static void add_pods(const struct cluster *c, struct plan *p)
{
	array_each(pod, &c->pods) {
		const struct pod_annotations *a =
			pod->annotations == NONE ? NULL : &c->annotations.items[pod->annotations];

		if (!a || pod->is_terminating || (a->core == NONE && a->source == NONE))
			continue;
		add(p, ACTION_STATUS, REASON_NO_REQUEST, "its assignment is removed")->on =
			target_of(c, "Pod", "v1", &pod->meta);
	}
}

static void add_mckubes(const struct cluster *c, struct plan *p)
{
	array_each(m, &c->mckubes)
		if (m->has_finalizer)
			add(p, ACTION_FINALIZER, REASON_FINALIZER_REMOVED,
			    "its deletion waits for nothing")
				->on = target_of(c, cluster_str(c, m->kind),
						 cluster_str(c, m->api_version), &m->meta);
}

static void add_optimizers(const struct cluster *c, struct plan *p)
{
	array_each(o, &c->optimizers)
		if (o->has_finalizer)
			add(p, ACTION_FINALIZER, REASON_FINALIZER_REMOVED,
			    "its deletion waits for nothing")
				->on =
				target_of(c, "WorkloadOptimizer", KCLOUD_API_VERSION, &o->meta);
}

static void add_untaints(const struct cluster *c, struct plan *p, const char *key,
			 enum reason reason)
{
	array_each(node, &c->nodes)
		if (cluster_taint(c, node, key))
			add(p, ACTION_UNTAINT, reason, "no program watches it any more")->on =
				target_of(c, "Node", "v1", &node->meta);
}

void uninstall_plan(const struct cluster *c, struct plan *ret)
{
	*ret = (struct plan){ .server = "", .digest = "" };
	add_pods(c, ret);
	add_mckubes(c, ret);
	add_optimizers(c, ret);
	add_untaints(c, ret, MCKUBE_TAINT, REASON_RELIEVED);
	add_untaints(c, ret, MCKUBE_PRESSURE, REASON_NODE_RELIEVED);
}

/* The rest. */

/* Those of other programs of this name keep what they say: only nodes that a helper described. */
static size_t annotations_of(const struct node *node, struct kube_pair pairs[NODE_ANNOTATIONS_N])
{
	size_t n = 0;

	for (size_t i = 0; node->annotations.backend != NONE && i < NODE_ANNOTATIONS_N; i++) {
		const struct member_row *row = &node_annotation_rows[i];
		str_id value;

		memcpy(&value, (const char *)&node->annotations + row->offset, sizeof(value));
		if (value != NONE)
			pairs[n++] = (struct kube_pair){ row->key, NULL };
	}
	return n;
}

static void warn_retained(const struct uninstall_options *o, const struct cluster *c,
			  const struct node *node)
{
	if (node->annotations.rt_retained != NONE)
		say(o,
		    "Node %s: containers keep %s ppm of a CPU in the kernel until their real-time "
		    "tasks end",
		    cluster_str(c, node->meta.name), cluster_str(c, node->annotations.rt_retained));
}

int uninstall_nodes(struct kube *k, const struct uninstall_options *o, const struct cluster *c,
		    struct error *err)
{
	array_each(node, &c->nodes) {
		AUTO(kube_request_done) struct kube_request r = { 0 };
		struct kube_pair pairs[NODE_ANNOTATIONS_N];
		const struct kube_change change = { .annotations = pairs,
						    .n_annotations = annotations_of(node, pairs) };
		const struct kube_ref ref = { .resource = &kube_nodes,
					      .name = cluster_str(c, node->meta.name),
					      .uid = cluster_str(c, node->meta.uid) };
		int code = 0;

		if (!change.n_annotations)
			continue;
		if (stopped(o, err) < 0)
			return err->code;
		if (!o->is_dry_run) {
			kube_patch(&r, k, &ref, &change);
			code = kube_do(k, &r, err);
		}
		if (code < 0 && code != -ENOENT)
			return code;
		say(o, "Node %s: %zu annotations removed", ref.name, change.n_annotations);
		warn_retained(o, c, node);
	}
	return 0;
}

int uninstall_leases(struct kube *k, const struct uninstall_options *o, const char *lease_ns,
		     const char *lease_name, struct error *err)
{
	const struct kube_ref own = { .resource = &kube_leases,
				      .ns = lease_ns,
				      .name = lease_name };
	AUTO_JSON cJSON *found = NULL;
	const cJSON *item;

	if (list(k, &kube_leases, NULL, HELPER_LABEL_KEY "=" HELPER_LABEL_VALUE, &found, err) < 0)
		return err->code;
	cJSON_ArrayForEach(item, json_get(found, "items")) {
		const struct kube_ref ref = {
			.resource = &kube_leases,
			.ns = json_text(json_path(item, "metadata.namespace")),
			.name = json_text(json_path(item, "metadata.name")),
		};

		if (ref.ns && ref.name && delete_object(k, o, &ref, err) < 0)
			return err->code;
	}
	return delete_object(k, o, &own, err);
}
