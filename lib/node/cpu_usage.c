/* SPDX-License-Identifier: Apache-2.0 */
#include "node/cpu_usage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "node/sysfs.h"

enum { FIELD_IDLE = 3, FIELD_IOWAIT = 4, FIELDS = 8 /* guest time is in user time already */ };

/* "cpu  user nice system idle iowait irq softirq steal guest guest_nice", in clock ticks. */
static bool parse(const char *text, uint64_t *ret_total, uint64_t *ret_idle)
{
	const char *at = text + 4;

	if (strncmp(text, "cpu ", 4) != 0)
		return false;
	*ret_total = *ret_idle = 0;
	for (int i = 0; i < FIELDS; i++) {
		char *end;
		unsigned long long ticks = strtoull(at, &end, 10);

		if (end == at)
			return i > FIELD_IOWAIT;
		at = end;
		*ret_total += ticks;
		if (i == FIELD_IDLE || i == FIELD_IOWAIT)
			*ret_idle += ticks;
	}
	return true;
}

static void update(struct cpu_usage *u, struct cpu_reading *r, int64_t now_ns)
{
	if (r->ppm > u->busy_above) {
		r->over_since_ns = r->over_since_ns ? r->over_since_ns : now_ns;
		u->below_since_ns = 0;
		r->is_busy = true;
		return;
	}
	r->over_since_ns = 0;
	u->below_since_ns = u->below_since_ns ? u->below_since_ns : now_ns;
	if (now_ns - u->below_since_ns >= u->calm_ns)
		r->is_busy = false;
}

struct cpu_reading cpu_usage_read(struct cpu_usage *u)
{
	pthread_mutex_lock(&u->lock);
	struct cpu_reading r = u->last;
	pthread_mutex_unlock(&u->lock);
	return r;
}

int cpu_usage_sample(struct cpu_usage *u, const struct kernel_roots *roots, int64_t now_ns,
		     struct error *err)
{
	char path[PATH_MAX], buf[SYSFS_VALUE];
	uint64_t total, idle;

	snprintf(path, sizeof(path), "%s/stat", roots->proc);
	if (sysfs_read(AT_FDCWD, path, buf, sizeof(buf), err) < 0)
		return err ? err->code : -EIO;
	if (!parse(buf, &total, &idle))
		return error_set(err, -EINVAL, "%s: first line is not the CPU time", path);
	uint64_t passed = total - u->total, rested = idle - u->idle;
	if (u->total && passed > 0 && rested <= passed) {
		pthread_mutex_lock(&u->lock);
		u->last.ppm = (uint32_t)((unsigned __int128)(passed - rested) * PPM / passed);
		update(u, &u->last, now_ns);
		pthread_mutex_unlock(&u->lock);
	}
	u->total = total;
	u->idle = idle;
	return 0;
}
