/* SPDX-License-Identifier: Apache-2.0 */
#include "budget/thread_class.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { NAME_MAX_LEN = 63 };

static const char *const policy_names[] = {
	[THREAD_POLICY_KEEP] = "",
	[THREAD_POLICY_FIFO] = "FIFO",
	[THREAD_POLICY_RR] = "RR",
};

/* "value" or "name=value". */
struct entry {
	const char *name, *value;
	size_t name_len, value_len; /* name_len 0: without a name */
};

/* Takes the next entry off a list; false at its end. */
static bool next_entry(const char **at, struct entry *ret)
{
	if (!*at)
		return false;
	size_t n = strcspn(*at, ",");
	const char *equal = memchr(*at, '=', n);

	*ret = (struct entry){ .name = *at, .value = *at, .value_len = n };
	if (equal) {
		ret->name_len = (size_t)(equal - *at);
		ret->value = equal + 1;
		ret->value_len = n - ret->name_len - 1;
	}
	*at = (*at)[n] ? *at + n + 1 : NULL;
	return true;
}

static bool read_policy(const struct entry *e, uint8_t *ret)
{
	for (int i = THREAD_POLICY_FIFO; i <= THREAD_POLICY_RR; i++)
		if (strlen(policy_names[i]) == e->value_len &&
		    strncasecmp(policy_names[i], e->value, e->value_len) == 0) {
			*ret = (uint8_t)i;
			return true;
		}
	return false;
}

static bool read_priority(const struct entry *e, uint8_t *ret)
{
	unsigned n = 0;

	if (e->value_len < 1 || e->value_len > 2 || *e->value == '0')
		return false;
	for (size_t i = 0; i < e->value_len; i++) {
		if (e->value[i] < '0' || e->value[i] > '9')
			return false;
		n = n * 10 + (unsigned)(e->value[i] - '0');
	}
	*ret = (uint8_t)n;
	return n >= THREAD_PRIORITY_MIN && n <= THREAD_PRIORITY_MAX;
}

static bool is_name(const struct entry *e)
{
	if (e->name_len > NAME_MAX_LEN)
		return false;
	for (size_t i = 0; i < e->name_len; i++) {
		char c = e->name[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
			return false;
	}
	return true;
}

static bool is_given_before(const char *text, const struct entry *e)
{
	struct entry other;

	for (const char *at = text; next_entry(&at, &other) && other.name < e->name;)
		if (other.name_len == e->name_len && memcmp(other.name, e->name, e->name_len) == 0)
			return true;
	return false;
}

/* One value, or names that differ. */
static bool is_valid(const char *text, bool (*read)(const struct entry *e, uint8_t *ret))
{
	bool is_list = text && strchr(text, '=');
	struct entry e;
	uint8_t ignored;

	if (!text || !*text)
		return true;
	if (strlen(text) > THREAD_CLASS_TEXT_MAX || (!is_list && strchr(text, ',')))
		return false;
	for (const char *at = text; next_entry(&at, &e);)
		if (!read(&e, &ignored) || (e.name_len > 0) != is_list || !is_name(&e) ||
		    (is_list && is_given_before(text, &e)))
			return false;
	return true;
}

bool thread_policy_is_valid(const char *text)
{
	return is_valid(text, read_policy);
}

bool thread_priority_is_valid(const char *text)
{
	return is_valid(text, read_priority);
}

static void find(const char *text, const char *container,
		 bool (*read)(const struct entry *e, uint8_t *ret), uint8_t *ret)
{
	struct entry e;

	if (!text || !*text)
		return;
	for (const char *at = text; next_entry(&at, &e);)
		if (!e.name_len ||
		    (strlen(container) == e.name_len && memcmp(e.name, container, e.name_len) == 0))
			read(&e, ret);
}

struct thread_class thread_class_of(const char *policy, const char *priority, const char *container,
				    enum level criticality)
{
	static const uint8_t usual[LEVELS] = {
		[LEVEL_LOW] = 10,
		[LEVEL_MIDDLE] = 20,
		[LEVEL_HIGH] = 30,
	};
	struct thread_class c = { THREAD_POLICY_KEEP, usual[criticality] };

	find(policy, container, read_policy, &c.policy);
	find(priority, container, read_priority, &c.priority);
	if (c.policy == THREAD_POLICY_KEEP)
		c.priority = 0;
	return c;
}

bool thread_class_each_name(const char *text, bool (*visit)(const char *name, size_t n, void *arg),
			    void *arg)
{
	struct entry e;

	if (!text || !*text)
		return true;
	for (const char *at = text; next_entry(&at, &e);)
		if (e.name_len && !visit(e.name, e.name_len, arg))
			return false;
	return true;
}

const char *thread_class_format(struct thread_class c, char buf[static THREAD_CLASS_NAME])
{
	if (c.policy == THREAD_POLICY_KEEP)
		buf[0] = '\0';
	else
		snprintf(buf, THREAD_CLASS_NAME, "%s %d", policy_names[c.policy], c.priority);
	return buf;
}

void thread_class_add(struct str *out, const char *policy, const char *priority,
		      enum level criticality)
{
	char name[THREAD_CLASS_NAME];

	if (!policy || !*policy)
		return;
	if (!strchr(policy, '=') && !(priority && strchr(priority, '=')))
		str_add(out, thread_class_format(thread_class_of(policy, priority, "", criticality),
						 name));
	else
		str_addf(out, "%s%s%s", policy, priority && *priority ? " " : "",
			 priority ? priority : "");
}
