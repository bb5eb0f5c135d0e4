/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/scan.h"
#include "base/yaml.h"
#include "base/yaml_scalar.h"

/* Walks over the JSON once and feeds libyaml's emitter, of which go-yaml's, and so kubectl's, is a
 * port. Styles are chosen as go-yaml does (encode.go, stringv). */
struct writer {
	struct scan scan;
	yaml_emitter_t emitter;
	struct str text; /* of the string at hand */
};

static int take_bytes(void *arg, unsigned char *bytes, size_t n)
{
	str_addn(arg, bytes, n);
	return 1;
}

/* The emitter fails only where memory is out, or events do not fit together. */
static void emit(struct writer *w, yaml_event_t *event, int is_made)
{
	if (!is_made || !yaml_emitter_emit(&w->emitter, event))
		abort();
}

static void emit_scalar(struct writer *w, struct slice text, yaml_scalar_style_t style)
{
	yaml_event_t event;

	emit(w, &event,
	     yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text.s,
					  (int)text.n, 1, 1, style));
}

/* More than text to readers that know more types than kubectl's: a time, a ratio of two
 * (190:20:30), an octal number of YAML 1.2, the keys for a value and a merge. */
static bool is_typed_elsewhere(struct slice text)
{
	size_t digits = strspn(text.s, "0123456789");
	bool is_date = digits == 4 && text.s[4] == '-' && isdigit((unsigned char)text.s[5]);
	bool is_ratio = strchr(text.s, ':') && strspn(text.s, "+-0123456789_:.") == text.n;
	bool is_octal = strncmp(text.s, "0o", 2) == 0;
	bool is_special = strcmp(text.s, "=") == 0 || strcmp(text.s, "<<") == 0;

	return is_date || is_ratio || is_octal || is_special;
}

/* Line breaks other than \n, which readers fold into it, and what is not printed. */
static bool needs_escapes(struct slice text)
{
	for (const unsigned char *s = (const unsigned char *)text.s, *end = s + text.n; s < end;
	     s++) {
		bool is_control = (*s < 0x20 && *s != '\n') || *s == 0x7f;
		bool is_c1 = *s == 0xc2 && s[1] < 0xa0;
		bool is_separator = *s == 0xe2 && s[1] == 0x80 && (s[2] == 0xa8 || s[2] == 0xa9);

		if (is_control || is_c1 || is_separator)
			return true;
	}
	return false;
}

static yaml_scalar_style_t style_of(struct slice text)
{
	if (needs_escapes(text))
		return YAML_DOUBLE_QUOTED_SCALAR_STYLE;
	if (memchr(text.s, '\n', text.n))
		return YAML_LITERAL_SCALAR_STYLE;
	return yaml_scalar_is_typed(text) || is_typed_elsewhere(text)
		       ? YAML_DOUBLE_QUOTED_SCALAR_STYLE
		       : YAML_PLAIN_SCALAR_STYLE;
}

static void write_text(struct writer *w, struct slice content)
{
	str_clear(&w->text);
	scan_unescape(content, &w->text);

	struct slice text = { w->text.s, w->text.n };
	emit_scalar(w, text, style_of(text));
}

/* YAML 1.1 wants a point and a sign in a number with an exponent: 1e3 becomes 1.0e+3. */
static void write_number(struct writer *w, struct slice token)
{
	size_t mantissa = 0;

	while (mantissa < token.n && (token.s[mantissa] | 0x20) != 'e')
		mantissa++;
	str_clear(&w->text);
	str_addn(&w->text, token.s, mantissa);
	if (mantissa < token.n) {
		const char *exponent = token.s + mantissa + 1;

		str_add(&w->text, memchr(token.s, '.', mantissa) ? "e" : ".0e");
		str_add(&w->text, *exponent == '-' || *exponent == '+' ? "" : "+");
		str_addn(&w->text, exponent, token.n - mantissa - 1);
	}
	emit_scalar(w, (struct slice){ w->text.s, w->text.n }, YAML_PLAIN_SCALAR_STYLE);
}

static int write_scalar(struct writer *w)
{
	struct scan *s = &w->scan;
	const char *from = s->at;
	struct slice token;
	int r;

	if (*from == '"') {
		r = scan_string(s, &token);
		if (r == 0)
			write_text(w, token);
		return r;
	}
	r = scan_skip(s);
	if (r < 0)
		return r;
	token = (struct slice){ from, (size_t)(s->at - from) };
	if (*from == '-' || isdigit((unsigned char)*from))
		write_number(w, token);
	else
		emit_scalar(w, token, YAML_PLAIN_SCALAR_STYLE);
	return 0;
}

static int write_value(struct writer *w);

static int write_object(struct writer *w)
{
	yaml_event_t event;
	struct slice key;
	int r = scan_open(&w->scan, '{');

	emit(w, &event,
	     yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE));
	while (r == 0 && (r = scan_member(&w->scan, &key)) > 0) {
		write_text(w, key);
		r = write_value(w);
	}
	emit(w, &event, yaml_mapping_end_event_initialize(&event));
	return r;
}

static int write_list(struct writer *w)
{
	yaml_event_t event;
	int r = scan_open(&w->scan, '[');

	emit(w, &event,
	     yaml_sequence_start_event_initialize(&event, NULL, NULL, 1,
						  YAML_BLOCK_SEQUENCE_STYLE));
	while (r == 0 && (r = scan_element(&w->scan)) > 0)
		r = write_value(w);
	emit(w, &event, yaml_sequence_end_event_initialize(&event));
	return r;
}

static int write_value(struct writer *w)
{
	switch (scan_blank(&w->scan)) {
	case '{':
		return write_object(w);
	case '[':
		return write_list(w);
	default:
		return write_scalar(w);
	}
}

static int write_document(struct writer *w, struct str *out)
{
	yaml_event_t event;

	if (!yaml_emitter_initialize(&w->emitter))
		abort();
	yaml_emitter_set_output(&w->emitter, take_bytes, out);
	yaml_emitter_set_unicode(&w->emitter, 1);
	yaml_emitter_set_width(&w->emitter, -1);
	emit(w, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
	emit(w, &event, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1));
	int r = write_value(w);
	emit(w, &event, yaml_document_end_event_initialize(&event, 1));
	emit(w, &event, yaml_stream_end_event_initialize(&event));
	yaml_emitter_delete(&w->emitter);
	return r;
}

int yaml_from_json(const char *json, size_t n, struct str *out, struct error *err)
{
	struct slice all = { json, n };
	struct writer w = { .scan = scan_of(all), .text = STR_INIT };
	int r = scan_check(all, err);

	if (r < 0)
		return r;
	r = write_document(&w, out);
	str_done(&w.text);
	return r;
}
