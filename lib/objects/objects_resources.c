/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "objects/objects_internal.h"
#include "objects/quantity.h"

static struct amount *resources_at(struct resources *r, uint32_t i)
{
	return i < FEW_RESOURCES ? &r->few[i] : &r->more[i - FEW_RESOURCES];
}

static struct amount amount_at(const struct resources *r, uint32_t i)
{
	return i < FEW_RESOURCES ? r->few[i] : r->more[i - FEW_RESOURCES];
}

static struct amount *resources_find(struct resources *r, str_id name)
{
	for (uint32_t i = 0; i < r->n; i++)
		if (resources_at(r, i)->name == name)
			return resources_at(r, i);
	return NULL;
}

bool resources_have(const struct resources *r, str_id name)
{
	for (uint32_t i = 0; i < r->n; i++)
		if (amount_at(r, i).name == name)
			return true;
	return false;
}

int64_t resources_get(const struct resources *r, str_id name)
{
	for (uint32_t i = 0; i < r->n; i++)
		if (amount_at(r, i).name == name)
			return amount_at(r, i).value;
	return 0;
}

static void make_room(struct objects *o, struct resources *r)
{
	uint32_t cap = r->cap ? 2 * r->cap : FEW_RESOURCES;
	struct amount *more = arena_alloc(&o->arena, cap * sizeof(*more));

	if (r->cap)
		memcpy(more, r->more, r->cap * sizeof(*more));
	r->more = more;
	r->cap = cap;
}

static void resources_set(struct objects *o, struct resources *to, struct amount amount)
{
	struct amount *known = resources_find(to, amount.name);

	if (!known) {
		if (to->n >= FEW_RESOURCES + to->cap)
			make_room(o, to);
		known = resources_at(to, to->n++);
	}
	*known = amount;
}

/* A sum that 64 bits do not hold is the most that they do. */
void resources_add(struct objects *o, struct resources *to, const struct resources *more)
{
	for (uint32_t i = 0; i < more->n; i++) {
		struct amount sum = amount_at(more, i);

		if (__builtin_add_overflow(sum.value, resources_get(to, sum.name), &sum.value))
			sum.value = INT64_MAX;
		resources_set(o, to, sum);
	}
}

static void resources_max(struct objects *o, struct resources *to, const struct resources *other)
{
	for (uint32_t i = 0; i < other->n; i++)
		if (amount_at(other, i).value > resources_get(to, amount_at(other, i).name))
			resources_set(o, to, amount_at(other, i));
}

static void resources_copy(struct objects *o, struct resources *to, const struct resources *from)
{
	to->n = 0;
	for (uint32_t i = 0; i < from->n; i++)
		resources_set(o, to, amount_at(from, i));
}

static int read_resource(struct decoder *d, struct slice key, void *arg)
{
	struct objects *o = objects_of(d);
	struct amount amount = { .name = intern_add(d->strings, key.s, key.n) };
	struct slice text;
	char first;
	int r = decode_token(d, &text, &first);

	if (r < 0)
		return r;
	if (first != 'n') {
		r = amount.name == o->id_cpu ? quantity_milli(text, &amount.value)
					     : quantity_value(text, &amount.value);
		if (r < 0 || strchr("{[tf", first) || amount.value < 0)
			return decode_refuse(d, "'%.*s' is %s", (int)(text.n > 40 ? 40 : text.n),
					     text.s, r == 0 ? "negative" : "not a quantity");
	}
	d->has_duplicate |= resources_find(arg, amount.name) != NULL;
	resources_set(o, arg, amount);
	return 0;
}

int read_resources(struct decoder *d, const struct field *f, void *into)
{
	struct resources *r = into;

	(void)f;
	r->n = r->cap = 0;
	r->more = NULL;
	return decode_map(d, read_resource, r);
}

static int cmp_amounts(const void *a, const void *b)
{
	const struct amount *x = a, *y = b;

	return (x->name > y->name) - (x->name < y->name);
}

static bool is_extended(const struct objects *o, struct amount a)
{
	return a.value && a.name != o->id_cpu && a.name != o->id_memory &&
	       a.name != o->id_ephemeral && a.name != o->id_pods;
}

