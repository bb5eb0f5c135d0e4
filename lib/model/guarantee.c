/* SPDX-License-Identifier: Apache-2.0 */
#include "model/guarantee.h"

#include <string.h>

#include "base/array.h"
#include "model/heartbeat.h"

static const struct {
	const char *backend;
	enum guarantee guarantee;
} backends[] = {
	{ "noop", GUARANTEE_ANY },	    { "cap-v1", GUARANTEE_CAP },
	{ "cap-v2", GUARANTEE_CAP },	    { "cgroup-v1", GUARANTEE_KERNEL },
	{ "deadline", GUARANTEE_KERNEL },   { "hcbs-max", GUARANTEE_KERNEL },
	{ "hcbs-multi", GUARANTEE_KERNEL }, { "hcbs-v2", GUARANTEE_KERNEL },
	{ "soft", GUARANTEE_REALTIME },
};

static const char *const names[] = {
	[GUARANTEE_ANY] = "Any",
	[GUARANTEE_CAP] = "Cap",
	[GUARANTEE_REALTIME] = "RealTime",
	[GUARANTEE_KERNEL] = "Kernel",
};

const char *guarantee_name(enum guarantee g)
{
	return names[g];
}

bool guarantee_parse(const char *text, enum guarantee *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(names[i], text) == 0) {
			*ret = (enum guarantee)i;
			return true;
		}
	return false;
}

bool backend_is_known(const char *backend)
{
	for (size_t i = 0; i < ARRAY_LEN(backends); i++)
		if (strcmp(backends[i].backend, backend) == 0)
			return true;
	return false;
}

enum guarantee guarantee_of_backend(const char *backend)
{
	for (size_t i = 0; i < ARRAY_LEN(backends); i++)
		if (strcmp(backends[i].backend, backend) == 0)
			return backends[i].guarantee;
	return GUARANTEE_ANY;
}

enum guarantee guarantee_of_node(const struct cluster *c, const struct node *node)
{
	return guarantee_of_backend(helper_backend(c, node));
}
