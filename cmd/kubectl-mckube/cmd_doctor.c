/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/json.h"
#include "base/names.h"
#include "output/style.h"
#include "output/table.h"

#include "command.h"

struct doctor_args {
	int32_t output; /* enum format */
	bool has_no_headers;
};

static const struct option options[] = {
	OPT_ENUM('o', "output", struct doctor_args, output, listing_formats, "FORMAT",
		 "output format", .preset = "table"),
	OPT_BOOL(0, "no-headers", struct doctor_args, has_no_headers, "leave out the headings"),
	{},
};

static const struct column columns[] = {
	{ "CHECK", "check", .is_name = true },
	{ "STATE", "state" },
	{ "DETAIL", "detail" },
	{},
};

enum state { STATE_OK, STATE_NOTE, STATE_MISSING };

struct doctor {
	const struct cli *cli;
	struct live live;
	struct table table;
	unsigned n_missing;
};

static void say(struct doctor *d, const char *check, enum state state, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void say(struct doctor *d, const char *check, enum state state, const char *fmt, ...)
{
	static const char *const names[] = { "ok", "note", "missing" };
	AUTO(str_done) struct str detail = STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	str_vaddf(&detail, fmt, ap);
	va_end(ap);
	d->n_missing += state == STATE_MISSING;
	table_row(&d->table, CELL_TEXT(check), CELL_TEXT(names[state]), CELL_TEXT(detail.s));
}

/* GET of a fixed path as JSON. */
static int fetch(struct doctor *d, const char *path, cJSON **ret, struct error *err)
{
	struct http_call call = { .method = "GET", .path = path };
	int r = http_do(d->live.kube.http, &call, err);

	if (r == 0)
		r = json_parse(call.reply.s, call.reply.n, ret, err);
	http_call_done(&call);
	return r;
}

static int check_server(struct doctor *d, struct error *err)
{
	AUTO_JSON cJSON *version = NULL;

	if (fetch(d, "/version", &version, err) < 0)
		return err->code;
	const char *text = json_text(json_get(version, "gitVersion"));
	say(d, "server", STATE_OK, "%s, Kubernetes %s", d->live.target.cluster.server,
	    text ? text : "of unknown version");
	return 0;
}

static const char no_definition[] =
	MCKUBE_CRD " is not installed: kubectl mckube crd | kubectl apply -f -";

/* For who may not read definitions: is there something of that name? */
static void check_served(struct doctor *d)
{
	AUTO_JSON cJSON *list = NULL;
	const cJSON *item;

	fetch(d, "/apis/mcoperator.sdv.com/v1", &list, NULL);
	cJSON_ArrayForEach(item, json_get(list, "resources")) {
		const char *name = json_text(json_get(item, "name"));
		const char *kind = json_text(json_get(item, "kind"));

		if (name && kind && strcmp(name, "mckubes") == 0) {
			say(d, "definition", STATE_OK, "%s; its schema may not be read", kind);
			return;
		}
	}
	say(d, "definition", STATE_MISSING, "%s", no_definition);
}

static const cJSON *served_version(const cJSON *definition)
{
	const cJSON *version;

	cJSON_ArrayForEach(version, json_path(definition, "spec.versions")) {
		const char *name = json_text(json_get(version, "name"));

		if (name && strcmp(name, "v1") == 0 && cJSON_IsTrue(json_get(version, "served")))
			return version;
	}
	return NULL;
}

/* Does the server keep this member of a spec? What a schema does not name is dropped at each write.
 */
static bool keeps_field(const cJSON *version, const char *field)
{
	const cJSON *spec = json_path(version, "schema.openAPIV3Schema.properties.spec");

	return cJSON_IsTrue(json_get(spec, "x-kubernetes-preserve-unknown-fields")) ||
	       json_get(json_get(spec, "properties"), field);
}

/* The kind cannot be changed once it is installed, so ours is offered in that spelling. */
static void check_version(struct doctor *d, const cJSON *version, const char *kind)
{
	static const char *const ours[] = { "selector", "recovery", "migration" };
	AUTO(str_done) struct str dropped = STR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		if (!keeps_field(version, ours[i]))
			str_addf(&dropped, "%sspec.%s", dropped.n ? ", " : "", ours[i]);
	if (!json_path(version, "subresources.status"))
		say(d, "definition", STATE_MISSING,
		    "%s has no status: kubectl mckube crd --kind %s | kubectl apply -f -", kind,
		    kind);
	else if (dropped.n)
		say(d, "definition", STATE_NOTE,
		    "%s of an older operator, which drops %s: kubectl mckube crd --kind %s | "
		    "kubectl apply -f -",
		    kind, dropped.s, kind);
	else
		say(d, "definition", STATE_OK, "%s", kind);
}

static void check_definition(struct doctor *d)
{
	AUTO_JSON cJSON *definition = NULL;
	struct error err = ERROR_INIT;
	int r = fetch(d, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/" MCKUBE_CRD,
		      &definition, &err);
	const cJSON *version = served_version(definition);
	const char *kind = json_text(json_path(definition, "spec.names.kind"));

	if (r == -EACCES)
		check_served(d);
	else if (r < 0 && r != -ENOENT)
		say(d, "definition", STATE_NOTE, "%s", err.msg);
	else if (!version || !kind)
		say(d, "definition", STATE_MISSING, "%s", no_definition);
	else
		check_version(d, version, kind);
}

/* What the commands ask the server for. */
static const struct right {
	const char *verb, *group, *resource, *subresource, *ns, *name;
	const char *command;
} rights[] = {
	{ "list", "", "nodes", .command = "plan" },
	{ "list", "", "pods", .command = "plan" },
	{ "list", "", "namespaces", .command = "plan" },
	{ "list", "", "persistentvolumes", .command = "plan" },
	{ "list", "", "persistentvolumeclaims", .command = "plan" },
	{ "list", "policy", "poddisruptionbudgets", .command = "plan" },
	{ "list", "scheduling.k8s.io", "priorityclasses", .command = "plan" },
	{ "list", MCKUBE_GROUP, "mckubes", .command = "plan" },
	{ "create", "", "pods", "binding", .command = "apply" },
	{ "create", "", "pods", "eviction", .command = "apply" },
	{ "get", "", "pods", .command = "apply" },
	{ "patch", "", "pods", .command = "apply" },
	{ "patch", "", "nodes", .command = "apply" },
	{ "patch", MCKUBE_GROUP, "mckubes", .command = "apply" },
	{ "patch", MCKUBE_GROUP, "mckubes", "status", .command = "apply" },
	{ "assign", MCKUBE_GROUP, "mckubes", .command = "apply" },
	{ "get", "coordination.k8s.io", "leases", NULL, "kube-system", "mckube", "apply" },
	{ "create", "coordination.k8s.io", "leases", NULL, "kube-system", .command = "apply" },
	{ "update", "coordination.k8s.io", "leases", NULL, "kube-system", "mckube", "apply" },
};

static void add_attribute(cJSON *to, const char *key, const char *value)
{
	if (value)
		cJSON_AddStringToObject(to, key, value);
}

/* 1: allowed, 0: not, negative: nobody knows. */
static int ask(struct doctor *d, const struct right *right, struct error *err)
{
	AUTO_JSON cJSON *review = cJSON_CreateObject(), *reply = NULL;
	struct kube_request r = { 0 };
	cJSON *what;

	cJSON_AddStringToObject(review, "apiVersion", "authorization.k8s.io/v1");
	cJSON_AddStringToObject(review, "kind", "SelfSubjectAccessReview");
	what = cJSON_AddObjectToObject(cJSON_AddObjectToObject(review, "spec"),
				       "resourceAttributes");
	add_attribute(what, "verb", right->verb);
	add_attribute(what, "group", right->group);
	add_attribute(what, "resource", right->resource);
	add_attribute(what, "subresource", right->subresource);
	add_attribute(what, "namespace", right->ns);
	add_attribute(what, "name", right->name);
	AUTO_FREE char *text = cJSON_PrintUnformatted(review);
	kube_create(&r, &d->live.kube, &kube_access_reviews, NULL, slice_of(text));
	int result = kube_do(&d->live.kube, &r, err);
	if (result == 0 && json_parse(r.call.reply.s, r.call.reply.n, &reply, err) == 0)
		result = cJSON_IsTrue(json_path(reply, "status.allowed"));
	kube_request_done(&r);
	return result;
}

static void check_rights(struct doctor *d, const char *command)
{
	AUTO(str_done) struct str denied = STR_INIT;
	AUTO_FREE char *check = xasprintf("may %s", command);
	struct error err = ERROR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(rights); i++) {
		const struct right *right = &rights[i];

		if (strcmp(right->command, command) != 0)
			continue;
		int r = ask(d, right, &err);
		if (r < 0) {
			say(d, check, STATE_NOTE, "%s", err.msg);
			return;
		}
		if (r == 0)
			str_addf(&denied, "%s%s %s%s%s", denied.n ? ", " : "", right->verb,
				 right->resource, right->subresource ? "/" : "",
				 right->subresource ? right->subresource : "");
	}
	if (denied.n)
		say(d, check, STATE_MISSING, "not allowed: %s", denied.s);
	else
		say(d, check, STATE_OK, "every verb that it needs");
}

