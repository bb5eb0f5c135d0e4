/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_RT_PRESSURE_H
#define MCKUBE_NODE_RT_PRESSURE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Real-time time that pods were granted and did not receive (engine_missed()), as it is reported
 * for the node. The node is under pressure when in three of the last five seconds more than 1000 us
 * were missed, and no longer when in none of five seconds: what happens once moves no pod. */
enum {
	RT_PRESSURE_WINDOW = 5,	     /* samples, one a second */
	RT_PRESSURE_RISE = 3,	     /* of them above ... */
	RT_PRESSURE_ABOVE_US = 1000, /* us per second */
};

struct rt_pressure_reading {
	bool is_measured;  /* what is 0 is none, else it is unknown */
	uint32_t us;	   /* per second, the mean of the window; 0: no pressure */
	uint64_t total_us; /* since the helper started */
};

/* One thread samples, any may read. Zeroed to begin with. */
struct rt_pressure {
	pthread_mutex_t lock;
	struct rt_pressure_reading last;
	uint32_t samples[RT_PRESSURE_WINDOW]; /* us per second, a ring */
	uint32_t n_samples;
	int64_t sampled_ns;
};

/* `missed_us`: since the last sample, where that can be measured; what is missed for sure else. */
void rt_pressure_sample(struct rt_pressure *p, bool is_measured, uint64_t missed_us,
			int64_t now_ns);

struct rt_pressure_reading rt_pressure_read(struct rt_pressure *p);

#endif
