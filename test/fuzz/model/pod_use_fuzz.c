/* SPDX-License-Identifier: Apache-2.0 */
#include "model/pod_use.h"

#include <stdlib.h>

#include "base/auto.h"

/* What is read can be written, and reads the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO(arena_done) struct arena arena = { 0 };
	struct pod_uses uses = { 0 }, again = { 0 };
	AUTO(str_done) struct str text = STR_INIT;
	AUTO(json_out_done) struct json_out o = { .out = &text, .is_compact = true };
	struct error err;

	if (pod_uses_read((const char *)data, n, &arena, &uses, &err) < 0) {
		array_done(&uses.list);
		return 0;
	}
	json_out_object(&o);
	json_out_key(&o, "pods");
	json_out_array(&o);
	array_each(p, &uses.list)
		pod_use_write(&o, p);
	json_out_end(&o);
	json_out_end(&o);
	if (text.n <= POD_USE_READ_MAX) {
		if (pod_uses_read(text.s, text.n, &arena, &again, &err) < 0 ||
		    again.list.n != uses.list.n)
			abort();
		for (size_t i = 0; i < uses.list.n; i++)
			if (pod_used_us(&uses.list.items[i]) != pod_used_us(&again.list.items[i]))
				abort();
	}
	array_done(&uses.list);
	array_done(&again.list);
	return 0;
}
