/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/json.h"
#include "test/unit/test.h"

/* Standard error as a file while a test runs. */
struct capture {
	FILE *file;
	int saved;
	char text[4096];
};

static int begin(void **state)
{
	static struct capture c;

	c = (struct capture){ .file = tmpfile(), .saved = dup(STDERR_FILENO) };
	dup2(fileno(c.file), STDERR_FILENO);
	*state = &c;
	return 0;
}

static const char *said(struct capture *c)
{
	rewind(c->file);
	c->text[fread(c->text, 1, sizeof(c->text) - 1, c->file)] = '\0';
	return c->text;
}

static int end(void **state)
{
	struct capture *c = *state;

	dup2(c->saved, STDERR_FILENO);
	close(c->saved);
	fclose(c->file);
	log_set_level(0);
	log_set_format(LOG_KLOG);
	return 0;
}

TEST_WITH(level_decides, begin, end)
{
	log_v(1, "not yet");
	log_set_level(2);
	log_v(2, "read %d files", 3);
	log_v(3, "too much");
	const char *text = said(*state);
	assert_null(strstr(text, "not yet"));
	assert_null(strstr(text, "too much"));
	assert_non_null(strstr(text, "log_test.c:"));
	assert_non_null(strstr(text, "] read 3 files\n"));
	assert_int_equal(text[0], 'I');
}

TEST_WITH(arguments_are_not_evaluated_below_the_level, begin, end)
{
	int n = 0;

	log_v(9, "%d", n++);
	assert_int_equal(n, 0);
}

TEST_WITH(warnings_need_no_level, begin, end)
{
	log_warning("odd");
	assert_int_equal(said(*state)[0], 'W');
}

TEST_WITH(a_line_stays_a_line, begin, end)
{
	char longer[3000];

	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	log_warning("a\n\033[31mb");
	log_warning("%s", longer);
	const char *text = said(*state);
	assert_non_null(strstr(text, "] a ?[31mb\n"));
	const char *second = strchr(text, '\n') + 1;
	assert_ptr_equal(strchr(second, '\n'), text + strlen(text) - 1);
	assert_true(strlen(second) <= 1024);
}

TEST_WITH(facts_are_members_of_json_alone, begin, end)
{
	const struct log_facts facts = { .pod = "x/a", .node = "", .action = "Bind" };

	log_v_about(0, &facts, "bound");
	log_set_format(LOG_JSON);
	log_warning_about(&facts, "not bound");

	AUTO_JSON cJSON *record = NULL;
	const char *text = said(*state), *json = strchr(text, '{');
	assert_null(memmem(text, (size_t)(json - text), "x/a", 3));
	assert_int_equal(json_parse(json, strlen(json), &record, NULL), 0);
	assert_string_equal(json_text(json_get(record, "pod")), "x/a");
	assert_string_equal(json_text(json_get(record, "action")), "Bind");
	assert_null(json_get(record, "node"));
	assert_null(json_get(record, "reason"));
}

TEST_WITH(json_is_one_object_a_line, begin, end)
{
	log_set_format(LOG_JSON);
	log_warning("a \"b\"\nc");
	log_v(0, "d");

	AUTO_JSON cJSON *first = NULL, *second = NULL;
	struct error err = ERROR_INIT;
	const char *text = said(*state), *end = strchr(text, '\n');
	assert_int_equal(json_parse(text, (size_t)(end - text), &first, &err), 0);
	assert_string_equal(json_text(json_get(first, "msg")), "a \"b\"\nc");
	assert_string_equal(json_text(json_get(first, "severity")), "warning");
	assert_int_equal(strncmp(json_text(json_get(first, "caller")), "log_test.c:", 11), 0);
	assert_int_equal(json_parse(end + 1, strlen(end + 1), &second, &err), 0);
	assert_string_equal(json_text(json_get(second, "severity")), "info");
	assert_true(strtod(end + strlen("\n{\"ts\":"), NULL) > 1.7e12);
}
