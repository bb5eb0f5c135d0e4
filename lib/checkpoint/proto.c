/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/proto.h"

#include <errno.h>

enum { VARINT_MAX = 10, PAYLOAD = 7, MORE = 0x80, WIRE_BITS = 3, NUMBER_MAX = (1 << 29) - 1 };

static bool take_varint(struct slice *rest, uint64_t *ret)
{
	uint64_t value = 0;

	for (size_t i = 0; i < rest->n && i < VARINT_MAX; i++) {
		unsigned char c = (unsigned char)rest->s[i];

		value |= (uint64_t)(c & (MORE - 1)) << (PAYLOAD * i);
		if (c & MORE)
			continue;
		*rest = (struct slice){ rest->s + i + 1, rest->n - i - 1 };
		*ret = value;
		return true;
	}
	return false;
}

static bool take_bytes(struct slice *rest, uint64_t n)
{
	if (n > rest->n)
		return false;
	*rest = (struct slice){ rest->s + n, rest->n - (size_t)n };
	return true;
}

static bool take_value(struct slice *rest, struct proto_field *f)
{
	uint64_t n;

	switch (f->wire) {
	case PROTO_VARINT:
		return take_varint(rest, &f->value);
	case PROTO_FIXED64:
		return take_bytes(rest, 8);
	case PROTO_FIXED32:
		return take_bytes(rest, 4);
	case PROTO_BYTES:
		if (!take_varint(rest, &n) || n > rest->n)
			return false;
		f->bytes = (struct slice){ rest->s, (size_t)n };
		f->at = rest->s;
		return take_bytes(rest, n);
	}
	return false;
}

int proto_next(struct slice *rest, struct proto_field *ret)
{
	struct slice left = *rest;
	uint64_t tag;

	if (left.n == 0)
		return 0;
	if (!take_varint(&left, &tag) || tag >> WIRE_BITS == 0 || tag >> WIRE_BITS > NUMBER_MAX)
		return -EBADMSG;
	struct proto_field f = { .number = (uint32_t)(tag >> WIRE_BITS), .at = left.s };
	unsigned wire = tag & ((1 << WIRE_BITS) - 1);
	if (wire != PROTO_VARINT && wire != PROTO_FIXED64 && wire != PROTO_BYTES &&
	    wire != PROTO_FIXED32)
		return -EBADMSG;
	f.wire = (enum proto_wire)wire;
	if (!take_value(&left, &f))
		return -EBADMSG;
	f.n = (size_t)(left.s - f.at);
	*rest = left;
	*ret = f;
	return 1;
}

bool proto_find(struct slice message, uint32_t number, enum proto_wire wire,
		struct proto_field *ret)
{
	struct proto_field f;

	while (proto_next(&message, &f) == 1)
		if (f.number == number && f.wire == wire) {
			*ret = f;
			return true;
		}
	return false;
}

struct slice proto_path(struct slice message, const uint32_t *path)
{
	for (; *path; path++) {
		struct proto_field f;

		if (!proto_find(message, *path, PROTO_BYTES, &f))
			return (struct slice){ 0 };
		message = f.bytes;
	}
	return message;
}

static void add_varint(struct str *out, uint64_t value)
{
	for (; value >= MORE; value >>= PAYLOAD)
		str_addc(out, (char)(value | MORE));
	str_addc(out, (char)value);
}

static void add_tag(struct str *out, uint32_t number, enum proto_wire wire)
{
	add_varint(out, (uint64_t)number << WIRE_BITS | wire);
}

void proto_add_number(struct str *out, uint32_t number, uint64_t value)
{
	add_tag(out, number, PROTO_VARINT);
	add_varint(out, value);
}

void proto_add_bytes(struct str *out, uint32_t number, struct slice bytes)
{
	add_tag(out, number, PROTO_BYTES);
	add_varint(out, bytes.n);
	str_addn(out, bytes.s, bytes.n);
}

void proto_add_text(struct str *out, uint32_t number, const char *text)
{
	proto_add_bytes(out, number, slice_of(text));
}
