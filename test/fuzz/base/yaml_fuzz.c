/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/scan.h"
#include "base/yaml.h"

/* Every document is good JSON, and written as YAML it reads as the same JSON. */
static int check(struct slice json, uint32_t document, uint32_t line, void *arg, struct error *err)
{
	AUTO(str_done) struct str yaml = STR_INIT, back = STR_INIT;

	(void)document;
	(void)line;
	(void)arg;
	if (scan_check(json, err) < 0 || yaml_from_json(json.s, json.n, &yaml, err) < 0 ||
	    yaml_to_json(yaml.s, yaml.n, NULL, &back, err) < 0)
		abort();
	if (back.n != json.n || memcmp(back.s, json.s, json.n) != 0)
		abort();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct yaml_limits limits = { .max_bytes = 1 << 16, .max_aliased = 1000 };

	yaml_each((const char *)data, n, &limits, check, NULL, NULL);
	return 0;
}