static void check_policies(struct doctor *d)
{
	static const char *const policies[] = {
		"validatingadmissionpolicies/mckube-assignment",
		"validatingadmissionpolicies/mckube-node",
		"mutatingadmissionpolicies/mckube-scheduler-name",
	};
	AUTO(str_done) struct str missing = STR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
		AUTO_FREE char *path =
			xasprintf("/apis/admissionregistration.k8s.io/v1/%s", policies[i]);
		AUTO_JSON cJSON *policy = NULL;
		struct error err = ERROR_INIT;

		if (fetch(d, path, &policy, &err) == -EACCES) {
			say(d, "admission", STATE_NOTE, "may not be read");
			return;
		}
		if (!policy)
			str_addf(&missing, "%s%s", missing.n ? ", " : "",
				 strchr(policies[i], '/') + 1);
	}
	if (missing.n)
		say(d, "admission", STATE_NOTE,
		    "not installed: %s; without them whoever may edit pods may write budgets",
		    missing.s);
	else
		say(d, "admission", STATE_OK, "assignments are only ours to write");
}

/* What the snapshot tells. */

static void check_helpers(struct doctor *d, const struct cluster *c)
{
	size_t n_helped = 0;

	array_each(node, &c->nodes)
		n_helped += node->annotations.backend != NONE;
	if (!c->nodes.n)
		say(d, "helpers", STATE_NOTE, "there are no nodes");
	else if (n_helped < c->nodes.n)
		say(d, "helpers", STATE_NOTE,
		    "%zu of %zu nodes report their backend: for the others 0.950 of every core is "
		    "assumed",
		    n_helped, c->nodes.n);
	else
		say(d, "helpers", STATE_OK, "all nodes report their backend");
}

