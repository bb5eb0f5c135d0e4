/* SPDX-License-Identifier: Apache-2.0 */
#include "model/request.h"

#include <string.h>

#include "base/auto.h"
#include "test/unit/snapshot.h"
#include "test/unit/test.h"

struct fixture {
	struct cluster c;
	struct requests req;
	struct arena arena;
	struct warnings warnings;
};

static void fixture_done(struct fixture *f)
{
	requests_done(&f->req);
	array_done(&f->warnings.list);
	arena_done(&f->arena);
	cluster_done(&f->c);
}

static void read_with(struct fixture *f, const struct settings *settings, const char *text)
{
	*f = (struct fixture){ .c = snapshot_of(text) };
	f->warnings.arena = &f->arena;
	requests_read(&f->c, settings, &f->req, &f->warnings);
}

static void read_text(struct fixture *f, const char *text)
{
	static const struct settings settings = SETTINGS_DEFAULT;

	read_with(f, &settings, text);
}

/* The request of a pod in namespace "car". */
static const struct request *of(const struct fixture *f, const char *pod)
{
	uint32_t i = f->req.of_pod[cluster_pod(&f->c, "car", pod)];

	return i == NONE ? NULL : &f->req.list.items[i];
}

static void is_cores(const struct fixture *f, uint32_t set, const char *expect)
{
	char text[CPUSET_TEXT];

	assert_string_equal(cpuset_format(&f->req.sets.items[set], text), expect);
}

static void says(const struct fixture *f, size_t i, const char *object, const char *reason,
		 const char *message)
{
	assert_true(i < f->warnings.list.n);
	assert_string_equal(f->warnings.list.items[i].object, object);
	assert_string_equal(f->warnings.list.items[i].reason, reason);
	assert_string_equal(f->warnings.list.items[i].message, message);
}

/* Parts of documents. */
#define NODE \
	"{apiVersion: v1, kind: Node, metadata: {name: edge}, status: {capacity: {cpu: '4'}}}\n"
#define POD(name, meta, spec, status)                                                  \
	"---\n{apiVersion: v1, kind: Pod, metadata: {namespace: car, name: " name meta \
	"}, spec: {containers: [{name: main}]" spec "}, status: {" status "}}\n"
#define PENDING(name) POD(name, ", labels: {app: " name "}", "", "")
#define BOUND(name, annotations)                                                                   \
	POD(name, ", labels: {app: " name "}, annotations: {" annotations "}", ", nodeName: edge", \
	    "")
#define MCKUBE(name, spec, status)                                                           \
	"---\n{apiVersion: mcoperator.sdv.com/v1, kind: McKube, metadata: {namespace: car, " \
	"name: " name "}, spec: {" spec "}, status: {" status "}}\n"
#define BUDGET "rtSettings: {period: 1000000, runtime_low: 200000, runtime_hi: 300000}"
#define NOTES                                                                 \
	"mckube.io/rt-period: '500000', mckube.io/rt-runtime-low: '100000', " \
	"mckube.io/rt-runtime-hi: '200000', mckube.io/criticality: Middle"

/* ---- Sources ---- */

TEST(a_mckube_speaks_for_the_pod_that_it_names)
{
	AUTO(fixture_done) struct fixture f;

	read_text(&f, NODE PENDING("brake") PENDING("radio") MCKUBE(
			      "m", "podname: brake, criticality: High, node: edge, " BUDGET, ""));

	const struct request *q = of(&f, "brake");
	assert_non_null(q);
	assert_int_equal(q->source, SOURCE_MCKUBE);
	assert_int_equal(q->mckube, 0);
	assert_int_equal(q->budget.criticality, LEVEL_HIGH);
	assert_int_equal(q->load[LEVEL_LOW], 200000);
	assert_int_equal(q->load[LEVEL_HIGH], 300000);
	assert_true(q->has_budget && q->has_node_pin && q->node_pin == 0);
	assert_false(q->is_bad || q->has_pin || q->has_cores || q->selects_many);
	assert_null(of(&f, "radio"));
	assert_int_equal(f.req.of_mckube[0], q->pod);
	assert_int_equal(f.warnings.list.n, 0);
}

TEST(both_names_of_a_budget_are_read)
{
	AUTO(fixture_done) struct fixture f;

	read_text(&f, NODE PENDING("brake")
			      MCKUBE("m",
				     "podname: brake, "
				     "rtSettings: {period: 1000, budget_lo: 200, budget_hi: 300}",
				     ""));
	assert_int_equal(of(&f, "brake")->budget.low, 200);
	assert_int_equal(of(&f, "brake")->budget.hi, 300);
}

