/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/file/plan_file.h"

#include <inttypes.h>
#include <string.h>

#include "base/auto.h"
#include "base/names.h"
#include "base/sha256.h"
#include "plan/file/file_parts.h"

static const char *state_word(unsigned v)
{
	return result_state_name(v);
}

static const struct field_words states = { state_word, 0, RESULT_SKIPPED + 1,
					   sizeof(enum result_state) };

static const struct field warning_fields[] = {
	FILE_FIELD("object", &field_text, offsetof(struct warning, object), .needed = true),
	FILE_FIELD("reason", &field_text, offsetof(struct warning, reason), .needed = true,
		   .max = 64),
	FILE_FIELD("message", &field_text, offsetof(struct warning, message), .needed = true),
	{ 0 },
};

static const struct field result_fields[] = {
	FILE_FIELD("id", &field_u32, offsetof(struct result, id), .min = 1, .needed = true),
	FILE_FIELD("state", &field_word, offsetof(struct result, state), .of = &states,
		   .needed = true),
	FILE_FIELD("message", &field_text, offsetof(struct result, message)),
	{ 0 },
};

static const struct field_list warning_list = { warning_fields, sizeof(struct warning), NULL };
static const struct field_list result_list = { result_fields, sizeof(struct result), NULL };

static const struct field cluster_fields[] = {
	FILE_FIELD("server", &field_text, offsetof(struct plan, server), .needed = true),
	FILE_FIELD("takenAt", &field_date, offsetof(struct plan, taken_at), .needed = true),
	FILE_FIELD("digest", &field_text, offsetof(struct plan, digest), .needed = true,
		   .max = 128),
	{ 0 },
};

#define PAIR(member)                                                                           \
	FILE_FIELD("before", &field_micro, offsetof(struct plan_economy, member.before),       \
		   .needed = true),                                                            \
		FILE_FIELD("after", &field_micro, offsetof(struct plan_economy, member.after), \
			   .needed = true),                                                    \
	{                                                                                      \
		0                                                                              \
	}

static const struct field cost_fields[] = { PAIR(cost) };
static const struct field watts_fields[] = { PAIR(watts) };
static const struct field carbon_fields[] = { PAIR(carbon) };

static const struct field saving_fields[] = {
	FILE_FIELD("node", &field_name, offsetof(struct node_saving, node), .needed = true),
	FILE_FIELD("group", &field_u32, offsetof(struct node_saving, group)),
	FILE_FIELD("costPerHour", &field_micro, offsetof(struct node_saving, cost), .needed = true),
	FILE_FIELD("watts", &field_micro, offsetof(struct node_saving, watts), .needed = true),
	FILE_FIELD("message", &field_text, offsetof(struct node_saving, message), .needed = true),
	{ 0 },
};

static const struct field_list saving_list = { saving_fields, sizeof(struct node_saving), NULL };

static const struct field economy_fields[] = {
	FILE_FIELD("costPerHour", &field_object, FIELD_SELF, .of = cost_fields, .needed = true),
	FILE_FIELD("watts", &field_object, FIELD_SELF, .of = watts_fields, .needed = true),
	FILE_FIELD("carbon", &field_object, FIELD_SELF, .of = carbon_fields, .needed = true),
	FILE_FIELD("savings", &field_list, offsetof(struct plan_economy, savings),
		   .of = &saving_list),
	{ 0 },
};

static bool economy_is_absent(const struct file_field *f, const void *value)
{
	(void)f;
	return !((const struct plan_economy *)value)->is_given;
}

static void economy_write(const struct file_field *f, const void *value, struct json_out *o)
{
	(void)f;
	fields_write(economy_fields, value, o);
}

static int economy_read(const struct file_field *f, struct decoder *d, void *value)
{
	(void)f;
	((struct plan_economy *)value)->is_given = true;
	return fields_read(economy_fields, d, value, NULL);
}

static const struct field_type field_economy = { economy_is_absent, economy_write, economy_read };

