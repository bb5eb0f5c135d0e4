/* SPDX-License-Identifier: Apache-2.0 */
#include "output/table_window.h"

#include <string.h>

#include "base/auto.h"

enum { GAP = 2, LEAST = 6 };

static bool row_matches(const struct table *t, size_t row, const char *filter)
{
	size_t n = table_columns(t);
	AUTO(str_done) struct str text = STR_INIT;

	if (!filter || !*filter)
		return true;
	for (size_t k = 0; k < n; k++) {
		str_clear(&text);
		table_cell_text(&t->cells.items[row * n + k], &text);
		if (strcasestr(text.s, filter))
			return true;
	}
	return false;
}

static unsigned total(const unsigned *widths, size_t n)
{
	unsigned sum = 0;

	for (size_t k = 0; k < n; k++)
		sum += widths[k] ? widths[k] + (sum ? GAP : 0) : 0;
	return sum;
}

/* The column that goes next; n: all that is left stays. */
static size_t least_important(const struct table *t, const unsigned *widths, size_t n)
{
	size_t found = n;

	for (size_t k = 0; k < n; k++)
		if (widths[k] && t->columns[k].rank &&
		    (found == n || t->columns[k].rank >= t->columns[found].rank))
			found = k;
	return found;
}

static size_t widest(const unsigned *widths, size_t n)
{
	size_t found = 0;

	for (size_t k = 1; k < n; k++)
		if (widths[k] > widths[found])
			found = k;
	return found;
}

/* 0: the column is left out. All rows count, so that nothing moves when one scrolls. */
static void fit(const struct table *t, unsigned width, unsigned *widths)
{
	size_t n = table_columns(t);
	AUTO(str_done) struct str text = STR_INIT;

	for (size_t k = 0; k < n; k++)
		widths[k] = t->columns[k].is_wide ? 0 : text_width(t->columns[k].title) + 1;
	for (size_t row = 0; row < table_rows(t); row++)
		for (size_t k = 0; k < n; k++) {
			str_clear(&text);
			table_cell_text(&t->cells.items[row * n + k], &text);
			if (widths[k] && text_width(text.s) > widths[k])
				widths[k] = text_width(text.s);
		}
	for (size_t k; total(widths, n) > width && (k = least_important(t, widths, n)) < n;)
		widths[k] = 0;
	for (size_t k; total(widths, n) > width && widths[k = widest(widths, n)] > LEAST;)
		widths[k]--;
}

/* Cuts the text to so many columns; its end is marked. */
static void cut(struct str *text, unsigned columns, const struct style *style)
{
	if (text_width(text->s) <= columns)
		return;
	while (text->n && text_width(text->s) + 1 > columns) {
		size_t n = text->n - 1;

		while (n && ((unsigned char)text->s[n] & 0xc0) == 0x80)
			n--;
		str_cut(text, n);
	}
	if (columns)
		str_add(text, style->has_utf8 ? "\u2026" : "~");
}

static void draw_row(const struct table *t, const struct table_window *w, const unsigned *widths,
		     const struct cell *cells, const struct style *style, struct str *out)
{
	AUTO(str_done) struct str text = STR_INIT;
	unsigned room = w->width;

	for (size_t k = 0; t->columns[k].title; k++) {
		if (!widths[k] || !room)
			continue;
		str_clear(&text);
		if (cells)
			table_cell_text(&cells[k], &text);
		else
			str_addf(&text, "%s%s", t->columns[k].title, k == w->sorted ? "*" : "");
		unsigned columns = widths[k] < room ? widths[k] : room;
		cut(&text, columns, style);
		unsigned padded = columns + GAP < room ? columns + GAP : room;
		style_pad(style, out, cells ? cells[k].role : COLOR_BOLD, padded, text.s);
		room -= padded;
	}
	str_addc(out, '\n');
}

size_t table_window_draw(const struct table *t, const struct table_window *w,
			 const struct style *style, size_t *ret_first, struct str *out)
{
	size_t n = table_columns(t), rows = table_rows(t), n_matching = 0, at = 0;
	size_t room = w->height > 1 ? w->height - 1 : 0, shown = 0;
	AUTO_FREE unsigned *widths = xcalloc(n, sizeof(*widths));
	AUTO_FREE bool *is_matching = xcalloc(rows + 1, sizeof(*is_matching));

	fit(t, w->width, widths);
	for (size_t i = 0; i < rows; i++)
		n_matching += is_matching[i] = row_matches(t, i, w->filter);
	size_t last = n_matching > room ? n_matching - room : 0;
	size_t first = w->first < last ? w->first : last;
	if (w->height)
		draw_row(t, w, widths, NULL, style, out);
	for (size_t i = 0; i < rows && shown < room; i++) {
		if (!is_matching[i] || at++ < first)
			continue;
		draw_row(t, w, widths, &t->cells.items[i * n], style, out);
		shown++;
	}
	for (; shown < room; shown++)
		str_addc(out, '\n');
	*ret_first = first;
	return n_matching;
}
