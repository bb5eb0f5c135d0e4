/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BASE_DECODE_H
#define MCKUBE_BASE_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/intern.h"
#include "base/scan.h"
#include "base/span_cache.h"
#include "base/str.h"
#include "base/value_cache.h"

/* JSON into structs in one pass, by tables. A table names the members of an object that are
 * wanted; everything else is checked and skipped. Nothing is built in between.
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
 *			"spec.containers[1].name: must be a string".
 *
 * Where a text must say what a table names and nothing else, `unknown` is set: a member that no row
 * names is refused with that text, and so are null and a member that comes twice.
 *
 * A row may say what is lost with its value: flags that are added to `unread` when it is refused,
 * and the object is read on without it. Then `problem` is about the first such value. */
enum { DECODE_REFUSED = -EBADMSG };

enum { DECODE_MAX_PATH = 24, DECODE_MAX_DEFERRED = 4 };

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
	struct span_cache span_cache;	/* between the members that are wanted */
	struct value_cache value_cache; /* of fields that are FIELD_CACHED */
};

struct decoder {
	struct scan scan;
	struct decoder_memory *memory; /* may be NULL */
	struct intern *strings;	       /* may be NULL where neither readers nor maps need it */
	const char *unknown;	       /* NULL: what no table names is passed over */
	void *owner;		       /* for readers: what holds the memory that they fill */
	struct str text;	       /* a string without its escapes */
	struct path_step path[DECODE_MAX_PATH];
	unsigned depth;
	struct deferred_text deferred[DECODE_MAX_DEFERRED];
	unsigned n_deferred;
	bool has_duplicate; /* a member that a table names came twice in one object */
	unsigned unread;    /* flags of the rows whose values were refused */
	bool is_remark;	    /* the problem is one that a later one replaces */
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
	const void *more; /* what the reader needs besides */
	size_t cached;	  /* bytes of the member, see FIELD_CACHED; 0: read it each time */
	unsigned unread;  /* what a value that is refused adds to decoder.unread; 0: the object
			   * is refused with it */
};

/* The last argument of each is `unread`, and may be left out. */
#define FIELD(key_, read_, type, member, ...) \
	FIELD_MORE(key_, read_, type, member, NULL, ##__VA_ARGS__)
#define FIELD_MORE(key_, read_, type, member, more_, ...)                                      \
	{                                                                                      \
		key_, sizeof(key_) - 1, offsetof(type, member), read_, more_, 0, ##__VA_ARGS__ \
	}

/* A member in which all is found that the reader has done: the same text gives the same bytes. */
#define FIELD_CACHED(key_, read_, type, member, ...)                         \
	{                                                                    \
		key_, sizeof(key_) - 1, offsetof(type, member), read_, NULL, \
			sizeof(((type *)NULL)->member), ##__VA_ARGS__        \
	}

/* A member for which the reader fills more than one member of the struct. */
#define FIELD_WHOLE(key_, read_, more_, ...)                              \
	{                                                                 \
		key_, sizeof(key_) - 1, 0, read_, more_, 0, ##__VA_ARGS__ \
	}

/* An object whose table fills the same struct. */
#define FIELD_SUB(key_, fields_, ...) FIELD_WHOLE(key_, read_object, fields_, ##__VA_ARGS__)

void decoder_init(struct decoder *d, struct intern *strings);
void decoder_done(struct decoder *d);
void decoder_start(struct decoder *d, struct slice text);

/* After the last decode_object(): fills what was deferred. */
void decoder_finish(struct decoder *d);

/* What a path starts with when `text` is only a part of an object: "spec", "tolerations". */
void decoder_enter(struct decoder *d, const char *key);

int decode_object(struct decoder *d, const struct field *fields, void *into);

/* The same; bit i is set where row i was in the text. */
int decode_members(struct decoder *d, const struct field *fields, void *into, uint64_t *ret_seen);

/* After the value that is the whole text: DECODE_REFUSED or a scan's result becomes an error. */
int decoder_end(struct decoder *d, int result, struct slice text, struct error *err);

/* Calls read for each element of a list, each member of an object; `arg` is handed on. */
typedef int (*element_reader)(struct decoder *d, void *arg);
typedef int (*member_reader)(struct decoder *d, struct slice key, void *arg);
int decode_list(struct decoder *d, element_reader read, void *arg);
int decode_map(struct decoder *d, member_reader read, void *arg);

/* The string at hand without its escapes; valid until the next one. */
int decode_text(struct decoder *d, struct slice *ret);

/* The same, interned. */
int decode_id(struct decoder *d, str_id *ret);

/* A whole number; what is beyond 64 bits is INT64_MAX or INT64_MIN. */
int decode_i64(struct decoder *d, int64_t *ret);

/* A value as it is written: the content of a string, the token of any other scalar, the JSON of a
 * container without blanks; *ret_first is the first byte, which tells what it is. */
int decode_token(struct decoder *d, struct slice *ret, char *ret_first);

/* Goes on behind the value that begins at `from`, which was refused with these flags; `depth` is
 * that of the path and `scan_depth` that of the text there. */
int decode_pass(struct decoder *d, const char *from, unsigned depth, unsigned scan_depth,
		unsigned unread);

/* Notes that something is unread that was not refused where it stands. */
void decode_note(struct decoder *d, unsigned unread, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The same of a value that counts, though not to the letter: what is refused says more, whether
 * before or after. */
void decode_remark(struct decoder *d, unsigned unread, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Refuses the value at hand. */
int decode_refuse(struct decoder *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Readers for tables, by the type of the member. */
int read_object(struct decoder *d, const struct field *f, void *into);
int read_text(struct decoder *d, const struct field *f, void *into);  /* str_id */
int read_token(struct decoder *d, const struct field *f, void *into); /* str_id, any scalar */
int read_bool(struct decoder *d, const struct field *f, void *into);  /* bool */
int read_i32(struct decoder *d, const struct field *f, void *into);   /* int32_t */
int read_i32_saturated(struct decoder *d, const struct field *f, void *into);
int read_time(struct decoder *d, const struct field *f, void *into);	   /* int64_t, seconds */
int read_slice(struct decoder *d, const struct field *f, void *into);	   /* struct slice, as is */
int read_exists(struct decoder *d, const struct field *f, void *into);	   /* bool: not null */
int read_generation(struct decoder *d, const struct field *f, void *into); /* int64_t, from 0 */

/* The same as read_text and read_token for strings that most objects have of their own: a search
 * for them would wait for memory. The member is filled by decoder_finish(). */
int read_deferred_text(struct decoder *d, const struct field *f, void *into);
int read_deferred_token(struct decoder *d, const struct field *f, void *into);

/* One of several words; `more` is a NULL-terminated list of strings, what is filled is the index
 * of the one that fits, as uint8_t. */
int read_choice(struct decoder *d, const struct field *f, void *into);

/* The same where "" is the default, as an absent member is. */
int read_default_choice(struct decoder *d, const struct field *f, void *into);

#endif
