/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/names.h"
#include "objects/objects_internal.h"

struct pod_draft {
	struct object_meta meta;
	struct placement placement;
	struct pod_resources resources;
	str_id node_name, scheduler, priority_class;
	int32_t priority;
	uint8_t phase, qos;
	bool has_priority, has_our_gate, has_other_gate, is_host_network, has_qos, is_ready;
};

static int read_priority(struct decoder *d, const struct field *f, void *into)
{
	struct pod_draft *p = into;

	p->has_priority = true;
	return read_i32(d, f, &p->priority);
}

struct gate {
	str_id name;
};

static const struct field gate_fields[] = {
	FIELD("name", read_text, struct gate, name),
	{ 0 },
};

static int read_gate(struct decoder *d, void *arg)
{
	struct pod_draft *p = arg;
	struct gate gate = { 0 };
	int r = decode_object(d, gate_fields, &gate);

	if (r == 0 && strcmp(intern_str(d->strings, gate.name), MCKUBE_GATE) == 0)
		p->has_our_gate = true;
	else
		p->has_other_gate = true;
	return r;
}

static int read_gates(struct decoder *d, const struct field *f, void *into)
{
	(void)f;
	return decode_list(d, read_gate, into);
}

struct pod_volume {
	struct slice name; /* as it is written */
	str_id claim;
	bool is_generic; /* its claim is named after pod and volume */
};

/* Names of volumes are many, and hardly ever needed: they are not interned. */
static int read_volume_name(struct decoder *d, const struct field *f, void *into)
{
	const char *from = d->scan.at;
	struct slice text;
	int r = decode_text(d, &text);

	(void)f;
	if (r == 0)
		*(struct slice *)into = (struct slice){ from + 1, (size_t)(d->scan.at - from) - 2 };
	return r;
}

static const struct field pod_claim_fields[] = {
	FIELD("claimName", read_text, struct pod_volume, claim),
	{ 0 },
};

static const struct field pod_volume_fields[] = {
	FIELD("ephemeral", read_exists, struct pod_volume, is_generic),
	FIELD("name", read_volume_name, struct pod_volume, name),
	FIELD_SUB("persistentVolumeClaim", pod_claim_fields),
	{ 0 },
};

static int read_pod_volume(struct decoder *d, void *arg)
{
	struct objects *o = objects_of(d);
	struct pod_volume v = { .name = SLICE("") };
	int r = decode_object(d, pod_volume_fields, &v);

	(void)arg;
	if (r == 0 && v.claim)
		*array_add(&o->claims) = v.claim;
	if (r == 0 && v.is_generic) {
		str_clear(&d->text);
		scan_unescape(v.name, &d->text);
		*array_add(&o->generic_volumes) = intern_add(d->strings, d->text.s, d->text.n);
	}
	return r;
}

static int read_pod_volumes(struct decoder *d, const struct field *f, void *into)
{
	(void)f;
	return decode_list(d, read_pod_volume, into);
}

static const struct field pod_level_fields[] = {
	FIELD("limits", read_resources, struct pod_draft, resources.pod_limits),
	FIELD("requests", read_resources, struct pod_draft, resources.pod_requests),
	{ 0 },
};

static const struct field spec_fields[] = {
	FIELD_KEPT("affinity", read_placement, struct pod_draft, placement.affinity),
	FIELD("containers", read_containers, struct pod_draft, resources),
	FIELD("hostNetwork", read_bool, struct pod_draft, is_host_network),
	FIELD("initContainers", read_init_containers, struct pod_draft, resources),
	FIELD("nodeName", read_deferred_text, struct pod_draft, node_name),
	FIELD_KEPT("nodeSelector", read_placement, struct pod_draft, placement.node_selector),
	FIELD("overhead", read_resources, struct pod_draft, resources.overhead),
	FIELD_WHOLE("priority", read_priority, NULL),
	FIELD("priorityClassName", read_text, struct pod_draft, priority_class),
	FIELD_SUB("resources", pod_level_fields),
	FIELD("schedulerName", read_text, struct pod_draft, scheduler),
	FIELD_WHOLE("schedulingGates", read_gates, NULL),
	FIELD_KEPT("tolerations", read_placement, struct pod_draft, placement.tolerations),
	FIELD_KEPT("topologySpreadConstraints", read_placement, struct pod_draft,
		   placement.spreads),
	FIELD_WHOLE("volumes", read_pod_volumes, NULL),
	{ 0 },
};

