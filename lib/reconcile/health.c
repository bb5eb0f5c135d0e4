/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/date.h"
#include "base/names.h"
#include "kube/lease.h"
#include "model/guarantee.h"
#include "model/heartbeat.h"
#include "reconcile/health_internal.h"

#define LEASE "kube-system/mckube"

enum { PASS_LATE_S = 15 * 60 };

const char *health_state_name(enum health_state state)
{
	static const char *const names[] = {
		[HEALTH_OK] = "ok",
		[HEALTH_NOTE] = "note",
		[HEALTH_MISSING] = "missing",
	};

	return names[state];
}

void health_done(struct health *h)
{
	array_each(f, &h->findings)
		free(f->detail);
	array_done(&h->findings);
}

void health_add(struct health *h, const char *check, enum health_state state, const char *fmt, ...)
{
	struct str detail = STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	str_vaddf(&detail, fmt, ap);
	va_end(ap);
	h->n_missing += state == HEALTH_MISSING;
	*array_add(&h->findings) = (struct finding){ check, state, xstrndup(detail.s, detail.n) };
	str_done(&detail);
}

/* The server. */

static bool is_served(const cJSON *groups, const char *group_version)
{
	const cJSON *group, *version;

	cJSON_ArrayForEach(group, json_get(groups, "groups")) {
		cJSON_ArrayForEach(version, json_get(group, "versions")) {
			const char *name = json_text(json_get(version, "groupVersion"));

			if (name && strcmp(name, group_version) == 0)
				return true;
		}
	}
	return false;
}

void health_versions(struct health *h, const cJSON *groups)
{
	static const struct {
		const char *version, *lost;
		enum health_state state;
	} rows[] = {
		{ "coordination.k8s.io/v1", "Leases", HEALTH_MISSING },
		{ "events.k8s.io/v1", "Events", HEALTH_MISSING },
		{ "policy/v1", "PodDisruptionBudgets", HEALTH_MISSING },
		{ "scheduling.k8s.io/v1", "PriorityClasses", HEALTH_MISSING },
		{ "storage.k8s.io/v1", "limits of volumes", HEALTH_MISSING },
		{ "resource.k8s.io/v1", "pods with resource claims are not bound", HEALTH_NOTE },
		{ "admissionregistration.k8s.io/v1", "no policy protects assignments",
		  HEALTH_NOTE },
	};
	enum health_state worst = HEALTH_OK;
	AUTO(str_done) struct str text = STR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (is_served(groups, rows[i].version))
			continue;
		str_addf(&text, "%s%s (%s)", text.n ? ", " : "", rows[i].version, rows[i].lost);
		worst = rows[i].state > worst ? rows[i].state : worst;
	}
	if (text.n)
		health_add(h, "api", worst, "this server lacks %s", text.s);
	else
		health_add(h, "api", HEALTH_OK, "all versions that are used are served");
}

/* The definition. */

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

