/* SPDX-License-Identifier: Apache-2.0 */
#include "history.h"

#include "base/auto.h"

#include "inputs.h"

enum { HISTORY_MAX_BYTES = 256 << 20 };

int history_load(const char *path, struct history *h, struct error *err)
{
	AUTO(str_done) struct str text = STR_INIT_MAX(HISTORY_MAX_BYTES);

	if (input_read(path, &text, err) < 0)
		return err->code;
	if (history_add(h, (struct slice){ text.s, text.n }, err) < 0)
		return error_wrap(err, "%s", path);
	return 0;
}
