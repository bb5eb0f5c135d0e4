/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_STATE_SPLIT_FILE_H
#define MCKUBE_STATE_SPLIT_FILE_H

#include "state/reader.h"
#include "state/stream.h"

/* Takes the objects out of JSON text that comes through a window. */
struct framing {
	struct stream *stream;
	const struct object_taker *taker;
	const char *file;
	uint32_t document; /* of the text that is read now, from 1 */
	uint32_t line;	   /* of a YAML document; 0: the stream knows */
	uint32_t n_open;   /* lists within lists */
};

/* One document: an object, or a list of them. Errors name the place. */
int framing_document(struct framing *f, struct error *err);

/* To the next document of a file; 1 if there is one, 0 at the end. */
int framing_next(struct framing *f, struct error *err);

#endif
