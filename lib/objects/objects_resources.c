/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "objects/objects_internal.h"
#include "objects/quantity.h"

static struct amount *resources_find(struct resources *r, str_id name)
{
	for (unsigned i = 0; i < r->n; i++)
		if (r->list[i].name == name)
			return &r->list[i];
	return NULL;
}

int64_t resources_get(const struct resources *r, str_id name)
{
	for (unsigned i = 0; i < r->n; i++)
		if (r->list[i].name == name)
			return r->list[i].value;
	return 0;
}

int resources_set(struct objects *o, struct resources *to, struct amount amount)
{
	struct amount *known = resources_find(to, amount.name);

	if (!known && to->n == MAX_RESOURCES)
		return decode_refuse(&o->d, "more than %d resources", MAX_RESOURCES);
	known = known ? known : &to->list[to->n++];
	*known = amount;
	return 0;
}

int resources_add(struct objects *o, struct resources *to, const struct resources *more)
{
	int r = 0;

	for (unsigned i = 0; i < more->n && r == 0; i++) {
		struct amount sum = more->list[i];

		if (__builtin_add_overflow(sum.value, resources_get(to, sum.name), &sum.value))
			return decode_refuse(&o->d, "the sum of %s is too large",
					     intern_str(&o->c->strings, sum.name));
		r = resources_set(o, to, sum);
	}
	return r;
}

int resources_max(struct objects *o, struct resources *to, const struct resources *other)
{
	int r = 0;

	for (unsigned i = 0; i < other->n && r == 0; i++)
		if (other->list[i].value > resources_get(to, other->list[i].name))
			r = resources_set(o, to, other->list[i]);
	return r;
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
	r = amount.name == o->id_cpu ? quantity_milli(text, &amount.value)
				     : quantity_value(text, &amount.value);
	if (r < 0 || strchr("{[tf", first) || amount.value < 0)
		return decode_refuse(d, "'%.*s' is %s", (int)(text.n > 40 ? 40 : text.n), text.s,
				     r == -ERANGE ? "too large"
				     : r == 0	  ? "below zero"
						  : "not a quantity");
	d->has_duplicate |= resources_find(arg, amount.name) != NULL;
	return resources_set(o, arg, amount);
}

int read_resources(struct decoder *d, const struct field *f, void *into)
{
	struct resources *r = into;

	(void)f;
	r->n = 0;
	return decode_map(d, read_resource, r);
}

static int cmp_amounts(const void *a, const void *b)
{
	const struct amount *x = a, *y = b;

	return (x->name > y->name) - (x->name < y->name);
}

struct range resources_extended(struct objects *o, const struct resources *r)
{
	struct amount cached_value[MAX_RESOURCES];
	unsigned n = 0;

	memset(cached_value, 0, sizeof(cached_value)); /* the padding is part of the key */
	for (unsigned i = 0; i < r->n; i++) {
		str_id name = r->list[i].name;

		if (name == o->id_cpu || name == o->id_memory || name == o->id_ephemeral ||
		    r->list[i].value == 0 || name == intern_cstr(&o->c->strings, "pods"))
			continue;
		cached_value[n].name = name;
		cached_value[n++].value = r->list[i].value;
	}
	if (n == 0)
		return (struct range){ 0 };

	qsort(cached_value, n, sizeof(*cached_value), cmp_amounts);
	const struct range *known =
		shared_find(&o->amounts, cached_value, n * sizeof(*cached_value));
	if (known)
		return *known;
	struct range run = { (uint32_t)o->c->amounts.n, n };
	shared_add(&o->amounts, cached_value, n * sizeof(*cached_value), run);
	for (unsigned i = 0; i < n; i++)
		*array_add(&o->c->amounts) = cached_value[i];
	return run;
}

struct container {
	struct resources requests, limits;
	bool is_sidecar;
};

static int read_restart_policy(struct decoder *d, const struct field *f, void *into)
{
	struct slice text;
	int r = decode_text(d, &text);

	(void)f;
	if (r == 0)
		*(bool *)into = slice_eq(text, "Always");
	return r;
}

static const char *const protocols[] = { "TCP", "UDP", "SCTP", NULL };

