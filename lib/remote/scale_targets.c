/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/scale_targets.h"

#include <string.h>

#include "base/auto.h"
#include "base/json.h"
#include "base/json_out.h"
#include "base/log.h"
#include "base/names.h"
#include "model/label_selector.h"

enum { TIMEOUT_MS = 5000 };

/* A kind that the server was found to serve with the subresource. */
struct known_kind {
	char *version, *kind, *plural;
};

/* One object. */
struct target {
	struct scale_targets *all;
	char *ns, *optimizer, *version, *kind, *name;
	char *plural; /* NULL until it is discovered */
	struct kube_request request;
	enum no_scale reason;
	char *uid, *object_version, *selector;
	int64_t replicas;
	bool is_known_kind; /* from before */
};

struct scale_targets {
	struct kube *kube;
	struct target *list;
	char **objects; /* of each, when all are answered */
	size_t n, n_objects, n_running;
	ARRAY(struct known_kind) known;
	bool is_asked;
};

static bool is_other_kind(const struct cluster *c, const struct optimizer *o)
{
	return o->target_name && !o->is_deleting && !optimizer_target_is_listed(c, o);
}

bool scale_targets_are_wanted(const struct cluster *c)
{
	array_each(o, &c->optimizers)
		if (is_other_kind(c, o))
			return true;
	return false;
}

struct scale_targets *scale_targets_new(struct kube *k)
{
	struct scale_targets *t = xcalloc(1, sizeof(*t));

	t->kube = k;
	return t;
}

static void free_target(struct target *t)
{
	kube_request_done(&t->request);
	free(t->ns);
	free(t->optimizer);
	free(t->version);
	free(t->kind);
	free(t->name);
	free(t->plural);
	free(t->uid);
	free(t->object_version);
	free(t->selector);
}

static void drop(struct scale_targets *t)
{
	for (size_t i = 0; i < t->n; i++)
		free_target(&t->list[i]);
	for (size_t i = 0; i < t->n_objects; i++)
		free(t->objects[i]);
	free(t->list);
	free(t->objects);
	t->list = NULL;
	t->objects = NULL;
	t->n = t->n_objects = t->n_running = 0;
}

static void free_kind(struct known_kind *k)
{
	free(k->version);
	free(k->kind);
	free(k->plural);
}

void scale_targets_free(struct scale_targets *t)
{
	if (!t)
		return;
	drop(t);
	array_each(k, &t->known)
		free_kind(k);
	array_done(&t->known);
	free(t);
}

/* ---- Kinds ---- */

static const struct known_kind *find_kind(const struct scale_targets *all, const struct target *t)
{
	array_each(k, &all->known)
		if (strcmp(k->version, t->version) == 0 && strcmp(k->kind, t->kind) == 0)
			return k;
	return NULL;
}

static void keep_kind(struct target *t)
{
	struct scale_targets *all = t->all;

	if (find_kind(all, t))
		return;
	struct known_kind *k = array_add(&all->known);

	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): array_add() makes room */
	k->version = xstrdup(t->version);
	k->kind = xstrdup(t->kind);
	k->plural = xstrdup(t->plural);
}

/* It may have another name by now, or be gone: it is discovered again when it is asked for next. */
static void forget_kind(const struct target *t)
{
	struct scale_targets *all = t->all;

	array_each(k, &all->known) {
		if (strcmp(k->version, t->version) != 0 || strcmp(k->kind, t->kind) != 0)
			continue;
		free_kind(k);
		*k = all->known.items[--all->known.n];
		return;
	}
}

/* GROUP/VERSION or VERSION, of what may stand in a path as it is. */
static bool is_version(const char *text)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-");

	if (text[n] == '/' && n)
		n += 1 + strspn(text + n + 1, "abcdefghijklmnopqrstuvwxyz0123456789");
	return n && !text[n] && text[n - 1] != '/' && !strstr(text, "..");
}

/* ---- Requests ---- */

static void on_kinds(struct http_call *call);
static void on_scale(struct http_call *call);

static void end(struct target *t, enum no_scale reason)
{
	if (reason)
		log_v(2, "WorkloadOptimizer %s/%s: targetRef: %s %s: %s: %s", t->ns, t->optimizer,
		      t->kind, t->name, no_scale_words[reason], t->request.call.err.msg);
	t->reason = reason;
	t->all->n_running--;
}

static void start(struct target *t, void (*done)(struct http_call *call))
{
	t->request.call.done = done;
	t->request.call.arg = t;
	t->request.call.timeout_ms = TIMEOUT_MS;
	kube_start(t->all->kube, &t->request);
}

