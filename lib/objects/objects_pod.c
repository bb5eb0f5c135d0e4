/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/date.h"
#include "base/names.h"
#include "objects/objects_internal.h"

struct pod_draft {
	struct object_meta meta;
	struct placement placement;
	struct pod_resources resources;
	str_id node_name, nominated_name, scheduler, priority_class, preemption, unscheduled;
	int64_t started;
	int32_t priority;
	uint8_t phase, qos;
	bool has_priority, has_our_gate, has_other_gate, is_host_network, is_ready;
	bool is_unready, has_ready_condition;
	int64_t ready_since;
};
enum { NO_QOS = UINT8_MAX };

static int read_priority(struct decoder *d, const struct field *f, void *into)
{
	struct pod_draft *p = into;

	p->has_priority = true;
	return read_i32_saturated(d, f, &p->priority);
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
	bool is_in_tree; /* see struct rules */
	bool is_empty_dir, is_host_path;
};

static const struct field pod_claim_fields[] = {
	FIELD("claimName", read_text, struct pod_volume, claim),
	{ 0 },
};

static const struct field pod_volume_fields[] = {
	FIELD("awsElasticBlockStore", read_exists, struct pod_volume, is_in_tree),
	FIELD("emptyDir", read_exists, struct pod_volume, is_empty_dir),
	FIELD("ephemeral", read_exists, struct pod_volume, is_generic),
	FIELD("gcePersistentDisk", read_exists, struct pod_volume, is_in_tree),
	FIELD("hostPath", read_exists, struct pod_volume, is_host_path),
	FIELD("iscsi", read_exists, struct pod_volume, is_in_tree),
	FIELD("name", read_written, struct pod_volume, name),
	FIELD_SUB("persistentVolumeClaim", pod_claim_fields),
	FIELD("rbd", read_exists, struct pod_volume, is_in_tree),
	{ 0 },
};