static void check_taints(struct doctor *d, const struct cluster *c)
{
	size_t n = 0;

	array_each(node, &c->nodes)
		for (uint32_t i = 0; i < node->taints.n; i++)
			n += strcmp(cluster_str(c, c->taints.items[node->taints.at + i].key),
				    MCKUBE_TAINT) == 0;
	if (n)
		say(d, "taints", STATE_NOTE, MCKUBE_TAINT " is on %zu of %zu nodes", n, c->nodes.n);
}

/* Where nobody makes passes any more nobody takes finalizers off, and deleting the definition waits
 * for ever. */
static void check_finalizers(struct doctor *d, const struct cluster *c)
{
	size_t n_waiting = 0, n_held = 0;

	array_each(m, &c->mckubes) {
		n_waiting += m->is_deleting && m->has_finalizer;
		n_held += !m->is_deleting && m->has_finalizer;
	}
	if (n_waiting)
		say(d, "finalizers", STATE_NOTE,
		    "%zu of %zu McKubes wait for " MCKUBE_FINALIZER ": apply takes it off",
		    n_waiting, c->mckubes.n);
	else if (n_held)
		say(d, "finalizers", STATE_OK,
		    "%zu of %zu McKubes have ours; to uninstall, delete them and apply once more "
		    "before the rest",
		    n_held, c->mckubes.n);
}

static void check_pins(struct doctor *d, const struct cluster *c)
{
	size_t n_pinned = 0;

	array_each(m, &c->mckubes)
		n_pinned += m->status_core && m->core.kind == RAW_STRING &&
			    m->core.text == m->status_core;
	if (n_pinned)
		say(d, "pins", STATE_NOTE,
		    "%zu of %zu McKubes ask for the core that an older operator chose; legacyPins: "
		    "ignore lets them move",
		    n_pinned, c->mckubes.n);
}

static void check_snapshot(struct doctor *d)
{
	struct cluster c = { 0 };
	struct loader *loader = NULL;
	struct error err = ERROR_INIT;

	if (live_load(d->cli, &d->live, &loader, &err) < 0) {
		say(d, "snapshot", STATE_MISSING, "%s", err.msg);
		return;
	}
	loader_finish(loader, &c);
	loader_free(loader);
	say(d, "snapshot", c.problems.n ? STATE_NOTE : STATE_OK,
	    "nodes: %zu, pods: %zu, McKubes: %zu, objects that cannot be used: %zu", c.nodes.n,
	    c.pods.n, c.mckubes.n, c.problems.n);
	check_helpers(d, &c);
	check_taints(d, &c);
	check_finalizers(d, &c);
	check_pins(d, &c);
	cluster_done(&c);
}

static void doctor_done(struct doctor *d)
{
	live_close(&d->live);
	table_done(&d->table);
}

static int run(struct cli *cli, const void *args, struct error *err)
{
	const struct doctor_args *a = args;
	AUTO(doctor_done) struct doctor d = { .cli = cli, .table.columns = columns };
	AUTO(str_done) struct str out = STR_INIT;

	if (live_open(cli, &d.live, err) < 0 || check_server(&d, err) < 0)
		return err->code;
	check_definition(&d);
	check_rights(&d, "plan");
	check_rights(&d, "apply");
	check_policies(&d);
	check_snapshot(&d);
	if (table_render(&d.table, (enum format)a->output, &cli->style, !a->has_no_headers, &out,
			 err) < 0)
		return err->code;
	return print_text(&out, d.n_missing ? EXIT_ERROR : EXIT_DONE, err);
}

const struct command command_doctor = {
	.name = "doctor",
	.synopsis = "[options]",
	.summary = "look for what is missing or left over in a cluster",
	.description =
		"Look for what is missing or left over in a cluster: is the server reached, are "
		"McKube objects\ndefined, may you do what plan and apply need, do the nodes have "
		"their helpers, and what did\nolder operators leave behind. Exits with 1 when "
		"something is missing.",
	.examples = "# the cluster of the current context\n"
		    "kubectl mckube doctor\n",
	.options = options,
	.args_size = sizeof(struct doctor_args),
	.needs = NEEDS_SERVER,
	.run = run,
};