TEST(a_selector_may_mean_several_pods)
{
	AUTO(fixture_done) struct fixture f;

	read_text(&f,
		  NODE BOUND("brake", "") BOUND("radio", "") MCKUBE(
			  "m",
			  "selector: {matchExpressions: [{key: app, operator: Exists}]}, " BUDGET,
			  "allocatedCore: '2', currentRuntime: hi"));
	assert_true(of(&f, "brake")->selects_many && of(&f, "radio")->selects_many);
	assert_int_equal(f.req.of_mckube[0], REQUEST_MANY);
	assert_false(of(&f, "brake")->has_cores); /* whose would allocatedCore be? */
	assert_int_equal(of(&f, "brake")->level, LEVEL_LOW);
}

TEST(a_mckube_is_deaf_to_other_namespaces)
{
	AUTO(fixture_done) struct fixture f;

	read_text(
		&f,
		NODE PENDING(
			"brake") "---\n"
				 "{apiVersion: mcoperator.sdv.com/v1, kind: McKube, metadata: {namespace: home, "
				 "name: m}, spec: {podname: brake, " BUDGET "}}\n");
	assert_null(of(&f, "brake"));
	assert_int_equal(f.req.of_mckube[0], NONE);
	assert_int_equal(f.warnings.list.n, 0);
}

TEST(of_two_mckubes_the_one_with_podname_is_heard)
{
	AUTO(fixture_done) struct fixture f;

	read_text(&f, NODE PENDING("brake")
			      MCKUBE("a", "selector: {matchLabels: {app: brake}}, " BUDGET, "")
				      MCKUBE("b", "podname: brake, " BUDGET, ""));
	assert_int_equal(of(&f, "brake")->mckube, 1);
	assert_int_equal(f.warnings.list.n, 1);
	says(&f, 0, "McKube car/a", "DuplicateRequest",
	     "pod brake is already named by McKube b, which takes precedence");
}

TEST(of_two_equal_mckubes_the_first_by_name_is_heard)
{
	AUTO(fixture_done) struct fixture f;

	read_text(&f, NODE PENDING("brake") MCKUBE("b", "podname: brake, " BUDGET, "")
			      MCKUBE("a", "podname: brake, " BUDGET, ""));
	assert_int_equal(of(&f, "brake")->mckube, 0);
	says(&f, 0, "McKube car/b", "DuplicateRequest",
	     "pod brake is already named by McKube a, which takes precedence");
}

TEST(a_mckube_that_is_being_deleted_does_not_speak)
{
	AUTO(fixture_done) struct fixture f;

	read_text(
		&f,
		NODE PENDING(
			"brake") "---\n"
				 "{apiVersion: mcoperator.sdv.com/v1, kind: McKube, metadata: {namespace: car, "
				 "name: m, deletionTimestamp: '2026-01-01T00:00:00Z'}, "
				 "spec: {podname: brake, " BUDGET "}}\n");
	assert_null(of(&f, "brake"));
}

TEST(annotations_speak_on_pods_with_the_label)
{
	AUTO(fixture_done) struct fixture f;

	read_text(&f, NODE POD("brake", ", labels: {sdv.com: x}, annotations: {" NOTES "}", "", "")
			      POD("radio", ", annotations: {" NOTES "}", "", ""));
	assert_int_equal(of(&f, "brake")->source, SOURCE_ANNOTATIONS);
	assert_int_equal(of(&f, "brake")->budget.low, 100000);
	assert_int_equal(of(&f, "brake")->budget.criticality, LEVEL_MIDDLE);
	assert_null(of(&f, "radio"));
}

TEST(an_assignment_is_not_taken_for_a_request)
{
	AUTO(fixture_done) struct fixture f;

	read_text(&f, NODE POD("brake",
			       ", labels: {sdv.com: x}, annotations: {mckube.io/rt-source: mckube, "
			       "mckube.io/rt-core: '2-3', " NOTES "}",
			       ", nodeName: edge", ""));

	const struct request *q = of(&f, "brake");
	assert_int_equal(q->source, SOURCE_NONE);
	assert_true(q->has_budget && q->has_cores); /* its load stays until it is cleaned up */
	assert_int_equal(q->load[LEVEL_LOW], 200000);
	assert_int_equal(q->core_count, 2);
	is_cores(&f, q->cores, "2-3");
}

