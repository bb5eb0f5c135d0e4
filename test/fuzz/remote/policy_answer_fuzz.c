/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/policy_engine.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct policy_answer answer = { 0 };
	struct error err = ERROR_INIT;
	int r = policy_parse((struct slice){ n ? (const char *)data : "", n }, &answer, &err);

	if (r == 0 ? !answer.was_given || !memchr(answer.reason, 0, sizeof(answer.reason))
		   : answer.is_allowed || answer.was_given)
		__builtin_trap();
	return 0;
}
