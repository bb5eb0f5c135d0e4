/* SPDX-License-Identifier: Apache-2.0 */
#include "model/cluster.h"

#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "test/unit/test.h"

static str_id id(struct cluster *c, const char *s)
{
	return intern_cstr(&c->strings, s);
}

static struct pod *add_pod(struct cluster *c, const char *ns, const char *name)
{
	struct pod *pod = array_add(&c->pods);

	*pod = (struct pod){
		.meta = { .ns = id(c, ns), .name = id(c, name) },
		.node = NONE,
		.rules = NONE,
		.annotations = NONE,
	};
	return pod;
}

static void add_node(struct cluster *c, const char *name)
{
	*array_add(&c->nodes) = (struct node){ .meta.name = id(c, name) };
}

static struct range add_labels(struct cluster *c, const char *key, const char *value)
{
	*array_add(&c->labels) = (struct label){ id(c, key), id(c, value) };
	return (struct range){ (uint32_t)c->labels.n - 1, 1 };
}

/* ---- Finishing ---- */

TEST(objects_are_sorted_by_namespace_and_name)
{
	static const char *const expect[] = { "a/y", "b/a", "b/x" };
	AUTO(cluster_done) struct cluster c = { 0 };

	add_pod(&c, "b", "x");
	add_pod(&c, "a", "y");
	add_pod(&c, "b", "a");
	cluster_finish(&c);
	assert_int_equal(c.pods.n, 3);
	for (size_t i = 0; i < c.pods.n; i++) {
		assert_memory_equal(cluster_str(&c, c.pods.items[i].meta.ns), expect[i], 1);
		assert_string_equal(cluster_str(&c, c.pods.items[i].meta.name), expect[i] + 2);
	}
}

TEST(the_later_of_two_objects_with_one_name_wins)
{
	AUTO(cluster_done) struct cluster c = { 0 };

	add_pod(&c, "x", "a")->cpu_milli = 1;
	add_pod(&c, "x", "b")->cpu_milli = 2;
	add_pod(&c, "x", "a")->cpu_milli = 3;
	add_pod(&c, "y", "a")->cpu_milli = 4;
	cluster_finish(&c);
	assert_int_equal(c.pods.n, 3);
	assert_int_equal(c.pods.items[0].cpu_milli, 3);
	assert_int_equal(c.pods.items[1].cpu_milli, 2);
	assert_int_equal(c.pods.items[2].cpu_milli, 4);
}

TEST(a_pod_that_ended_is_dropped_with_those_it_replaces)
{
	AUTO(cluster_done) struct cluster c = { 0 };

	add_pod(&c, "x", "a");
	add_pod(&c, "x", "b");
	add_pod(&c, "x", "a")->phase = POD_ENDED;
	cluster_finish(&c);
	assert_int_equal(c.pods.n, 1);
	assert_string_equal(cluster_str(&c, c.pods.items[0].meta.name), "b");
}

TEST(pods_know_their_node_by_its_id)
{
	AUTO(cluster_done) struct cluster c = { 0 };

	add_node(&c, "z");
	add_node(&c, "m");
	add_pod(&c, "x", "a")->node_name = id(&c, "z");
	add_pod(&c, "x", "b")->node_name = id(&c, "gone");
	add_pod(&c, "x", "c");
	add_pod(&c, "x", "d")->node_name = id(&c, "m");
	cluster_finish(&c);
	assert_int_equal(c.pods.items[0].node, 1);
	assert_int_equal(c.pods.items[1].node, NONE);
	assert_int_equal(c.pods.items[2].node, NONE);
	assert_int_equal(c.pods.items[3].node, 0);
}

TEST(finishing_nothing_is_fine)
{
	AUTO(cluster_done) struct cluster c = { 0 };

	cluster_finish(&c);
	assert_int_equal(c.nodes.n + c.pods.n + c.mckubes.n, 0);
	assert_int_equal(cluster_node(&c, "edge"), NONE);
}

/* ---- Priorities ---- */

static void add_class(struct cluster *c, const char *name, int32_t value, bool is_default)
{
	*array_add(&c->priority_classes) = (struct priority_class){ .meta.name = id(c, name),
								    .value = value,
								    .is_default = is_default };
}

TEST(a_priority_is_looked_up_where_the_pod_has_none)
{
	AUTO(cluster_done) struct cluster c = { 0 };

	add_class(&c, "important", 1000, false);
	add_class(&c, "usual", 7, true);
	add_pod(&c, "x", "a")->priority_class = id(&c, "important");
	add_pod(&c, "x", "b");
	add_pod(&c, "x", "c")->priority_class = id(&c, "system-node-critical");
	add_pod(&c, "x", "d")->priority_class = id(&c, "system-cluster-critical");
	struct pod *own = add_pod(&c, "x", "e");
	own->priority_class = id(&c, "important");
	own->priority = -5;
	own->has_priority = true;
	cluster_finish(&c);
	assert_int_equal(c.pods.items[0].priority, 1000);
	assert_int_equal(c.pods.items[1].priority, 7);
	assert_int_equal(c.pods.items[2].priority, 2000001000);
	assert_int_equal(c.pods.items[3].priority, 2000000000);
	assert_int_equal(c.pods.items[4].priority, -5);
}

/* ---- Looking up ---- */