struct range resources_extended(struct objects *o, const struct resources *r)
{
	AUTO_FREE struct amount *list = xcalloc(r->n + 1, sizeof(*list)); /* zero: padding too */
	uint32_t n = 0;

	for (uint32_t i = 0; i < r->n; i++) {
		struct amount a = amount_at(r, i);

		if (!is_extended(o, a))
			continue;
		list[n].name = a.name;
		list[n++].value = a.value < AMOUNT_MAX ? a.value : AMOUNT_MAX;
	}
	if (n == 0)
		return (struct range){ 0 };

	qsort(list, n, sizeof(*list), cmp_amounts);
	const struct range *known = shared_find(&o->amounts, list, n * sizeof(*list));
	if (known)
		return *known;
	struct range run = { (uint32_t)o->c->amounts.n, n };
	shared_add(&o->amounts, list, n * sizeof(*list), run);
	for (uint32_t i = 0; i < n; i++)
		*array_add(&o->c->amounts) = list[i];
	return run;
}

static int read_restart_policy(struct decoder *d, const struct field *f, void *into)
{
	struct slice text;
	int r = decode_text(d, &text);

	(void)f;
	if (r == 0)
		*(uint8_t *)into = slice_eq(text, "Always") ? CONTAINER_SIDECAR : CONTAINER_INIT;
	return r;
}

static const char *const protocols[] = { "TCP", "UDP", "SCTP", NULL };

static const struct field port_fields[] = {
	FIELD("containerPort", read_i32, struct port_draft, container_port),
	FIELD("hostIP", read_text, struct port_draft, host.ip),
	FIELD("hostPort", read_i32, struct port_draft, host_port),
	FIELD_MORE("protocol", read_default_choice, struct port_draft, host.protocol, protocols),
	{ 0 },
};

static int read_port(struct decoder *d, void *arg)
{
	struct port_draft port = { 0 };
	int r = decode_object(d, port_fields, &port);

	(void)arg;
	if (r == 0 && (port.host_port < 0 || port.host_port > 65535))
		return decode_refuse(d, "hostPort: %d is not a port", port.host_port);
	if (r == 0)
		*array_add(&objects_of(d)->ports) = port;
	return r;
}

static int read_ports(struct decoder *d, const struct field *f, void *into)
{
	(void)f;
	(void)into;
	return decode_list(d, read_port, NULL);
}

static const struct field resources_fields[] = {
	FIELD_CACHED("limits", read_resources, struct container, limits),
	FIELD_CACHED("requests", read_resources, struct container, requests),
	{ 0 },
};

int read_written(struct decoder *d, const struct field *f, void *into)
{
	const char *from = d->scan.at;
	struct slice text;
	int r = decode_text(d, &text);

	(void)f;
	if (r == 0)
		*(struct slice *)into = (struct slice){ from + 1, (size_t)(d->scan.at - from) - 2 };
	return r;
}

struct restart_rule {
	str_id action;
};

static const struct field rule_fields[] = {
	FIELD("action", read_text, struct restart_rule, action),
	{ 0 },
};

static int read_restart_rule(struct decoder *d, void *arg)
{
	struct restart_rule rule = { 0 };
	int r = decode_object(d, rule_fields, &rule);

	(void)arg;
	if (r == 0 && strcmp(intern_str(d->strings, rule.action), "RestartAllContainers") == 0)
		objects_of(d)->restarts_all = true;
	return r;
}

static int read_restart_rules(struct decoder *d, const struct field *f, void *into)
{
	(void)f;
	(void)into;
	return decode_list(d, read_restart_rule, NULL);
}

struct probe {
	int32_t failures, seconds; /* how many may fail in a row, and how often it is asked */
	bool is_remote;		   /* over the network, so that a paused program fails it */
};

static const struct field probe_fields[] = {
	FIELD("failureThreshold", read_i32_saturated, struct probe, failures, UNREAD_DETAIL),
	FIELD("httpGet", read_exists, struct probe, is_remote, UNREAD_DETAIL),
	FIELD("periodSeconds", read_i32_saturated, struct probe, seconds, UNREAD_DETAIL),
	FIELD("tcpSocket", read_exists, struct probe, is_remote, UNREAD_DETAIL),
	{ 0 },
};