static void ask_scale(struct target *t)
{
	const struct kube_resource resource = { t->version, t->kind, t->plural, true };

	kube_request_done(&t->request);
	t->request =
		(struct kube_request){ .path = STR_INIT, .body = STR_INIT, .call.method = "GET" };
	kube_path(&t->request.path, &resource, t->ns, t->name, "scale");
	start(t, on_scale);
}

/* Every authenticated user may discover what there is. */
static void ask_kinds(struct target *t)
{
	t->request =
		(struct kube_request){ .path = STR_INIT, .body = STR_INIT, .call.method = "GET" };
	str_addf(&t->request.path, "%s/%s", strchr(t->version, '/') ? "/apis" : "/api", t->version);
	start(t, on_kinds);
}

static void ask(struct target *t)
{
	const struct known_kind *known = find_kind(t->all, t);

	t->all->n_running++;
	if (!is_version(t->version) || !*t->kind) {
		end(t, NO_SCALE_NO_KIND);
	} else if (known) {
		t->plural = xstrdup(known->plural);
		t->is_known_kind = true;
		ask_scale(t);
	} else {
		ask_kinds(t);
	}
}

static bool is_listed_before(const struct scale_targets *all, const struct target *t)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct target *u = &all->list[i];

		if (strcmp(u->ns, t->ns) == 0 && strcmp(u->name, t->name) == 0 &&
		    strcmp(u->kind, t->kind) == 0 && same_group(u->version, t->version))
			return true;
	}
	return false;
}

void scale_targets_ask(struct scale_targets *t, const struct cluster *c)
{
	drop(t);
	t->is_asked = true;
	t->list = xcalloc(c->optimizers.n + 1, sizeof(*t->list));
	array_each(o, &c->optimizers) {
		if (!is_other_kind(c, o))
			continue;
		struct target one = {
			.all = t,
			.ns = xstrdup(cluster_str(c, o->meta.ns)),
			.optimizer = xstrdup(cluster_str(c, o->meta.name)),
			.version = xstrdup(optimizer_target_version(c, o)),
			.kind = xstrdup(cluster_str(c, o->target_kind)),
			.name = xstrdup(cluster_str(c, o->target_name)),
		};
		if (is_listed_before(t, &one))
			free_target(&one);
		else
			t->list[t->n++] = one;
	}
	for (size_t i = 0; i < t->n; i++)
		ask(&t->list[i]);
}

/* ---- Answers ---- */

static enum no_scale reason_of(const struct http_call *call, enum no_scale if_absent)
{
	if (call->result == -EACCES)
		return NO_SCALE_FORBIDDEN;
	return call->code == 404 ? if_absent : NO_SCALE_UNAVAILABLE;
}

/* The kind's name in paths, from an APIResourceList. */
static enum no_scale read_kinds(struct target *t, const cJSON *root)
{
	const cJSON *resources = json_get(root, "resources"), *item;
	bool is_namespaced = false;

	cJSON_ArrayForEach(item, resources) {
		const char *kind = json_text(json_get(item, "kind")),
			   *name = json_text(json_get(item, "name"));

		if (!kind || !name || strchr(name, '/') || strcmp(kind, t->kind) != 0)
			continue;
		free(t->plural);
		t->plural = xstrdup(name);
		is_namespaced = cJSON_IsTrue(json_get(item, "namespaced"));
	}
	if (!t->plural)
		return NO_SCALE_NO_KIND;
	if (!is_namespaced)
		return NO_SCALE_NOT_NAMESPACED;
	AUTO_FREE char *scale = xasprintf("%s/scale", t->plural);
	cJSON_ArrayForEach(item, resources) {
		const char *name = json_text(json_get(item, "name"));

		if (name && strcmp(name, scale) == 0)
			return NO_SCALE_NONE;
	}
	return NO_SCALE_NO_SUBRESOURCE;
}

static void on_kinds(struct http_call *call)
{
	struct target *t = call->arg;
	AUTO_JSON cJSON *root = NULL;

	if (call->result < 0) {
		end(t, reason_of(call, NO_SCALE_NO_KIND));
		return;
	}
	if (json_parse(call->reply.s, call->reply.n, &root, &call->err) < 0) {
		end(t, NO_SCALE_UNAVAILABLE);
		return;
	}
	enum no_scale reason = read_kinds(t, root);
	if (reason) {
		end(t, reason);
		return;
	}
	keep_kind(t);
	ask_scale(t);
}

