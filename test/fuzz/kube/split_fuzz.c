/* SPDX-License-Identifier: Apache-2.0 */
/* However the bytes are cut, the same items come out, and the same judgement. */
#include "kube/split.h"

#include <stdint.h>
#include <string.h>

#include "base/auto.h"
#include "base/scan.h"

static int take(struct split *s, struct slice text, size_t *ret_used, struct error *err)
{
	struct scan scan = scan_of(text);
	int r = scan_skip(&scan);

	(void)err;
	if (r < 0)
		return r;
	*ret_used = (size_t)(scan.at - text.s);
	str_addn(s->arg, text.s, *ret_used);
	return 0;
}

static int run(const char *text, size_t n, size_t piece, struct str *items)
{
	struct split s = { .take = take, .arg = items };
	int r = 0;

	split_init(&s);
	s.batch = 1;
	for (size_t at = 0; at < n && r == 0; at += piece)
		r = split_feed(&s, (struct slice){ text + at, n - at < piece ? n - at : piece },
			       NULL);
	if (r == 0)
		r = split_end(&s, NULL);
	split_done(&s);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO(str_done) struct str whole = STR_INIT, cut = STR_INIT;
	const char *text = n > 1 ? (const char *)data + 1 : "";
	size_t piece = n ? data[0] % 50 + 1u : 1;
	int first, second;

	n = n ? n - 1 : 0;
	first = run(text, n, n + 1, &whole);
	second = run(text, n, piece, &cut);
	if ((first < 0) != (second < 0) || (first == 0 && strcmp(whole.s, cut.s) != 0))
		__builtin_trap();
	return 0;
}