static const struct field port_fields[] = {
	FIELD("containerPort", read_i32, struct port_draft, container_port),
	FIELD("hostIP", read_text, struct port_draft, host.ip),
	FIELD("hostPort", read_i32, struct port_draft, host_port),
	FIELD_MORE("protocol", read_choice, struct port_draft, host.protocol, protocols),
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
	FIELD_KEPT("limits", read_resources, struct container, limits),
	FIELD_KEPT("requests", read_resources, struct container, requests),
	{ 0 },
};

static const struct field container_fields[] = {
	{ "ports", 5, 0, read_ports, NULL },
	FIELD_SUB("resources", resources_fields),
	FIELD("restartPolicy", read_restart_policy, struct container, is_sidecar),
	{ 0 },
};

/* The API server's default: what has a limit and no request requests its limit. */
static int default_requests(struct objects *o, struct container *c)
{
	int r = 0;

	for (unsigned i = 0; i < c->limits.n && r == 0; i++)
		if (!resources_find(&c->requests, c->limits.list[i].name))
			r = resources_set(o, &c->requests, c->limits.list[i]);
	return r;
}

static int container_decode(struct objects *o, struct pod_resources *p, struct container *c)
{
	c->requests.n = c->limits.n = 0;
	c->is_sidecar = false;

	int r = decode_object(&o->d, container_fields, c);
	if (r == 0)
		r = default_requests(o, c);
	if (r == 0)
		r = resources_add(o, &p->all_requests, &c->requests);
	if (r == 0)
		r = resources_add(o, &p->all_limits, &c->limits);
	p->is_guaranteed &= resources_get(&c->limits, o->id_cpu) > 0 &&
			    resources_get(&c->limits, o->id_memory) > 0;
	return r;
}

static int read_container(struct decoder *d, void *arg)
{
	struct pod_resources *p = arg;
	struct container c;
	int r = container_decode(objects_of(d), p, &c);

	return r == 0 ? resources_add(objects_of(d), &p->running, &c.requests) : r;
}

/* Init containers run one after the other, each beside the sidecars that stand before it. */
static int read_init_container(struct decoder *d, void *arg)
{
	struct objects *o = objects_of(d);
	struct pod_resources *p = arg;
	size_t n_ports = o->ports.n;
	struct container c;
	int r = container_decode(o, p, &c);

	if (r == 0 && c.is_sidecar) {
		r = resources_add(o, &p->sidecars, &c.requests);
		return r == 0 ? resources_add(o, &p->running, &c.requests) : r;
	}
	o->ports.n = n_ports;
	if (r == 0)
		r = resources_add(o, &c.requests, &p->sidecars);
	return r == 0 ? resources_max(o, &p->init, &c.requests) : r;
}

int read_containers(struct decoder *d, const struct field *f, void *into)
{
	(void)f;
	return decode_list(d, read_container, into);
}

int read_init_containers(struct decoder *d, const struct field *f, void *into)
{
	(void)f;
	return decode_list(d, read_init_container, into);
}

/* Pod-level requests (Kubernetes 1.34) stand for the sum over the containers where they may be
 * given: cpu, memory and hugepages. */
int pod_requests(struct objects *o, const struct pod_resources *p, struct resources *ret)
{
	int r = resources_max(o, ret, &p->running);

	if (r == 0)
		r = resources_max(o, ret, &p->init);
	for (unsigned i = 0; i < p->pod_requests.n && r == 0; i++)
		r = resources_set(o, ret, p->pod_requests.list[i]);
	return r == 0 ? resources_add(o, ret, &p->overhead) : r;
}

enum pod_qos pod_qos_of(const struct objects *o, const struct pod_resources *p)
{
	bool is_by_pod = p->pod_requests.n || p->pod_limits.n;
	const struct resources *requests = is_by_pod ? &p->pod_requests : &p->all_requests;
	const struct resources *limits = is_by_pod ? &p->pod_limits : &p->all_limits;
	int64_t cpu = resources_get(requests, o->id_cpu);
	int64_t memory = resources_get(requests, o->id_memory);
	int64_t cpu_limit = resources_get(limits, o->id_cpu);
	int64_t memory_limit = resources_get(limits, o->id_memory);

	if (cpu == 0 && memory == 0 && cpu_limit == 0 && memory_limit == 0)
		return QOS_BEST_EFFORT;
	if ((is_by_pod || p->is_guaranteed) && cpu == cpu_limit && memory == memory_limit && cpu &&
	    memory)
		return QOS_GUARANTEED;
	return QOS_BURSTABLE;
}
