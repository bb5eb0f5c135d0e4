/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_BACKEND_FILE_H
#define MCKUBE_NODE_BACKEND_FILE_H

#include "node/backend/backend.h"

/* The two forms in which the kernel has a budget in files: "RUNTIME PERIOD" in one, such as
 * cpu.max and cpu.rt.max, or a number in each of two, runtime and period. printf() is not used: see
 * node/sysfs.h. */

enum { FILE_RUNTIME, FILE_PERIOD };

int group_read_number(const struct group *g, int file, int64_t *ret, struct error *err);
int group_write_number(struct group *g, int file, int64_t value, struct error *err);

/* Both numbers. */
int group_read_numbers(const struct group *g, struct bandwidth *ret, struct error *err);
/* The one that `field` says. */
int group_write_field(struct group *g, enum budget_field field, struct bandwidth to,
		      struct error *err);

/* "max" is RUNTIME_UNLIMITED. */
int group_read_pair(const struct group *g, struct bandwidth *ret, struct error *err);
int group_write_pair(struct group *g, struct bandwidth to, struct error *err);

/* The text of such a pair. */
bool budget_parse(const char *text, struct bandwidth *ret);

#endif
