/* SPDX-License-Identifier: Apache-2.0 */
#include "model/label_selector.h"

#include <errno.h>
#include <string.h>

/* What stands between words. */
static const char specials[] = " \t=!,()";

struct reader {
	const char *text, *at;
	struct arena *arena;
	struct error *err;
};

static void skip_blanks(struct reader *r)
{
	r->at += strspn(r->at, " \t");
}

static bool take(struct reader *r, const char *what)
{
	size_t n = strlen(what);

	skip_blanks(r);
	if (strncmp(r->at, what, n) != 0)
		return false;
	r->at += n;
	return true;
}

/* A word of its own: "in" is not the beginning of "inner". */
static bool take_word(struct reader *r, const char *word)
{
	skip_blanks(r);
	size_t n = strcspn(r->at, specials);
	if (n != strlen(word) || memcmp(r->at, word, n) != 0)
		return false;
	r->at += n;
	return true;
}

static int refuse(const struct reader *r, const char *wanted)
{
	return error_set(r->err, -EINVAL, "'%s': %s expected at '%s'", r->text, wanted, r->at);
}

/* A value may be empty, a key not. */
static int read_word(struct reader *r, bool may_be_empty, const char *wanted, const char **ret)
{
	skip_blanks(r);
	size_t n = strcspn(r->at, specials);
	if (!n && !may_be_empty)
		return refuse(r, wanted);
	*ret = arena_strndup(r->arena, r->at, n);
	r->at += n;
	return 0;
}

static int read_one_value(struct reader *r, struct label_requirement *q)
{
	const char **values = arena_new(r->arena, const char *, 1);

	if (read_word(r, true, "a value", &values[0]) < 0)
		return -EINVAL;
	q->values = values;
	q->n_values = 1;
	return 0;
}

/* "(a,b)" */
static int read_set(struct reader *r, struct label_requirement *q)
{
	ARRAY(const char *) values = { 0 };
	int code = take(r, "(") ? 0 : refuse(r, "'('");

	while (code == 0) {
		code = read_word(r, true, "a value", array_add(&values));
		if (code < 0 || !take(r, ","))
			break;
	}
	if (code == 0 && !take(r, ")"))
		code = refuse(r, "',' or ')'");
	if (code == 0) {
		const char **kept = arena_new(r->arena, const char *, values.n);

		memcpy(kept, values.items, values.n * sizeof(*kept));
		q->values = kept;
		q->n_values = values.n;
	}
	array_done(&values);
	return code;
}

static int read_requirement(struct reader *r, struct label_requirement *q)
{
	*q = (struct label_requirement){ 0 };
	if (take(r, "!")) {
		q->is_negated = true;
		return read_word(r, false, "a key", &q->key);
	}
	if (read_word(r, false, "a key", &q->key) < 0)
		return -EINVAL;
	q->is_negated = take(r, "!=");
	if (q->is_negated || take(r, "==") || take(r, "="))
		return read_one_value(r, q);
	if (take_word(r, "in"))
		return read_set(r, q);
	q->is_negated = take_word(r, "notin");
	return q->is_negated ? read_set(r, q) : 0;
}

int label_selector_parse(const char *text, struct arena *arena, struct label_selector *ret,
			 struct error *err)
{
	struct reader r = { text, text, arena, err };
	int code = 0;

	*ret = (struct label_selector){ 0 };
	skip_blanks(&r);
	while (code == 0 && *r.at) {
		struct label_requirement q;

		code = read_requirement(&r, &q);
		if (code == 0)
			*array_add(&ret->list) = q;
		if (code < 0 || take(&r, ","))
			continue;
		skip_blanks(&r);
		if (*r.at)
			code = refuse(&r, "','");
	}
	if (code < 0)
		label_selector_done(ret);
	return code;
}

void label_selector_done(struct label_selector *s)
{
	array_done(&s->list);
}

static const char *value_of(const struct cluster *c, struct range labels, const char *key)
{
	for (uint32_t i = 0; i < labels.n; i++) {
		const struct label *l = &c->labels.items[labels.at + i];

		if (strcmp(cluster_str(c, l->key), key) == 0)
			return cluster_str(c, l->value);
	}
	return NULL;
}

static bool holds(const struct label_requirement *q, const char *value)
{
	bool is_met = value && !q->n_values;

	for (size_t i = 0; value && i < q->n_values; i++)
		is_met |= strcmp(q->values[i], value) == 0;
	return is_met != q->is_negated;
}

bool label_selector_matches(const struct cluster *c, const struct label_selector *s,
			    struct range labels)
{
	array_each(q, &s->list)
		if (!holds(q, value_of(c, labels, q->key)))
			return false;
	return true;
}
