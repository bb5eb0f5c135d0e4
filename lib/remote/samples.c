/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/samples.h"

#include <string.h>

#include "base/auto.h"
#include "base/date.h"
#include "base/decimal.h"
#include "base/json_out.h"
#include "base/log.h"
#include "base/names.h"
#include "remote/metric_answer.h"
#include "remote/metric_query.h"
#include "remote/service.h"

enum { ANSWER_MAX = 4 << 20 };

enum source { SOURCE_PROMETHEUS, SOURCE_CUSTOM, SOURCE_EXTERNAL, N_SOURCES };

static const struct {
	const char *word, *name;
} sources[N_SOURCES] = {
	[SOURCE_PROMETHEUS] = { "prometheus", "Prometheus" },
	[SOURCE_CUSTOM] = { "custom", "custom.metrics.k8s.io" },
	[SOURCE_EXTERNAL] = { "external", "external.metrics.k8s.io" },
};

struct node_value {
	char *node;
	int64_t value, at;
	enum no_value reason; /* NO_VALUE_UNKNOWN: it has a value */
};

/* One metric of one optimizer, or of all nodes. */
struct reading {
	struct samples *s;
	char *ns, *optimizer, *query; /* the last as the optimizer has it, "" where it has none */
	enum metric_type metric;
	enum node_metric node_metric;	 /* NODE_METRIC_NONE: an optimizer's */
	ARRAY(struct node_value) values; /* of nodes */
	enum source source;
	struct http_call call;
	struct str path, body, answer;
	struct metric_value value;
	bool is_running;
	bool is_source_down; /* and so the value is missing */
};

struct samples {
	const struct metrics_settings *settings;
	struct kube *kube;
	struct service prometheus;
	struct reading *readings;
	char **objects; /* of each reading, when all are answered */
	size_t n_readings, n_objects;
	char **said; /* what was warned of after the last answers */
	size_t n_said;
	bool is_down[N_SOURCES];
	size_t n_running;
	int64_t now;
	bool is_asked;
};

static const char *node_query(const struct metrics_settings *settings, enum node_metric metric)
{
	return metric == NODE_METRIC_PRICE ? settings->node_price_query
					   : settings->node_power_query;
}

static const char *node_key(enum node_metric metric)
{
	return metric == NODE_METRIC_PRICE ? "metrics.nodePriceQuery" : "metrics.nodePowerQuery";
}

bool samples_are_wanted(const struct cluster *c, const struct metrics_settings *settings)
{
	if (c->optimizers.n && (*settings->node_price_query || *settings->node_power_query))
		return true;
	array_each(o, &c->optimizers)
		for (uint32_t i = 0; metric_optimizer_asks(o) && i < o->metrics.n; i++)
			if (metric_is_asked(&c->scaling_metrics.items[o->metrics.at + i]))
				return true;
	return false;
}

struct samples *samples_new(const struct metrics_settings *settings, struct kube *k)
{
	struct samples *s = xcalloc(1, sizeof(*s));

	s->settings = settings;
	s->kube = k;
	return s;
}

static void free_reading(struct reading *r)
{
	http_call_done(&r->call);
	str_done(&r->path);
	str_done(&r->body);
	str_done(&r->answer);
	array_each(v, &r->values)
		free(v->node);
	array_done(&r->values);
	free(r->ns);
	free(r->optimizer);
	free(r->query);
}

static void free_texts(char **texts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(texts[i]);
	free(texts);
}

static void drop(struct samples *s)
{
	for (size_t i = 0; i < s->n_readings; i++)
		free_reading(&s->readings[i]);
	free(s->readings);
	free_texts(s->objects, s->n_objects);
	s->readings = NULL;
	s->objects = NULL;
	s->n_readings = s->n_objects = s->n_running = 0;
}

void samples_free(struct samples *s)
{
	if (!s)
		return;
	drop(s);
	free_texts(s->said, s->n_said);
	service_close(&s->prometheus);
	free(s);
}

/* ---- Questions ---- */