TEST(rt_operator_serves_guaranteed_pods)
{
	AUTO(fixture_done) struct fixture f;

	read_text(&f,
		  NODE POD("brake", ", annotations: {realtime: 'true', rt_runtime_us: '40000'}", "",
			   "qosClass: Guaranteed")
			  POD("radio", ", annotations: {realtime: 'true', rt_runtime_us: '40000'}",
			      "", "qosClass: Burstable"));

	const struct request *q = of(&f, "brake");
	assert_int_equal(q->source, SOURCE_RT_OPERATOR);
	assert_int_equal(q->budget.period, 1000000);
	assert_int_equal(q->budget.low, 40000);
	assert_int_equal(q->budget.hi, 40000);
	assert_int_equal(q->budget.criticality, LEVEL_HIGH);
	assert_true(of(&f, "radio")->is_bad);
	says(&f, 0, "Pod car/radio", "Unsupported",
	     "metadata.annotations[realtime]: rt-operator serves Guaranteed pods only");
}

TEST(sources_that_disagree_are_named)
{
	AUTO(fixture_done) struct fixture f;

	read_text(&f, NODE POD("brake", ", labels: {sdv.com: x}, annotations: {" NOTES "}", "", "")
			      MCKUBE("m", "podname: brake, " BUDGET, ""));
	assert_int_equal(of(&f, "brake")->source, SOURCE_MCKUBE);
	assert_int_equal(f.warnings.list.n, 1);
	says(&f, 0, "Pod car/brake", "SourceConflict",
	     "source mckube asks for 200000/300000 of 1000000 us (Low), source annotations for "
	     "100000/200000 of 500000 us (Middle); the former takes precedence");
}

TEST(a_bad_source_silences_the_later_ones)
{
	AUTO(fixture_done) struct fixture f;

	read_text(&f, NODE POD("brake", ", labels: {sdv.com: x}, annotations: {" NOTES "}", "", "")
			      MCKUBE("m", "podname: brake, rtSettings: {period: 1000000}", ""));
	assert_true(of(&f, "brake")->is_bad);
	assert_false(of(&f, "brake")->has_budget);
	assert_int_equal(of(&f, "brake")->load[LEVEL_LOW], 0);
	assert_int_equal(f.warnings.list.n, 1);
	says(&f, 0, "McKube car/m", "BadBudget", "spec.rtSettings.runtime_low: is missing");
}

/* ---- Pins and places ---- */

TEST(cores_that_are_named_are_a_pin)
{
	AUTO(fixture_done) struct fixture f;

	read_text(&f, NODE PENDING("brake") MCKUBE("m",
						   "podname: brake, rtSettings: {period: 1000, "
						   "runtime_low: 1, runtime_hi: 1, core: '3,1'}",
						   ""));
	assert_true(of(&f, "brake")->has_pin);
	assert_int_equal(of(&f, "brake")->core_count, 2);
	is_cores(&f, of(&f, "brake")->pin, "1,3");
}

TEST(a_node_that_is_not_there_is_a_pin_to_nowhere)
{
	AUTO(fixture_done) struct fixture f;

	read_text(&f, NODE PENDING("brake") MCKUBE("m", "podname: brake, node: gone, " BUDGET, ""));
	assert_true(of(&f, "brake")->has_node_pin);
	assert_int_equal(of(&f, "brake")->node_pin, NONE);
	says(&f, 0, "McKube car/m", "UnknownNode", "spec.node: there is no node 'gone'");
}

#define LEGACY                                                                                   \
	NODE BOUND("brake", "")                                                                  \
		MCKUBE("m",                                                                      \
		       "podname: brake, node: edge, rtSettings: {period: 1000, runtime_low: 1, " \
		       "runtime_hi: 1, core: '2'}",                                              \
		       "allocatedCore: '2'")

TEST(a_pin_that_an_older_controller_wrote_may_be_ignored)
{
	struct settings settings = SETTINGS_DEFAULT;
	AUTO(fixture_done) struct fixture cached_value, ignored;

	read_with(&cached_value, &settings, LEGACY);
	settings.ignores_legacy_pins = true;
	read_with(&ignored, &settings, LEGACY);
	assert_true(of(&cached_value, "brake")->has_pin &&
		    of(&cached_value, "brake")->has_node_pin);
	assert_int_equal(cached_value.warnings.list.n, 0);
	assert_false(of(&ignored, "brake")->has_pin || of(&ignored, "brake")->has_node_pin);
	assert_string_equal(ignored.warnings.list.items[0].reason, "LegacyPin");
}

TEST(the_annotation_says_where_a_pod_is_before_the_status)
{
	AUTO(fixture_done) struct fixture f;

	read_text(&f, NODE BOUND("brake", "mckube.io/rt-core: '1'") BOUND("radio", "")
			      MCKUBE("m", "podname: brake, " BUDGET, "allocatedCore: '2'")
				      MCKUBE("r", "podname: radio, " BUDGET, "allocatedCore: '2'"));
	assert_true(of(&f, "brake")->has_cores && of(&f, "radio")->has_cores);
	is_cores(&f, of(&f, "brake")->cores, "1");
	is_cores(&f, of(&f, "radio")->cores, "2");
}

