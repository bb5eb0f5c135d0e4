/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_STATE_SNAPSHOT_OUT_H
#define MCKUBE_STATE_SNAPSHOT_OUT_H

#include <stdio.h>

#include "base/error.h"
#include "base/str.h"

/* A `v1 List` written object by object. Objects are given as JSON text and come out indented, or as
 * YAML; numbers and the order of members stay as they are. Write errors are for the caller that
 * closes the file (base/file.h). */
enum list_format { LIST_JSON, LIST_YAML };

struct list_out {
	FILE *out;
	enum list_format format;
	size_t n;
	struct str text; /* of the object at hand */
};

void list_out_begin(struct list_out *l, FILE *out, enum list_format format);
/* The same with where and when the objects were read, as state/load.c reads it; NULL or "", and 0:
 * unknown. */
void list_out_begin_taken(struct list_out *l, FILE *out, enum list_format format,
			  const char *server, int64_t taken_at);
int list_out_add(struct list_out *l, struct slice json, struct error *err);
void list_out_end(struct list_out *l);
void list_out_done(struct list_out *l);

#endif