static void on_over(struct http_call *call);

/* An answer is small: one without an end is not waited for. */
static int take(struct http_call *call, struct slice bytes, struct error *err)
{
	struct reading *r = call->arg;

	if (r->answer.n + bytes.n > ANSWER_MAX)
		return error_set(err, -EBADMSG, "the answer is larger than %d MiB",
				 ANSWER_MAX >> 20);
	str_addn(&r->answer, bytes.s, bytes.n);
	return 0;
}

static void start(struct reading *r, struct http *http, const char *method)
{
	http_call_done(&r->call);
	str_clear(&r->answer);
	r->call = (struct http_call){
		.method = method,
		.path = r->path.s,
		.content_type = r->body.n ? "application/x-www-form-urlencoded" : NULL,
		.body = { r->body.s, r->body.n },
		.timeout_ms = (int64_t)r->s->settings->prometheus.timeout_seconds * 1000,
		.is_stream = true, /* asked again soon enough */
		.sink = take,
		.done = on_over,
		.arg = r,
	};
	r->s->n_running += !r->is_running;
	r->is_running = true;
	http_start(http, &r->call);
}

static void ask_metrics_api(struct reading *r, enum source source)
{
	const struct kube_resource custom = { "custom.metrics.k8s.io/v1beta1", "MetricValue",
					      "pods", true };
	const struct kube_resource external = { "external.metrics.k8s.io/v1beta1",
						"ExternalMetricValue", r->query, true };

	r->source = source;
	str_clear(&r->path);
	if (source == SOURCE_CUSTOM) {
		AUTO_FREE char *selector = xasprintf("%s=%s", KCLOUD_OPTIMIZER_LABEL, r->optimizer);

		kube_path(&r->path, &custom, r->ns, "*", r->query);
		kube_query(&r->path, "labelSelector", selector);
	} else {
		kube_path(&r->path, &external, r->ns, NULL, NULL);
	}
	start(r, r->s->kube->http, "GET");
}

/* False: it cannot be asked, which is the value's reason. */
static bool open_prometheus(struct reading *r)
{
	const struct metrics_settings *m = r->s->settings;
	struct error err = ERROR_INIT;

	if (r->s->prometheus.http)
		return true;
	r->is_source_down = true;
	if (!*m->prometheus.url)
		metric_value_missing(&r->value, NO_VALUE_NOT_CONFIGURED,
				     "metrics.prometheus.url is not set");
	else if (service_open_with_file(&r->s->prometheus, m->prometheus.url,
					*m->prometheus.ca_file ? m->prometheus.ca_file : NULL,
					*m->prometheus.token_file ? m->prometheus.token_file : NULL,
					(int64_t)m->prometheus.timeout_seconds * 1000, &err) < 0)
		metric_value_missing(&r->value, NO_VALUE_UNAVAILABLE, "%s", err.msg);
	else
		r->is_source_down = false;
	return !r->is_source_down;
}

static void ask_prometheus(struct reading *r, const struct str *query)
{
	AUTO_FREE char *timeout =
		xasprintf("%us", (unsigned)r->s->settings->prometheus.timeout_seconds);
	AUTO(str_done) struct str form = STR_INIT;

	r->source = SOURCE_PROMETHEUS;
	if (!query->n) {
		metric_value_missing(&r->value, NO_VALUE_NOT_CONFIGURED,
				     "it has neither query nor metricName");
		return;
	}
	if (!open_prometheus(r))
		return;
	kube_query(&form, "query", query->s);
	kube_query(&form, "timeout", timeout);
	str_add(&r->body, form.s + 1);
	str_add(&r->path, "/api/v1/query");
	start(r, r->s->prometheus.http, "POST");
}

static void begin(struct reading *r, const char *ns, const char *optimizer, const char *query)
{
	*r = (struct reading){
		.s = r->s,
		.ns = xstrdup(ns),
		.optimizer = xstrdup(optimizer),
		.query = xstrdup(query),
		.path = STR_INIT,
		.body = STR_INIT,
		.answer = STR_INIT,
	};
}

