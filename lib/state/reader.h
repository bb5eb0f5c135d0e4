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
	const char *ns;	  /* of objects that name none; NULL: they stay without */
};

/* Limits, documented in the README: a file may have any size, an object may not. */
enum {
	OBJECT_MAX_BYTES = 8 << 20,
	OBJECT_MAX_DEPTH = 100,
	YAML_MAX_BYTES = 1 << 30,
	YAML_MAX_ALIASES = 100000, /* nodes made by expanding aliases, in one document */
};

/* Errors name file, and line or document or path: "cluster.yaml:17: ...". Standard input may be
 * read once; the caller spools it if it wants it twice. A file without any object is an error, a
 * List without items is not. */
int objects_read(const struct source *src, object_visitor visit, void *arg, struct error *err);

/* A List, when its end has been read: its own members without the items. */
struct list_text {
	struct str kind, api_version; /* empty where it does not say, or not yet */
	struct str metadata;	      /* JSON, empty if there is none */
};

/* The same for callers that walk over an object anyway and so find its end: `object->json` begins
 * with the object, and more may stand behind it. take() returns what objects_add() returns, or
 * another negative code to end the reading; list() may be NULL. */
struct object_taker {
	int (*take)(const struct object_text *object, const struct list_text *list, void *arg,
		    size_t *ret_used, struct error *err);
	void (*list)(const struct list_text *list, void *arg);
	void *arg;
};

enum { TAKEN_LIST = 1 }; /* the object has "items": they are to be taken one by one */

int objects_take(const struct source *src, const struct object_taker *taker, struct error *err);

#endif
