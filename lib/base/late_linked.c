/* SPDX-License-Identifier: Apache-2.0 */
#include "base/late.h"

#include <nss.h>

/* A static glibc would load the modules that /etc/nsswitch.conf of the machine names, and with them
 * the machine's glibc, which may be another version. Files and DNS are part of it since glibc 2.34.
 */
static __attribute__((constructor)) void use_own_lookups(void)
{
	__nss_configure_lookup("hosts", "files dns");
	__nss_configure_lookup("services", "files");
}

int late_load(const char *library, const char *what, const struct late_row *rows, size_t n,
	      void *table, struct error *err)
{
	(void)library;
	(void)what;
	(void)err;
	for (size_t i = 0; i < n; i++)
		*(void **)((char *)table + rows[i].offset) = rows[i].linked;
	return 0;
}
