/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/metric_answer.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Whatever is answered: a value within its range, or a reason in one line. */
static void check(const struct metric_value *v)
{
	if (!memchr(v->why, 0, sizeof(v->why)) || strchr(v->why, '\n'))
		__builtin_trap();
	if (v->has_value ? v->value < 0 || v->at < 0 || v->reason
			 : v->reason <= NO_VALUE_UNKNOWN || v->reason > NO_VALUE_NOT_CONFIGURED)
		__builtin_trap();
}

static void check_node(const struct metric_of_node *m, void *arg)
{
	(void)arg;
	if (!memchr(m->node, 0, sizeof(m->node)))
		__builtin_trap();
	check(&m->value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct slice body = { n ? (const char *)data : "", n };
	struct metric_value v;
	char why[METRIC_WHY_MAX];

	metric_answer_prometheus(body, &v);
	check(&v);
	metric_answer_nodes(body, check_node, NULL, &v);
	check(&v);
	metric_answer_list(body, METRIC_MEAN, &v);
	check(&v);
	metric_answer_list(body, METRIC_SUM, &v);
	check(&v);
	if (metric_answer_problem(body, why) && !memchr(why, 0, sizeof(why)))
		__builtin_trap();
	return 0;
}
