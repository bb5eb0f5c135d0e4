/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_OBJECTS_OBJECTS_INTERNAL_H
#define MCKUBE_OBJECTS_OBJECTS_INTERNAL_H

#include "base/array.h"
#include "model/cluster.h"
#include "objects/decode.h"
#include "objects/objects.h"

/* Shared by the objects_*.c files only. */

/* Runs that are stored once however often they occur, found again by a key of bytes. */
struct shared_runs {
	struct intern keys;
	ARRAY(struct range) ranges; /* by key id */
};

/* The range cached_value for a key; NULL if it is new. */
const struct range *shared_find(const struct shared_runs *s, const void *key, size_t n);
void shared_add(struct shared_runs *s, const void *key, size_t n, struct range range);
void shared_done(struct shared_runs *s);

/* Names and amounts of resources, cpu in thousandths. */
enum { MAX_RESOURCES = 32 };
struct resources {
	struct amount list[MAX_RESOURCES];
	unsigned n;
};

struct port_draft {
	struct host_port host;
	int32_t host_port, container_port;
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
	ARRAY(str_id) claims, generic_volumes;
	struct str key;
	struct object_head head;
	const struct kind *last_kind; /* of the last object, by these */
	str_id last_kind_id, last_version_id;
	str_id id_cpu, id_memory, id_ephemeral, id_sdv;
};

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
	struct pod_annotations annotations;	  /* only where it has */
	struct node_annotations node_annotations; /* decode_node() makes them NONE first */
};

extern const struct field meta_fields[];

#define FIELD_META(type) FIELD_MORE("metadata", read_object, type, meta, meta_fields)

/* The object at hand has a member twice: it is to be decoded again without. */
enum { DECODE_DUPLICATE = -EEXIST };

/* The whole object by its table, with meta_check(). */
int decode_whole(struct objects *o, const struct field *fields, void *into, struct object_meta *m,
		 bool is_namespaced);

/* Refuses names that are none; puts a namespaced object without one into "default". */
int meta_check(struct objects *o, struct object_meta *m, bool is_namespaced);

/* Is this a DNS-1123 label (at most 63) or subdomain (at most 253)? */
bool is_dns_label(const char *s, size_t n);
bool is_dns_subdomain(const char *s, size_t n);

/* Readers that fill ranges of the cluster's arrays; what is read goes to the end of them. */
int read_names(struct decoder *d, const struct field *f, void *into);	   /* struct range */
int read_selector(struct decoder *d, const struct field *f, void *into);   /* struct selector */
int read_node_terms(struct decoder *d, const struct field *f, void *into); /* struct range */
int read_labels(struct decoder *d, const struct field *f, void *into);	   /* shared range */
int read_resources(struct decoder *d, const struct field *f, void *into);  /* struct resources */

/* The parts of a pod's spec that decide where it may run, as they are written: ids of `placements`,
 * 0 for one that is not there. */
struct placement {
	str_id node_selector, affinity, tolerations, spreads;
};

int read_placement(struct decoder *d, const struct field *f, void *into); /* one of the parts */

/* The entry of `templates` for a placement; a new one is decoded. */
int placement_template(struct objects *o, const struct placement *placement, uint32_t *ret);

/* Sorts a selector's requirements by text, so that the order in the input does not show. */
void sort_requirements(struct cluster *c, struct range run);

/* The text that `rules.text` is: the same for all spellings of the same rules. */
void rules_write(const struct cluster *c, const struct rules *r, struct str *out);
void selector_write(const struct cluster *c, const struct selector *s, struct str *out);
void node_terms_write(const struct cluster *c, struct range run, struct str *out);

int64_t resources_get(const struct resources *r, str_id name);
int resources_add(struct objects *o, struct resources *to, const struct resources *more);
int resources_max(struct objects *o, struct resources *to, const struct resources *other);
int resources_set(struct objects *o, struct resources *to, struct amount amount);

/* All but cpu, memory, ephemeral-storage and pods, without zeros, as a shared run. */
struct range resources_extended(struct objects *o, const struct resources *r);

/* Containers, init containers and what else makes up a pod's requests. */
struct pod_resources {
	struct resources running;  /* containers and sidecars */
	struct resources sidecars; /* those that were met so far */
	struct resources init;	   /* the highest need of an init container */
	struct resources overhead;
	struct resources pod_requests, pod_limits; /* spec.resources */
	struct resources all_requests, all_limits; /* sums over all containers, for the QoS class */
	bool is_guaranteed; /* every container has limits of cpu and memory */
};

int read_containers(struct decoder *d, const struct field *f, void *into);	/* pod_resources */
int read_init_containers(struct decoder *d, const struct field *f, void *into); /* the same */

/* What kube-scheduler reckons with. */
int pod_requests(struct objects *o, const struct pod_resources *p, struct resources *ret);
enum pod_qos pod_qos_of(const struct objects *o, const struct pod_resources *p);

/* Decoders of one object each. */
int decode_pod(struct objects *o, str_id kind, str_id version);
int decode_node(struct objects *o, str_id kind, str_id version);
int decode_mckube(struct objects *o, str_id kind, str_id version);
int decode_pdb(struct objects *o, str_id kind, str_id version);
int decode_priority_class(struct objects *o, str_id kind, str_id version);
int decode_volume(struct objects *o, str_id kind, str_id version);
int decode_claim(struct objects *o, str_id kind, str_id version);
int decode_namespace(struct objects *o, str_id kind, str_id version);
int decode_other(struct objects *o, str_id kind, str_id version);
int decode_cluster_other(struct objects *o, str_id kind, str_id version);

#endif
