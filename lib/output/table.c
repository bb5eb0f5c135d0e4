/* SPDX-License-Identifier: Apache-2.0 */
#include "output/table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/decimal.h"
#include "base/json_out.h"
#include "base/units.h"
#include "base/yaml.h"

const char *const listing_formats[] = { "table", "wide", "json", "yaml", "name", NULL };
const char *const plan_formats[] = { "table", "wide", "json", "yaml", "name", "html", NULL };

enum { GAP = 3 }; /* between columns, as kubectl has it */

size_t table_columns(const struct table *t)
{
	size_t n = 0;

	while (t->columns[n].title)
		n++;
	return n;
}

size_t table_rows(const struct table *t)
{
	return t->cells.n / table_columns(t);
}

void table_add(struct table *t, const struct cell *cells)
{
	for (size_t i = 0, n = table_columns(t); i < n; i++) {
		struct cell *cell = array_add(&t->cells);

		*cell = cells[i];
		if (cell->text)
			cell->text = arena_strndup(&t->arena, cell->text, strlen(cell->text));
	}
}

int table_find_column(const struct table *t, const char *name, struct error *err)
{
	AUTO(str_done) struct str keys = STR_INIT;

	for (size_t i = 0; t->columns[i].title; i++) {
		if (strcasecmp(name, t->columns[i].key) == 0 ||
		    strcasecmp(name, t->columns[i].title) == 0)
			return (int)i;
		str_addf(&keys, keys.n ? ", %s" : "%s", t->columns[i].key);
	}
	return error_set(err, -ENOENT, "no column '%s': must be one of %s", name, keys.s);
}

struct order {
	const struct table *t;
	size_t n, column;
	bool is_reversed;
};

static int compare_cells(const struct cell *a, const struct cell *b)
{
	if ((a->kind == CELL_KIND_NULL) != (b->kind == CELL_KIND_NULL))
		return a->kind == CELL_KIND_NULL ? -1 : 1;
	if (a->kind == CELL_KIND_TEXT && b->kind == CELL_KIND_TEXT)
		return strcmp(a->text ? a->text : "", b->text ? b->text : "");
	return (a->n > b->n) - (a->n < b->n);
}

static int compare_rows(const void *a, const void *b, void *arg)
{
	const struct order *o = arg;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	int r = compare_cells(&o->t->cells.items[x * o->n + o->column],
			      &o->t->cells.items[y * o->n + o->column]);

	if (r)
		return o->is_reversed ? -r : r;
	return (x > y) - (x < y);
}

void table_sort(struct table *t, size_t column, bool is_reversed)
{
	size_t n = table_columns(t), rows = table_rows(t);
	const struct order order = { t, n, column, is_reversed };
	AUTO_FREE size_t *rank = xcalloc(rows + 1, sizeof(*rank));
	AUTO_FREE struct cell *sorted = xcalloc(t->cells.n + 1, sizeof(*sorted));

	for (size_t i = 0; i < rows; i++)
		rank[i] = i;
	qsort_r(rank, rows, sizeof(*rank), compare_rows, (void *)&order);
	for (size_t i = 0; i < rows; i++)
		memcpy(&sorted[i * n], &t->cells.items[rank[i] * n], n * sizeof(*sorted));
	if (rows)
		memcpy(t->cells.items, sorted, t->cells.n * sizeof(*sorted));
}

void table_done(struct table *t)
{
	array_done(&t->cells);
	arena_done(&t->arena);
}

void text_add_us(struct str *out, int64_t us)
{
	if (us % 1000000 == 0) {
		str_addf(out, "%" PRId64 "s", us / 1000000);
		return;
	}
	if (us < 1000) {
		str_addf(out, "%" PRId64 "us", us);
		return;
	}
	str_addf(out, "%" PRId64 ".%03" PRId64, us / 1000, us % 1000);
	while (out->s[out->n - 1] == '0')
		str_cut(out, out->n - 1);
	if (out->s[out->n - 1] == '.')
		str_cut(out, out->n - 1);
	str_add(out, "ms");
}

/* Rounded up: what is shown never looks smaller than it is. */
void text_add_ratio(struct str *out, int64_t ppm)
{
	int64_t milli = (ppm + 999) / 1000;

	str_addf(out, "%" PRId64 ".%03" PRId64, milli / 1000, milli % 1000);
}

/* As kubectl does it (duration.HumanDuration), which leaves out what is small beside the rest. */
void text_add_age(struct str *out, int64_t seconds)
{
	static const int64_t minute = 60, hour = 3600, day = 86400;

	if (seconds < 2 * minute)
		str_addf(out, "%" PRId64 "s", seconds);
	else if (seconds < 10 * minute && seconds % minute)
		str_addf(out, "%" PRId64 "m%" PRId64 "s", seconds / minute, seconds % minute);
	else if (seconds < 3 * hour)
		str_addf(out, "%" PRId64 "m", seconds / minute);
	else if (seconds < 2 * day)
		str_addf(out, "%" PRId64 "h", seconds / hour);
	else
		str_addf(out, "%" PRId64 "d", seconds / day);
}