static int read_pod_volume(struct decoder *d, void *arg)
{
	struct objects *o = objects_of(d);
	struct pod_volume v = { .name = SLICE("") };
	int r = decode_object(d, pod_volume_fields, &v);

	(void)arg;
	o->has_in_tree_volume |= v.is_in_tree;
	if (v.is_empty_dir)
		*array_add(&o->empty_dirs) = v.name;
	if (v.is_host_path)
		*array_add(&o->host_paths) = v.name;
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

static const struct field device_fields[] = {
	FIELD("name", read_text, struct device_draft, name),
	FIELD("resourceClaimName", read_text, struct device_draft, claim),
	{ 0 },
};

/* In spec.resourceClaims (arg NULL), or of the claims that were made from templates. */
static int read_device(struct decoder *d, void *arg)
{
	struct objects *o = objects_of(d);
	struct device_draft device = { 0 };
	int r = decode_object(d, device_fields, &device);

	if (r == 0 && arg)
		*array_add(&o->made_claims) = device;
	else if (r == 0)
		*array_add(&o->devices) = device;
	return r;
}

static int read_devices(struct decoder *d, const struct field *f, void *into)
{
	(void)f;
	(void)into;
	return decode_list(d, read_device, NULL);
}

static int read_made_claims(struct decoder *d, const struct field *f, void *into)
{
	(void)f;
	return decode_list(d, read_device, into);
}

static const uint16_t host_pid_bar = BAR_HOST_PID, runtime_class_bar = BAR_RUNTIME_CLASS;

#define POD(key, read, member, ...) FIELD(key, read, struct pod_draft, member, ##__VA_ARGS__)
#define PLACEMENT(key, member) \
	FIELD_CACHED(key, read_placement, struct pod_draft, placement.member, UNREAD_RULES)

static const struct field pod_level_fields[] = {
	POD("limits", read_resources, resources.limits),
	POD("requests", read_resources, resources.requests),
	{ 0 },
};

static const struct field spec_fields[] = {
	PLACEMENT("affinity", affinity),
	FIELD_WHOLE("containers", read_containers, NULL, UNREAD_TAKEN),
	POD("hostNetwork", read_bool, is_host_network, UNREAD_TAKEN),
	FIELD_WHOLE("hostPID", read_bar, &host_pid_bar, UNREAD_DETAIL),
	FIELD_WHOLE("hostUsers", read_host_users, NULL, UNREAD_DETAIL),
	FIELD_WHOLE("initContainers", read_init_containers, NULL, UNREAD_TAKEN),
	POD("nodeName", read_deferred_text, node_name, UNREAD_NODE),
	PLACEMENT("nodeSelector", node_selector),
	POD("overhead", read_resources, resources.overhead, UNREAD_TAKEN),
	POD("preemptionPolicy", read_text, preemption, UNREAD_RULES),
	FIELD_WHOLE("priority", read_priority, NULL, UNREAD_RULES),
	POD("priorityClassName", read_text, priority_class, UNREAD_RULES),
	FIELD_WHOLE("resourceClaims", read_devices, NULL, UNREAD_RULES),
	FIELD_SUB("resources", pod_level_fields, UNREAD_TAKEN),
	FIELD_WHOLE("runtimeClassName", read_bar, &runtime_class_bar, UNREAD_DETAIL),
	POD("schedulerName", read_text, scheduler, UNREAD_RULES | UNREAD_SCHEDULER),
	FIELD_WHOLE("schedulingGates", read_gates, NULL, UNREAD_RULES),
	PLACEMENT("tolerations", tolerations),
	PLACEMENT("topologySpreadConstraints", spreads),
	FIELD_WHOLE("volumes", read_pod_volumes, NULL, UNREAD_RULES),
	{ 0 },
};

struct condition {
	struct slice type, status, reason, message, since; /* as they are written */
};

static const struct field condition_fields[] = {
	FIELD("lastTransitionTime", read_written, struct condition, since),
	FIELD("message", read_written, struct condition, message),
	FIELD("reason", read_written, struct condition, reason),
	FIELD("status", read_written, struct condition, status),
	FIELD("type", read_written, struct condition, type),
	{ 0 },
};

str_id condition_text(struct decoder *d, const struct slice *status, struct slice reason,
		      struct slice message)
{
	str_clear(&d->text);
	if (status) {
		scan_unescape(*status, &d->text);
		str_addc(&d->text, '\n');
	}
	scan_unescape(reason, &d->text);
	str_addc(&d->text, '\n');
	scan_unescape(message, &d->text);
	return intern_add(d->strings, d->text.s, d->text.n);
}

static int read_condition(struct decoder *d, void *arg)
{
	struct condition c = { SLICE(""), SLICE(""), SLICE(""), SLICE(""), SLICE("") };
	struct pod_draft *p = arg;
	int r = decode_object(d, condition_fields, &c);

	if (r < 0)
		return r;
	if (slice_eq(c.type, "Ready")) {
		p->has_ready_condition = true;
		p->is_ready = slice_eq(c.status, "True");
		p->is_unready = slice_eq(c.status, "False");
		if (!date_parse(c.since.s, c.since.n, &p->ready_since))
			p->ready_since = 0;
	}
	if (slice_eq(c.type, "PodResizePending"))
		p->resources.is_resize_infeasible = slice_eq(c.reason, "Infeasible");
	if (slice_eq(c.type, "PodScheduled") && slice_eq(c.status, "False"))
		p->unscheduled = condition_text(d, NULL, c.reason, c.message);
	return 0;
}

static int read_conditions(struct decoder *d, const struct field *f, void *into)
{
	(void)f;
	return decode_list(d, read_condition, into);
}

enum { PHASE_NONE, PHASE_PENDING, PHASE_RUNNING, PHASE_UNKNOWN, PHASE_SUCCEEDED, PHASE_FAILED };
static const char *const phases[] = {
	"", "Pending", "Running", "Unknown", "Succeeded", "Failed", NULL,
};

/* In the order of enum pod_qos. */
static const char *const qos_classes[] = { "BestEffort", "Burstable", "Guaranteed", NULL };

static int read_qos(struct decoder *d, const struct field *f, void *into)
{
	struct pod_draft *p = into;
	uint8_t qos = NO_QOS;
	int r = read_default_choice(d, f, &qos);

	if (r == 0)
		p->qos = qos;
	return r;
}

static const struct field actual_fields[] = {
	POD("requests", read_resources, resources.actual),
	{ 0 },
};

static const struct field status_fields[] = {
	POD("allocatedResources", read_resources, resources.allocated, UNREAD_TAKEN),
	FIELD_WHOLE("conditions", read_conditions, NULL, UNREAD_RULES),
	FIELD_WHOLE("containerStatuses", read_container_statuses, NULL, UNREAD_TAKEN),
	FIELD_WHOLE("initContainerStatuses", read_container_statuses, NULL, UNREAD_TAKEN),
	POD("nominatedNodeName", read_text, nominated_name, UNREAD_NODE),
	FIELD_MORE("phase", read_choice, struct pod_draft, phase, phases, UNREAD_RULES),
	FIELD_WHOLE("qosClass", read_qos, qos_classes, UNREAD_RULES),
	FIELD_WHOLE("resourceClaimStatuses", read_made_claims, NULL, UNREAD_RULES),
	FIELD_SUB("resources", actual_fields, UNREAD_TAKEN),
	POD("startTime", read_time, started, UNREAD_DETAIL),
	{ 0 },
};

static const struct field pod_fields[] = {
	FIELD_META(struct pod_draft),
	FIELD_SUB("spec", spec_fields, UNREAD_NODE | UNREAD_TAKEN | UNREAD_RULES),
	FIELD_SUB("status", status_fields, UNREAD_TAKEN | UNREAD_RULES),
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
	size_t n = 0;

	array_each(port, &o->ports) {
		if (p->is_host_network && !port->host_port)
			port->host_port = port->container_port;
		if (p->is_host_network && !port->host_port)
			decode_note(&o->d, UNREAD_TAKEN,
				    "spec.containers[].ports: no containerPort");
		if (!port->host_port)
			continue;
		port->host.port = (uint16_t)port->host_port;
		if (is_any_address(intern_str(&o->c->strings, port->host.ip)))
			port->host.ip = 0;
		o->ports.items[n++] = *port;
	}
	o->ports.n = n;
	if (n > 1)
		qsort(o->ports.items, n, sizeof(*o->ports.items), cmp_ports);
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

static const struct device_draft *made_claim(const struct objects *o, str_id name)
{
	array_each(made, &o->made_claims)
		if (made->name == name)
			return made;
	return NULL;
}

/* Leaves the names of the ResourceClaims, 0 for one that is still to be made from its template.
 * For some templates no claim is needed: then the status has an entry without a name. */
static void finish_devices(struct objects *o)
{
	size_t kept = 0;

	array_each(device, &o->devices) {
		const struct device_draft *made =
			device->claim ? NULL : made_claim(o, device->name);

		if (made && !made->claim)
			continue;
		if (made)
			device->claim = made->claim;
		o->devices.items[kept++] = *device;
	}
	o->devices.n = kept;
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
	rules.devices = (struct range){ (uint32_t)c->names.n, (uint32_t)o->devices.n };
	array_each(device, &o->devices)
		*array_add(&c->names) = device->claim;
	rules.has_in_tree_volume = o->has_in_tree_volume;
	rules.restarts_all = o->restarts_all;

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
	finish_devices(o);

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
	str_addn(&o->key, &none, sizeof(none));
	array_each(device, &o->devices)
		str_addn(&o->key, &device->claim, sizeof(device->claim));
	str_addc(&o->key, o->has_in_tree_volume ? '+' : '-');
	str_addc(&o->key, o->restarts_all ? '+' : '-');

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
	bool is_unread = o->d.unread & UNREAD_SCHEDULER;

	return p->has_our_gate || strcmp(scheduler, MCKUBE_SCHEDULER) == 0 ||
	       (!p->scheduler && !p->node_name && (has_sdv || is_unread));
}

static annotations_id add_annotations(struct objects *o, const struct object_meta *m)
{
	if (!m->has_pod_annotations)
		return NONE;
	*array_add(&o->c->annotations) = m->annotations;
	return (annotations_id)o->c->annotations.n - 1;
}

static int64_t least(int64_t amount)
{
	return amount < AMOUNT_MAX ? amount : AMOUNT_MAX;
}

/* A pod that cannot be read is where it is, and stays there; when what it takes is not known, its
 * node takes nothing more. */
static void set_unread(struct pod *pod, unsigned unread)
{
	pod->is_unread = unread & ~(unsigned)UNREAD_DETAIL;
	pod->has_unread_labels = unread & (UNREAD_NAME | UNREAD_LABELS);
	pod->avoids_unknown = unread & UNREAD_AVOIDED;
	pod->takes_unknown = unread & (UNREAD_NAME | UNREAD_LABELS | UNREAD_NODE | UNREAD_TAKEN |
				       UNREAD_ANNOTATIONS);
	pod->is_anywhere = unread & UNREAD_NODE;
}

static int commit(struct objects *o, const struct pod_draft *p)
{
	struct resources requests = { .n = 0 };
	rules_id rules = NONE;

	pod_requests(o, &p->resources, &requests);
	int r = find_rules(o, p, &rules);
	if (r < 0)
		return r;

	bool has_sdv = has_label(o, p->meta.labels, o->id_sdv);
	struct pod pod = {
		.meta = p->meta.meta,
		.node_name = p->node_name,
		.node = NONE,
		.nominated_name = p->nominated_name,
		.nominated = NONE,
		.rules = rules,
		.labels = p->meta.labels,
		.annotations = add_annotations(o, &p->meta),
		.owner_kind = p->meta.owner.kind,
		.owner_uid = p->meta.owner.uid,
		.owner_name = p->meta.owner.name,
		.priority_class = p->priority_class,
		.unscheduled = p->unscheduled,
		.cpu_milli = least(resources_get(&requests, o->id_cpu)),
		.memory = least(resources_get(&requests, o->id_memory)),
		.ephemeral = least(resources_get(&requests, o->id_ephemeral)),
		.extended = resources_extended(o, &requests),
		.started = p->started,
		.priority = p->priority,
		.phase = phase_of(p->phase),
		.qos = p->qos == NO_QOS ? pod_qos_of(o, &p->resources) : p->qos,
		.has_priority = p->has_priority,
		.has_preemption = p->preemption != 0,
		.never_preempts = !may_preempt(o, p->preemption),
		.is_terminating = p->meta.is_terminating,
		.is_mirror = p->meta.is_mirror,
		.is_ours = comes_to_us(o, p, has_sdv),
		.has_our_gate = p->has_our_gate,
		.has_other_gate = p->has_other_gate,
		.has_label = has_sdv,
		.is_not_started = p->phase == PHASE_PENDING,
		.asked_cpu_milli = least(pod_asked(o, &p->resources, o->id_cpu)),
		.asked_memory = least(pod_asked(o, &p->resources, o->id_memory)),
		.ready_since = p->ready_since,
		.is_ready = p->is_ready,
		.is_unready = p->is_unready,
		.has_ready_condition = p->has_ready_condition,
		.bars = (uint16_t)(o->bars | (p->is_host_network ? BAR_HOST_NETWORK : 0)),
		.has_local_data = o->empty_dirs.n || o->host_paths.n,
	};
	take_bars(o, &pod);
	set_unread(&pod, o->d.unread);
	*array_add(&o->c->pods) = pod;
	return 0;
}

int decode_pod(struct objects *o, str_id kind, str_id version)
{
	struct pod_draft p = { .qos = NO_QOS };

	(void)kind;
	(void)version;
	array_clear(&o->ports);
	array_clear(&o->claims);
	array_clear(&o->containers);
	array_clear(&o->generic_volumes);
	array_clear(&o->statuses);
	array_clear(&o->devices);
	array_clear(&o->made_claims);
	array_clear(&o->empty_dirs);
	array_clear(&o->host_paths);
	o->has_in_tree_volume = o->restarts_all = false;
	o->bars = 0;

	int r = decode_whole(o, pod_fields, &p, &p.meta, SCOPE_COUNTS_UNNAMED);
	return r == 0 ? commit(o, &p) : r;
}