static void ask(struct reading *r, const struct cluster *c, const struct optimizer *o,
		const struct scaling_metric *m)
{
	struct samples *s = r->s;

	begin(r, cluster_str(c, o->meta.ns), cluster_str(c, o->meta.name),
	      cluster_str(c, m->query ? m->query : m->metric_name));
	r->metric = (enum metric_type)m->type;
	if (!m->query && m->metric_name) {
		ask_metrics_api(r, SOURCE_CUSTOM);
		return;
	}
	AUTO(str_done) struct str query = STR_INIT;

	metric_query_expand(c, o, m, s->settings, &query);
	ask_prometheus(r, &query);
}

static void ask_nodes(struct reading *r, enum node_metric metric)
{
	AUTO(str_done) struct str query = STR_INIT;

	begin(r, "", "", node_query(r->s->settings, metric));
	r->node_metric = metric;
	str_add(&query, r->query);
	ask_prometheus(r, &query);
}

/* Returns how many queries for nodes there are, and asks them where `asks` is set. */
static size_t each_node_query(struct samples *s, const struct cluster *c, bool asks)
{
	size_t n = 0;

	for (enum node_metric m = NODE_METRIC_NONE + 1; c->optimizers.n && m < NODE_METRIC_KINDS;
	     m++) {
		if (!*node_query(s->settings, m))
			continue;
		if (asks)
			ask_nodes(&s->readings[n], m);
		n++;
	}
	return n;
}

/* Calls `each` for the metrics that are to be asked; returns how many they are. */
static size_t each_metric(struct samples *s, const struct cluster *c, size_t first,
			  void (*each)(struct reading *r, const struct cluster *c,
				       const struct optimizer *o, const struct scaling_metric *m))
{
	size_t n = 0;

	array_each(o, &c->optimizers)
		for (uint32_t i = 0; metric_optimizer_asks(o) && i < o->metrics.n; i++) {
			const struct scaling_metric *m =
				&c->scaling_metrics.items[o->metrics.at + i];

			if (!metric_is_asked(m))
				continue;
			if (each)
				each(&s->readings[first + n], c, o, m);
			n++;
		}
	return n;
}

void samples_ask(struct samples *s, const struct cluster *c, int64_t now)
{
	drop(s);
	s->now = now;
	s->is_asked = true;
	size_t n_node = each_node_query(s, c, false);

	s->n_readings = n_node + each_metric(s, c, n_node, NULL);
	s->readings = xcalloc(s->n_readings + 1, sizeof(*s->readings));
	for (size_t i = 0; i < s->n_readings; i++)
		s->readings[i].s = s;
	each_node_query(s, c, true);
	each_metric(s, c, n_node, ask);
}

/* ---- Answers ---- */

/* It did not say what is asked for: not the reply's own words, but of Prometheus its error. */
static void take_failure(struct reading *r)
{
	const struct http_call *call = &r->call;
	bool is_later = !call->code || call->code >= 500 || call->code == 429;
	bool is_success = call->code >= 200 && call->code < 300;
	enum no_value reason = is_later || is_success ? NO_VALUE_UNAVAILABLE : NO_VALUE_REFUSED;
	char why[METRIC_WHY_MAX];

	if (is_success && call->result == -EBADMSG) {
		metric_value_missing(&r->value, NO_VALUE_BAD_ANSWER, "%s", call->err.msg);
	} else if (call->code && !is_success && r->source == SOURCE_PROMETHEUS) {
		bool is_told =
			call->reply.s &&
			metric_answer_problem((struct slice){ call->reply.s, call->reply.n }, why);

		r->is_source_down = is_later && !is_told;
		metric_value_missing(&r->value, reason, "status %d%s%s", call->code,
				     is_told ? ": " : "", is_told ? why : "");
	} else {
		r->is_source_down = is_later || is_success;
		metric_value_missing(&r->value, reason, "%s", call->err.msg);
	}
}

