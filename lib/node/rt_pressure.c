/* SPDX-License-Identifier: Apache-2.0 */
#include "node/rt_pressure.h"

#include "base/units.h"

/* A node has fewer CPUs than this has thousands of us. */
enum { SAMPLE_MAX_US = 999999999 };

static uint32_t per_second(uint64_t us, int64_t ns)
{
	unsigned __int128 rate = (unsigned __int128)us * NS_PER_S / (uint64_t)ns;

	return rate > SAMPLE_MAX_US ? SAMPLE_MAX_US : (uint32_t)rate;
}

static uint32_t mean(const struct rt_pressure *p)
{
	uint64_t sum = 0;

	for (int i = 0; i < RT_PRESSURE_WINDOW; i++)
		sum += p->samples[i];
	return (uint32_t)(sum / RT_PRESSURE_WINDOW);
}

static int count_above(const struct rt_pressure *p)
{
	int n = 0;

	for (int i = 0; i < RT_PRESSURE_WINDOW; i++)
		n += p->samples[i] > RT_PRESSURE_ABOVE_US;
	return n;
}

static void update(struct rt_pressure *p)
{
	int n = count_above(p);
	bool is_pressed = n >= RT_PRESSURE_RISE || (p->last.us && n > 0);

	p->last.us = is_pressed ? mean(p) : 0;
}

void rt_pressure_sample(struct rt_pressure *p, bool is_measured, uint64_t missed_us, int64_t now_ns)
{
	int64_t passed = now_ns - p->sampled_ns;
	bool is_first = !p->sampled_ns;

	p->sampled_ns = now_ns;
	if (is_first || passed <= 0)
		return;
	p->samples[p->n_samples++ % RT_PRESSURE_WINDOW] = per_second(missed_us, passed);
	pthread_mutex_lock(&p->lock);
	p->last.is_measured = is_measured;
	p->last.total_us += missed_us;
	update(p);
	pthread_mutex_unlock(&p->lock);
}

struct rt_pressure_reading rt_pressure_read(struct rt_pressure *p)
{
	pthread_mutex_lock(&p->lock);
	struct rt_pressure_reading r = p->last;
	pthread_mutex_unlock(&p->lock);
	return r;
}
