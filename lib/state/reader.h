/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_STATE_READER_H
#define MCKUBE_STATE_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

/* Reads Kubernetes objects from files, one at a time: JSON and YAML, `v1 List`s (also of lists),
 * several documents, folders. YAML is turned into JSON on the way, by kubectl's typing rules, so
 * what a visitor sees is always one object as JSON text. A JSON file is read through a fixed
 * buffer: memory is bounded by the largest single object, never by the file. */

struct object_text {
	struct slice json;
	const char *file;  /* "-" for standard input */
	uint32_t document; /* from 1, YAML documents */
	uint32_t item;	   /* from 1, position in a List; 0: the document itself */
};

/* Returns 0 to go on. A negative code ends the reading, with err set. */
typedef int (*object_visitor)(const struct object_text *object, void *arg, struct error *err);

struct source {
	const char *path; /* file, folder, or "-" */
	bool recurse;	  /* -R: folders below too. Files of a folder: *.json, *.yaml, *.yml */
};

/* Limits, documented in the README: a file may have any size, an object may not. */
enum {
	OBJECT_MAX_BYTES = 8 << 20,
	OBJECT_MAX_DEPTH = 100,
	YAML_MAX_BYTES = 1 << 30,
	YAML_MAX_ALIASES = 100000, /* nodes made by expanding aliases, in one document */
};

/* Errors name file, and line or document or path: "cluster.yaml:17: ...". Standard input may be
 * read once; the caller spools it if it wants it twice. */
int objects_read(const struct source *src, object_visitor visit, void *arg, struct error *err);

#endif
