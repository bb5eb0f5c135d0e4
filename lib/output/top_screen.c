/* SPDX-License-Identifier: Apache-2.0 */
#include "output/top_screen.h"

#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "output/table_window.h"

enum { CONTROL_C = 3, BACKSPACE = 8, TAB = 9, ENTER = 13, ESCAPE = 27, DELETE = 127 };
enum { SEQUENCE_MAX = 6, HEADINGS = 2 /* lines above the table */, FEET = 1 };

/* Where lists begin: "USED%", "USED", "USED". */
static const char *const sorted_first[] = {
	[TOP_PODS] = "usedPpm", [TOP_NODES] = "usedPpm", [TOP_CORES] = "usedPpm"
};

static struct table columns_of(enum top_view view)
{
	struct table t;

	top_columns(view, &t);
	return t;
}

void top_screen_init(struct top_screen *s, enum top_view view)
{
	*s = (struct top_screen){ .view = view };
	for (int i = 0; i < TOP_VIEWS; i++) {
		struct table t = columns_of((enum top_view)i);

		s->sorted[i] = (size_t)table_find_column(&t, sorted_first[i], NULL);
		s->is_reversed[i] = true;
	}
}

static void show(struct top_screen *s, enum top_view view)
{
	s->view = view;
	s->first = 0;
}

/* The next column that is not only for -o wide. */
static void sort_next(struct top_screen *s, bool is_back)
{
	struct table t = columns_of(s->view);
	size_t n = table_columns(&t), *at = &s->sorted[s->view];

	do
		*at = (*at + (is_back ? n - 1 : 1)) % n;
	while (t.columns[*at].is_wide);
}

static void scroll(struct top_screen *s, long rows)
{
	s->first = rows < 0 && (size_t)-rows > s->first ? 0 : s->first + (size_t)rows;
}

static void type_filter(struct top_screen *s, char c)
{
	size_t n = strlen(s->filter);

	s->first = 0;
	if (c == ENTER || c == '\n') {
		s->is_typing = false;
	} else if (c == BACKSPACE || c == DELETE) {
		while (n && ((unsigned char)s->filter[n - 1] & 0xc0) == 0x80)
			n--;
		s->filter[n ? n - 1 : 0] = '\0';
	} else if ((unsigned char)c >= ' ' && n + 1 < sizeof(s->filter)) {
		s->filter[n] = c;
		s->filter[n + 1] = '\0';
	}
}

/* True: end. */
static bool type_key(struct top_screen *s, char c)
{
	switch (c) {
	case 'q':
	case CONTROL_C:
		return true;
	case '1':
	case '2':
	case '3':
		show(s, (enum top_view)(c - '1'));
		break;
	case TAB:
		show(s, (enum top_view)((s->view + 1) % TOP_VIEWS));
		break;
	case 's':
		sort_next(s, false);
		break;
	case 'S':
		sort_next(s, true);
		break;
	case 'r':
		s->is_reversed[s->view] = !s->is_reversed[s->view];
		break;
	case '/':
		s->is_typing = true;
		break;
	case 'j':
		scroll(s, 1);
		break;
	case 'k':
		scroll(s, -1);
		break;
	case ' ':
		scroll(s, s->page);
		break;
	case 'b':
		scroll(s, -(long)s->page);
		break;
	default:
		break;
	}
	return false;
}

