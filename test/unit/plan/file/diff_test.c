/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/file/diff.h"

#include <string.h>

#include "base/auto.h"
#include "base/str.h"
#include "test/unit/test.h"

static struct target pod(const char *name)
{
	return (struct target){ .kind = "Pod", .ns = "default", .name = name };
}

static struct place at(const char *node, const char *cores)
{
	return (struct place){ .node = node, .cores = cores };
}

static struct action move(const char *name, const char *from, const char *to)
{
	return (struct action){
		.kind = ACTION_MOVE,
		.reason = REASON_PREEMPTED,
		.on = pod(name),
		.from = at("n1", from),
		.to = at("n1", to),
		.message = "moved",
	};
}

static void add(struct plan *p, struct action a)
{
	a.id = (uint32_t)p->actions.n + 1;
	*array_add(&p->actions) = a;
}

/* "sign part subject: detail" of every entry. */
static void assert_diff(const struct plan *before, const struct plan *after, const char *expect)
{
	static const char signs[] = {
		[DIFF_REMOVED] = '-', [DIFF_ADDED] = '+', [DIFF_CHANGED] = '~'
	};
	AUTO(plan_diff_done) struct plan_diff d = { 0 };
	AUTO(str_done) struct str text = STR_INIT;

	plan_diff_make(before, after, &d);
	array_each(e, &d.entries)
		str_addf(&text, "%c %d %s: %s\n", signs[e->change], e->part, e->subject, e->detail);
	assert_string_equal(text.s, expect);
}

TEST(a_plan_does_not_differ_from_itself)
{
	AUTO(plan_done) struct plan p = { 0 };

	add(&p, move("a", "1", "2"));
	add(&p, move("a", "2", "3"));
	assert_diff(&p, &p, "");
	assert_diff(&(struct plan){ 0 }, &(struct plan){ 0 }, "");
}

TEST(ids_and_order_do_not_count)
{
	AUTO(plan_done) struct plan p = { 0 }, q = { 0 };

	add(&p, move("a", "1", "2"));
	add(&p, move("b", "2", "3"));
	add(&q, move("b", "2", "3"));
	add(&q, move("a", "1", "2"));
	assert_diff(&p, &q, "");
}

TEST(what_changed_is_told)
{
	AUTO(plan_done) struct plan p = { 0 }, q = { 0 };
	struct action other = move("a", "1", "3");

	other.message = "moved elsewhere";
	other.by = pod("brake");
	other.to.enforcement = ENFORCE_WATCH;
	other.to.period = 1000;
	other.to.runtime = 100;
	add(&p, move("a", "1", "2"));
	add(&q, other);
	assert_diff(&p, &q,
		    "~ 0 Move Pod default/a: to n1:2 -> n1:3 low 100/1000 watch, "
		    "by none -> default/brake, message\n");
}

TEST(what_came_and_went_is_told_in_order)
{
	AUTO(plan_done) struct plan p = { 0 }, q = { 0 };
	struct action evict = { .kind = ACTION_EVICT, .on = pod("z"), .message = "away" };

	add(&p, move("b", "1", "2"));
	add(&q, move("c", "1", "2"));
	add(&q, evict);
	*array_add(&p.unplaced) = (struct unplaced){ pod("u"), REASON_NO_ROOM, "3 nodes: x" };
	*array_add(&q.unplaced) = (struct unplaced){ pod("u"), REASON_NO_NODE, "3 nodes: y" };
	*array_add(&p.warnings) = (struct warning){ "McKube default/m", "BadBudget", "hi" };
	assert_diff(&p, &q,
		    "+ 0 Evict Pod default/z: away\n"
		    "- 0 Move Pod default/b: moved\n"
		    "+ 0 Move Pod default/c: moved\n"
		    "~ 1 Pod default/u: reason NoRoom -> NoNode, message\n"
		    "- 2 BadBudget McKube default/m: hi\n");
}

TEST(the_second_move_of_a_pod_is_another_action)
{
	AUTO(plan_done) struct plan p = { 0 }, q = { 0 };

	add(&p, move("a", "1", "2"));
	add(&q, move("a", "1", "2"));
	add(&q, move("a", "2", "3"));
	assert_diff(&p, &q, "+ 0 Move Pod default/a: moved\n");
}
