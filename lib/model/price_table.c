/* SPDX-License-Identifier: Apache-2.0 */
#include "model/price_table.h"

#include <string.h>

#include "base/decimal.h"
#include "base/json.h"

/* What the warnings of one text are about. */
struct source {
	struct price_rows *rows;
	const char *ns, *name;
	struct warnings *warnings;
};

static void refuse(const struct source *s, unsigned line, const char *what, const char *value)
{
	warning_add(s->warnings, "ConfigMap", s->ns, s->name, "BadPrice", "%s %u: %s%s%s", "line",
		    line, what, *value ? " " : "", value);
}

static bool is_same_key(const struct price_row *a, const struct price_row *b)
{
	return strcmp(a->type, b->type) == 0 && strcmp(a->region, b->region) == 0 &&
	       strcmp(a->zone, b->zone) == 0 && strcmp(a->capacity, b->capacity) == 0;
}

static void add_row(const struct source *s, const struct price_row *row)
{
	array_each(other, &s->rows->list) {
		if (!is_same_key(other, row))
			continue;
		warning_add(s->warnings, "ConfigMap", s->ns, s->name, "BadPrice",
			    "lines %u and %u are both about %s: the first one counts", other->line,
			    row->line, row->type);
		return;
	}
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): array_add() makes room */
	*array_add(&s->rows->list) = *row;
}

/* CSV */

enum column {
	TYPE,
	REGION,
	ZONE,
	CAPACITY,
	PRICE,
	CURVE,
	IDLE,
	MAX,
	INTERRUPTIONS,
	COLUMNS,
	OTHER
};

static const char *const columns[COLUMNS] = {
	"instanceType", "region",    "zone",	 "capacityType",	 "pricePerHour",
	"powerCurve",	"idleWatts", "maxWatts", "interruptionsPerMonth"
};

enum { MAX_FIELDS = 32 };

/* Cuts the next field off; one in quotes may hold commas. */
static const char *take_field(const char **p, const char *end, size_t *ret_n)
{
	bool is_quoted = *p < end && **p == '"';
	const char *from = *p += is_quoted;

	while (*p < end && **p != (is_quoted ? '"' : ','))
		++*p;
	*ret_n = (size_t)(*p - from);
	while (*p < end && **p != ',')
		++*p;
	return from;
}

static const char *copy(struct price_rows *rows, const char *text, size_t n)
{
	while (n && (*text == ' ' || *text == '\t'))
		text++, n--;
	while (n && (text[n - 1] == ' ' || text[n - 1] == '\t' || text[n - 1] == '\r'))
		n--;
	char *to = arena_alloc(&rows->arena, n + 1);
	memcpy(to, text, n);
	to[n] = '\0';
	return to;
}

static enum column column_of(const char *name)
{
	for (unsigned i = 0; i < COLUMNS; i++)
		if (strcmp(columns[i], name) == 0)
			return (enum column)i;
	return OTHER;
}

static bool take_number(const struct source *s, unsigned line, const char *text, int64_t *ret)
{
	if (!*text)
		return true;
	if (decimal_parse(text, strlen(text), ret, NULL) && *ret >= 0)
		return true;
	refuse(s, line, "no number:", text);
	return false;
}

static void take_row(const struct source *s, unsigned line, const char *const *value)
{
	struct price_row row = {
		value[TYPE], value[REGION], value[ZONE], value[CAPACITY], -1, value[CURVE], -1, -1,
		-1,	     line,
	};
	int64_t idle = -1, max = -1;

	if (!*row.type) {
		refuse(s, line, "no instanceType", "");
		return;
	}
	if (!take_number(s, line, value[PRICE], &row.price) ||
	    !take_number(s, line, value[IDLE], &idle) || !take_number(s, line, value[MAX], &max) ||
	    !take_number(s, line, value[INTERRUPTIONS], &row.interruptions))
		return;
	row.idle = idle < 0 ? -1 : (idle + 500) / 1000;
	row.max = max < 0 ? -1 : (max + 500) / 1000;
	add_row(s, &row);
}

static unsigned read_line(struct price_rows *rows, const char *p, const char *end,
			  const char *ret[static MAX_FIELDS])
{
	unsigned n = 0;

	while (n < MAX_FIELDS) {
		size_t size;
		const char *field = take_field(&p, end, &size);

		ret[n++] = copy(rows, field, size);
		if (p++ >= end)
			break;
	}
	return n;
}

