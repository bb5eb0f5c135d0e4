/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/scan.h"

/* The scanner and the parser agree, but for NUL characters; what is printed reads back the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct slice text = { (const char *)data, n };
	AUTO_JSON cJSON *tree = NULL, *again = NULL;
	struct error err;
	int scanned = scan_check(text, NULL);

	if (json_parse(text.s, text.n, &tree, &err) < 0) {
		if (scanned == 0 && !strstr(err.msg, "NUL"))
			abort();
		return 0;
	}
	if (scanned < 0)
		abort();

	AUTO_FREE char *first = cJSON_PrintUnformatted(tree);
	if (json_parse(first, strlen(first), &again, &err) < 0)
		abort();
	AUTO_FREE char *second = cJSON_PrintUnformatted(again);
	if (strcmp(first, second) != 0)
		abort();
	json_sort(tree);
	return 0;
}
