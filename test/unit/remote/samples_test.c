/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/samples.h"

#include <string.h>

#include "base/array.h"
#include "base/auto.h"
#include "remote/metric_query.h"
#include "test/unit/snapshot.h"
#include "test/unit/test.h"

static const char shop[] =
	"apiVersion: kcloud.io/v1alpha1\n"
	"kind: WorkloadOptimizer\n"
	"metadata: { name: api, namespace: shop }\n"
	"spec:\n"
	"  workloadType: serving\n"
	"  autoScaling:\n"
	"    maxReplicas: 3\n"
	"    metrics:\n"
	"    - { type: latency, threshold: 100, query: \"l{ns='{namespace}',n='{name}',x='{y}'}\" }\n"
	"    - { type: gpu, threshold: 50 }\n"
	"    - { type: cpu, threshold: 50 }\n"
	"---\n"
	"apiVersion: v1\n"
	"kind: Pod\n"
	"metadata: { name: api-1, namespace: shop, labels: { workload-optimizer: api } }\n"
	"---\n"
	"apiVersion: v1\n"
	"kind: Pod\n"
	"metadata: { name: api.2, namespace: shop, labels: { workload-optimizer: api } }\n"
	"---\n"
	"apiVersion: v1\n"
	"kind: Pod\n"
	"metadata: { name: api-3, namespace: other, labels: { workload-optimizer: api } }\n";

static const struct metrics_settings settings = {
	.prometheus.timeout_seconds = 5,
	.gpu_query = "avg(gpu{pod=~\"{pods}\"})",
};

static void expands_to(const struct cluster *c, uint32_t metric, const char *expect)
{
	const struct optimizer *o = &c->optimizers.items[0];
	AUTO(str_done) struct str query = STR_INIT;

	metric_query_expand(c, o, &c->scaling_metrics.items[o->metrics.at + metric], &settings,
			    &query);
	assert_string_equal(query.s, expect);
}

TEST(queries_name_the_optimizer_and_its_pods)
{
	AUTO(cluster_done) struct cluster c = snapshot_of(shop);

	expands_to(&c, 0, "l{ns='shop',n='api',x='{y}'}");
	expands_to(&c, 1, "avg(gpu{pod=~\"api-1|api[.]2\"})");
}

TEST(a_name_that_is_too_long_is_shortened)
{
	AUTO(str_done) struct str a = STR_INIT, b = STR_INIT;
	char name[254];

	metric_sample_name("api", METRIC_LATENCY, &a);
	assert_string_equal(a.s, "api.latency");
	memset(name, 'a', sizeof(name));
	name[253] = '\0';
	str_clear(&a);
	metric_sample_name(name, METRIC_GPU, &a);
	name[252] = 'b';
	metric_sample_name(name, METRIC_GPU, &b);
	assert_true(a.n <= 253 && strcmp(a.s, b.s) != 0);
}

static void read_all(struct samples *s, const struct cluster *c)
{
	samples_ask(s, c, 1795987164);
	while (samples_run(s, 100))
		;
}

TEST(without_a_source_each_metric_is_a_sample_without_a_value)
{
	AUTO(cluster_done) struct cluster c = snapshot_of(shop);
	struct samples *s = samples_new(&settings, NULL);
	size_t n;

	assert_true(samples_are_wanted(&c, &settings));
	read_all(s, &c);
	const char *const *objects = samples_objects(s, &n);
	assert_int_equal(n, 2);
	assert_string_equal(objects[0],
			    "{\"apiVersion\":\"mckube.io/v1alpha1\",\"kind\":\"MetricSample\","
			    "\"metadata\":{\"name\":\"api.latency\",\"namespace\":\"shop\"},"
			    "\"spec\":{\"source\":\"prometheus\",\"optimizer\":\"api\","
			    "\"metric\":\"latency\","
			    "\"query\":\"l{ns='{namespace}',n='{name}',x='{y}'}\","
			    "\"reason\":\"NotConfigured\"}}");
	assert_non_null(strstr(objects[1], "\"metric\":\"gpu\",\"reason\":\"NotConfigured\""));
	samples_free(s);
}

TEST(nodes_are_asked_for_where_a_query_is_set)
{
	AUTO(cluster_done) struct cluster c = snapshot_of(shop);
	struct metrics_settings m = settings;
	size_t n;

	strcpy(m.node_power_query, "w");
	c.optimizers.items[0].is_scaling_off = true;
	assert_true(samples_are_wanted(&c, &m));
	struct samples *s = samples_new(&m, NULL);
	read_all(s, &c);
	const char *const *objects = samples_objects(s, &n);
	assert_int_equal(n, 1);
	assert_string_equal(objects[0],
			    "{\"apiVersion\":\"mckube.io/v1alpha1\",\"kind\":\"MetricSample\","
			    "\"metadata\":{\"name\":\"nodes.power\",\"namespace\":\"default\"},"
			    "\"spec\":{\"source\":\"prometheus\",\"nodeMetric\":\"power\","
			    "\"reason\":\"NotConfigured\"}}");
	samples_free(s);
	c.optimizers.n = 0;
	assert_false(samples_are_wanted(&c, &m));
	c.optimizers.n = 1;
}

TEST(a_source_that_cannot_be_opened_or_reached_is_unavailable)
{
	static const char *const urls[] = { "ftp://prometheus", "http://127.0.0.1:1" };
	AUTO(cluster_done) struct cluster c = snapshot_of(shop);

	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		struct metrics_settings m = settings;
		size_t n;

		strcpy(m.prometheus.url, urls[i]);
		struct samples *s = samples_new(&m, NULL);
		for (int round = 0; round < 2; round++) {
			read_all(s, &c);
			const char *const *objects = samples_objects(s, &n);
			assert_int_equal(n, 2);
			assert_non_null(strstr(objects[0], "\"reason\":\"Unavailable\""));
		}
		samples_free(s);
	}
}

TEST(an_optimizer_that_does_not_scale_asks_for_nothing)
{
	AUTO(cluster_done) struct cluster c = snapshot_of(shop);

	c.optimizers.items[0].is_scaling_off = true;
	assert_false(samples_are_wanted(&c, &settings));
	c.optimizers.items[0].is_scaling_off = false;
	c.optimizers.items[0].metrics.at += 2; /* cpu alone */
	c.optimizers.items[0].metrics.n = 1;
	assert_false(samples_are_wanted(&c, &settings));
}