enum { PHASE_NONE, PHASE_PENDING, PHASE_RUNNING, PHASE_UNKNOWN, PHASE_SUCCEEDED, PHASE_FAILED };
static const char *const phases[] = {
	"", "Pending", "Running", "Unknown", "Succeeded", "Failed", NULL,
};

/* In the order of enum pod_qos. */
static const char *const qos_classes[] = { "BestEffort", "Burstable", "Guaranteed", NULL };

static int read_qos(struct decoder *d, const struct field *f, void *into)
{
	struct pod_draft *p = into;

	p->has_qos = true;
	return read_choice(d, f, &p->qos);
}

struct condition {
	str_id type, status;
};

static const struct field condition_fields[] = {
	FIELD("status", read_text, struct condition, status),
	FIELD("type", read_text, struct condition, type),
	{ 0 },
};

static int read_condition(struct decoder *d, void *arg)
{
	struct condition condition = { 0 };
	int r = decode_object(d, condition_fields, &condition);

	if (r == 0 && strcmp(intern_str(d->strings, condition.type), "Ready") == 0)
		*(bool *)arg = strcmp(intern_str(d->strings, condition.status), "True") == 0;
	return r;
}

static int read_conditions(struct decoder *d, const struct field *f, void *into)
{
	(void)f;
	return decode_list(d, read_condition, into);
}

static const struct field status_fields[] = {
	FIELD("conditions", read_conditions, struct pod_draft, is_ready),
	FIELD_MORE("phase", read_choice, struct pod_draft, phase, phases),
	FIELD_WHOLE("qosClass", read_qos, qos_classes),
	{ 0 },
};

static const struct field pod_fields[] = {
	FIELD_META(struct pod_draft),
	FIELD_SUB("spec", spec_fields),
	FIELD_SUB("status", status_fields),
	{ 0 },
};

static bool is_any_address(const char *ip)
{
	return strcmp(ip, "0.0.0.0") == 0 || strcmp(ip, "::") == 0;
}

static int cmp_ports(const void *a, const void *b)
{
	const struct port_draft *x = a, *y = b;

	if (x->host.port != y->host.port)
		return x->host.port - y->host.port;
	return x->host.protocol - y->host.protocol;
}

/* Leaves those that take a port of the host. A pod in the host's network takes all of its ports,
 * which is what the API server would have filled in. */
static void finish_ports(struct objects *o, const struct pod_draft *p)
{
	size_t cached_value = 0;

	array_each(port, &o->ports) {
		if (p->is_host_network && !port->host_port)
			port->host_port = port->container_port;
		if (!port->host_port)
			continue;
		port->host.port = (uint16_t)port->host_port;
		if (is_any_address(intern_str(&o->c->strings, port->host.ip)))
			port->host.ip = 0;
		o->ports.items[cached_value++] = *port;
	}
	o->ports.n = cached_value;
	if (cached_value > 1)
		qsort(o->ports.items, cached_value, sizeof(*o->ports.items), cmp_ports);
}

/* The claim of a generic ephemeral volume is "<pod>-<volume>" (the ephemeral volume controller). */
static void finish_claims(struct objects *o, const struct pod_draft *p)
{
	struct intern *strings = &o->c->strings;

	array_each(volume, &o->generic_volumes) {
		AUTO_FREE char *name = xasprintf("%s-%s", intern_str(strings, p->meta.meta.name),
						 intern_str(strings, *volume));

		*array_add(&o->claims) = intern_cstr(strings, name);
	}
}

/* A new entry of cluster.rules, or the one that has the same text. */
static rules_id add_rules(struct objects *o, struct rules rules)
{
	struct cluster *c = o->c;
	AUTO(str_done) struct str text = STR_INIT;

	rules.ports = (struct range){ (uint32_t)c->ports.n, (uint32_t)o->ports.n };
	array_each(port, &o->ports)
		*array_add(&c->ports) = port->host;
	rules.claims = (struct range){ (uint32_t)c->names.n, (uint32_t)o->claims.n };
	array_each(claim, &o->claims)
		*array_add(&c->names) = *claim;

	rules_write(c, &rules, &text);
	const struct range *same = shared_find(&o->rule_texts, text.s, text.n);
	if (same)
		return same->at;
	rules.text = intern_add(&c->strings, text.s, text.n);
	*array_add(&c->rules) = rules;
	rules_id id = (rules_id)c->rules.n - 1;
	shared_add(&o->rule_texts, text.s, text.n, (struct range){ id, 1 });
	return id;
}

