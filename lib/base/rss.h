/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BASE_RSS_H
#define MCKUBE_BASE_RSS_H

#include <stdint.h>

/* What this process has in memory now, and the most that it had since exec, in bytes; 0 where /proc
 * does not say. Not getrusage()'s ru_maxrss, which counts what the process was before exec. */
uint64_t rss_now(void);
uint64_t rss_peak(void);

#endif