TEST(objects_are_found_by_namespace_and_name)
{
	AUTO(cluster_done) struct cluster c = { 0 };
	char name[8];

	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "p%02d", (i * 7) % 50);
		add_pod(&c, i % 2 ? "x" : "y", name);
	}
	cluster_finish(&c);
	for (pod_id pod = 0; pod < c.pods.n; pod++) {
		const struct meta *m = &c.pods.items[pod].meta;

		assert_int_equal(cluster_pod(&c, cluster_str(&c, m->ns), cluster_str(&c, m->name)),
				 pod);
	}
	assert_int_equal(cluster_pod(&c, "x", "p99"), NONE);
	assert_int_equal(cluster_pod(&c, "", "p00"), NONE);
}

/* ---- Selectors ---- */

struct matching {
	struct cluster c;
	struct range labels; /* cpus=8 */
};

/* Does "key op (values)" match? A NULL ends the values. */
static bool matches(struct matching *m, const char *key, enum match_op op,
		    const char *const values[])
{
	struct requirement r = { .key = id(&m->c, key), .op = (uint8_t)op };

	r.values.at = (uint32_t)m->c.names.n;
	for (; *values; values++, r.values.n++)
		*array_add(&m->c.names) = id(&m->c, *values);
	*array_add(&m->c.requirements) = r;

	struct selector sel = { { (uint32_t)m->c.requirements.n - 1, 1 }, true };
	return selector_matches(&m->c, sel, m->labels);
}
#define VALUES(...) ((const char *const[]){ __VA_ARGS__ })

static void matching_done(struct matching *m)
{
	cluster_done(&m->c);
}

TEST(set_operators_match_as_in_kubernetes)
{
	AUTO(matching_done) struct matching m = { 0 };

	m.labels = add_labels(&m.c, "cpus", "8");
	assert_true(matches(&m, "cpus", MATCH_IN, VALUES("4", "8", NULL)));
	assert_false(matches(&m, "cpus", MATCH_IN, VALUES("4", NULL)));
	assert_false(matches(&m, "arch", MATCH_IN, VALUES("8", NULL)));
	assert_false(matches(&m, "cpus", MATCH_NOT_IN, VALUES("8", NULL)));
	assert_true(matches(&m, "cpus", MATCH_NOT_IN, VALUES("4", NULL)));
	assert_true(matches(&m, "arch", MATCH_NOT_IN, VALUES("8", NULL)));
	assert_true(matches(&m, "cpus", MATCH_EXISTS, VALUES(NULL)));
	assert_false(matches(&m, "arch", MATCH_EXISTS, VALUES(NULL)));
	assert_false(matches(&m, "cpus", MATCH_NOT_EXISTS, VALUES(NULL)));
	assert_true(matches(&m, "arch", MATCH_NOT_EXISTS, VALUES(NULL)));
}

TEST(comparisons_are_of_whole_numbers)
{
	static const char *const no_number[] = { "", "4x", "4.0", "99999999999999999999" };
	AUTO(matching_done) struct matching m = { 0 };

	m.labels = add_labels(&m.c, "cpus", "8");
	assert_true(matches(&m, "cpus", MATCH_GT, VALUES("-10", NULL)));
	assert_true(matches(&m, "cpus", MATCH_LT, VALUES("10", NULL)));
	assert_false(matches(&m, "cpus", MATCH_GT, VALUES("8", NULL)));
	assert_false(matches(&m, "cpus", MATCH_LT, VALUES("8", NULL)));
	assert_false(matches(&m, "arch", MATCH_GT, VALUES("1", NULL)));
	assert_false(matches(&m, "cpus", MATCH_GT, VALUES("1", "2", NULL)));
	for (size_t i = 0; i < ARRAY_LEN(no_number); i++) {
		assert_false(matches(&m, "cpus", MATCH_GT, VALUES(no_number[i], NULL)));
		assert_false(matches(&m, "cpus", MATCH_LT, VALUES(no_number[i], NULL)));
	}
}

TEST(a_missing_selector_matches_nothing_and_an_empty_one_all)
{
	AUTO(cluster_done) struct cluster c = { 0 };
	struct range labels = add_labels(&c, "a", "b");

	assert_false(selector_matches(&c, (struct selector){ .is_set = false }, labels));
	assert_true(selector_matches(&c, (struct selector){ .is_set = true }, labels));
	assert_true(selector_matches(&c, (struct selector){ .is_set = true }, (struct range){ 0 }));
}

TEST(an_empty_label_is_not_a_missing_one)
{
	AUTO(matching_done) struct matching m = { 0 };

	m.labels = add_labels(&m.c, "rt", "");
	assert_int_equal(cluster_label(&m.c, m.labels, id(&m.c, "rt")), 0);
	assert_int_equal(cluster_label(&m.c, m.labels, id(&m.c, "other")), INTERN_NONE);
	assert_true(matches(&m, "rt", MATCH_EXISTS, VALUES(NULL)));
	assert_true(matches(&m, "rt", MATCH_IN, VALUES("", NULL)));
}

TEST(a_problem_is_kept_as_text)
{
	AUTO(cluster_done) struct cluster c = { 0 };

	cluster_problem(&c, "Pod x/a", "Unsupported", "item %d: %s", 3, "a text was expected");
	assert_int_equal(c.problems.n, 1);
	assert_string_equal(cluster_str(&c, c.problems.items[0].object), "Pod x/a");
	assert_string_equal(cluster_str(&c, c.problems.items[0].message),
			    "item 3: a text was expected");
}
