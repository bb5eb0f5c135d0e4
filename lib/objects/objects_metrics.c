/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/decimal.h"
#include "objects/objects_internal.h"

/* Measurements of metrics.k8s.io. */

struct metrics_draft {
	struct object_meta meta;
	int64_t measured;
	int32_t window;
	struct resources usage;			/* of a node, or the sum over a pod's containers */
	uint32_t n_containers, n_cpu, n_memory; /* of a pod's: all, and those that have it */
};

/* One part of a duration, in milliseconds, rounded up: "15.007s". */
static bool add_part(const char **at, const char *end, int64_t *ms)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = { { "ms", 1 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 } };
	const char *number = *at;
	int64_t micro;

	while (*at < end && (**at == '.' || (**at >= '0' && **at <= '9')))
		++*at;
	if (!decimal_parse(number, (size_t)(*at - number), &micro, NULL))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		size_t n = strlen(units[i].unit);

		if ((size_t)(end - *at) < n || memcmp(*at, units[i].unit, n) != 0)
			continue;
		*at += n;
		*ms += (int64_t)(((__int128)micro * units[i].ms + MICRO - 1) / MICRO);
		return true;
	}
	return false;
}

static bool duration_parse(const char *s, size_t n, int32_t *ret)
{
	const char *at = s, *end = s + n;
	int64_t ms = 0;

	while (at < end && ms < INT32_MAX)
		if (!add_part(&at, end, &ms))
			return false;
	*ret = (int32_t)((ms + 999) / 1000);
	return ms < INT32_MAX;
}

/* A Go duration such as "1m15.007s", in seconds, rounded up. What is none is no window. */
static int read_window(struct decoder *d, const struct field *f, void *into)
{
	struct slice text;
	int r = decode_text(d, &text);

	(void)f;
	if (r == 0 && !duration_parse(text.s, text.n, into))
		*(int32_t *)into = 0;
	return r;
}

static const struct field node_fields[] = {
	FIELD_META(struct metrics_draft),
	FIELD("timestamp", read_time, struct metrics_draft, measured, UNREAD_TAKEN),
	FIELD("usage", read_resources, struct metrics_draft, usage, UNREAD_TAKEN),
	FIELD("window", read_window, struct metrics_draft, window, UNREAD_DETAIL),
	{ 0 },
};

struct container_usage {
	struct resources usage;
};

static const struct field container_fields[] = {
	FIELD("usage", read_resources, struct container_usage, usage),
	{ 0 },
};

static int read_container(struct decoder *d, void *arg)
{
	struct container_usage c = { 0 };
	struct objects *o = objects_of(d);
	struct metrics_draft *m = arg;
	int r = decode_object(d, container_fields, &c);

	if (r < 0)
		return r;
	resources_add(o, &m->usage, &c.usage);
	m->n_containers++;
	m->n_cpu += resources_have(&c.usage, o->id_cpu);
	m->n_memory += resources_have(&c.usage, o->id_memory);
	return 0;
}

static int read_containers_usage(struct decoder *d, const struct field *f, void *into)
{
	(void)f;
	return decode_list(d, read_container, into);
}

static const struct field pod_fields[] = {
	FIELD_WHOLE("containers", read_containers_usage, NULL, UNREAD_TAKEN),
	FIELD_META(struct metrics_draft),
	FIELD("timestamp", read_time, struct metrics_draft, measured, UNREAD_TAKEN),
	FIELD("window", read_window, struct metrics_draft, window, UNREAD_DETAIL),
	{ 0 },
};

static int64_t least(int64_t amount)
{
	return amount < AMOUNT_MAX ? amount : AMOUNT_MAX;
}

static int decode(struct objects *o, const struct field *fields, enum object_scope scope,
		  struct metrics *ret)
{
	struct metrics_draft m = { 0 };
	int r = decode_whole(o, fields, &m, &m.meta, scope);

	if (r == 0)
		*ret = (struct metrics){
			.meta = m.meta.meta,
			.measured = m.measured,
			.cpu_milli = least(resources_get(&m.usage, o->id_cpu)),
			.memory = least(resources_get(&m.usage, o->id_memory)),
			.window = m.window,
			.has_cpu = m.n_containers && m.n_cpu == m.n_containers,
			.has_memory = m.n_containers && m.n_memory == m.n_containers,
			.is_unread = o->d.unread & (UNREAD_TAKEN | UNREAD_NAME),
		};
	return r;
}

int decode_node_metrics(struct objects *o, str_id kind, str_id version)
{
	struct metrics m;
	int r = decode(o, node_fields, SCOPE_CLUSTER, &m);

	(void)kind;
	(void)version;
	if (r == 0)
		*array_add(&o->c->node_metrics) = m;
	return r;
}

int decode_pod_metrics(struct objects *o, str_id kind, str_id version)
{
	struct metrics m;
	int r = decode(o, pod_fields, SCOPE_NAMESPACE, &m);

	(void)kind;
	(void)version;
	if (r == 0)
		*array_add(&o->c->pod_metrics) = m;
	return r;
}
