/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_OBJECTS_OBJECTS_INTERNAL_H
#define MCKUBE_OBJECTS_OBJECTS_INTERNAL_H

#include "base/array.h"
#include "base/decode.h"
#include "model/cluster.h"
#include "objects/objects.h"

/* Shared by the objects_*.c files only. */

/* Runs that are stored once however often they occur, found again by a key of bytes. */
struct shared_runs {
	struct intern keys;
	ARRAY(struct range) ranges; /* by key id */
};

/* The range that is kept for a key; NULL if it is new. */
const struct range *shared_find(const struct shared_runs *s, const void *key, size_t n);
void shared_add(struct shared_runs *s, const void *key, size_t n, struct range range);
void shared_done(struct shared_runs *s);

/* All that objects share. */
void shared_runs_done(struct objects *o);

/* Names and amounts of resources, cpu in thousandths; what does not fit in `few` is in the arena of
 * `struct objects`. A copy may be changed as long as only one of the copies is. */
enum { FEW_RESOURCES = 32 };
struct resources {
	struct amount few[FEW_RESOURCES];
	struct amount *more;
	uint32_t n, cap; /* cap: of `more` */
};

struct port_draft {
	struct host_port host;
	int32_t host_port, container_port;
};

/* A claim of a pod for a device, by its name in the pod. */
struct device_draft {
	str_id name, claim;
};

/* How an object began, up to where its type was known. */
struct object_head {
	str_id kind, version;
	uint16_t n; /* 0: there was none yet */
	char text[64];
};

/* The decoder comes first: readers get it and find the rest by objects_of(). */
struct objects {
	struct decoder d;
	struct cluster *c;
	struct shared_runs labels, amounts;
	struct intern placements;      /* texts of the parts of a placement */
	struct shared_runs terms;      /* placement -> one entry of `templates` */
	struct shared_runs rules;      /* ns, template, ports, claims -> one of cluster.rules */
	struct shared_runs rule_texts; /* canonical text -> the same */
	ARRAY(struct rules) templates; /* without ns, ports and claims */
	ARRAY(struct label) pairs;     /* of the object at hand, as are the following */
	ARRAY(struct port_draft) ports;
	ARRAY(struct container) containers;
	ARRAY(struct container_status) statuses;
	ARRAY(str_id) claims, generic_volumes;
	ARRAY(struct device_draft) devices;	/* spec.resourceClaims */
	ARRAY(struct device_draft) made_claims; /* status.resourceClaimStatuses */
	bool has_in_tree_volume, restarts_all;
	uint16_t bars;				    /* of the pod at hand, as are the following */
	ARRAY(struct slice) empty_dirs, host_paths; /* names as they are written */
	struct arena arena;			    /* of long lists of resources */
	struct str key;
	struct object_head head;
	const struct kind *last_kind; /* of the last object, by these */
	str_id last_kind_id, last_version_id;
	str_id id_cpu, id_memory, id_ephemeral, id_pods, id_sdv;
	uint32_t n_unnamed;
};

/* A condition as one text: status (where given), reason and message. All are as they are written.
 */
str_id condition_text(struct decoder *d, const struct slice *status, struct slice reason,
		      struct slice message);

static inline struct objects *objects_of(struct decoder *d)
{
	return (struct objects *)(void *)d;
}

struct owner {
	str_id kind, uid, name;
	bool is_controller;
};

/* Any object's metadata. */
struct object_meta {
	struct meta meta;
	struct range labels;
	struct owner owner; /* the controller */
	int64_t generation;
	bool is_terminating, has_finalizer, is_mirror, has_pod_annotations;
	bool has_kcloud_finalizer;
	str_id replicas_applied_by;			    /* scalable_meta_fields only */
	struct pod_annotations annotations;		    /* only where it has */
	struct namespace_annotations namespace_annotations; /* decode_namespace(), likewise */
	struct node_annotations node_annotations; /* decode_node() makes them NONE first */
};

/* The second has managedFields too, which are long: of what is scaled alone. */
extern const struct field meta_fields[], scalable_meta_fields[];