void health_definition(struct health *h, const cJSON *definition)
{
	static const char *const ours[] = { "selector", "recovery", "migration" };
	AUTO(str_done) struct str dropped = STR_INIT;
	const cJSON *version = served_version(definition);
	const char *kind = json_text(json_path(definition, "spec.names.kind"));

	if (!version || !kind) {
		health_add(h, "definition", HEALTH_MISSING,
			   MCKUBE_CRD ": not installed: kubectl mckube crd | kubectl "
				      "apply -f -");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		if (!keeps_field(version, ours[i]))
			str_addf(&dropped, "%sspec.%s", dropped.n ? ", " : "", ours[i]);
	/* The kind of an installed definition cannot be changed, so ours is offered in that
	 * spelling. */
	if (!json_path(version, "subresources.status"))
		health_add(
			h, "definition", HEALTH_MISSING,
			"%s: no status subresource: kubectl mckube crd --kind %s | kubectl apply "
			"-f -",
			kind, kind);
	else if (dropped.n)
		health_add(h, "definition", HEALTH_NOTE,
			   "%s of an older operator, which drops %s: kubectl mckube crd --kind %s "
			   "| kubectl apply -f -",
			   kind, dropped.s, kind);
	else
		health_add(h, "definition", HEALTH_OK, "%s", kind);
}

/* The programs. */

static int number(const cJSON *object, const char *path)
{
	const cJSON *n = json_path(object, path);

	return cJSON_IsNumber(n) ? n->valueint : 0;
}

void health_daemon_set(struct health *h, const cJSON *daemon_set)
{
	int wanted = number(daemon_set, "status.desiredNumberScheduled");
	int ready = number(daemon_set, "status.numberReady");
	int updated = number(daemon_set, "status.updatedNumberScheduled");
	h->n_helpers = wanted > 0 ? (unsigned)wanted : 0;
	bool is_observed = number(daemon_set, "status.observedGeneration") >=
			   number(daemon_set, "metadata.generation");

	if (is_observed && !wanted)
		health_add(h, "daemonset", HEALTH_MISSING, "mckube-node: it selects no node");
	else if (!is_observed || ready < wanted || updated < wanted)
		health_add(h, "daemonset", HEALTH_MISSING,
			   "mckube-node: %d of %d pods ready, %d updated", ready, wanted, updated);
	else
		health_add(h, "daemonset", HEALTH_OK, "mckube-node: %d of %d pods ready", ready,
			   wanted);
}

void health_deployment(struct health *h, const cJSON *deployment)
{
	int wanted = number(deployment, "spec.replicas");
	int ready = number(deployment, "status.readyReplicas");
	int updated = number(deployment, "status.updatedReplicas");
	const char *name = json_text(json_path(deployment, "metadata.name"));

	h->has_watch = wanted > 0;
	if (!wanted)
		health_add(h, "deployment", HEALTH_MISSING, "%s: scaled to 0, nothing is planned",
			   name ? name : "watch");
	else
		health_add(h, "deployment",
			   ready < wanted || updated < wanted ? HEALTH_MISSING : HEALTH_OK,
			   "%s: %d of %d pods ready, %d updated", name ? name : "watch", ready,
			   wanted, updated);
}

/* Where a program should hold the Lease, a finding that it does not is no mere note. */
static void add_lease(struct health *h, bool is_ok, const char *text)
{
	health_add(h, "lease",
		   is_ok	  ? HEALTH_OK
		   : h->has_watch ? HEALTH_MISSING
				  : HEALTH_NOTE,
		   LEASE ": %s", text);
}

/* Without a change there is a round a minute; --interval may be longer. */
static void check_last_pass(struct health *h, const cJSON *lease, int64_t now)
{
	const char *text =
		json_text(json_get(json_path(lease, "metadata.annotations"), LEASE_LAST_PASS));
	int64_t at;

	if (!h->has_watch)
		return;
	if (!text || !date_parse(text, strlen(text), &at))
		health_add(h, "planning", HEALTH_MISSING, "no planning round has succeeded yet");
	else
		health_add(h, "planning", now - at > PASS_LATE_S ? HEALTH_NOTE : HEALTH_OK,
			   "the last planning round succeeded %lld s ago",
			   (long long)(now > at ? now - at : 0));
}

void health_lease(struct health *h, const cJSON *lease, int64_t now)
{
	const char *holder = json_text(json_path(lease, "spec.holderIdentity"));
	const char *renewed = json_text(json_path(lease, "spec.renewTime"));
	AUTO_FREE char *text = NULL;
	int64_t at;

	if (!holder || !*holder) {
		if (lease || h->has_watch)
			add_lease(h, false, "no holder");
		return;
	}
	if (!renewed || !date_parse(renewed, strlen(renewed), &at)) {
		text = xasprintf("held by %s, never renewed", holder);
		add_lease(h, false, text);
	} else {
		text = xasprintf("held by %s, renewed %lld s ago", holder,
				 (long long)(now > at ? now - at : 0));
		add_lease(h, now - at <= INT64_C(4) * LEASE_DURATION_S, text);
	}
	check_last_pass(h, lease, now);
}

/* The cluster. */

static void add_name(struct str *out, const char *name)
{
	str_addf(out, "%s%s", out->n ? ", " : "", name);
}

/* A row for each backend that nodes publish. */
static void check_backends(struct health *h, const struct cluster *c)
{
	static const char *const meaning[] = {
		[GUARANTEE_ANY] = "enforces nothing",
		[GUARANTEE_CAP] = "limits CPU time, no real-time guarantee",
		[GUARANTEE_REALTIME] = "real-time budgets",
		[GUARANTEE_KERNEL] = "real-time budgets, by the kernel",
	};

	array_each(first, &c->nodes) {
		const char *backend = helper_backend(c, first);
		enum guarantee g = guarantee_of_backend(backend);
		AUTO(str_done) struct str names = STR_INIT;

		if (!*backend)
			continue;
		array_each(node, &c->nodes) {
			if (strcmp(helper_backend(c, node), backend) != 0)
				continue;
			if (node < first)
				break;
			add_name(&names, cluster_str(c, node->meta.name));
		}
		if (names.n)
			health_add(h, "backend", g >= GUARANTEE_REALTIME ? HEALTH_OK : HEALTH_NOTE,
				   "%s (%s, %s): %s", backend, guarantee_name(g), meaning[g],
				   names.s);
	}
}

static void check_helpers(struct health *h, const struct cluster *c)
{
	AUTO(str_done) struct str silent = STR_INIT, none = STR_INIT;
	unsigned n_reporting = 0;

	array_each(node, &c->nodes) {
		const char *name = cluster_str(c, node->meta.name);

		n_reporting += *helper_backend(c, node) != 0;
		if (helper_state(c, node) == HELPER_SILENT)
			add_name(&silent, name);
		else if (!*cluster_str(c, node->annotations.backend))
			add_name(&none, name);
	}
	if (silent.n)
		health_add(h, "helpers", HEALTH_MISSING,
			   "their Leases have expired, what they reported is not used: %s",
			   silent.s);
	if (!c->nodes.n)
		health_add(h, "helpers", HEALTH_NOTE, "there are no nodes");
	else if (none.n)
		health_add(h, "helpers", n_reporting < h->n_helpers ? HEALTH_MISSING : HEALTH_NOTE,
			   "these nodes report no backend, 0.950 of every core is assumed: %s",
			   none.s);
	else if (!silent.n)
		health_add(h, "helpers", HEALTH_OK, "all nodes report their backend");
	check_backends(h, c);
}

static void check_taint(struct health *h, const struct cluster *c, const char *key)
{
	size_t n = 0;

	array_each(node, &c->nodes)
		n += cluster_taint(c, node, key) != NULL;
	if (n)
		health_add(h, "taints", HEALTH_NOTE, "%s is on %zu of %zu nodes", key, n,
			   c->nodes.n);
}

/* What a helper wrote stays when it is deleted before `uninstall`. */
static void check_leftovers(struct health *h, const struct cluster *c)
{
	size_t n = 0;

	array_each(node, &c->nodes)
		n += node->annotations.backend != NONE && helper_state(c, node) != HELPER_ALIVE;
	if (n && !h->n_helpers)
		health_add(h, "leftovers", HEALTH_NOTE,
			   "annotations of a node helper are on %zu of %zu nodes, and no helper is "
			   "installed: 'kubectl mckube uninstall' removes them",
			   n, c->nodes.n);
}

/* The helper looks at the capabilities of each process of a pod with a budget. */
static void check_outranking(struct health *h, const struct cluster *c)
{
	AUTO(str_done) struct str names = STR_INIT;

	array_each(m, &c->mckubes) {
		const char *said = cluster_str(c, m->said[MCKUBE_CONDITION_READY].text);

		if (strstr(said, MESSAGE_OUTRANKS))
			str_addf(&names, "%s%s/%s", names.n ? ", " : "", cluster_str(c, m->meta.ns),
				 cluster_str(c, m->meta.name));
	}
	if (names.n)
		health_add(h, "capabilities", HEALTH_NOTE, MESSAGE_OUTRANKS ": %s", names.s);
}

/* A finalizer is removed by a pass only; where none is made any more, deleting the definition
 * blocks. */
static void check_finalizers(struct health *h, const struct cluster *c)
{
	size_t n_waiting = 0, n_held = 0;

	array_each(m, &c->mckubes) {
		n_waiting += m->is_deleting && m->has_finalizer;
		n_held += !m->is_deleting && m->has_finalizer;
	}
	if (n_waiting)
		health_add(h, "finalizers", HEALTH_NOTE,
			   "%zu of %zu McKubes are being deleted and wait for " MCKUBE_FINALIZER
			   ": kubectl mckube apply",
			   n_waiting, c->mckubes.n);
	else if (n_held)
		health_add(h, "finalizers", HEALTH_OK,
			   "on %zu of %zu McKubes, taken off by 'kubectl mckube uninstall'", n_held,
			   c->mckubes.n);
}

static void check_pins(struct health *h, const struct cluster *c)
{
	size_t n_pinned = 0;

	array_each(m, &c->mckubes)
		n_pinned += m->status_core && m->core.kind == RAW_STRING &&
			    m->core.text == m->status_core;
	if (n_pinned)
		health_add(h, "pins", HEALTH_NOTE,
			   "%zu of %zu McKubes request the core that an older operator chose; "
			   "legacyPins: ignore lets them move",
			   n_pinned, c->mckubes.n);
}

void health_cluster(struct health *h, const struct cluster *c)
{
	health_add(h, "snapshot", c->problems.n ? HEALTH_NOTE : HEALTH_OK,
		   "nodes: %zu, pods: %zu, McKubes: %zu, objects with errors: %zu", c->nodes.n,
		   c->pods.n, c->mckubes.n, c->problems.n);
	check_helpers(h, c);
	check_taint(h, c, MCKUBE_TAINT);
	check_taint(h, c, MCKUBE_PRESSURE);
	check_leftovers(h, c);
	check_outranking(h, c);
	check_finalizers(h, c);
	check_pins(h, c);
	health_checkpoints(h, c);
}
