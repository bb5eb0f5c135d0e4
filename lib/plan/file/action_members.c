/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/file/file_parts.h"

#include <string.h>

#include "base/array.h"

static bool after_is_absent(const struct file_field *f, const void *value)
{
	(void)f;
	return ((const struct action *)value)->n_after == 0;
}

static void after_write(const struct file_field *f, const void *value, struct json_out *o)
{
	const struct action *a = value;

	(void)f;
	json_out_array(o);
	for (uint32_t i = 0; i < a->n_after; i++)
		json_out_int(o, a->after[i]);
	json_out_end(o);
}

struct ids {
	uint32_t *items;
	size_t n, cap;
};

static int read_id(struct decoder *d, void *arg)
{
	struct ids *ids = arg;
	int64_t id;
	int r = decode_i64(d, &id);

	if (r == 0 && (id < 1 || id > UINT32_MAX))
		return decode_refuse(d, "must be the id of an action");
	if (r == 0)
		*array_add(ids) = (uint32_t)id;
	return r;
}

static int after_read(const struct file_field *f, struct decoder *d, void *value)
{
	struct action *a = value;
	struct plan *plan = d->owner;
	struct ids ids = { 0 };
	int r = decode_list(d, read_id, &ids);

	(void)f;
	a->after = arena_new(&plan->arena, uint32_t, ids.n);
	for (a->n_after = 0; a->n_after < ids.n; a->n_after++)
		a->after[a->n_after] = ids.items[a->n_after];
	array_done(&ids);
	return r;
}

const struct field_type field_after = { after_is_absent, after_write, after_read };

static bool steps_are_absent(const struct file_field *f, const void *value)
{
	(void)f;
	return ((const struct action *)value)->steps == 0;
}

static void steps_write(const struct file_field *f, const void *value, struct json_out *o)
{
	const struct action *a = value;

	(void)f;
	json_out_array(o);
	for (unsigned step = 0; step < MIGRATION_STEPS; step++)
		if (a->steps & STAGE_BIT(step))
			json_out_text(o, migration_step_name(step));
	json_out_end(o);
}

/* -1: there is no such step. */
static int step_named(const char *word)
{
	for (int step = 0; step < MIGRATION_STEPS; step++)
		if (strcmp(word, migration_step_name((enum migration_step)step)) == 0)
			return step;
	return -1;
}

static int read_step(struct decoder *d, void *arg)
{
	struct action *a = arg;
	const char *word;
	int r = field_string(d, FIELD_NAME_MAX, &word);

	if (r < 0)
		return r;
	int step = step_named(word);
	if (step < 0 || a->steps >> step)
		return decode_refuse(d, "must be steps of a migration, in their order");
	a->steps |= STAGE_BIT(step);
	return 0;
}

static int steps_read(const struct file_field *f, struct decoder *d, void *value)
{
	(void)f;
	return decode_list(d, read_step, value);
}

const struct field_type field_steps = { steps_are_absent, steps_write, steps_read };

static bool cost_is_absent(const struct file_field *f, const void *value)
{
	(void)f;
	return *(const int64_t *)value == 0;
}

static void cost_write(const struct file_field *f, const void *value, struct json_out *o)
{
	(void)f;
	json_out_int(o, *(const int64_t *)value);
}

static int cost_read(const struct file_field *f, struct decoder *d, void *value)
{
	int64_t n;
	int r = decode_i64(d, &n);

	(void)f;
	if (r == 0 && (n < INT32_MIN || n > INT32_MAX || n == 0))
		return decode_refuse(d, "must be a 32-bit number that is not 0");
	if (r == 0)
		*(int64_t *)value = n;
	return r;
}

const struct field_type field_deletion_cost = { cost_is_absent, cost_write, cost_read };
