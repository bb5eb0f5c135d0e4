/* SPDX-License-Identifier: Apache-2.0 */
#include "model/capacity.h"

#include <string.h>

#include "base/auto.h"
#include "base/str.h"
#include "test/unit/snapshot.h"
#include "test/unit/test.h"

static const struct settings settings = SETTINGS_DEFAULT;

struct fixture {
	struct cluster c;
	struct capacity cap;
	struct arena arena;
	struct warnings warnings;
};

static void fixture_done(struct fixture *f)
{
	capacity_done(&f->cap);
	array_done(&f->warnings.list);
	arena_done(&f->arena);
	cluster_done(&f->c);
}

/* The capacities of one node "edge" with 4 CPUs and these annotations of mckube.io. */
static void read_node(struct fixture *f, const char *annotations)
{
	AUTO_FREE char *text = xasprintf(
		"{apiVersion: v1, kind: Node, metadata: {name: edge, annotations: {%s}},\n"
		" status: {capacity: {cpu: '4'}, allocatable: {cpu: 3900m}}}\n",
		annotations);

	*f = (struct fixture){ .c = snapshot_of(text) };
	f->warnings.arena = &f->arena;
	capacity_read(&f->c, &settings, &f->cap, &f->warnings);
}

static void has_cores(const struct fixture *f, const char *expect)
{
	struct cpuset set;
	char text[CPUSET_TEXT];

	capacity_cpuset(&f->cap, 0, &set);
	assert_string_equal(cpuset_format(&set, text), expect);
}

static void has_caps(const struct fixture *f, uint32_t low, uint32_t high)
{
	const uint32_t *cap = f->cap.nodes.items[0].cap;

	assert_int_equal(cap[LEVEL_LOW], low);
	assert_int_equal(cap[LEVEL_MIDDLE], high);
	assert_int_equal(cap[LEVEL_HIGH], high);
}

TEST(a_node_that_says_nothing_is_assumed)
{
	AUTO(fixture_done) struct fixture f;

	read_node(&f, "");
	assert_true(f.cap.nodes.items[0].is_assumed);
	assert_int_equal(f.cap.nodes.items[0].scope, SCOPE_CORE);
	has_cores(&f, "0-3");
	has_caps(&f, 900000, 950000);
	assert_int_equal(f.warnings.list.n, 0);
}

TEST(what_the_helper_wrote_is_taken)
{
	AUTO(fixture_done) struct fixture f;

	read_node(&f, "mckube.io/rt-cores: '2-3,8', mckube.io/capacity-scope: node, "
		      "mckube.io/rt-capacity: '800000'");
	assert_false(f.cap.nodes.items[0].is_assumed);
	assert_int_equal(f.cap.nodes.items[0].scope, SCOPE_NODE);
	has_cores(&f, "2-3,8");
	has_caps(&f, 800000, 800000);
	assert_int_equal(f.warnings.list.n, 0);
}

