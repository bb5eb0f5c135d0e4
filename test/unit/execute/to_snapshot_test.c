/* SPDX-License-Identifier: Apache-2.0 */
#include "execute/to_snapshot.h"

#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "test/unit/test.h"

static char path[] = "/tmp/to_snapshot_test.XXXXXX.yaml";

static void write_input(const char *text)
{
	AUTO_FILE FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(text, f);
}

static int make_file(void **state)
{
	(void)state;

	AUTO_CLOSE int fd = mkstemps(path, 5);
	return fd < 0 ? -1 : 0;
}

static int drop_file(void **state)
{
	(void)state;
	return unlink(path);
}

static struct action on(enum action_kind kind, const char *name)
{
	return (struct action){ .id = 1,
				.kind = kind,
				.on = { "Pod", "default", name, "", "", "v1" } };
}

static int run(struct plan *p, const char *input, enum list_format format, char **ret_text,
	       struct error *err)
{
	size_t n;

	write_input(input);

	FILE *out = open_memstream(ret_text, &n);
	int r = execute_on_files(p, &(struct source){ path, false }, 1, format, out, err);
	fclose(out);
	return r;
}

static void becomes(struct plan *p, const char *input, const char *expect)
{
	AUTO_FREE char *text = NULL;
	struct error err = ERROR_INIT;

	assert_int_equal(run(p, input, LIST_YAML, &text, &err), 0);
	assert_string_equal(text, expect);
}

TEST(what_the_plan_does_not_name_passes_through_in_order)
{
	AUTO(plan_done) struct plan p = { 0 };

	becomes(&p,
		"kind: Widget\nmetadata: {name: w}\nspec: {big: 9007199254740993, f: 1.5}\n---\n"
		"kind: List\nitems:\n- {kind: Node, metadata: {name: node}}\n- {nothing: 1}\n",
		"apiVersion: v1\nkind: List\nitems:\n"
		"- kind: Widget\n  metadata:\n    name: w\n  spec:\n    big: 9007199254740993\n"
		"    f: 1.5\n"
		"- kind: Node\n  metadata:\n    name: node\n"
		"- nothing: 1\n");
}

TEST(the_last_of_two_objects_stays)
{
	AUTO(plan_done) struct plan p = { 0 };

	becomes(&p,
		"kind: Pod\nmetadata: {name: a}\nx: 1\n---\n"
		"kind: Pod\nmetadata: {name: b}\n---\n"
		"kind: Pod\nmetadata: {name: a, namespace: default}\nx: 2\n",
		"apiVersion: v1\nkind: List\nitems:\n"
		"- kind: Pod\n  metadata:\n    name: b\n"
		"- kind: Pod\n  metadata:\n    name: a\n    namespace: default\n  x: 2\n");
}

TEST(actions_are_executed_in_order)
{
	AUTO(plan_done) struct plan p = { 0 };
	struct action a = on(ACTION_SET_LEVEL, "a");

	a.to.level = LEVEL_HIGH;
	*array_add(&p.actions) = a;
	a.id = 2;
	a.to.level = LEVEL_MIDDLE;
	*array_add(&p.actions) = a;
	a = on(ACTION_EVICT, "b");
	a.id = 3;
	*array_add(&p.actions) = a;
	becomes(&p,
		"apiVersion: v1\nkind: Pod\nmetadata: {name: b}\n---\n"
		"apiVersion: v1\nkind: Pod\nmetadata: {name: a, resourceVersion: \"7\"}\n",
		"apiVersion: v1\nkind: List\nitems:\n"
		"- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: a\n"
		"    resourceVersion: \"9\"\n    annotations:\n"
		"      mckube.io/rt-current: medium\n");
	assert_int_equal(p.results.n, 3);
	assert_int_equal(p.results.items[2].id, 3);
	assert_int_equal(p.results.items[2].state, RESULT_DONE);
}

#define PDB(name, app, allowed)                                                                 \
	"apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: " name              \
	", namespace: default}\nspec: {selector: {matchExpressions: [{key: app, operator: In, " \
	"values: [" app "]}]}}\nstatus: {disruptionsAllowed: " allowed "}\n---\n"
#define POD(name, app) \
	"apiVersion: v1\nkind: Pod\nmetadata: {name: " name ", labels: {app: " app "}}\n---\n"

/* A plan that evicts a and b leaves these numbers to the budgets. */
static void budgets_become(const char *input, const char *const *expect)
{
	AUTO(plan_done) struct plan p = { 0 };
	AUTO_FREE char *text = NULL;
	struct error err = ERROR_INIT;

	*array_add(&p.actions) = on(ACTION_EVICT, "a");
	*array_add(&p.actions) = on(ACTION_EVICT, "b");
	assert_int_equal(run(&p, input, LIST_YAML, &text, &err), 0);

	const char *at = text;
	for (; *expect; expect++) {
		at = strstr(at, "disruptionsAllowed: ");
		assert_non_null(at);
		at += strlen("disruptionsAllowed: ");
		assert_memory_equal(at, *expect, strlen(*expect));
	}
	assert_null(strstr(at, "disruptionsAllowed"));
}

TEST(an_eviction_is_taken_from_the_budget_that_covers_the_pod)
{
	budgets_become(PDB("x", "web", "3") PDB("z", "db", "3") POD("a", "web") POD("b", "web")
			       POD("c", "db"),
		       (const char *const[]){ "1\n", "3\n", NULL });
	budgets_become(POD("a", "web") POD("b", "db") PDB("x", "web", "2") PDB("z", "db", "7"),
		       (const char *const[]){ "1\n", "6\n", NULL });
	budgets_become(POD("a", "web") POD("b", "web") PDB("x", "web", "1"),
		       (const char *const[]){ "0\n", NULL });
}

TEST(the_last_of_two_budgets_with_one_name_counts)
{
	budgets_become(PDB("x", "web", "9") POD("a", "db") POD("b", "other") PDB("x", "db", "5")
			       POD("b", "db"),
		       (const char *const[]){ "3\n", NULL });
}

TEST(an_object_that_is_gone_is_an_error)
{
	AUTO(plan_done) struct plan p = { 0 };
	AUTO_FREE char *text = NULL;
	struct error err = ERROR_INIT;

	*array_add(&p.actions) = on(ACTION_EVICT, "a");
	assert_int_equal(run(&p, "kind: Pod\nmetadata: {name: b}\n", LIST_JSON, &text, &err),
			 -ESTALE);
	assert_string_equal(err.msg, "Pod default/a: not found");
	assert_int_equal(p.results.n, 0);
}

GROUP(make_file, drop_file)
