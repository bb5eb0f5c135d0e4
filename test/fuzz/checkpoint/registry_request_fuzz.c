/* SPDX-License-Identifier: Apache-2.0 */
/* What is accepted names a move and, if any, a whole digest: nothing else becomes a path. A reply's
 * body lies within it. */
#include "checkpoint/registry.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct slice text = { (const char *)data, n };
	struct registry_request r;
	struct slice body;
	struct error err = ERROR_INIT;

	if (registry_body(text, &body, &err) == 0 &&
	    (body.s < text.s || body.s + body.n != text.s + text.n))
		abort();
	registry_head(text);
	if (registry_parse(text, &r, NULL) < 0)
		return 0;
	if (!move_id_is_valid(r.id) || r.container >= MOVE_CONTAINERS || r.from < 0 ||
	    (*r.digest && strspn(r.digest, "0123456789abcdef") != SHA256_HEX - 1))
		abort();
	return 0;
}
