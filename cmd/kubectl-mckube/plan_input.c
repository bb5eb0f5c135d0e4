/* SPDX-License-Identifier: Apache-2.0 */
#include "plan_input.h"

#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/save.h"
#include "plan/file/plan_file.h"

static int read_stream(FILE *f, const char *path, struct str *b, struct error *err)
{
	char buf[65536];
	size_t n;

	while (!b->is_full && (n = fread(buf, 1, sizeof(buf), f)) > 0)
		str_addn(b, buf, n);
	if (ferror(f))
		return error_errno(err, "%s", path);
	if (b->is_full)
		return error_set(err, -EFBIG, "%s: is larger than %zu bytes", path, b->max);
	return 0;
}

int file_read(const char *path, struct str *b, struct error *err)
{
	if (strcmp(path, "-") == 0)
		return read_stream(stdin, "standard input", b, err);

	AUTO_FILE FILE *f = fopen(path, "re");
	if (!f)
		return error_errno(err, "%s", path);
	return read_stream(f, path, b, err);
}

int file_read_plan(const char *path, struct plan *ret, struct error *err)
{
	AUTO(str_done) struct str text = STR_INIT_MAX(PLAN_MAX_BYTES);

	if (file_read(path, &text, err) < 0)
		return err->code;
	if (plan_read_json(text.s, text.n, ret, err) < 0)
		return error_wrap(err, "%s", path);
	return 0;
}

int file_write(const char *path, const struct str *text, struct error *err)
{
	AUTO(save_done) struct save out = { 0 };

	if (save_open(&out, path, err) < 0)
		return err->code;
	fwrite(text->s, 1, text->n, out.f);
	return save_commit(&out, err);
}
