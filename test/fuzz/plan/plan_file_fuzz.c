/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "plan/file/plan_file.h"

/* What can be read can be written, and then has a fixed form. */
static void check_round_trip(const struct plan *plan)
{
	AUTO(plan_done) struct plan again = { 0 };
	AUTO(str_done) struct str first = STR_INIT;
	AUTO(str_done) struct str second = STR_INIT;

	plan_write_json(plan, &first);
	if (plan_read_json(first.s, first.n, &again, NULL) < 0)
		abort();
	plan_write_json(&again, &second);
	if (strcmp(first.s, second.s) != 0)
		abort();
}

/* No mutation guesses a digest: where only the name is wrong, the error says the right one. */
static bool mend_name(const char *data, size_t n, const struct error *err, struct str *ret)
{
	static const char lead[] = "metadata.name: '";
	static const char tail[] = "' is not the digest of the spec (";
	const char *wrong = err->msg + strlen(lead), *right = strstr(err->msg, tail);

	if (strncmp(err->msg, lead, strlen(lead)) != 0 || !right || right <= wrong)
		return false;

	size_t n_wrong = (size_t)(right - wrong);
	const char *at = memmem(data, n, wrong, n_wrong);
	if (!at)
		return false;
	str_addn(ret, data, (size_t)(at - data));
	str_addn(ret, right + strlen(tail), 16);
	str_addn(ret, at + n_wrong, n - (size_t)(at - data) - n_wrong);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO(plan_done) struct plan plan = { 0 };
	AUTO(str_done) struct str mended = STR_INIT;
	const char *text = (const char *)data;
	struct error err;

	int r = plan_read_json(text, n, &plan, &err);
	if (r < 0 && mend_name(text, n, &err, &mended))
		r = plan_read_json(mended.s, mended.n, &plan, &err);
	if (r == 0)
		check_round_trip(&plan);
	return 0;
}