TEST(unbound_pod_has_constraints_and_no_place)
{
	AUTO(fixture_done) struct fixture f;

	read_text(&f, NODE POD("brake", ", annotations: {mckube.io/rt-core: '1'}", "", "")
			      MCKUBE("m", "podname: brake, " BUDGET, ""));
	assert_false(of(&f, "brake")->has_cores);
}

TEST(cores_that_cannot_be_read_count_as_none)
{
	AUTO(fixture_done) struct fixture f;

	read_text(&f,
		  NODE BOUND("brake", "mckube.io/rt-core: x") BOUND("radio", "")
			  MCKUBE("m", "podname: brake, " BUDGET, "allocatedCore: '2'")
				  MCKUBE("r", "podname: radio, " BUDGET, "allocatedCore: none"));
	assert_false(of(&f, "brake")->has_cores || of(&f, "radio")->has_cores);
	assert_int_equal(f.warnings.list.n, 2);
	says(&f, 0, "Pod car/brake", "BadCpuset",
	     "metadata.annotations[mckube.io/rt-core]: 'x' is not a list of CPUs; the pod counts as "
	     "one without cores");
	says(&f, 1, "McKube car/r", "BadCpuset",
	     "status.allocatedCore: 'none' is not a list of CPUs; the pod counts as one without "
	     "cores");
}

TEST(a_bad_request_keeps_the_load_of_its_assignment)
{
	AUTO(fixture_done) struct fixture f;

	read_text(&f, NODE BOUND("brake", "mckube.io/rt-core: '1', " NOTES)
			      MCKUBE("m", "podname: brake, criticality: urgent, " BUDGET, ""));
	assert_true(of(&f, "brake")->is_bad && of(&f, "brake")->has_budget);
	assert_true(of(&f, "brake")->has_cores);
	assert_int_equal(of(&f, "brake")->load[LEVEL_LOW], 200000);
	says(&f, 0, "McKube car/m", "BadCriticality",
	     "spec.criticality: 'urgent' is not Low, Middle or High");
}

TEST(a_bad_request_without_assignment_loads_nothing)
{
	AUTO(fixture_done) struct fixture f;

	read_text(&f, NODE BOUND("brake", "mckube.io/rt-core: '1'")
			      MCKUBE("m", "podname: brake, criticality: urgent, " BUDGET, ""));
	assert_true(of(&f, "brake")->is_bad);
	assert_false(of(&f, "brake")->has_budget || of(&f, "brake")->has_cores);
}

/* ---- Levels ---- */

TEST(the_level_is_the_annotations_then_the_statuses)
{
	AUTO(fixture_done) struct fixture f;

	read_text(&f,
		  NODE BOUND("a", "mckube.io/rt-current: medium") BOUND("b", "")
			  BOUND("c", "mckube.io/rt-current: up") BOUND("d", "")
				  MCKUBE("a", "podname: a, " BUDGET, "currentRuntime: hi") MCKUBE(
					  "b", "podname: b, " BUDGET, "currentRuntime: hi")
					  MCKUBE("c", "podname: c, " BUDGET, "currentRuntime: HI")
						  MCKUBE("d", "podname: d, " BUDGET, ""));
	assert_int_equal(of(&f, "a")->level, LEVEL_MIDDLE);
	assert_int_equal(of(&f, "b")->level, LEVEL_HIGH);
	assert_int_equal(of(&f, "c")->level, LEVEL_HIGH);
	assert_int_equal(of(&f, "d")->level, LEVEL_LOW);
}

TEST(recovery_by_node_cpu_is_asked_for)
{
	AUTO(fixture_done) struct fixture f;

	read_text(&f, NODE PENDING("brake") PENDING("radio")
			      MCKUBE("b", "podname: brake, recovery: {mode: NodeCPU}, " BUDGET, "")
				      MCKUBE("r", "podname: radio, " BUDGET, ""));
	assert_int_equal(of(&f, "brake")->recovery.mode, RECOVERY_NODE_CPU);
	assert_int_equal(of(&f, "radio")->recovery.mode, RECOVERY_CONSUMPTION);
}

TEST(every_source_has_a_name)
{
	assert_string_equal(request_source_name(SOURCE_NONE), "");
	assert_string_equal(request_source_name(SOURCE_MCKUBE), "mckube");
	assert_string_equal(request_source_name(SOURCE_ANNOTATIONS), "annotations");
	assert_string_equal(request_source_name(SOURCE_RT_OPERATOR), "rt-operator");
}
