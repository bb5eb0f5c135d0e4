/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rss.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

/* proc_pid_status(5): a line "VmRSS:     1234 kB". */
static uint64_t status_bytes(const char *key)
{
	AUTO_FILE FILE *f = fopen("/proc/self/status", "re");
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, key, strlen(key)) == 0)
			return strtoull(line + strlen(key), NULL, 10) << 10;
	return 0;
}

uint64_t rss_now(void)
{
	return status_bytes("VmRSS:");
}

uint64_t rss_peak(void)
{
	return status_bytes("VmHWM:");
}
