/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/kubeconfig.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct kubeconfig c = { 0 };
	struct error err = ERROR_INIT;

	if (kubeconfig_add_text(&c, (const char *)data, n, "/x/config", &err) < 0 && !err.msg[0])
		__builtin_trap();
	kubeconfig_done(&c);
	return 0;
}