#define FIELD_META_BY(type, fields)                             \
	FIELD_MORE("metadata", read_object, type, meta, fields, \
		   UNREAD_NAME | UNREAD_LABELS | UNREAD_ANNOTATIONS | UNREAD_SELF)
#define FIELD_META(type) FIELD_META_BY(type, meta_fields)

/* The object at hand has a member twice: it is to be decoded again without. */
enum { DECODE_DUPLICATE = -EEXIST };

/* Objects of namespaces that count even without a name get one that no other has. */
enum object_scope {
	SCOPE_CLUSTER,
	SCOPE_NAMESPACE,
	SCOPE_COUNTS_UNNAMED,
	SCOPE_EITHER, /* of a namespace if it names one */
};

/* The whole object by its table, with meta_check(). */
int decode_whole(struct objects *o, const struct field *fields, void *into, struct object_meta *m,
		 enum object_scope scope);

/* Puts an object without a namespace into "default", and refuses names that are none. */
int meta_check(struct objects *o, struct object_meta *m, enum object_scope scope);

/* Readers that fill ranges of the cluster's arrays; what is read goes to the end of them. */
int read_names(struct decoder *d, const struct field *f, void *into);	   /* struct range */
int read_selector(struct decoder *d, const struct field *f, void *into);   /* struct selector */
int read_node_terms(struct decoder *d, const struct field *f, void *into); /* struct range */
int read_equalities(struct decoder *d, const struct field *f, void *into); /* a map: requirements */
int read_labels(struct decoder *d, const struct field *f, void *into);	   /* shared range */
int read_node_term_alone(struct decoder *d, const struct field *f, void *into); /* a run of one */
int read_resources(struct decoder *d, const struct field *f, void *into); /* struct resources */

/* Decimals from 0: millionths (of dollars), and milliwatts (of watts); int64_t. */
int read_micro(struct decoder *d, const struct field *f, void *into);
/* status.conditions of kcloud.io: a run of cluster.conditions. */
int read_condition_notes(struct decoder *d, const struct field *f, void *into);
int read_milliwatt(struct decoder *d, const struct field *f, void *into);

/* The parts of a pod's spec that decide where it may run, as they are written: ids of `placements`,
 * 0 for one that is not there. */
struct placement {
	str_id node_selector, affinity, tolerations, spreads;
};

int read_placement(struct decoder *d, const struct field *f, void *into); /* one of the parts */

/* The entry of `templates` for a placement; a new one is decoded. What of it is refused is left out
 * and said in decoder.unread. */
int placement_template(struct objects *o, const struct placement *placement, uint32_t *ret);

/* Sorts a selector's requirements by text, so that the order in the input does not show. */
void sort_requirements(struct cluster *c, struct range run);

/* The text that `rules.text` is: the same for all spellings of the same rules. */
void rules_write(const struct cluster *c, const struct rules *r, struct str *out);
void selector_write(const struct cluster *c, const struct selector *s, struct str *out);
void node_terms_write(const struct cluster *c, struct range run, struct str *out);

int64_t resources_get(const struct resources *r, str_id name);
bool resources_have(const struct resources *r, str_id name);
void resources_add(struct objects *o, struct resources *to, const struct resources *more);

/* All but cpu, memory, ephemeral-storage and pods, without zeros, as a shared run. */
struct range resources_extended(struct objects *o, const struct resources *r);

/* A container as its pod's spec, and as its status has it. */
enum container_kind { CONTAINER_MAIN, CONTAINER_INIT, CONTAINER_SIDECAR };
struct container {
	struct slice name; /* as it is written */
	struct resources requests, limits;
	int64_t patience_seconds; /* of its liveness probe; 0: there is none */
	uint8_t kind; /* enum container_kind; sidecars are init containers that go on running */
};
struct container_status {
	struct slice name;
	struct resources allocated, actual;
};

