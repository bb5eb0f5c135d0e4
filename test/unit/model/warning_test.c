/* SPDX-License-Identifier: Apache-2.0 */
#include "model/warning.h"

#include <string.h>

#include "test/unit/test.h"

struct fixture {
	struct arena arena;
	struct warnings warnings;
};

static int start(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->warnings.arena = &f->arena;
	*state = f;
	return 0;
}

static int stop(void **state)
{
	struct fixture *f = *state;

	array_done(&f->warnings.list);
	arena_done(&f->arena);
	free(f);
	return 0;
}

TEST_WITH(an_object_is_named_with_its_namespace, start, stop)
{
	struct fixture *f = *state;

	warning_add(&f->warnings, "McKube", "default", "brake", "BadBudget", "%s: %d", "spec.x", 7);

	const struct warning *n = &f->warnings.list.items[0];
	assert_string_equal(n->object, "McKube default/brake");
	assert_string_equal(n->reason, "BadBudget");
	assert_string_equal(n->message, "spec.x: 7");
}

TEST_WITH(an_object_without_namespace_has_no_slash, start, stop)
{
	struct fixture *f = *state;

	warning_add(&f->warnings, "Node", "", "edge-1", "BadNodeAnnotation", "x");
	assert_string_equal(f->warnings.list.items[0].object, "Node edge-1");
}

TEST_WITH(notices_keep_their_order_and_their_own_text, start, stop)
{
	struct fixture *f = *state;
	char name[] = "a";

	for (int i = 0; i < 20; i++) {
		warning_add(&f->warnings, "Pod", "x", name, "SourceConflict", "number %d", i);
		name[0]++;
	}
	name[0] = '?';
	assert_int_equal(f->warnings.list.n, 20);
	assert_string_equal(f->warnings.list.items[0].object, "Pod x/a");
	assert_string_equal(f->warnings.list.items[19].object, "Pod x/t");
	assert_string_equal(f->warnings.list.items[19].message, "number 19");
}

TEST_WITH(a_long_message_is_kept_whole, start, stop)
{
	struct fixture *f = *state;
	char text[5000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	warning_add(&f->warnings, "Pod", "x", "a", "Unsupported", "%s!", text);
	assert_int_equal(strlen(f->warnings.list.items[0].message), sizeof(text));
}
