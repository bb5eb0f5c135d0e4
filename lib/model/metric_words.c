/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "model/economy.h"

const char *const metric_type_words[] = {
	[METRIC_COST] = "cost", [METRIC_POWER] = "power",   [METRIC_LATENCY] = "latency",
	[METRIC_CPU] = "cpu",	[METRIC_MEMORY] = "memory", [METRIC_GPU] = "gpu",
	[METRIC_TYPES] = NULL,
};

const char *const node_metric_words[] = {
	[NODE_METRIC_NONE] = "",
	[NODE_METRIC_PRICE] = "price",
	[NODE_METRIC_POWER] = "power",
	[NODE_METRIC_KINDS] = NULL,
};

const char *const alert_type_words[] = {
	[ALERT_BUDGET_USAGE] = "budget_usage",
	[ALERT_COST_INCREASE] = "cost_increase",
	[ALERT_ANOMALY] = "anomaly",
	[ALERT_POWER_USAGE] = "power_usage",
	[ALERT_POWER_EFFICIENCY] = "power_efficiency",
	[ALERT_CARBON] = "carbon_footprint",
	NULL,
};

const char *const alert_action_words[] = {
	[ALERT_NOTIFY] = "notify",	 [ALERT_SCALE_DOWN] = "scale_down", [ALERT_PAUSE] = "pause",
	[ALERT_TERMINATE] = "terminate", [ALERT_MIGRATE] = "migrate",	    NULL,
};

const char *const no_scale_words[] = {
	[NO_SCALE_NONE] = "",
	[NO_SCALE_UNKNOWN] = "Unknown",
	[NO_SCALE_NO_KIND] = "NoKind",
	[NO_SCALE_NOT_NAMESPACED] = "NotNamespaced",
	[NO_SCALE_NO_SUBRESOURCE] = "NoSubresource",
	[NO_SCALE_NOT_FOUND] = "NotFound",
	[NO_SCALE_FORBIDDEN] = "Forbidden",
	[NO_SCALE_UNAVAILABLE] = "Unavailable",
	NULL,
};

const char *const no_value_words[] = {
	[NO_VALUE_UNKNOWN] = "Unknown",
	[NO_VALUE_NO_DATA] = "NoData",
	[NO_VALUE_NOT_A_NUMBER] = "NotANumber",
	[NO_VALUE_NEGATIVE] = "Negative",
	[NO_VALUE_TOO_LARGE] = "TooLarge",
	[NO_VALUE_SEVERAL] = "SeveralValues",
	[NO_VALUE_STALE] = "Stale",
	[NO_VALUE_UNAVAILABLE] = "Unavailable",
	[NO_VALUE_REFUSED] = "Refused",
	[NO_VALUE_BAD_ANSWER] = "BadAnswer",
	[NO_VALUE_NOT_CONFIGURED] = "NotConfigured",
	NULL,
};
