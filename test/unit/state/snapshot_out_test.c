/* SPDX-License-Identifier: Apache-2.0 */
#include "state/snapshot_out.h"

#include <string.h>

#include "base/auto.h"
#include "test/unit/test.h"

static void assert_list(enum list_format format, const char *const *objects, const char *expect)
{
	AUTO_FREE char *text = NULL;
	AUTO(list_out_done) struct list_out l = { .text = STR_INIT };
	size_t n;
	struct error err;

	FILE *out = open_memstream(&text, &n);
	list_out_begin(&l, out, format);
	for (; *objects; objects++)
		assert_int_equal(list_out_add(&l, slice_of(*objects), &err), 0);
	list_out_end(&l);
	fclose(out);
	assert_string_equal(text, expect);
}

static const char *const none[] = { NULL };
static const char *const two[] = {
	"{\"kind\":\"Pod\",\"n\":1.50,\"e\":{},\"l\":[ ],\"s\":\"a \\\" } ,b\"}",
	" {\n\t\"l\" : [1, [2 ,3]],\"big\":9007199254740993}\n",
	NULL,
};

TEST(json_is_indented_and_otherwise_untouched)
{
	assert_list(LIST_JSON, two,
		    "{\n"
		    "  \"apiVersion\": \"v1\",\n"
		    "  \"kind\": \"List\",\n"
		    "  \"items\": [\n"
		    "    {\n"
		    "      \"kind\": \"Pod\",\n"
		    "      \"n\": 1.50,\n"
		    "      \"e\": {},\n"
		    "      \"l\": [],\n"
		    "      \"s\": \"a \\\" } ,b\"\n"
		    "    },\n"
		    "    {\n"
		    "      \"l\": [\n"
		    "        1,\n"
		    "        [\n"
		    "          2,\n"
		    "          3\n"
		    "        ]\n"
		    "      ],\n"
		    "      \"big\": 9007199254740993\n"
		    "    }\n"
		    "  ]\n"
		    "}\n");
}

TEST(an_empty_list_is_a_list)
{
	assert_list(LIST_JSON, none,
		    "{\n  \"apiVersion\": \"v1\",\n  \"kind\": \"List\",\n  \"items\": []\n}\n");
	assert_list(LIST_YAML, none, "apiVersion: v1\nkind: List\nitems: []\n");
}

TEST(yaml_objects_become_elements)
{
	static const char *const objects[] = { "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"}}",
					       "{\"text\":\"one\\n\\ntwo\\n\"}", NULL };

	assert_list(LIST_YAML, objects,
		    "apiVersion: v1\nkind: List\nitems:\n"
		    "- kind: Pod\n"
		    "  metadata:\n"
		    "    name: a\n"
		    "- text: |\n"
		    "    one\n"
		    "\n"
		    "    two\n");
}
