/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_FILE_FIELDS_H
#define MCKUBE_PLAN_FILE_FIELDS_H

#include "base/decode.h"
#include "base/json_out.h"
#include "plan/plan.h"

/* A struct as a JSON object, by a table of base/decode.h whose rows go in both directions: the
 *order of the rows is the order of the members in the text, and what one direction accepts the
 *other one makes.
 *
 *	static const struct field result_fields[] = {
 *		FILE_FIELD("id", &field_u32, offsetof(struct result, id), .needed = true, .min = 1),
 *		FILE_FIELD("message", &field_text, offsetof(struct result, message)),
 *		{ 0 },
 *	};
 *
 * Reading is strict: a member that no row names is an error, and so are null and a value that its
 * row does not allow. The owner of the decoder is the struct plan, which gets the strings. */

struct file_field;

/* What a row's value is. */
struct field_type {
	/* Is it empty? Such a member is left out, unless it is needed. */
	bool (*is_absent)(const struct file_field *f, const void *value);
	void (*write)(const struct file_field *f, const void *value, struct json_out *o);
	int (*read)(const struct file_field *f, struct decoder *d, void *value);
};

/* What a row of a file says besides. */
struct file_field {
	const struct field_type *type;
	int64_t min;	/* of a number */
	int64_t max;	/* of a number (0: no limit); bytes of a text (0: FIELD_TEXT_MAX) */
	const void *of; /* the inner table, list or words; the text of a constant */
	bool needed;	/* always written, an error when missing */
	/* Where absence cannot be seen at the value alone. */
	bool (*is_given)(const void *object);
};

/* `at` is the offset in the struct; FIELD_SELF for a part that spans members. */
#define FILE_FIELD(key_, type_, at_, ...)                                                 \
	{                                                                                 \
		key_, sizeof(key_) - 1, at_, file_field_read,                             \
			&(const struct file_field){ .type = type_, ##__VA_ARGS__ }, 0, 0, \
	}

int file_field_read(struct decoder *d, const struct field *f, void *value);

enum { FIELD_SELF = 0, FIELD_TEXT_MAX = 64 << 10, FIELD_NAME_MAX = 253 };

/* const char *, in the plan's arena once read; absent is NULL or "". */
extern const struct field_type field_text;
/* The same, holding a name of a Kubernetes object (RFC 1123). */
extern const struct field_type field_name;
/* The same, holding a set of CPUs in its shortest form. */
extern const struct field_type field_cores;
/* char[max], a NUL included. */
extern const struct field_type field_chars;
/* A constant text; no member of the struct. */
extern const struct field_type field_constant;
/* int64_t seconds; "" for 0. */
extern const struct field_type field_date;
/* uint32_t, or an int32_t that is never negative. */
extern const struct field_type field_u32;
extern const struct field_type field_i32; /* max is needed */
/* int64_t millionths, a decimal number in the text. */
extern const struct field_type field_micro;
/* bool */
extern const struct field_type field_bool;
/* One of a list of words: `of` is a struct field_words. */
extern const struct field_type field_word;
/* A struct inside: `of` is its table. */
extern const struct field_type field_object;
/* An ARRAY() of structs: `of` is a struct field_list. */
extern const struct field_type field_list;

/* An enumeration from `first` to below `end`. `size` is that of the member: 1 or 4. */
struct field_words {
	const char *(*name)(unsigned value);
	unsigned first, end;
	size_t size;
};

struct field_list {
	const struct field *fields;
	size_t size; /* of an item */
	/* What the table cannot say; `seen` has bit i set where row i was in the text. May be NULL.
	 */
	int (*check)(struct decoder *d, void *item, size_t index, uint64_t seen);
};

void fields_write(const struct field *fields, const void *object, struct json_out *o);

/* An object, with what is needed. Sets the bits of the rows that were there in `seen`, which may be
 * NULL. */
int fields_read(const struct field *fields, struct decoder *d, void *object, uint64_t *ret_seen);

/* A string of at most `max` bytes, valid until the next one is read. */
int field_string(struct decoder *d, size_t max, const char **ret);

#endif