TEST(every_bad_annotation_is_named_and_replaced)
{
	static const struct {
		const char *annotation, *message;
	} bad[] = {
		{ "mckube.io/rt-capacity: '0'",
		  "metadata.annotations[mckube.io/rt-capacity]: '0' is not a whole number from 1 to "
		  "1000000 (parts per million of a CPU); the node takes no more pods" },
		{ "mckube.io/rt-capacity: '1000001'", NULL },
		{ "mckube.io/rt-capacity: '0.95'", NULL },
		{ "mckube.io/rt-capacity: ''", NULL },
		{ "mckube.io/rt-capacity: '99999999999999999999'", NULL },
		{ "mckube.io/capacity-scope: socket",
		  "metadata.annotations[mckube.io/capacity-scope]: 'socket' is not core or node; "
		  "the node takes no more pods" },
		{ "mckube.io/capacity-scope: ''", NULL },
		{ "mckube.io/rt-cores: '3-2'",
		  "metadata.annotations[mckube.io/rt-cores]: '3-2' is not a list of CPUs such as "
		  "0-3,8; the node takes no more pods" },
		{ "mckube.io/rt-cores: '9999'", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		AUTO(fixture_done) struct fixture f;

		read_node(&f, bad[i].annotation);
		assert_int_equal(f.warnings.list.n, 1);
		assert_string_equal(f.warnings.list.items[0].object, "Node edge");
		assert_string_equal(f.warnings.list.items[0].reason, "BadNodeAnnotation");
		if (bad[i].message)
			assert_string_equal(f.warnings.list.items[0].message, bad[i].message);
		has_cores(&f, "0-3");
		has_caps(&f, 900000, 950000);
		assert_int_equal(f.cap.nodes.items[0].scope, SCOPE_CORE);
		assert_true(f.cap.nodes.items[0].is_unread);
	}
}

/* "physical.numa.socket" of every core. */
static void lies(const struct fixture *f, const char *expect)
{
	AUTO(str_done) struct str text = STR_INIT;

	array_each(core, &f->cap.cores)
		str_addf(&text, "%s%d.%d.%d", text.n ? " " : "", core->physical, core->numa,
			 core->socket);
	assert_string_equal(text.s, expect);
}

TEST(topology_lists_the_cpus_that_share)
{
	AUTO(fixture_done) struct fixture one, two;

	read_node(&one, "mckube.io/topology: '0,2 1,3'");
	lies(&one, "0.0.0 1.0.0 0.0.0 1.0.0");
	read_node(&two, "mckube.io/topology: '0 | 1/2 3'");
	lies(&two, "0.0.0 1.1.0 2.2.1 3.2.1");
	assert_int_equal(one.warnings.list.n + two.warnings.list.n, 0);
}

TEST(a_core_that_no_topology_names_stands_alone)
{
	AUTO(fixture_done) struct fixture f;

	read_node(&f, "mckube.io/topology: '0,1 77'");
	lies(&f, "0.0.0 0.0.0 1026.0.0 1027.0.0");
}

TEST(a_topology_that_cannot_be_read_is_left_out_as_a_whole)
{
	AUTO(fixture_done) struct fixture f;

	read_node(&f, "mckube.io/topology: '0,1 two'");
	lies(&f, "1024.0.0 1025.0.0 1026.0.0 1027.0.0");
	assert_int_equal(f.warnings.list.n, 1);
	assert_non_null(strstr(f.warnings.list.items[0].message, "mckube.io/topology"));
}

TEST(a_core_is_found_by_its_cpu)
{
	AUTO(fixture_done)
	struct fixture f = {
		.c = snapshot_of("{apiVersion: v1, kind: Node, metadata: {name: a}, "
				 "status: {capacity: {cpu: '2'}}}\n---\n"
				 "{apiVersion: v1, kind: Node, metadata: {name: b, annotations: "
				 "{mckube.io/rt-cores: '1,3,64'}}}\n"),
	};

	f.warnings.arena = &f.arena;
	capacity_read(&f.c, &settings, &f.cap, &f.warnings);
	assert_int_equal(capacity_core(&f.cap, 0, 1), 1);
	assert_int_equal(capacity_core(&f.cap, 0, 2), NONE);
	assert_int_equal(capacity_core(&f.cap, 1, 1), 2);
	assert_int_equal(capacity_core(&f.cap, 1, 64), 4);
	assert_int_equal(capacity_core(&f.cap, 1, 0), NONE);
	assert_int_equal(capacity_core(&f.cap, 1, 65), NONE);
}

/* capacity.cpu counts; a machine without it has what is allocatable, and huge ones are cut. */
TEST(cores_are_counted_from_the_capacity)
{
	static const struct {
		const char *status;
		uint32_t cores;
	} rows[] = {
		{ "capacity: {cpu: 3900m}, allocatable: {cpu: '2'}", 3 },
		{ "allocatable: {cpu: 1500m}", 1 },
		{ "allocatable: {cpu: 900m}", 0 },
		{ "capacity: {cpu: '100000'}", CPUSET_MAX },
		{ "", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_FREE char *text = xasprintf(
			"{apiVersion: v1, kind: Node, metadata: {name: edge}, status: {%s}}",
			rows[i].status);
		AUTO(fixture_done) struct fixture f = { .c = snapshot_of(text) };

		f.warnings.arena = &f.arena;
		capacity_read(&f.c, &settings, &f.cap, &f.warnings);
		assert_int_equal(f.cap.nodes.items[0].cores.n, rows[i].cores);
	}
}
