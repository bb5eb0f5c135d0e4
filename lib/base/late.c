/* SPDX-License-Identifier: Apache-2.0 */
#include "base/late.h"

#include <dlfcn.h>

int late_load(const char *library, const char *what, const struct late_row *rows, size_t n,
	      void *table, struct error *err)
{
	void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);

	if (!handle)
		return error_set(err, -ENOENT, "no %s without %s: %s", what, library, dlerror());
	for (size_t i = 0; i < n; i++) {
		void *function = dlsym(handle, rows[i].name);

		if (!function)
			return error_set(err, -ENOSYS, "%s is too old: it has no %s", library,
					 rows[i].name);
		*(void **)((char *)table + rows[i].offset) = function;
	}
	return 0;
}
