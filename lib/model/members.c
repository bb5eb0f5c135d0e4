/* SPDX-License-Identifier: Apache-2.0 */
#include "model/members.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/date.h"
#include "budget/budget.h"
#include "budget/cpuset.h"
#include "budget/recovery.h"
#include "budget/thread_class.h"
#include "model/cluster.h"
#include "model/guarantee.h"

#define ANNOTATION_PATH(key) "metadata.annotations[" key "]"

const struct member_row pod_annotation_rows[] = {
#define ROW(member, key, form, part) \
	{ key, ANNOTATION_PATH(key), offsetof(struct pod_annotations, member), form, part },
	POD_ANNOTATIONS(ROW)
#undef ROW
};

const struct member_row node_annotation_rows[] = {
#define ROW(member, key, form) \
	{ key, ANNOTATION_PATH(key), offsetof(struct node_annotations, member), form, 0 },
	NODE_ANNOTATIONS(ROW)
#undef ROW
};

const struct member_row namespace_annotation_rows[] = {
#define ROW(member, key, form) \
	{ key, ANNOTATION_PATH(key), offsetof(struct namespace_annotations, member), form, 0 },
	NAMESPACE_ANNOTATIONS(ROW)
#undef ROW
};

const struct member_row mckube_rows[] = {
#define ROW(member, key, form, at) { key, at key, offsetof(struct mckube, member), form, 0 },
	MCKUBE_MEMBERS(ROW)
#undef ROW
};

/* The longest number that means something here: a period in microseconds has seven digits. */
enum { NUMBER_MAX = 7, TOPOLOGY_CPU_MAX = 4 };

static bool is_one_of(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (strcasecmp(text, *words) == 0)
			return true;
	return false;
}

static bool is_number(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return n >= 1 && n <= NUMBER_MAX && !text[n];
}

/* An int32, in ten digits at most. */
static bool is_signed(const char *text)
{
	text += *text == '-';
	size_t n = strspn(text, "0123456789");

	return n >= 1 && n <= 10 && !text[n];
}

static bool is_percent(const char *text)
{
	size_t n = strspn(text, "0123456789");

	if (n < 1 || n > NUMBER_MAX)
		return false;
	text += n;
	if (*text == '.')
		text += 1 + strspn(text + 1, "0123456789");
	return !*text || strcmp(text, "%") == 0;
}

static bool is_cpus(const char *text)
{
	struct cpuset ignored;

	return cpuset_parse(text, strlen(text), &ignored, NULL) == 0;
}

static bool is_time(const char *text)
{
	int64_t ignored;

	return date_parse(text, strlen(text), &ignored);
}

static bool is_topology(const char *text)
{
	while (*text) {
		size_t n = strspn(text, "0123456789");

		if (n > TOPOLOGY_CPU_MAX || (n == 0 && !strchr(",- |/", *text)))
			return false;
		text += n ? n : 1;
	}
	return true;
}

bool member_fits(enum member_form form, const char *text)
{
	static const char *const bools[] = { "true", "false", NULL };
	static const char *const migrations[] = { "Never", "Restart", "Checkpoint", NULL };
	static const char *const scopes[] = { "core", "node", NULL };
	static const char *const sources[] = { "mckube", "annotations", "rt-operator", NULL };
	enum enforcement enforcement;
	enum guarantee guarantee;
	struct recovery recovery;
	enum level level;
	uint8_t mode;

	switch (form) {
	case FORM_TEXT:
	case FORM_NAME:
	case FORM_PAIR:
		return false;
	case FORM_NUMBER:
		return is_number(text);
	case FORM_PERCENT:
		return is_percent(text);
	case FORM_BOOL:
		return is_one_of(text, bools);
	case FORM_CPUS:
		return is_cpus(text);
	case FORM_TIME:
		return is_time(text);
	case FORM_TOPOLOGY:
		return is_topology(text);
	case FORM_CRITICALITY:
		return criticality_parse(text, &level);
	case FORM_LEVEL:
		return level_parse(text, &level) || strcmp(text, LEVEL_NAME_FLOOR) == 0;
	case FORM_ENFORCEMENT:
		return enforcement_parse(text, &enforcement);
	case FORM_RECOVERY:
		return recovery_parse(text, &recovery);
	case FORM_RECOVERY_MODE:
		return recovery_mode_parse(text, &mode);
	case FORM_MIGRATION:
		return is_one_of(text, migrations);
	case FORM_SCOPE:
		return is_one_of(text, scopes);
	case FORM_SOURCE:
		return is_one_of(text, sources);
	case FORM_GUARANTEE:
		return guarantee_parse(text, &guarantee);
	case FORM_CHECKPOINT:
		return strncmp(text, "criu=", 5) == 0 &&
		       !text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789=,.-+~")];
	case FORM_BACKEND:
		return backend_is_known(text);
	case FORM_POLICY:
		return *text && !strchr(text, '=') && thread_policy_is_valid(text);
	case FORM_PRIORITY:
		return *text && !strchr(text, '=') && thread_priority_is_valid(text);
	case FORM_HOURS:
		return *text && !text[strspn(text, "0123456789:-")];
	case FORM_SIGNED:
		return is_signed(text);
	case FORM_DURATION:
		return *text && strspn(text, "0123456789.hms") == strlen(text);
	case FORM_PROPOSAL:
		return *text && strspn(text, "0123456789:") == strlen(text);
	case FORM_CURVE:
		return *text && strspn(text, "0123456789.:,") == strlen(text);
	}
	return false;
}
