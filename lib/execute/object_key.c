/* SPDX-License-Identifier: Apache-2.0 */
#include "execute/object_key.h"

#include <string.h>

#include "base/names.h"
#include "base/scan.h"

struct identity {
	struct slice api_version, kind, ns, name;
};

/* Fills slices from the members of the object that the scan stands at; the last of a name wins. */
struct watched_kinds {
	const char *key;
	struct slice *text;		    /* a string member */
	const struct watched_kinds *inside; /* an object member */
};

static int collect(struct scan *s, const struct watched_kinds *watched_kinds);

static int collect_member(struct scan *s, const struct watched_kinds *w)
{
	int first = scan_blank(s);

	if (w->text && first == '"')
		return scan_string(s, w->text);
	if (w->inside && first == '{')
		return collect(s, w->inside);
	return scan_skip(s);
}

static int collect(struct scan *s, const struct watched_kinds *watched_kinds)
{
	struct slice key;
	int r = scan_open(s, '{');

	while (r >= 0 && (r = scan_member(s, &key)) > 0) {
		const struct watched_kinds *w = watched_kinds;

		while (w->key && !slice_eq(key, w->key))
			w++;
		r = w->key ? collect_member(s, w) : scan_skip(s);
	}
	return r;
}

static struct slice group_of(struct slice api_version)
{
	const char *slash = memrchr(api_version.s, '/', api_version.n);

	return (struct slice){ api_version.s, slash ? (size_t)(slash - api_version.s) : 0 };
}

/* It stands for the object that it tells of. */
static bool is_scale_target(const struct identity *id)
{
	return slice_eq(id->kind, "ScaleTarget") &&
	       slice_eq(group_of(id->api_version), MCKUBE_DOMAIN);
}

static void add_key(const struct identity *id, struct str *out)
{
	bool is_mckube = slice_eq(id->kind, "McKube") || slice_eq(id->kind, "MCKube");
	bool is_local = is_mckube || slice_eq(id->kind, "Pod") ||
			slice_eq(id->kind, "PodDisruptionBudget") ||
			slice_eq(id->kind, "WorkloadOptimizer") ||
			slice_eq(id->kind, "Deployment") || slice_eq(id->kind, "StatefulSet");
	struct slice group = group_of(id->api_version);
	struct slice kind = is_mckube ? SLICE("McKube") : id->kind;
	struct slice ns = is_local && id->ns.n == 0 ? SLICE("default") : id->ns;

	str_addf(out, "%.*s/%.*s/%.*s/%.*s", (int)group.n, group.s, (int)kind.n, kind.s, (int)ns.n,
		 ns.s, (int)id->name.n, id->name.s);
}

bool object_key_of_text(struct slice json, struct str *ret)
{
	struct identity id = { SLICE(""), SLICE(""), SLICE(""), SLICE("") };
	struct identity scaled = id;
	const struct watched_kinds metadata[] = {
		{ "name", &id.name, NULL },
		{ "namespace", &id.ns, NULL },
		{ NULL },
	};
	const struct watched_kinds target[] = {
		{ "apiVersion", &scaled.api_version, NULL },
		{ "kind", &scaled.kind, NULL },
		{ "name", &scaled.name, NULL },
		{ NULL },
	};
	const struct watched_kinds spec[] = {
		{ "targetRef", NULL, target },
		{ NULL },
	};
	const struct watched_kinds object[] = {
		{ "apiVersion", &id.api_version, NULL },
		{ "kind", &id.kind, NULL },
		{ "metadata", NULL, metadata },
		{ "spec", NULL, spec },
		{ NULL },
	};
	struct scan s = scan_of(json);

	if (collect(&s, object) < 0 || id.name.n == 0)
		return false;
	if (is_scale_target(&id)) {
		scaled.ns = id.ns.n ? id.ns : SLICE("default");
		id = scaled;
	}
	add_key(&id, ret);
	return true;
}

void object_key_of_target(const struct target *t, struct str *ret)
{
	add_key(&(struct identity){ slice_of(t->api_version), slice_of(t->kind), slice_of(t->ns),
				    slice_of(t->name) },
		ret);
}

const char *object_finalizer(const struct target *t)
{
	return strcmp(t->kind, "WorkloadOptimizer") == 0 ? KCLOUD_FINALIZER : MCKUBE_FINALIZER;
}
