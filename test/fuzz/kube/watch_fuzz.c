/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/watch.h"

#include <stdint.h>

#include "base/auto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO(str_done) struct str version = STR_INIT;
	struct slice line = { n ? (const char *)data : "", n };
	struct error err = ERROR_INIT;
	struct kube_status status;
	struct watch_event event;

	if (watch_parse(line, &event, &version, &err) < 0) {
		if (!err.msg[0])
			__builtin_trap();
	} else if (event.object.s < line.s || event.object.s + event.object.n > line.s + line.n) {
		__builtin_trap();
	}
	if (kube_status_error(500, line, &status, &err) >= 0)
		__builtin_trap();
	return 0;
}