/* What makes up a pod's requests besides its containers. */
struct pod_resources {
	struct resources overhead;
	struct resources requests, limits;  /* spec.resources */
	struct resources allocated, actual; /* status */
	bool is_resize_infeasible;
};

int read_containers(struct decoder *d, const struct field *f, void *into);
int read_init_containers(struct decoder *d, const struct field *f, void *into);
int read_container_statuses(struct decoder *d, const struct field *f, void *into);

/* hostPID, runtimeClassName: the bar that `more` points at where it is set. hostUsers: its own
 * where it is false. */
int read_bar(struct decoder *d, const struct field *f, void *into);
int read_host_users(struct decoder *d, const struct field *f, void *into);

/* Adds to a pod the bars that its volumes and containers are, patience_seconds and bar_names. */
void take_bars(struct objects *o, struct pod *pod);

/* A string as it is written, not interned. */
int read_written(struct decoder *d, const struct field *f, void *into); /* struct slice */

/* What autoscalers reckon with, of the pod at hand, of a resource by name: NO_LIMIT where a
 * container does not ask for it. */
int64_t pod_asked(struct objects *o, const struct pod_resources *p, str_id name);

/* What kube-scheduler reckons with, of the pod at hand. */
void pod_requests(struct objects *o, const struct pod_resources *p, struct resources *ret);
enum pod_qos pod_qos_of(struct objects *o, const struct pod_resources *p);

/* What of an object is not known, because its value was refused (decoder.unread). */
enum {
	UNREAD_DETAIL = 1, /* nothing that counts */
	UNREAD_NAME = 2,   /* or namespace */
	UNREAD_LABELS = 4,
	UNREAD_RULES = 8,    /* of a pod: where it may run, and whether it may be moved */
	UNREAD_NODE = 16,    /* of a pod: where it is */
	UNREAD_TAKEN = 32,   /* of a pod: what it takes of its node; of a node: what it has */
	UNREAD_BUDGET = 64,  /* what asks for real time, or grants it */
	UNREAD_TARGET = 128, /* of a McKube or a PodDisruptionBudget: which pods it is about */
	UNREAD_ANNOTATIONS = 256,
	UNREAD_SELF = 512,	 /* uid, generation and owner */
	UNREAD_SCHEDULER = 1024, /* of a pod: whether it is ours */
	UNREAD_AVOIDED = 2048,	 /* of a pod: which others it keeps away */
};

/* Decoders of one object each. */
int decode_pod(struct objects *o, str_id kind, str_id version);
int decode_node(struct objects *o, str_id kind, str_id version);
int decode_mckube(struct objects *o, str_id kind, str_id version);
/* Of a preemptionPolicy, 0 for none. */
bool may_preempt(const struct objects *o, str_id policy);

int decode_pdb(struct objects *o, str_id kind, str_id version);
int decode_priority_class(struct objects *o, str_id kind, str_id version);
int decode_volume(struct objects *o, str_id kind, str_id version);
int decode_claim(struct objects *o, str_id kind, str_id version);
int decode_csi_node(struct objects *o, str_id kind, str_id version);
int decode_resource_claim(struct objects *o, str_id kind, str_id version);
int decode_namespace(struct objects *o, str_id kind, str_id version);
int decode_lease(struct objects *o, str_id kind, str_id version);
int decode_node_metrics(struct objects *o, str_id kind, str_id version);
int decode_pod_metrics(struct objects *o, str_id kind, str_id version);
int decode_optimizer(struct objects *o, str_id kind, str_id version);
int decode_cost_policy(struct objects *o, str_id kind, str_id version);
int decode_power_policy(struct objects *o, str_id kind, str_id version);
int decode_config_map(struct objects *o, str_id kind, str_id version);
int decode_scalable(struct objects *o, str_id kind, str_id version);
int decode_autoscaler(struct objects *o, str_id kind, str_id version);
int decode_scaled_object(struct objects *o, str_id kind, str_id version);
int decode_metric_sample(struct objects *o, str_id kind, str_id version);
int decode_scale_target(struct objects *o, str_id kind, str_id version);

#endif
