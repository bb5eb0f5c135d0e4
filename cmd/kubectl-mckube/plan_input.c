/* SPDX-License-Identifier: Apache-2.0 */
#include "plan_input.h"

#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/file.h"
#include "plan/file/plan_file.h"

int input_read(const char *path, struct str *out, struct error *err)
{
	if (strcmp(path, "-") == 0)
		return file_read_fd(STDIN_FILENO, "standard input", out, err);
	return file_read(path, out, err);
}

int input_read_plan(const char *path, struct plan *ret, struct error *err)
{
	AUTO(str_done) struct str text = STR_INIT_MAX(PLAN_MAX_BYTES);

	if (input_read(path, &text, err) < 0)
		return err->code;
	if (plan_read_json(text.s, text.n, ret, err) < 0)
		return error_wrap(err, "%s", path);
	return 0;
}