static void take_node(const struct metric_of_node *m, void *arg)
{
	struct reading *r = arg;

	if (*m->node)
		*array_add(&r->values) = (struct node_value){ xstrdup(m->node), m->value.value,
							      m->value.at, m->value.reason };
}

static void take_answer(struct reading *r)
{
	const struct slice body = { r->answer.s, r->answer.n };

	if (r->call.result < 0 || r->call.code != 200)
		take_failure(r);
	else if (r->node_metric)
		metric_answer_nodes(body, take_node, r, &r->value);
	else if (r->source == SOURCE_PROMETHEUS)
		metric_answer_prometheus(body, &r->value);
	else
		metric_answer_list(body, r->source == SOURCE_CUSTOM ? METRIC_MEAN : METRIC_SUM,
				   &r->value);
}

/* The next source is asked only where this one does not have the metric: one that cannot answer may
 * have it. */
static void on_over(struct http_call *call)
{
	struct reading *r = call->arg;
	bool is_absent = call->code == 404;

	take_answer(r);
	is_absent |= !r->value.has_value && r->value.reason == NO_VALUE_NO_DATA;
	if (is_absent && r->source == SOURCE_CUSTOM) {
		ask_metrics_api(r, SOURCE_EXTERNAL);
		return;
	}
	if (call->code == 404 && r->source == SOURCE_EXTERNAL)
		metric_value_missing(&r->value, NO_VALUE_NO_DATA,
				     "neither custom.metrics.k8s.io nor external.metrics.k8s.io "
				     "has it");
	r->is_running = false;
	r->s->n_running--;
}

/* ---- Samples and warnings ---- */

/* Leaves spec open. */
static void begin_object(struct json_out *o, const struct reading *r, const char *ns,
			 const char *name)
{
	json_out_object(o);
	json_out_member(o, "apiVersion", MCKUBE_API_VERSION);
	json_out_member(o, "kind", "MetricSample");
	json_out_key(o, "metadata");
	json_out_object(o);
	json_out_member(o, "name", name);
	json_out_member(o, "namespace", ns);
	json_out_end(o);
	json_out_key(o, "spec");
	json_out_object(o);
	json_out_member(o, "source", sources[r->source].word);
}

static void end_object(struct json_out *o)
{
	json_out_end(o);
	json_out_end(o);
}

static void write_value(struct json_out *o, int64_t value, int64_t at)
{
	AUTO(str_done) struct str text = STR_INIT;
	char date[DATE_TEXT];

	decimal_add(&text, value, 0);
	json_out_member(o, "value", text.s);
	json_out_member(o, "at", date_format(at, date));
}

static void write_object(const struct reading *r, struct str *out)
{
	AUTO(json_out_done) struct json_out o = { .out = out, .is_compact = true };
	AUTO(str_done) struct str name = STR_INIT;

	metric_sample_name(r->optimizer, r->metric, &name);
	begin_object(&o, r, r->ns, name.s);
	json_out_member(&o, "optimizer", r->optimizer);
	json_out_member(&o, "metric", metric_type_words[r->metric]);
	json_out_given(&o, "query", r->query);
	if (r->value.has_value)
		write_value(&o, r->value.value, r->value.at);
	else
		json_out_member(&o, "reason", no_value_words[r->value.reason]);
	end_object(&o);
}

/* NULL: that there is no value of any node. Nodes are of no namespace, their samples of default. */
static void write_node_object(const struct reading *r, const struct node_value *v, struct str *out)
{
	AUTO(json_out_done) struct json_out o = { .out = out, .is_compact = true };
	const char *metric = node_metric_words[r->node_metric];
	AUTO_FREE char *name = xasprintf("%s.%s", v ? v->node : "nodes", metric);

	begin_object(&o, r, "default", name);
	if (v)
		json_out_member(&o, "node", v->node);
	json_out_member(&o, "nodeMetric", metric);
	enum no_value reason = v ? v->reason : r->value.reason;
	if (v && !reason)
		write_value(&o, v->value, v->at);
	else
		json_out_member(&o, "reason", no_value_words[reason]);
	end_object(&o);
}

