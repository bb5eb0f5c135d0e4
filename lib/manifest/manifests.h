/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MANIFEST_MANIFESTS_H
#define MCKUBE_MANIFEST_MANIFESTS_H

#include "base/embedded.h"
#include "base/error.h"
#include "base/json.h"
#include "base/str.h"

/* The manifests of an installation: the files of manifests/, changed by values in the way that
 * manifests/values.map.yaml describes. The Helm chart does the same with its templates, and a test
 * compares both. A document that no value changes is printed as it stands, with its comments. */

/* "crd" is manifests/crd.yaml. */
extern const struct embedded manifest_files[];

/* NULL when there is none of that name. */
const struct embedded *manifest_find(const char *name);

/* An image as a whole in place of its value; NULL: by the value. */
struct manifest_options {
	const char *ns;		   /* to install into */
	const char *version;	   /* of the images that have no tag of their own, without v */
	const char *image;	   /* of the planner */
	const char *node_image;	   /* of the node helper */
	const char *migrate_image; /* of mckube-migrate */
};

struct replacement {
	const char *from, *to;
};

/* Adds the text with every occurrence of each `from` replaced; the earlier row wins, a NULL one
 * ends them. */
void manifest_replace(struct slice text, const struct replacement *rows, struct str *out);

/* All documents, separated by "---". Errors name the value or the option. */
int manifests_render(const cJSON *values, const struct manifest_options *o, struct str *out,
		     struct error *err);

#endif
