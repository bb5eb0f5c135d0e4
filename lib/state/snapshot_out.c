/* SPDX-License-Identifier: Apache-2.0 */
#include "state/snapshot_out.h"

#include <string.h>

#include "base/auto.h"
#include "base/date.h"
#include "base/names.h"
#include "base/yaml.h"

/* JSON text, which is known to be good, with its lines broken and indented. */

static void new_line(struct str *out, unsigned depth)
{
	str_addc(out, '\n');
	for (unsigned i = 0; i < depth; i++)
		str_add(out, "  ");
}

static const char *skip_blanks(const char *at, const char *end)
{
	while (at < end && strchr(" \t\r\n", *at))
		at++;
	return at;
}

static const char *string_end(const char *at, const char *end)
{
	for (at++; at < end && *at != '"'; at++)
		if (*at == '\\')
			at++;
	return at < end ? at + 1 : end;
}

static bool is_closing(const char *at, const char *end)
{
	return at < end && (*at == '}' || *at == ']');
}

static const char *add_token(const char *at, const char *end, unsigned *depth, struct str *out)
{
	const char *next = *at == '"' ? string_end(at, end) : at + 1;
	bool is_opening = *at == '{' || *at == '[';

	if (is_closing(at, end))
		new_line(out, --*depth);
	str_addn(out, at, (size_t)(next - at));
	if (*at == ':')
		str_addc(out, ' ');
	if (is_opening && is_closing(skip_blanks(next, end), end)) {
		next = skip_blanks(next, end);
		str_addc(out, *next++);
	} else if (is_opening || *at == ',') {
		*depth += is_opening;
		new_line(out, *depth);
	}
	return next;
}

static void indent_json(struct slice json, unsigned depth, struct str *out)
{
	const char *end = json.s + json.n;

	for (const char *at = skip_blanks(json.s, end); at < end; at = skip_blanks(at, end))
		at = add_token(at, end, &depth, out);
}

/* YAML lines as an element of the list. */
static void add_as_element(const char *yaml, struct str *out)
{
	const char *lead = "- ";

	for (const char *end; *yaml; yaml = end) {
		end = strchrnul(yaml, '\n');
		if (end != yaml)
			str_add(out, lead);
		end += *end == '\n';
		str_addn(out, yaml, (size_t)(end - yaml));
		lead = "  ";
	}
}

void list_out_begin(struct list_out *l, FILE *out, enum list_format format)
{
	list_out_begin_taken(l, out, format, NULL, 0);
}

/* Both forms of the head take JSON strings. */
static const struct head {
	const char *begin, *note, *items;
} heads[] = {
	[LIST_JSON] = {
		"{\n  \"apiVersion\": \"v1\",\n  \"kind\": \"List\",\n",
		"  \"metadata\": { \"annotations\": { \"" SNAPSHOT_SERVER "\": %s, "
		"\"" SNAPSHOT_TAKEN_AT "\": \"%s\" } },\n",
		"  \"items\": [",
	},
	[LIST_YAML] = {
		"apiVersion: v1\nkind: List\n",
		"metadata:\n  annotations:\n    " SNAPSHOT_SERVER ": %s\n"
		"    " SNAPSHOT_TAKEN_AT ": \"%s\"\n",
		"items:",
	},
};

void list_out_begin_taken(struct list_out *l, FILE *out, enum list_format format,
			  const char *server, int64_t taken_at)
{
	const struct head *head = &heads[format];
	AUTO(str_done) struct str quoted = STR_INIT;
	char date[DATE_TEXT];

	*l = (struct list_out){ .out = out, .format = format, .text = STR_INIT };
	fputs(head->begin, out);
	if (taken_at) {
		str_add_json(&quoted, server ? server : "");
		fprintf(out, head->note, quoted.s, date_format(taken_at, date));
	}
	fputs(head->items, out);
}

static int add_yaml(struct slice json, struct str *out, struct error *err)
{
	AUTO(str_done) struct str yaml = STR_INIT;

	if (yaml_from_json(json.s, json.n, &yaml, err) < 0)
		return err->code;
	add_as_element(yaml.s, out);
	return 0;
}

int list_out_add(struct list_out *l, struct slice json, struct error *err)
{
	str_clear(&l->text);
	if (l->format == LIST_JSON) {
		str_add(&l->text, l->n ? ",\n    " : "\n    ");
		indent_json(json, 2, &l->text);
	} else {
		str_add(&l->text, l->n ? "" : "\n");
		if (add_yaml(json, &l->text, err) < 0)
			return err->code;
	}
	l->n++;
	fwrite(l->text.s, 1, l->text.n, l->out);
	return 0;
}

void list_out_end(struct list_out *l)
{
	if (l->format == LIST_JSON)
		fputs(l->n ? "\n  ]\n}\n" : "]\n}\n", l->out);
	else if (l->n == 0)
		fputs(" []\n", l->out);
}

void list_out_done(struct list_out *l)
{
	str_done(&l->text);
}