static bool was_said(const struct samples *s, const char *key)
{
	for (size_t i = 0; i < s->n_said; i++)
		if (strcmp(s->said[i], key) == 0)
			return true;
	return false;
}

/* Values that are missing for reasons of their own, and those that are too old to count. */
static void warn_of_values(struct samples *s)
{
	char **said = xcalloc(s->n_readings + 1, sizeof(*said));
	size_t n = 0;

	for (size_t i = 0; i < s->n_readings; i++) {
		const struct reading *r = &s->readings[i];
		bool is_stale = !r->node_metric && r->value.has_value &&
				r->value.at + SAMPLE_STALE_SECONDS < s->now;
		enum no_value reason = is_stale ? NO_VALUE_STALE : r->value.reason;

		if (r->is_source_down || (r->value.has_value && !is_stale))
			continue;
		said[n] = xasprintf("%s/%s/%d/%d/%d", r->ns, r->optimizer, (int)r->node_metric,
				    (int)r->metric, (int)reason);
		bool is_known = was_said(s, said[n++]);
		if (!is_known && r->node_metric)
			log_warning("%s: %s: %s", node_key(r->node_metric), sources[r->source].name,
				    r->value.why);
		else if (!is_known)
			log_warning("WorkloadOptimizer %s/%s: metric %s: %s: %s", r->ns,
				    r->optimizer, metric_type_words[r->metric],
				    sources[r->source].name,
				    is_stale ? "the value is older than 300 s" : r->value.why);
	}
	free_texts(s->said, s->n_said);
	s->said = said;
	s->n_said = n;
}

/* A source that does not answer: one line, and one when it does again. */
static void warn_of_source(struct samples *s, enum source source)
{
	const char *why = NULL;
	size_t n = 0, n_asked = 0;

	for (size_t i = 0; i < s->n_readings; i++) {
		const struct reading *r = &s->readings[i];

		n_asked += r->source == source;
		if (r->source != source || !r->is_source_down)
			continue;
		why = why ? why : r->value.why;
		n++;
	}
	if (n && !s->is_down[source])
		log_warning("%s: %s; %zu metric%s without a value", sources[source].name, why, n,
			    n == 1 ? "" : "s");
	else if (!n && n_asked && s->is_down[source])
		log_v(0, "%s: answers again", sources[source].name);
	if (n_asked)
		s->is_down[source] = n > 0;
}

static void add_objects(struct samples *s, const struct reading *r)
{
	struct str text = STR_INIT;

	for (size_t i = 0; r->value.has_value && i < r->values.n; i++) {
		const struct node_value *v = &r->values.items[i];

		write_node_object(r, v, &text);
		s->objects[s->n_objects++] = str_detach(&text);
	}
	if (r->node_metric && r->value.has_value)
		return;
	if (r->node_metric)
		write_node_object(r, NULL, &text);
	else
		write_object(r, &text);
	s->objects[s->n_objects++] = str_detach(&text);
}

static void finish(struct samples *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_readings; i++)
		n += 1 + s->readings[i].values.n;
	s->objects = xcalloc(n + 1, sizeof(*s->objects));
	for (size_t i = 0; i < s->n_readings; i++)
		add_objects(s, &s->readings[i]);
	warn_of_values(s);
	for (enum source source = 0; source < N_SOURCES; source++)
		warn_of_source(s, source);
}

bool samples_run(struct samples *s, int timeout_ms)
{
	if (s->n_running && s->prometheus.http)
		http_run(s->prometheus.http, timeout_ms);
	if (s->n_running && s->kube)
		http_run(s->kube->http, timeout_ms);
	if (s->n_running)
		return true;
	if (s->is_asked)
		finish(s);
	s->is_asked = false;
	return false;
}

const char *const *samples_objects(const struct samples *s, size_t *ret_n)
{
	*ret_n = s->n_objects;
	return (const char *const *)s->objects;
}
