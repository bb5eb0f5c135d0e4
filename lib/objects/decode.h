/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_OBJECTS_DECODE_H
#define MCKUBE_OBJECTS_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/intern.h"
#include "base/scan.h"
#include "base/str.h"
#include "objects/span_cache.h"
#include "objects/value_cache.h"

/* JSON into structs in one pass, by tables. A table names the members of an object that are
 *watched_kinds; everything else is checked and skipped. Nothing is built in between.
 *
 *	static const struct field status_fields[] = {
 *		FIELD("phase", read_text, struct it, phase),
 *		FIELD("ready", read_bool, struct it, is_ready),
 *		{ 0 },
 *	};
 *	static const struct field fields[] = {
 *		FIELD_SUB("status", status_fields),
 *		{ 0 },
 *	};
 *	struct decoder d;
 *	decoder_init(&d, &strings);
 *	decoder_start(&d, text);
 *	r = decode_object(&d, fields, &it);
 *
 * null counts as absent, as everywhere in the API. Results are those of base/scan.h, and
 *	DECODE_REFUSED	a value that cannot be used; `problem` says where and why, such as
 *			"spec.containers[1].name: a text was expected".
 */
enum { DECODE_REFUSED = -EBADMSG };

enum { DECODE_MAX_PATH = 24, DECODE_MAX_LATE = 4 };

struct path_step {
	const char *key; /* NULL: an index */
	uint32_t n;	 /* length of the key, or the index */
	bool is_free;	 /* a key of a map, not of a table */
};

/* A string that is to be interned when its place in the table is near. */
struct deferred_text {
	struct slice text;
	uint32_t hash;
	str_id *ret;
};

/* What a decoder remembers of the objects before, to be quicker. Zeroed is empty; it is to be
 * zeroed when ids that were given before are no longer good. */
struct decoder_memory {
	struct span_cache span_cache;	 /* between the watched_kinds members */
	struct value_cache cached_value; /* of fields that are FIELD_KEPT */
};

struct decoder {
	struct scan scan;
	struct decoder_memory *memory; /* may be NULL */
	struct intern *strings;
	struct str text; /* a string without its escapes */
	struct path_step path[DECODE_MAX_PATH];
	unsigned depth;
	struct deferred_text late[DECODE_MAX_LATE];
	unsigned n_late;
	bool has_duplicate; /* a member that a table names came twice in one object */
	char problem[384];
};

struct field;
typedef int (*field_reader)(struct decoder *d, const struct field *f, void *into);

/* A row of a table; the row without a key is the last. At most 64 rows. */
struct field {
	const char *key;
	uint32_t n;
	uint32_t offset;
	field_reader read;
	const void *more;    /* what the reader needs besides */
	size_t cached_value; /* bytes of the member, see FIELD_KEPT; 0: read it each time */
};

#define FIELD(key_, read_, type, member) FIELD_MORE(key_, read_, type, member, NULL)
#define FIELD_MORE(key_, read_, type, member, more_)                         \
	{                                                                    \
		key_, sizeof(key_) - 1, offsetof(type, member), read_, more_ \
	}

/* A member in which all is found that the reader has done: the same text gives the same bytes. */
#define FIELD_KEPT(key_, read_, type, member)                                \
	{                                                                    \
		key_, sizeof(key_) - 1, offsetof(type, member), read_, NULL, \
			sizeof(((type *)NULL)->member)                       \
	}

/* A member for which the reader fills more than one member of the struct. */
#define FIELD_WHOLE(key_, read_, more_)                 \
	{                                               \
		key_, sizeof(key_) - 1, 0, read_, more_ \
	}

/* An object whose table fills the same struct. */
#define FIELD_SUB(key_, fields_)                                \
	{                                                       \
		key_, sizeof(key_) - 1, 0, read_object, fields_ \
	}

void decoder_init(struct decoder *d, struct intern *strings);
void decoder_done(struct decoder *d);
void decoder_start(struct decoder *d, struct slice text);

/* After the last decode_object(): fills what was read late. */
void decoder_finish(struct decoder *d);

/* What a path starts with when `text` is only a part of an object: "spec", "tolerations". */
void decoder_enter(struct decoder *d, const char *key);

int decode_object(struct decoder *d, const struct field *fields, void *into);

/* Calls read for each element of a list, each member of an object; `arg` is handed on. */
typedef int (*element_reader)(struct decoder *d, void *arg);
typedef int (*member_reader)(struct decoder *d, struct slice key, void *arg);
int decode_list(struct decoder *d, element_reader read, void *arg);
int decode_map(struct decoder *d, member_reader read, void *arg);

/* The string at hand without its escapes; valid until the next one. */
int decode_text(struct decoder *d, struct slice *ret);

/* The same, interned. */
int decode_id(struct decoder *d, str_id *ret);

/* A value as it is written: the content of a string, the token of any other scalar, the JSON of a
 * container without blanks; *ret_first is the first byte, which tells what it is. */
int decode_token(struct decoder *d, struct slice *ret, char *ret_first);

/* Refuses the value at hand. */
int decode_refuse(struct decoder *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Readers for tables, by the type of the member. */
int read_object(struct decoder *d, const struct field *f, void *into);
int read_text(struct decoder *d, const struct field *f, void *into);	   /* str_id */
int read_token(struct decoder *d, const struct field *f, void *into);	   /* str_id, any scalar */
int read_bool(struct decoder *d, const struct field *f, void *into);	   /* bool */
int read_i32(struct decoder *d, const struct field *f, void *into);	   /* int32_t */
int read_generation(struct decoder *d, const struct field *f, void *into); /* int64_t, from 0 */
int read_time(struct decoder *d, const struct field *f, void *into);	   /* int64_t, seconds */
int read_slice(struct decoder *d, const struct field *f, void *into);	   /* struct slice, as is */
int read_exists(struct decoder *d, const struct field *f, void *into);	   /* bool: not null */

/* The same as read_text and read_token for strings that most objects have of their own: a search
 * for them would wait for memory. The member is filled by decoder_finish(). */
int read_deferred_text(struct decoder *d, const struct field *f, void *into);
int read_late_token(struct decoder *d, const struct field *f, void *into);

/* One of several words; `more` is a NULL-terminated list of strings, what is filled is the index
 * of the one that fits, as uint8_t. */
int read_choice(struct decoder *d, const struct field *f, void *into);

#endif