static const struct field spec_fields[] = {
	FILE_FIELD("cluster", &field_object, FIELD_SELF, .of = cluster_fields, .needed = true),
	FILE_FIELD("settings", &field_object, offsetof(struct plan, settings), .of = file_settings,
		   .needed = true),
	FILE_FIELD("actions", &field_list, offsetof(struct plan, actions), .of = &file_actions,
		   .needed = true),
	FILE_FIELD("economy", &field_economy, offsetof(struct plan, economy)),
	FILE_FIELD("unplaced", &field_list, offsetof(struct plan, unplaced), .of = &file_unplaced,
		   .needed = true),
	FILE_FIELD("warnings", &field_list, offsetof(struct plan, warnings), .of = &warning_list,
		   .needed = true),
	{ 0 },
};

static const struct field metadata_fields[] = {
	FILE_FIELD("name", &field_chars, offsetof(struct plan, name), .needed = true,
		   .max = sizeof(((struct plan *)0)->name)),
	{ 0 },
};

static const struct field status_fields[] = {
	FILE_FIELD("results", &field_list, offsetof(struct plan, results), .of = &result_list,
		   .needed = true),
	{ 0 },
};

static const struct field plan_fields[] = {
	FILE_FIELD("apiVersion", &field_constant, FIELD_SELF, .of = MCKUBE_API_VERSION,
		   .needed = true),
	FILE_FIELD("kind", &field_constant, FIELD_SELF, .of = "Plan", .needed = true),
	FILE_FIELD("metadata", &field_object, FIELD_SELF, .of = metadata_fields, .needed = true),
	FILE_FIELD("spec", &field_object, FIELD_SELF, .of = spec_fields, .needed = true),
	FILE_FIELD("status", &field_object, FIELD_SELF, .of = status_fields),
	{ 0 },
};

void plan_write_json(const struct plan *p, struct str *out)
{
	AUTO(json_out_done) struct json_out o = { .out = out };

	fields_write(plan_fields, p, &o);
	str_addc(out, '\n');
}

enum { PLAN_NAME_DIGITS = sizeof(((struct plan *)0)->name) - 1 };

static void name_of(const struct plan *p, char ret[static PLAN_NAME_DIGITS + 1])
{
	AUTO(str_done) struct str spec = STR_INIT;
	AUTO(json_out_done) struct json_out o = { .out = &spec, .is_canonical = true };
	struct sha256 digest = SHA256_INIT;
	char hex[SHA256_HEX];

	fields_write(spec_fields, p, &o);
	sha256_add(&digest, spec.s, spec.n);
	sha256_finish_hex(&digest, hex);
	memcpy(ret, hex, PLAN_NAME_DIGITS);
	ret[PLAN_NAME_DIGITS] = '\0';
}

void plan_name(struct plan *p)
{
	name_of(p, p->name);
}

static int check_name(const struct plan *p, struct error *err)
{
	char name[PLAN_NAME_DIGITS + 1];

	name_of(p, name);
	if (strcmp(name, p->name) != 0)
		return error_set(err, -EINVAL,
				 "metadata.name: '%s' is not the digest of spec (%s): the plan was "
				 "changed after it was made",
				 p->name, name);
	return 0;
}

static int check_results(const struct plan *p, struct error *err)
{
	for (size_t i = 0; i < p->results.n; i++)
		if (p->results.items[i].id > p->actions.n)
			return error_set(err, -EINVAL, "status.results[%zu].id: no action %" PRIu32,
					 i, p->results.items[i].id);
	return 0;
}

int plan_read_json(const char *text, size_t n, struct plan *ret, struct error *err)
{
	AUTO(plan_done) struct plan p = { 0 };
	AUTO(decoder_done) struct decoder d;
	const struct slice all = { text, n };

	decoder_init(&d, NULL);
	d.unknown = "is not part of a plan";
	d.owner = &p;
	if (n > PLAN_MAX_BYTES)
		return error_set(err, -EFBIG, "plan: larger than %d MiB", PLAN_MAX_BYTES >> 20);
	decoder_start(&d, all);
	int r = fields_read(plan_fields, &d, &p, NULL);
	if (decoder_end(&d, r, all, err) < 0 || check_name(&p, err) < 0 ||
	    check_results(&p, err) < 0)
		return err ? err->code : -EINVAL;
	*ret = p;
	p = (struct plan){ 0 };
	return 0;
}
