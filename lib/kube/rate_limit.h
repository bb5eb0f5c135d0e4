/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_KUBE_RATE_LIMIT_H
#define MCKUBE_KUBE_RATE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

/* How fast requests may follow each other. Times are those of base/clock.h.
 *
 * A bucket that holds `burst` tokens and gets `qps` new ones a second; a request takes one. */
struct rate_limit {
	uint32_t qps, burst; /* qps 0: no limit */
	double tokens;
	int64_t filled_ms;
};

void rate_limit_init(struct rate_limit *p, uint32_t qps, uint32_t burst, int64_t now_ms);

/* Takes a token. False when there is none: *ret_due_ms is when there will be one. */
bool rate_limit_take(struct rate_limit *p, int64_t now_ms, int64_t *ret_due_ms);

#endif
