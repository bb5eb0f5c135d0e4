/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BASE_YAML_H
#define MCKUBE_BASE_YAML_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

/* YAML as kubectl reads it (sigs.k8s.io/yaml): turned into JSON, document by document. Plain
 * scalars are typed by YAML 1.1 (yes/no/on/off, octal, hex, binary, null, ~; integers beyond 64
 * bits become floats), anchors, aliases and merge keys (<<) are resolved, !!binary is kept as text,
 * keys that are not strings become strings, a duplicate key's last value wins. Depth, size and the
 * number of nodes that aliases expand to are limited.
 *
 * Errors name the line: "line 17: ...". */

struct yaml_limits {
	size_t max_bytes;     /* of the input; 0: 64 MiB */
	uint32_t max_depth;   /* 0: 100 */
	uint32_t max_aliased; /* nodes made by aliases, per document; 0: 100,000 */
};

/* Called with each document that is not empty, from 1; `line` is where it starts. */
typedef int (*yaml_visitor)(struct slice json, uint32_t document, uint32_t line, void *arg,
			    struct error *err);

int yaml_each(const char *text, size_t n, const struct yaml_limits *limits, yaml_visitor visit,
	      void *arg, struct error *err);

/* Only the first document, as kubeconfig and configuration files are read: appended to ret_json;
 * an empty file gives "null". */
int yaml_to_json(const char *text, size_t n, const struct yaml_limits *limits, struct str *ret_json,
		 struct error *err);

/* The other way: JSON text as block-style YAML in the order of its keys, strings quoted where their
 * plain form would read as something else. Used for -o yaml. */
int yaml_from_json(const char *json, size_t n, struct str *out, struct error *err);

#endif
