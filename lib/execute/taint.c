/* SPDX-License-Identifier: Apache-2.0 */
#include "execute/taint.h"

#include <string.h>

#include "base/names.h"
#include "execute/assignment.h"

static bool is_preference(const struct action *a)
{
	return a->reason == REASON_NODE_PRESSURE || a->reason == REASON_NODE_RELIEVED;
}

static const char *key_of(const struct action *a)
{
	return is_preference(a) ? MCKUBE_PRESSURE : MCKUBE_TAINT;
}

static bool is_ours(const cJSON *taint, const struct action *a)
{
	const char *key = json_text(json_get(taint, "key"));

	return key && strcmp(key, key_of(a)) == 0;
}

static cJSON *make(const struct action *a)
{
	cJSON *taint = cJSON_CreateObject();
	char date[DATE_TEXT];

	cJSON_AddStringToObject(taint, "key", key_of(a));
	cJSON_AddStringToObject(taint, "value", "True");
	cJSON_AddStringToObject(taint, "effect",
				is_preference(a) ? "PreferNoSchedule" : "NoSchedule");
	if (a->since)
		cJSON_AddStringToObject(taint, "timeAdded", assignment_date(a->since, date));
	return taint;
}

cJSON *taints_changed(const cJSON *taints, const struct action *a)
{
	cJSON *list = cJSON_CreateArray();
	const cJSON *taint;

	cJSON_ArrayForEach(taint, taints) {
		if (!is_ours(taint, a))
			cJSON_AddItemToArray(list, cJSON_Duplicate(taint, true));
	}
	if (a->kind == ACTION_TAINT)
		cJSON_AddItemToArray(list, make(a));
	return list;
}
