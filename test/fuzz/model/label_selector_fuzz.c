/* SPDX-License-Identifier: Apache-2.0 */
#include "model/label_selector.h"

#include "base/auto.h"

/* Whatever is typed behind -l. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO_FREE char *text = xstrndup((const char *)data, n);
	AUTO(arena_done) struct arena arena = { 0 };
	static const struct cluster empty;
	struct label_selector s;
	struct error err;

	if (label_selector_parse(text, &arena, &s, &err) < 0)
		return 0;
	label_selector_matches(&empty, &s, (struct range){ 0 });
	label_selector_done(&s);
	return 0;
}