/* Behind "ESC [" or "ESC O". */
static void type_sequence(struct top_screen *s, const char *text, size_t n)
{
	static const struct {
		const char *text;
		long rows;
		bool is_pages;
	} keys[] = {
		{ "A", -1, false },	   { "B", 1, false },	       { "5~", -1, true },
		{ "6~", 1, true },	   { "H", INT32_MIN, false },  { "1~", INT32_MIN, false },
		{ "F", INT32_MAX, false }, { "4~", INT32_MAX, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (strlen(keys[i].text) == n && memcmp(keys[i].text, text, n) == 0)
			scroll(s, keys[i].is_pages ? keys[i].rows * (long)s->page : keys[i].rows);
}

/* The length of an escape sequence at the beginning of the text; 0: it is not whole. */
static size_t sequence_length(const char *text, size_t n)
{
	if (n < 2)
		return 0;
	if (text[1] != '[' && text[1] != 'O')
		return 1;
	for (size_t i = 2; i < n && i < SEQUENCE_MAX; i++)
		if (text[i] >= '@' && text[i] <= '~')
			return i + 1;
	return n >= SEQUENCE_MAX ? SEQUENCE_MAX : 0;
}

static void type_escape(struct top_screen *s)
{
	s->is_typing = false;
	s->filter[0] = '\0';
	s->first = 0;
}

bool top_screen_type(struct top_screen *s, const char *bytes, size_t n, bool is_all,
		     size_t *ret_used)
{
	for (*ret_used = 0; *ret_used < n;) {
		const char *at = bytes + *ret_used;
		size_t length = 1;

		if (*at == ESCAPE) {
			length = sequence_length(at, n - *ret_used);
			if (!length && !is_all)
				return false;
			if (length > 1)
				type_sequence(s, at + 2, length - 2);
			else
				type_escape(s);
			length = length ? length : n - *ret_used;
		} else if (s->is_typing && *at != CONTROL_C) {
			type_filter(s, *at);
		} else if (type_key(s, *at)) {
			return true;
		}
		*ret_used += length;
	}
	return false;
}

/* Adds a line that is cut to the width. */
static void add_line(const struct style *style, struct str *out, enum color_role role,
		     unsigned width, const char *text)
{
	AUTO(str_done) struct str line = STR_INIT;

	text_add(&line, text);
	while (text_width(line.s) > width) {
		size_t n = line.n - 1;

		while (n && ((unsigned char)line.s[n] & 0xc0) == 0x80)
			n--;
		str_cut(&line, n);
	}
	style_add(style, out, role, "%s", line.s);
	str_addc(out, '\n');
}

static void add_state(const struct top_screen *s, const struct table *t, size_t n_matching,
		      struct str *out)
{
	str_addf(out, "%s", top_views[s->view]);
	str_addf(out, ": %zu", n_matching);
	if (n_matching != table_rows(t))
		str_addf(out, " of %zu", table_rows(t));
	str_addf(out, ", by %s%s", t->columns[s->sorted[s->view]].title,
		 s->is_reversed[s->view] ? ", largest first" : "");
	if (*s->filter && !s->is_typing)
		str_addf(out, ", with '%s'", s->filter);
}

static void add_foot(const struct top_screen *s, const struct style *style, unsigned width,
		     struct str *out)
{
	AUTO(str_done) struct str text = STR_INIT;

	if (s->is_typing)
		str_addf(&text, "/%s_  Enter keeps, Esc clears", s->filter);
	else
		str_add(&text, "q quit  1 pods  2 nodes  3 cores  s sort  r reverse  / filter  "
			       "j k scroll");
	add_line(style, out, COLOR_DIM, width, text.s);
}

void top_screen_draw(struct top_screen *s, const struct top_input *in, const char *when,
		     unsigned width, unsigned height, const struct style *style, struct str *out)
{
	AUTO(table_done) struct table t = { 0 };
	AUTO(str_done) struct str rows = STR_INIT;
	AUTO(str_done) struct str text = STR_INIT;
	unsigned room = height > HEADINGS + FEET ? height - HEADINGS - FEET : 0;

	top_table(in, s->view, &t);
	table_sort(&t, s->sorted[s->view], s->is_reversed[s->view]);
	const struct table_window window = {
		.width = width,
		.height = room,
		.first = s->first,
		.filter = s->filter,
		.sorted = s->sorted[s->view],
	};
	size_t n = table_window_draw(&t, &window, style, &s->first, &rows);
	s->page = room > 1 ? room - 1 : 1;
	top_summary(in, &text);
	str_addf(&text, "  %s", when);
	if (height > 0)
		add_line(style, out, COLOR_NONE, width, text.s);
	str_clear(&text);
	add_state(s, &t, n, &text);
	if (height > 1)
		add_line(style, out, COLOR_DIM, width, text.s);
	str_add(out, rows.s);
	if (height > HEADINGS)
		add_foot(s, style, width, out);
}