static void write_requirement(const struct label_requirement *q, struct json_out *o)
{
	static const char *const operators[2][2] = { { "Exists", "DoesNotExist" },
						     { "In", "NotIn" } };

	json_out_object(o);
	json_out_member(o, "key", q->key);
	json_out_member(o, "operator", operators[q->n_values > 0][q->is_negated]);
	if (q->n_values) {
		json_out_key(o, "values");
		json_out_array(o);
		for (size_t i = 0; i < q->n_values; i++)
			json_out_text(o, q->values[i]);
		json_out_end(o);
	}
	json_out_end(o);
}

/* A selector in one text, as one of an object; NULL: it selects nothing, or cannot be read. */
static char *selector_json(const char *text)
{
	AUTO(arena_done) struct arena arena = { 0 };
	AUTO(label_selector_done) struct label_selector s = { 0 };
	struct str out = STR_INIT;
	AUTO(json_out_done) struct json_out o = { .out = &out, .is_compact = true };

	if (!text || !*text || label_selector_parse(text, &arena, &s, NULL) < 0)
		return NULL;
	json_out_object(&o);
	json_out_key(&o, "matchExpressions");
	json_out_array(&o);
	array_each(q, &s.list)
		write_requirement(q, &o);
	json_out_end(&o);
	json_out_end(&o);
	return str_detach(&out);
}

static void on_scale(struct http_call *call)
{
	struct target *t = call->arg;
	AUTO_JSON cJSON *root = NULL;

	if (call->result < 0) {
		if (t->is_known_kind && call->code == 404)
			forget_kind(t);
		end(t, reason_of(call, NO_SCALE_NOT_FOUND));
		return;
	}
	if (json_parse(call->reply.s, call->reply.n, &root, &call->err) < 0) {
		end(t, NO_SCALE_UNAVAILABLE);
		return;
	}
	const cJSON *replicas = json_path(root, "spec.replicas");
	const char *uid = json_text(json_path(root, "metadata.uid")),
		   *version = json_text(json_path(root, "metadata.resourceVersion"));

	/* 0 is left out. */
	if ((replicas && !json_int(replicas, &t->replicas)) || !uid || !version) {
		end(t, NO_SCALE_UNAVAILABLE);
		return;
	}
	t->uid = xstrdup(uid);
	t->object_version = xstrdup(version);
	t->selector = selector_json(json_text(json_path(root, "status.selector")));
	end(t, NO_SCALE_NONE);
}

/* ---- Objects ---- */

static void write_target_ref(const struct target *t, struct json_out *o)
{
	json_out_key(o, "targetRef");
	json_out_object(o);
	json_out_member(o, "apiVersion", t->version);
	json_out_member(o, "kind", t->kind);
	json_out_member(o, "name", t->name);
	json_out_end(o);
}

static char *write_object(const struct target *t)
{
	struct str out = STR_INIT;
	AUTO(json_out_done) struct json_out o = { .out = &out, .is_compact = true };

	json_out_object(&o);
	json_out_member(&o, "apiVersion", MCKUBE_API_VERSION);
	json_out_member(&o, "kind", "ScaleTarget");
	json_out_key(&o, "metadata");
	json_out_object(&o);
	json_out_member(&o, "name", t->optimizer);
	json_out_member(&o, "namespace", t->ns);
	json_out_given(&o, "uid", t->uid);
	json_out_given(&o, "resourceVersion", t->object_version);
	json_out_end(&o);
	json_out_key(&o, "spec");
	json_out_object(&o);
	write_target_ref(t, &o);
	if (t->reason) {
		json_out_member(&o, "reason", no_scale_words[t->reason]);
	} else {
		json_out_member(&o, "resource", t->plural);
		json_out_member_int(&o, "replicas", t->replicas);
		if (t->selector) {
			json_out_key(&o, "selector");
			json_out_raw(&o, t->selector);
		}
	}
	json_out_end(&o);
	json_out_end(&o);
	return str_detach(&out);
}

bool scale_targets_run(struct scale_targets *t, int timeout_ms)
{
	if (t->n_running)
		http_run(t->kube->http, timeout_ms);
	if (t->n_running)
		return true;
	if (t->is_asked && !t->objects) {
		t->n_objects = t->n;
		t->objects = xcalloc(t->n + 1, sizeof(*t->objects));
		for (size_t i = 0; i < t->n; i++)
			t->objects[i] = write_object(&t->list[i]);
	}
	return false;
}

const char *const *scale_targets_objects(const struct scale_targets *t, size_t *ret_n)
{
	*ret_n = t->n_objects;
	return (const char *const *)t->objects;
}
