/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/rate_limit.h"

void rate_limit_init(struct rate_limit *p, uint32_t qps, uint32_t burst, int64_t now_ms)
{
	*p = (struct rate_limit){
		.qps = qps, .burst = burst, .tokens = burst, .filled_ms = now_ms
	};
}

bool rate_limit_take(struct rate_limit *p, int64_t now_ms, int64_t *ret_due_ms)
{
	double rate = p->qps / 1000.0;

	if (!p->qps)
		return true;
	p->tokens += (double)(now_ms - p->filled_ms) * rate;
	p->filled_ms = now_ms;
	if (p->tokens > p->burst)
		p->tokens = p->burst;
	if (p->tokens >= 1) {
		p->tokens -= 1;
		return true;
	}
	*ret_due_ms = now_ms + (int64_t)((1 - p->tokens) / rate) + 1;
	return false;
}
