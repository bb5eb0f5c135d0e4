/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/relief/pressure.h"

#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "budget/budget.h"
#include "model/heartbeat.h"

/* A number of at most nine digits before the point; what follows the point is dropped. -1: none. */
static int64_t read_number(const char *text)
{
	char *end;
	size_t n = strspn(text, "0123456789");

	if (n == 0 || n > 9)
		return -1;
	int64_t value = strtol(text, &end, 10);
	return *end == '\0' || *end == '.' || *end == '%' ? value : -1;
}

int64_t pressure_usage(const struct cluster *c, const struct node *node)
{
	int64_t percent = read_number(cluster_str(c, node->annotations.cpu_usage));

	return percent < 0 ? -1 : percent * (PPM / PER_CENT);
}

int64_t pressure_lost(const struct cluster *c, const struct node *node)
{
	int64_t us = read_number(cluster_str(c, node->annotations.rt_pressure));

	return us < 0 ? 0 : us;
}

static enum pressure cpu_pressure(const struct cluster *c, const struct node *node,
				  const struct settings *settings)
{
	const char *flag = cluster_str(c, node->annotations.is_busy);
	int64_t usage = pressure_usage(c, node);
	int64_t seconds = read_number(cluster_str(c, node->annotations.busy_seconds));
	bool is_flagged = strcmp(flag, "true") == 0;

	if (!is_flagged && (usage < 0 || usage < settings->pressure.calm))
		return PRESSURE_CALM;
	if ((*flag && !is_flagged) || (usage >= 0 && usage < settings->pressure.busy))
		return PRESSURE_BETWEEN;
	return seconds >= 0 && seconds < settings->pressure.delay_seconds ? PRESSURE_SOON
									  : PRESSURE_BUSY;
}

enum pressure pressure_of(const struct cluster *c, const struct node *node,
			  const struct settings *settings, bool is_refused)
{
	if (!settings->pressure.enabled)
		return PRESSURE_CALM;
	if (helper_state(c, node) == HELPER_SILENT)
		return PRESSURE_BETWEEN;
	if (settings->pressure.trigger == PRESSURE_CPU)
		return cpu_pressure(c, node, settings);
	return pressure_lost(c, node) > 0 || is_refused ? PRESSURE_BUSY : PRESSURE_CALM;
}

int64_t pressure_excess(const struct cluster *c, const struct node *node,
			const struct settings *settings)
{
	int64_t excess = pressure_lost(c, node);

	if (settings->pressure.trigger == PRESSURE_CPU)
		excess = (pressure_usage(c, node) - settings->pressure.busy) *
			 node->capacity_cpu_milli / 1000;
	return excess > 0 ? excess : 1;
}

bool pressure_is_refused(const struct cluster *c, const struct pod *pod)
{
	str_id applied =
		pod->annotations == NONE ? NONE : c->annotations.items[pod->annotations].applied;

	return applied != NONE && strcmp(cluster_str(c, applied), "false") == 0;
}
