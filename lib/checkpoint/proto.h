/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CHECKPOINT_PROTO_H
#define MCKUBE_CHECKPOINT_PROTO_H

#include <stdbool.h>

#include "base/str.h"

/* Messages of protocol buffers, as far as containerd's API and CRIU's images need them
 * (protobuf.dev/programming-guides/encoding): a message is a row of fields, each a tag, the number
 * and the wire type, and a value. */

enum proto_wire { PROTO_VARINT = 0, PROTO_FIXED64 = 1, PROTO_BYTES = 2, PROTO_FIXED32 = 5 };

struct proto_field {
	uint32_t number;
	enum proto_wire wire;
	uint64_t value;	    /* of a varint or a fixed one */
	struct slice bytes; /* of PROTO_BYTES */
	const char *at;	    /* where the value stands; a varint's first byte */
	size_t n;	    /* its bytes there */
};

/* Takes the next field off the front of `rest`. 1: there was one, 0: the end, -EBADMSG: what is
 * there is no message (and `rest` is left as it was). */
int proto_next(struct slice *rest, struct proto_field *ret);

/* The first field of that number and wire type. */
bool proto_find(struct slice message, uint32_t number, enum proto_wire wire,
		struct proto_field *ret);

/* Bytes of the field at the end of a path of numbers, each but the last a message; {NULL, 0} where
 * there is none. The path ends with 0. */
struct slice proto_path(struct slice message, const uint32_t *path);
#define PROTO_PATH(message, ...) proto_path(message, (const uint32_t[]){ __VA_ARGS__, 0 })

void proto_add_number(struct str *out, uint32_t number, uint64_t value);
void proto_add_bytes(struct str *out, uint32_t number, struct slice bytes);
void proto_add_text(struct str *out, uint32_t number, const char *text);

#endif
