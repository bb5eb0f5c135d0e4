/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MODEL_PARTS_H
#define MCKUBE_MODEL_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/intern.h"

/* What the objects of a snapshot are made of: model/cluster.h. */

typedef uint32_t node_id, pod_id, mckube_id, pdb_id, rules_id, annotations_id;
#define NONE UINT32_MAX /* no such thing, for any of these */

struct range {
	uint32_t at, n;
};

/* What identifies an object; `version` is its resourceVersion, opaque. */
struct meta {
	str_id ns, name, uid, version;
	int64_t created; /* seconds since 1970; 0 where the object does not say */
};

struct label {
	str_id key, value;
};

/* A label selector, or one match-expression list of a node selector term. */
enum match_op { MATCH_IN, MATCH_NOT_IN, MATCH_EXISTS, MATCH_NOT_EXISTS, MATCH_GT, MATCH_LT };

struct requirement {
	str_id key;
	uint8_t op;	     /* enum match_op */
	struct range values; /* in cluster.names */
};

/* All requirements must hold. `is_set` false is a selector that was not given (null): it matches
 * nothing, while an empty one matches everything. */
struct selector {
	struct range all; /* in cluster.requirements */
	bool is_set;
};

/* One term of a node selector; the terms of a list are alternatives. A term with neither
 * expressions nor fields matches no node. */
struct node_term {
	struct range expressions; /* cluster.requirements, over labels */
	struct range fields;	  /* cluster.requirements, over metadata.name */
};

#endif
