/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BASE_JSON_OUT_H
#define MCKUBE_BASE_JSON_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/array.h"
#include "base/str.h"

/* Writes JSON text piece by piece, in one of three forms: indented (two spaces, members in the
 *order they are given), compact (no blanks, for requests) or canonical (compact, members sorted by
 *key: RFC 8785), which is the form that digests are taken of.
 *
 *	struct json_out o = { .out = &text };
 *	json_out_object(&o);
 *	json_out_key(&o, "id");
 *	json_out_int(&o, 1);
 *	json_out_end(&o);
 *
 * The caller keeps to JSON's grammar: a key before each value in an object, every container closed.
 * Keys must live until their object is closed. No newline follows the last byte. */
struct json_out {
	struct str *out;
	bool is_compact, is_canonical;
	ARRAY(struct json_frame) frames;
	ARRAY(struct json_member) members; /* of the open objects, when canonical */
};

void json_out_object(struct json_out *o);
void json_out_array(struct json_out *o);
/* Its members alone, without the braces: text for json_out_members(). */
void json_out_bare_object(struct json_out *o);
void json_out_end(struct json_out *o);

void json_out_key(struct json_out *o, const char *key);
void json_out_text(struct json_out *o, const char *s);
void json_out_int(struct json_out *o, int64_t value);
/* Millionths, as an exact decimal number. */
void json_out_micro(struct json_out *o, int64_t micro);
void json_out_bool(struct json_out *o, bool value);
void json_out_null(struct json_out *o);
/* A value that is JSON already. */
void json_out_raw(struct json_out *o, const char *json);

/* A key and its text; json_out_given() only where the text is neither NULL nor empty. */
void json_out_member(struct json_out *o, const char *key, const char *text);
void json_out_given(struct json_out *o, const char *key, const char *text);
void json_out_member_int(struct json_out *o, const char *key, int64_t value);
void json_out_member_bool(struct json_out *o, const char *key, bool value);
/* A member that is true; none where it is not. */
void json_out_flag(struct json_out *o, const char *key, bool value);

/* Members that are JSON already, as json_out_bare_object() leaves them; NULL and "": none. Not in
 * the canonical form. */
void json_out_members(struct json_out *o, const char *json);

/* Releases the buffers of the writer, not the text. */
void json_out_done(struct json_out *o);

#endif
