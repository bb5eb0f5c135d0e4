/* SPDX-License-Identifier: Apache-2.0 */
/* Any Pod object: read, decided about, and made a new one of. */
#include <stdint.h>
#include <stdlib.h>

#include "base/auto.h"
#include "migrate/decide.h"
#include "migrate/new_pod.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO_JSON cJSON *json = NULL, *new = NULL;
	AUTO(str_done) struct str text = STR_INIT;
	struct move_decision d;
	struct error err = ERROR_INIT;
	struct move_pod p;

	if (json_parse((const char *)data, n, &json, NULL) < 0 || move_pod_read(json, &p, &err) < 0)
		return 0;
	const struct move_view views[] = { { &p, NULL, 9, 0 },
					   { &p, &p, 9, 0 },
					   { NULL, &p, 9, 0 } };
	for (size_t i = 0; i < 3; i++)
		move_decide(&views[i], &d);
	if (!move_is_promised(&p) || !p.node)
		return 0;
	new_pod_write(&p, &text);
	if (json_parse(text.s, text.n, &new, NULL) < 0)
		abort();
	return 0;
}