static int find_rules(struct objects *o, const struct pod_draft *p, rules_id *ret)
{
	uint32_t template;
	int r = placement_template(o, &p->placement, &template);

	if (r < 0)
		return r;
	finish_ports(o, p);
	finish_claims(o, p);

	str_clear(&o->key);
	str_addn(&o->key, &p->meta.meta.ns, sizeof(str_id));
	str_addn(&o->key, &template, sizeof(template));
	array_each(port, &o->ports) {
		uint32_t words[] = { port->host.ip, port->host.port, port->host.protocol };

		str_addn(&o->key, words, sizeof(words));
	}
	uint32_t none = NONE;
	str_addn(&o->key, &none, sizeof(none));
	array_each(claim, &o->claims)
		str_addn(&o->key, claim, sizeof(*claim));

	const struct range *known = shared_find(&o->rules, o->key.s, o->key.n);
	if (known) {
		*ret = known->at;
		return 0;
	}
	struct rules rules = o->templates.items[template];
	rules.ns = p->meta.meta.ns;
	*ret = add_rules(o, rules);
	shared_add(&o->rules, o->key.s, o->key.n, (struct range){ *ret, 1 });
	return 0;
}

static uint8_t phase_of(uint8_t phase)
{
	if (phase >= PHASE_SUCCEEDED)
		return POD_ENDED;
	return phase == PHASE_RUNNING || phase == PHASE_UNKNOWN ? POD_RUNNING : POD_PENDING;
}

static bool has_label(const struct objects *o, struct range labels, str_id key)
{
	return cluster_label(o->c, labels, key) != INTERN_NONE;
}

static bool comes_to_us(const struct objects *o, const struct pod_draft *p, bool has_sdv)
{
	const char *scheduler = intern_str(&o->c->strings, p->scheduler);

	return p->has_our_gate || strcmp(scheduler, MCKUBE_SCHEDULER) == 0 ||
	       (!p->scheduler && !p->node_name && has_sdv);
}

static annotations_id add_annotations(struct objects *o, const struct object_meta *m)
{
	if (!m->has_pod_annotations)
		return NONE;
	*array_add(&o->c->annotations) = m->annotations;
	return (annotations_id)o->c->annotations.n - 1;
}

static int commit(struct objects *o, const struct pod_draft *p)
{
	struct resources requests = { 0 };
	rules_id rules = NONE;
	int r = pod_requests(o, &p->resources, &requests);

	if (r == 0)
		r = find_rules(o, p, &rules);
	if (r < 0)
		return r;

	bool has_sdv = has_label(o, p->meta.labels, o->id_sdv);
	*array_add(&o->c->pods) = (struct pod){
		.meta = p->meta.meta,
		.node_name = p->node_name,
		.node = NONE,
		.rules = rules,
		.labels = p->meta.labels,
		.annotations = add_annotations(o, &p->meta),
		.owner_kind = p->meta.owner.kind,
		.owner_uid = p->meta.owner.uid,
		.owner_name = p->meta.owner.name,
		.priority_class = p->priority_class,
		.cpu_milli = resources_get(&requests, o->id_cpu),
		.memory = resources_get(&requests, o->id_memory),
		.ephemeral = resources_get(&requests, o->id_ephemeral),
		.extended = resources_extended(o, &requests),
		.priority = p->priority,
		.phase = phase_of(p->phase),
		.qos = p->has_qos ? p->qos : pod_qos_of(o, &p->resources),
		.has_priority = p->has_priority,
		.is_terminating = p->meta.is_terminating,
		.is_mirror = p->meta.is_mirror,
		.is_ours = comes_to_us(o, p, has_sdv),
		.has_our_gate = p->has_our_gate,
		.has_other_gate = p->has_other_gate,
		.has_label = has_sdv,
		.is_not_started = p->phase == PHASE_PENDING,
		.is_ready = p->is_ready,
	};
	return 0;
}

int decode_pod(struct objects *o, str_id kind, str_id version)
{
	struct pod_draft p = { .resources = { .is_guaranteed = true } };

	(void)kind;
	(void)version;
	array_clear(&o->ports);
	array_clear(&o->claims);
	array_clear(&o->generic_volumes);

	int r = decode_whole(o, pod_fields, &p, &p.meta, true);
	return r == 0 ? commit(o, &p) : r;
}