static void read_csv(const struct source *s, const char *text, size_t n)
{
	const char *end = text + n, *fields[MAX_FIELDS];
	enum column order[MAX_FIELDS];
	unsigned n_columns = 0, line = 0;

	for (const char *p = text, *next; p < end; p = next + 1) {
		next = memchr(p, '\n', (size_t)(end - p));
		next = next ? next : end;
		line++;
		if (next == p || *p == '#' || *p == '\r')
			continue;
		unsigned got = read_line(s->rows, p, next, fields);
		if (!n_columns) {
			for (; n_columns < got; n_columns++)
				order[n_columns] = column_of(fields[n_columns]);
			continue;
		}
		const char *value[COLUMNS + 2] = { "", "", "", "", "", "", "", "", "" };
		for (unsigned i = 0; i < got && i < n_columns; i++)
			value[order[i]] = fields[i];
		take_row(s, line, value);
	}
}

/* JSON */

static const char *text_of(struct price_rows *rows, const cJSON *j)
{
	const char *text = json_text(j);

	return text ? copy(rows, text, strlen(text)) : "";
}

static const cJSON *either(const cJSON *o, const char *a, const char *b)
{
	const cJSON *j = json_get(o, a);

	return j ? j : json_get(o, b);
}

/* The only value of a requirement In on this label. */
static const char *required(struct price_rows *rows, const cJSON *offering, const char *key)
{
	const cJSON *r;

	cJSON_ArrayForEach(r, either(offering, "Requirements", "requirements")) {
		const char *name = json_text(json_get(r, "key"));

		if (name && strcmp(name, key) == 0)
			return text_of(rows, cJSON_GetArrayItem(json_get(r, "values"), 0));
	}
	return "";
}

static void take_offering(const struct source *s, unsigned item, const char *type,
			  const cJSON *offering)
{
	struct price_row row = { type,
				 "",
				 text_of(s->rows, json_get(offering, "zone")),
				 text_of(s->rows, json_get(offering, "capacityType")),
				 -1,
				 "",
				 -1,
				 -1,
				 -1,
				 item };
	const cJSON *price = either(offering, "Price", "price");
	char *token = price ? cJSON_PrintUnformatted(price) : NULL;

	if (!*row.zone)
		row.zone = required(s->rows, offering, "topology.kubernetes.io/zone");
	if (!*row.capacity)
		row.capacity = required(s->rows, offering, "karpenter.sh/capacity-type");
	if (token && decimal_parse(token, strlen(token), &row.price, NULL) && row.price >= 0)
		add_row(s, &row);
	else
		refuse(s, item, "an offering without a price", "");
	cJSON_free(token);
}

static void read_json(const struct source *s, const char *text, size_t n)
{
	AUTO_JSON cJSON *root = NULL;
	struct error err = ERROR_INIT;
	const cJSON *item, *offering;
	unsigned at = 0;

	if (json_parse(text, n, &root, &err) < 0) {
		refuse(s, 1, err.msg, "");
		return;
	}
	cJSON_ArrayForEach(item, root) {
		const char *type = text_of(s->rows, json_get(item, "name"));

		at++;
		if (!*type)
			refuse(s, at, "an instance type without a name", "");
		else
			cJSON_ArrayForEach(offering, either(item, "offerings", "Offerings"))
				take_offering(s, at, type, offering);
	}
}

void price_rows_read(struct price_rows *rows, const char *text, size_t n, const char *ns,
		     const char *name, struct warnings *warnings)
{
	struct source s = { rows, ns, name, warnings };
	size_t blank = strspn(text, " \t\r\n");

	if (blank < n && text[blank] == '[')
		read_json(&s, text, n);
	else
		read_csv(&s, text, n);
}

void price_rows_done(struct price_rows *rows)
{
	array_done(&rows->list);
	arena_done(&rows->arena);
}

static bool has(const struct price_row *row, enum price_want want)
{
	switch (want) {
	case WANT_PRICE:
		return row->price >= 0;
	case WANT_POWER:
		return *row->curve || (row->idle >= 0 && row->max >= 0);
	case WANT_INTERRUPTIONS:
		return row->interruptions >= 0;
	}
	return false;
}

/* How specific a row is that fits; 0: it does not. */
static unsigned fits(const struct price_row *row, const char *type, const char *region,
		     const char *zone, const char *capacity)
{
	const char *const want[] = { row->zone, row->region, row->capacity };
	const char *const have[] = { zone, region, capacity };
	unsigned n = 1;

	if (strcmp(row->type, type) != 0)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		if (*want[i] && strcmp(want[i], have[i]) != 0)
			return 0;
		n += *want[i] ? 4u >> i : 0;
	}
	return n;
}

const struct price_row *price_rows_find(const struct price_rows *rows, const char *type,
					const char *region, const char *zone, const char *capacity,
					enum price_want want)
{
	const struct price_row *best = NULL;
	unsigned most = 0;

	array_each(row, &rows->list) {
		unsigned n = fits(row, type, region, zone, capacity);

		if (n > most && has(row, want)) {
			most = n;
			best = row;
		}
	}
	return best;
}
