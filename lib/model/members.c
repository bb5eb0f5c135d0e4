/* SPDX-License-Identifier: Apache-2.0 */
#include "model/members.h"

#include <stddef.h>

#include "model/cluster.h"

#define ANNOTATION_PATH(key) "metadata.annotations[" key "]"

const struct member_row pod_annotation_rows[] = {
#define ROW(member, key, form, part) \
	{ key, ANNOTATION_PATH(key), offsetof(struct pod_annotations, member), form, part },
	POD_ANNOTATIONS(ROW)
#undef ROW
};

const struct member_row node_annotation_rows[] = {
#define ROW(member, key, form) \
	{ key, ANNOTATION_PATH(key), offsetof(struct node_annotations, member), form, 0 },
	NODE_ANNOTATIONS(ROW)
#undef ROW
};

const struct member_row mckube_rows[] = {
#define ROW(member, key, form, at) { key, at key, offsetof(struct mckube, member), form, 0 },
	MCKUBE_MEMBERS(ROW)
#undef ROW
};