static int read_liveness_probe(struct decoder *d, const struct field *f, void *into)
{
	struct container *c = into;
	struct probe p = { .failures = 3, .seconds = 10 }; /* the API server's defaults */
	int r = decode_object(d, probe_fields, &p);

	(void)f;
	if (r == 0 && p.is_remote && p.failures > 0 && p.seconds > 0)
		c->patience_seconds = (int64_t)p.failures * p.seconds;
	return r;
}

static const struct field container_fields[] = {
	FIELD_WHOLE("livenessProbe", read_liveness_probe, NULL),
	FIELD("name", read_written, struct container, name),
	FIELD_WHOLE("ports", read_ports, NULL),
	FIELD_SUB("resources", resources_fields),
	FIELD("restartPolicy", read_restart_policy, struct container, kind),
	FIELD_WHOLE("restartPolicyRules", read_restart_rules, NULL, UNREAD_RULES),
	{ 0 },
};

/* The API server's default: what has a limit and no request requests its limit. */
static void default_requests(struct objects *o, struct container *c)
{
	for (uint32_t i = 0; i < c->limits.n; i++)
		if (!resources_find(&c->requests, amount_at(&c->limits, i).name))
			resources_set(o, &c->requests, amount_at(&c->limits, i));
}

/* Whatever was in the memory of *c. */
static void container_init(struct container *c, enum container_kind kind)
{
	c->name = SLICE("");
	c->requests.n = c->requests.cap = c->limits.n = c->limits.cap = 0;
	c->patience_seconds = 0;
	c->kind = (uint8_t)kind;
}

static int read_container(struct decoder *d, void *arg)
{
	struct objects *o = objects_of(d);
	struct container *c = array_add(&o->containers);

	(void)arg;
	container_init(c, CONTAINER_MAIN);
	int r = decode_object(d, container_fields, c);
	c->kind = CONTAINER_MAIN;
	default_requests(o, c);
	return r;
}

/* Ports of an init container that ends are taken by none of the others. */
static int read_init_container(struct decoder *d, void *arg)
{
	struct objects *o = objects_of(d);
	struct container *c = array_add(&o->containers);
	size_t n_ports = o->ports.n;

	(void)arg;
	container_init(c, CONTAINER_INIT);
	int r = decode_object(d, container_fields, c);
	if (c->kind == CONTAINER_INIT)
		o->ports.n = n_ports;
	default_requests(o, c);
	return r;
}

int read_containers(struct decoder *d, const struct field *f, void *into)
{
	(void)f;
	(void)into;
	return decode_list(d, read_container, NULL);
}

int read_init_containers(struct decoder *d, const struct field *f, void *into)
{
	(void)f;
	(void)into;
	return decode_list(d, read_init_container, NULL);
}

static const struct field actual_fields[] = {
	FIELD_CACHED("requests", read_resources, struct container_status, actual),
	{ 0 },
};

static const struct field container_status_fields[] = {
	FIELD_CACHED("allocatedResources", read_resources, struct container_status, allocated),
	FIELD("name", read_written, struct container_status, name),
	FIELD_SUB("resources", actual_fields),
	{ 0 },
};

static int read_container_status(struct decoder *d, void *arg)
{
	struct container_status *s = array_add(&objects_of(d)->statuses);

	(void)arg;
	s->name = SLICE("");
	s->allocated.n = s->allocated.cap = s->actual.n = s->actual.cap = 0;
	return decode_object(d, container_status_fields, s);
}

int read_container_statuses(struct decoder *d, const struct field *f, void *into)
{
	(void)f;
	(void)into;
	return decode_list(d, read_container_status, NULL);
}

static const struct container_status *status_of(const struct objects *o, const struct container *c)
{
	array_each(s, &o->statuses)
		if (s->name.n == c->name.n && memcmp(s->name.s, c->name.s, c->name.n) == 0)
			return s;
	return NULL;
}

/* While a container is resized the greatest of what it asks for, was allocated and has counts; what
 * it asks for does not when the kubelet has said that it will never fit. */
static void effective_requests(struct objects *o, const struct container *c, bool is_infeasible,
			       struct resources *ret)
{
	const struct container_status *s = status_of(o, c);
	bool has_status = s && (s->allocated.n || s->actual.n);

