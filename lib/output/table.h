/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_OUTPUT_TABLE_H
#define MCKUBE_OUTPUT_TABLE_H

#include "base/arena.h"
#include "base/array.h"
#include "base/error.h"
#include "base/str.h"
#include "output/style.h"

/* A listing: typed cells in named columns, drawn as kubectl draws tables, or written as data. A
 * column that is added here appears in every format.
 *
 *	static const struct column columns[] = { { "NAME", "name" }, { "CPU", "cpu" }, {} };
 *	AUTO(table_done) struct table t = { .columns = columns };
 *	table_row(&t, CELL_TEXT("edge-1"), CELL_INT(4));
 *	table_render(&t, FORMAT_TABLE, &style, true, &out, &err);
 */
enum format {
	FORMAT_TABLE,
	FORMAT_WIDE,
	FORMAT_JSON,
	FORMAT_YAML,
	FORMAT_NAME,
	FORMAT_HTML, /* not of a table */
};

/* The choices of -o in the order of enum format: for listings, and for the plan. */
extern const char *const listing_formats[];
extern const char *const plan_formats[];

struct column {
	const char *title; /* upper case; NULL ends the columns */
	const char *key;   /* in JSON: camelCase, with the unit where there is one */
	const char *kind;  /* before the name of -o name, as in "pod/brake"; NULL: nothing */
	bool is_wide;	   /* shown with -o wide only */
	bool is_name;	   /* what -o name prints */
	uint8_t rank;	   /* in a window that is too narrow the highest go first; 0: stays */
};

enum cell_kind {
	CELL_KIND_TEXT,	 /* copied */
	CELL_KIND_INT,	 /* a count */
	CELL_KIND_RATIO, /* parts per million, shown as 0.350 */
	CELL_KIND_US,	 /* microseconds, shown as 250ms; 0 as "<none>" */
	CELL_KIND_MICRO, /* millionths, shown as an exact decimal */
	CELL_KIND_NULL,	 /* "<none>" where the others are numbers */
	CELL_KIND_USED,	 /* microseconds, of which 0 is shown as 0us */
	CELL_KIND_SHARE, /* parts per million, shown as 35% */
	CELL_KIND_AGE,	 /* seconds, shown as 3m12s */
};

struct cell {
	uint8_t kind, role;
	const char *text; /* NULL or "": "<none>" */
	int64_t n;
};

#define CELL_TEXT(text_) ((struct cell){ .kind = CELL_KIND_TEXT, .text = (text_) })
#define CELL_ROLE(role_, text_) \
	((struct cell){ .kind = CELL_KIND_TEXT, .text = (text_), .role = (role_) })
#define CELL_INT(n_)   ((struct cell){ .kind = CELL_KIND_INT, .n = (n_) })
#define CELL_RATIO(n_) ((struct cell){ .kind = CELL_KIND_RATIO, .n = (n_) })
#define CELL_US(n_)    ((struct cell){ .kind = CELL_KIND_US, .n = (n_) })
#define CELL_MICRO(n_) ((struct cell){ .kind = CELL_KIND_MICRO, .n = (n_) })
/* Nothing unless it is given. */
#define CELL_MICRO_IF(is_given_, n_) ((is_given_) ? CELL_MICRO(n_) : CELL_NULL)
#define CELL_NULL		     ((struct cell){ .kind = CELL_KIND_NULL })
#define CELL_USED(n_)		     ((struct cell){ .kind = CELL_KIND_USED, .n = (n_) })
#define CELL_SHARE(n_)		     ((struct cell){ .kind = CELL_KIND_SHARE, .n = (n_) })
#define CELL_AGE(n_)		     ((struct cell){ .kind = CELL_KIND_AGE, .n = (n_) })

struct table {
	const struct column *columns;
	struct arena arena;
	ARRAY(struct cell) cells; /* row by row */
};

/* One cell for each column. */
#define table_row(t, ...) table_add((t), (const struct cell[]){ __VA_ARGS__ })
void table_add(struct table *t, const struct cell *cells);
void table_done(struct table *t);

size_t table_rows(const struct table *t);
size_t table_columns(const struct table *t);

/* By key or title, in any case. -ENOENT: err names those that there are. */
int table_find_column(const struct table *t, const char *name, struct error *err);

/* Numbers from the smallest, texts by byte, what is not known first; rows that are the same keep
 * their order. */
void table_sort(struct table *t, size_t column, bool is_reversed);

/* As a cell is drawn. */
void table_cell_text(const struct cell *c, struct str *out);

/* JSON and YAML are an array of objects. */
int table_render(const struct table *t, enum format format, const struct style *style,
		 bool has_header, struct str *out, struct error *err);

/* Numbers for tables: "250ms", "1.25ms", "1s", "100us"; "0.350". */
void text_add_us(struct str *out, int64_t us);
/* Seconds as kubectl shows an age: "45s", "3m12s", "5h", "3d". */
void text_add_age(struct str *out, int64_t seconds);
void text_add_ratio(struct str *out, int64_t ppm);

#endif
