/* SPDX-License-Identifier: Apache-2.0 */
#include "model/price_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/json.h"

/* What the warnings of one text are about. */
struct source {
	struct price_rows *rows;
	const char *ns, *name;
	struct warnings *warnings;
	unsigned n_rounded, first_rounded; /* numbers, and the line of the first */
};

static void refuse(const struct source *s, unsigned line, const char *what, const char *value)
{
	warning_add(s->warnings, "ConfigMap", s->ns, s->name, "BadPrice", "%s %u: %s%s%s", "line",
		    line, what, *value ? " " : "", value);
}

static void note_rounded(struct source *s, unsigned line)
{
	if (!s->n_rounded++)
		s->first_rounded = line;
}

static void warn_of_rounded(const struct source *s)
{
	if (s->n_rounded)
		warning_add(s->warnings, "ConfigMap", s->ns, s->name, "BadPrice",
			    "line %u: a number has more than 6 decimal places: it is rounded%s",
			    s->first_rounded, s->n_rounded > 1 ? ", and so are others" : "");
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
	CARBON,
	GREEN,
	COLUMNS,
	OTHER
};

static const char *const columns[COLUMNS] = {
	"instanceType",		 "region",	    "zone",	  "capacityType",
	"pricePerHour",		 "powerCurve",	    "idleWatts",  "maxWatts",
	"interruptionsPerMonth", "carbonIntensity", "greenShare",
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

static bool take_number(struct source *s, unsigned line, const char *text, int64_t *ret)
{
	bool is_rounded = false;

	if (!*text)
		return true;
	if (!decimal_parse(text, strlen(text), ret, &is_rounded) || *ret < 0) {
		refuse(s, line, "no number:", text);
		return false;
	}
	if (is_rounded)
		note_rounded(s, line);
	return true;
}

/* The row stays without a curve that cannot be read: its price counts. */
static struct power_curve take_curve(struct source *s, unsigned line, const char *text,
				     int64_t idle, int64_t max)
{
	struct power_curve curve = { 0 };
	bool is_rounded = false;

	if (*text && power_curve_parse(text, &curve, &is_rounded)) {
		if (is_rounded)
			note_rounded(s, line);
		return curve;
	}
	if (*text)
		warning_add(s->warnings, "ConfigMap", s->ns, s->name, "BadPower",
			    "line %u: powerCurve: '%.60s' is not a curve such as 0:8.8,1:39.9",
			    line, text);
	return idle >= 0 && max >= 0 ? power_curve_line((idle + 500) / 1000, (max + 500) / 1000)
				     : curve;
}

/* Energy is what a region has, prices and power are those of a type. */
static bool is_of_any_type(const char *const *value)
{
	return (*value[CARBON] || *value[GREEN]) && !*value[PRICE] && !*value[CURVE] &&
	       !*value[IDLE] && !*value[MAX] && !*value[INTERRUPTIONS];
}

static void take_row(struct source *s, unsigned line, const char *const *value)
{
	struct price_row row = {
		.type = value[TYPE],
		.region = value[REGION],
		.zone = value[ZONE],
		.capacity = value[CAPACITY],
		.price = -1,
		.interruptions = -1,
		.carbon = -1,
		.green = -1,
		.line = line,
	};
	int64_t idle = -1, max = -1;

	if (!*row.type && !is_of_any_type(value)) {
		refuse(s, line, "no instanceType", "");
		return;
	}
	if (!take_number(s, line, value[PRICE], &row.price) ||
	    !take_number(s, line, value[IDLE], &idle) || !take_number(s, line, value[MAX], &max) ||
	    !take_number(s, line, value[INTERRUPTIONS], &row.interruptions) ||
	    !take_number(s, line, value[CARBON], &row.carbon) ||
	    !take_number(s, line, value[GREEN], &row.green))
		return;
	if (row.green > MICRO) {
		refuse(s, line, "no greenShare from 0 to 1:", value[GREEN]);
		return;
	}
	row.curve = take_curve(s, line, value[CURVE], idle, max);
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

static void read_csv(struct source *s, const char *text, size_t n)
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
		const char *value[COLUMNS + 2] = { "", "", "", "", "", "", "", "", "", "", "" };
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

static void take_offering(struct source *s, unsigned item, const char *type, const cJSON *offering)
{
	struct price_row row = {
		.type = type,
		.region = "",
		.zone = text_of(s->rows, json_get(offering, "zone")),
		.capacity = text_of(s->rows, json_get(offering, "capacityType")),
		.interruptions = -1,
		.carbon = -1,
		.green = -1,
		.line = item,
	};
	bool is_rounded = false;
	const cJSON *price = either(offering, "Price", "price");
	char *token = price ? cJSON_PrintUnformatted(price) : NULL;

	if (!*row.zone)
		row.zone = required(s->rows, offering, "topology.kubernetes.io/zone");
	if (!*row.capacity)
		row.capacity = required(s->rows, offering, "karpenter.sh/capacity-type");
	if (!token || !decimal_parse(token, strlen(token), &row.price, &is_rounded) ||
	    row.price < 0)
		refuse(s, item, "an offering without a price", "");
	else
		add_row(s, &row);
	if (is_rounded)
		note_rounded(s, item);
	cJSON_free(token);
}

static void read_offerings(struct source *s, const cJSON *root)
{
	const cJSON *item, *offering;
	unsigned at = 0;

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

static bool read_coefficient(const cJSON *model, const char *key, double *ret)
{
	const cJSON *j = json_get(model, key);
	const char *text = cJSON_IsRaw(j) ? j->valuestring : NULL; /* of many digits */

	*ret = text ? strtod(text, NULL) : cJSON_IsNumber(j) ? j->valuedouble : 0;
	return text || cJSON_IsNumber(j);
}

static void read_peaks(const struct source *s, const cJSON *root)
{
	const cJSON *model;

	cJSON_ArrayForEach(model, root) {
		struct node_power p = { .node = copy(s->rows, model->string,
						     strlen(model->string)) };
		double k0, k1, k2;

		if (read_coefficient(model, "k0", &k0) && read_coefficient(model, "k1", &k1) &&
		    read_coefficient(model, "k2", &k2) &&
		    power_curve_of_peaks(k0, k1, k2, &p.curve))
			*array_add(&s->rows->nodes) = p;
		else
			warning_add(s->warnings, "ConfigMap", s->ns, s->name, "BadPower",
				    "%.60s: k0, k1 and k2 are no model of power in watts",
				    model->string);
	}
}

static void read_json(struct source *s, const char *text, size_t n)
{
	AUTO_JSON cJSON *root = NULL;
	struct error err = ERROR_INIT;

	if (json_parse(text, n, &root, &err) < 0)
		refuse(s, 1, err.msg, "");
	else if (cJSON_IsArray(root))
		read_offerings(s, root);
	else
		read_peaks(s, root);
}

void price_rows_read(struct price_rows *rows, const char *text, size_t n, const char *ns,
		     const char *name, struct warnings *warnings)
{
	struct source s = { .rows = rows, .ns = ns, .name = name, .warnings = warnings };
	size_t blank = strspn(text, " \t\r\n");

	if (blank < n && (text[blank] == '[' || text[blank] == '{'))
		read_json(&s, text, n);
	else
		read_csv(&s, text, n);
	warn_of_rounded(&s);
}

void price_rows_done(struct price_rows *rows)
{
	array_done(&rows->list);
	array_done(&rows->nodes);
	arena_done(&rows->arena);
}

static bool has(const struct price_row *row, enum price_want want)
{
	switch (want) {
	case WANT_PRICE:
		return row->price >= 0;
	case WANT_POWER:
		return row->curve.n;
	case WANT_INTERRUPTIONS:
		return row->interruptions >= 0;
	case WANT_CARBON:
		return row->carbon >= 0;
	case WANT_GREEN:
		return row->green >= 0;
	}
	return false;
}

/* How specific a row is that fits; 0: it does not. */
static unsigned fits(const struct price_row *row, const char *type, const char *region,
		     const char *zone, const char *capacity)
{
	const char *const want[] = { row->type, row->zone, row->region, row->capacity };
	const char *const have[] = { type, zone, region, capacity };
	unsigned n = 1;

	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		if (*want[i] && strcmp(want[i], have[i]) != 0)
			return 0;
		n += *want[i] ? 8u >> i : 0;
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

const struct power_curve *price_rows_find_node(const struct price_rows *rows, const char *node)
{
	array_each(p, &rows->nodes)
		if (strcmp(p->node, node) == 0)
			return &p->curve;
	return NULL;
}