	ret->n = ret->cap = 0;
	if (!has_status || !is_infeasible)
		resources_copy(o, ret, &c->requests);
	if (!has_status)
		return;
	resources_max(o, ret, &s->allocated);
	resources_max(o, ret, &s->actual);
}

/* Containers and sidecars run together; init containers one after the other, each beside the
 * sidecars that stand before it. */
static void sum_containers(struct objects *o, bool is_infeasible, struct resources *ret)
{
	struct resources sidecars = { .n = 0 }, init = { .n = 0 }, one = { .n = 0 };

	array_each(c, &o->containers) {
		effective_requests(o, c, is_infeasible, &one);
		if (c->kind != CONTAINER_INIT)
			resources_add(o, ret, &one);
		if (c->kind == CONTAINER_SIDECAR)
			resources_add(o, &sidecars, &one);
		if (c->kind != CONTAINER_INIT)
			continue;
		resources_add(o, &one, &sidecars);
		resources_max(o, &init, &one);
	}
	resources_max(o, ret, &init);
}

/* The API server's default: a limit of the whole pod is its request where no container has one. */
static void pod_level_requests(struct objects *o, const struct pod_resources *p,
			       struct resources *ret)
{
	struct resources own = p->requests;

	for (uint32_t i = 0; i < p->limits.n; i++) {
		struct amount limit = amount_at(&p->limits, i);

		if (!resources_find(&own, limit.name) && !resources_find(ret, limit.name))
			resources_set(o, &own, limit);
	}
	if (p->is_resize_infeasible && (p->allocated.n || p->actual.n))
		own.n = 0;
	if (p->requests.n || p->limits.n) {
		resources_max(o, &own, &p->allocated);
		resources_max(o, &own, &p->actual);
	}
	for (uint32_t i = 0; i < own.n; i++)
		resources_set(o, ret, amount_at(&own, i));
}

/* Requests of the whole pod stand for the sum over its containers where they may be given: cpu,
 * memory and hugepages. */
void pod_requests(struct objects *o, const struct pod_resources *p, struct resources *ret)
{
	sum_containers(o, p->is_resize_infeasible, ret);
	pod_level_requests(o, p, ret);
	resources_add(o, ret, &p->overhead);
}

int64_t pod_asked(struct objects *o, const struct pod_resources *p, str_id name)
{
	struct resources sum = { .n = 0 };

	if (p->requests.n) {
		pod_requests(o, p, &sum);
		return resources_have(&sum, name) ? resources_get(&sum, name) : NO_LIMIT;
	}
	array_each(c, &o->containers) {
		if (c->kind == CONTAINER_INIT)
			continue;
		if (!resources_have(&c->requests, name))
			return NO_LIMIT;
		resources_add(o, &sum, &c->requests);
	}
	return resources_get(&sum, name);
}

enum pod_qos pod_qos_of(struct objects *o, const struct pod_resources *p)
{
	bool is_by_pod = p->requests.n || p->limits.n, is_guaranteed = true;
	struct resources requests = { .n = 0 }, limits = { .n = 0 };

	resources_add(o, &requests, &p->requests);
	resources_add(o, &limits, &p->limits);
	for (size_t i = 0; i < o->containers.n && !is_by_pod; i++) {
		const struct container *c = &o->containers.items[i];

		resources_add(o, &requests, &c->requests);
		resources_add(o, &limits, &c->limits);
		is_guaranteed &= resources_get(&c->limits, o->id_cpu) > 0 &&
				 resources_get(&c->limits, o->id_memory) > 0;
	}
	int64_t cpu = resources_get(&requests, o->id_cpu);
	int64_t memory = resources_get(&requests, o->id_memory);
	int64_t cpu_limit = resources_get(&limits, o->id_cpu);
	int64_t memory_limit = resources_get(&limits, o->id_memory);

	if (cpu == 0 && memory == 0 && cpu_limit == 0 && memory_limit == 0)
		return QOS_BEST_EFFORT;
	if (is_guaranteed && cpu == cpu_limit && memory == memory_limit && cpu && memory)
		return QOS_GUARANTEED;
	return QOS_BURSTABLE;
}