void table_cell_text(const struct cell *c, struct str *out)
{
	switch (c->kind) {
	case CELL_KIND_INT:
		str_addf(out, "%" PRId64, c->n);
		return;
	case CELL_KIND_RATIO:
		text_add_ratio(out, c->n);
		return;
	case CELL_KIND_SHARE:
		str_addf(out, "%" PRId64 "%%", (c->n + PPM_PER_CENT - 1) / PPM_PER_CENT);
		return;
	case CELL_KIND_AGE:
		text_add_age(out, c->n);
		return;
	default:
		break;
	}
	if (c->n && (c->kind == CELL_KIND_US || c->kind == CELL_KIND_USED))
		text_add_us(out, c->n);
	else if (c->kind == CELL_KIND_MICRO)
		decimal_add(out, c->n, 0);
	else if (c->kind == CELL_KIND_USED)
		str_add(out, "0us");
	else
		str_add(out, c->text && *c->text ? c->text : "<none>");
}

static unsigned cell_width(const struct cell *c)
{
	AUTO(str_done) struct str text = STR_INIT;

	table_cell_text(c, &text);
	return text_width(text.s);
}

/* The width of each column; 0 for one that is not shown. */
static void measure(const struct table *t, bool is_wide, bool has_header, unsigned *widths)
{
	size_t n = table_columns(t);

	for (size_t k = 0; k < n; k++) {
		bool is_shown = is_wide || !t->columns[k].is_wide;
		unsigned width = has_header ? text_width(t->columns[k].title) : 1;

		for (size_t i = k; is_shown && i < t->cells.n; i += n)
			if (cell_width(&t->cells.items[i]) > width)
				width = cell_width(&t->cells.items[i]);
		widths[k] = is_shown ? width : 0;
	}
}

/* Draws one row; what would only fill up its end is left out. */
static void draw_row(const struct table *t, const unsigned *widths, const struct cell *cells,
		     const struct style *style, struct str *out)
{
	size_t end = out->n;
	AUTO(str_done) struct str text = STR_INIT;

	for (size_t k = 0; t->columns[k].title; k++) {
		if (!widths[k])
			continue;
		str_clear(&text);
		if (cells)
			table_cell_text(&cells[k], &text);
		else
			str_add(&text, t->columns[k].title);
		style_pad(style, out, cells ? cells[k].role : COLOR_BOLD, widths[k] + GAP, text.s);
		end = out->n - (widths[k] + GAP - text_width(text.s));
	}
	str_cut(out, end);
	str_addc(out, '\n');
}

static void draw(const struct table *t, bool is_wide, const struct style *style, bool has_header,
		 struct str *out)
{
	size_t n = table_columns(t);
	AUTO_FREE unsigned *widths = xcalloc(n, sizeof(*widths));

	measure(t, is_wide, has_header, widths);
	if (has_header)
		draw_row(t, widths, NULL, style, out);
	for (size_t i = 0; i < t->cells.n; i += n)
		draw_row(t, widths, &t->cells.items[i], style, out);
}

static void write_cell(struct json_out *o, const struct cell *c)
{
	if (c->kind == CELL_KIND_TEXT)
		json_out_text(o, c->text ? c->text : "");
	else if (c->kind == CELL_KIND_MICRO)
		json_out_micro(o, c->n);
	else if (c->kind == CELL_KIND_NULL)
		json_out_null(o);
	else
		json_out_int(o, c->n);
}

static void write_json(const struct table *t, struct str *out)
{
	AUTO(json_out_done) struct json_out o = { .out = out };
	size_t n = table_columns(t);

	json_out_array(&o);
	for (size_t i = 0; i < t->cells.n; i += n) {
		json_out_object(&o);
		for (size_t k = 0; k < n; k++) {
			json_out_key(&o, t->columns[k].key);
			write_cell(&o, &t->cells.items[i + k]);
		}
		json_out_end(&o);
	}
	json_out_end(&o);
	str_addc(out, '\n');
}

static void write_name(const struct column *column, const struct cell *cell, struct str *out)
{
	if (column->kind)
		str_addf(out, "%s/", column->kind);
	text_add(out, cell->text);
	str_addc(out, '\n');
}

static void write_names(const struct table *t, struct str *out)
{
	size_t n = table_columns(t);

	for (size_t i = 0; i < t->cells.n; i += n)
		for (size_t k = 0; k < n; k++)
			if (t->columns[k].is_name)
				write_name(&t->columns[k], &t->cells.items[i + k], out);
}

int table_render(const struct table *t, enum format format, const struct style *style,
		 bool has_header, struct str *out, struct error *err)
{
	AUTO(str_done) struct str json = STR_INIT;

	switch (format) {
	case FORMAT_JSON:
		write_json(t, out);
		return 0;
	case FORMAT_YAML:
		write_json(t, &json);
		return yaml_from_json(json.s, json.n, out, err);
	case FORMAT_NAME:
		write_names(t, out);
		return 0;
	default:
		draw(t, format == FORMAT_WIDE, style, has_header, out);
		return 0;
	}
}
