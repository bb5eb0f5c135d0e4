/* SPDX-License-Identifier: Apache-2.0 */
#include "budget/recovery.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "base/units.h"

enum { RECOVERY_MODES = 2 };

static const char *const modes[RECOVERY_MODES] = { "consumption", "nodeCpu" };

static const struct {
	const char *name;
	size_t at;
	long max;
} numbers[] = {
	{ "delaySeconds", offsetof(struct recovery, delay_seconds), RECOVERY_DELAY_MAX },
	{ "threshold", offsetof(struct recovery, threshold), PER_CENT },
};

static const int32_t *number_of(const struct recovery *r, size_t i)
{
	return (const void *)((const char *)r + numbers[i].at);
}

static bool is_usual(const struct recovery *r)
{
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		if (*number_of(r, i) != RECOVERY_NOT_GIVEN)
			return false;
	return r->mode == RECOVERY_CONSUMPTION;
}

const char *recovery_format(const struct recovery *r, char buf[static RECOVERY_TEXT])
{
	size_t n;

	buf[0] = '\0';
	if (is_usual(r))
		return buf;
	n = (size_t)snprintf(buf, RECOVERY_TEXT, "%s", modes[r->mode]);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		int32_t value = *number_of(r, i);

		if (value != RECOVERY_NOT_GIVEN)
			n += (size_t)snprintf(buf + n, RECOVERY_TEXT - n, ",%s=%d", numbers[i].name,
					      value);
	}
	return buf;
}

static bool parse_mode(const char *word, size_t n, uint8_t *ret)
{
	for (int i = 0; i < RECOVERY_MODES; i++) {
		if (strlen(modes[i]) != n || strncasecmp(word, modes[i], n) != 0)
			continue;
		*ret = (uint8_t)i;
		return true;
	}
	return false;
}

/* "delaySeconds=10" */
static bool parse_number(const char *word, size_t n, struct recovery *r)
{
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		size_t name = strlen(numbers[i].name);
		char *end;

		if (n < name + 2 || strncasecmp(word, numbers[i].name, name) != 0 ||
		    word[name] != '=' || word[name + 1] < '0' || word[name + 1] > '9')
			continue;
		long value = strtol(word + name + 1, &end, 10);
		if (end != word + n || value > numbers[i].max)
			return false;
		*(int32_t *)(void *)((char *)r + numbers[i].at) = (int32_t)value;
		return true;
	}
	return false;
}

bool recovery_parse(const char *text, struct recovery *ret)
{
	struct recovery r = RECOVERY_DEFAULT;
	size_t n = strcspn(text, ",");

	if (*text && !parse_mode(text, n, &r.mode))
		return false;
	for (text += n; *text == ','; text += n) {
		n = strcspn(++text, ",");
		if (!parse_number(text, n, &r))
			return false;
	}
	*ret = r;
	return true;
}

bool recovery_mode_parse(const char *word, uint8_t *ret)
{
	return parse_mode(word, strlen(word), ret);
}
