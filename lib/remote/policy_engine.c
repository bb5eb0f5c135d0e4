/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/policy_engine.h"

#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/json.h"
#include "base/json_out.h"
#include "remote/service.h"

static const char moves_path[] = "/api/v1/migration/policy", plans_path[] = "/api/v1/plan";

enum { TURN_MS = 100, ANSWER_MAX = 64 << 10 };

void policy_write(const struct policy_question *q, struct str *out)
{
	AUTO(json_out_done) struct json_out o = { .out = out, .is_compact = true };

	json_out_object(&o);
	json_out_key(&o, "pod");
	json_out_object(&o);
	json_out_member(&o, "name", q->pod);
	json_out_member(&o, "namespace", q->ns);
	json_out_member(&o, "node_name", q->source);
	json_out_key(&o, "labels");
	json_out_object(&o);
	for (size_t i = 0; i < q->n_labels; i++)
		json_out_member(&o, q->labels[i].key, q->labels[i].value);
	json_out_end(&o);
	json_out_end(&o);
	json_out_member(&o, "source_node", q->source);
	json_out_member(&o, "target_node", q->target);
	json_out_end(&o);
}

int policy_parse(struct slice body, struct policy_answer *ret, struct error *err)
{
	AUTO_JSON cJSON *root = NULL;

	if (json_parse(body.s, body.n, &root, err) < 0)
		return error_set(err, -EBADMSG, "the answer is no JSON");
	const cJSON *allowed = json_get(root, "allowed");
	if (!cJSON_IsBool(allowed))
		return error_set(err, -EBADMSG, "the answer has no boolean 'allowed'");
	const char *reason = json_text(json_get(root, "reason"));
	*ret = (struct policy_answer){ .is_allowed = cJSON_IsTrue(allowed), .was_given = true };
	snprintf(ret->reason, sizeof(ret->reason), "%s", reason ? reason : "");
	str_make_printable(ret->reason);
	return 0;
}

struct asked {
	struct http_call call;
	const char *path;
	struct slice body;
	struct str answer;
	bool is_over;
};

static void on_answer(struct http_call *call)
{
	((struct asked *)call->arg)->is_over = true;
}

/* An answer is small: one without an end is not waited for. */
static int take(struct http_call *call, struct slice bytes, struct error *err)
{
	struct asked *a = call->arg;

	if (a->answer.n + bytes.n > ANSWER_MAX)
		return error_set(err, -EBADMSG, "the answer is larger than %d KiB",
				 ANSWER_MAX >> 10);
	str_addn(&a->answer, bytes.s, bytes.n);
	return 0;
}

static void start(struct service *s, struct asked *a)
{
	http_call_done(&a->call);
	str_clear(&a->answer);
	a->call = (struct http_call){
		.method = "POST",
		.path = a->path,
		.content_type = "application/json",
		.body = a->body,
		.timeout_ms = POLICY_TIMEOUT_MS,
		.is_stream = true, /* our own tries count */
		.sink = take,
		.done = on_answer,
		.arg = a,
	};
	a->is_over = false;
	http_start(s->http, &a->call);
}

static void run(struct service *s, struct asked *asked, size_t n, const char *(*stop)(void *arg),
		void *arg)
{
	for (;;) {
		size_t n_over = 0;

		for (size_t i = 0; i < n; i++)
			n_over += asked[i].is_over;
		if (n_over == n || (stop && stop(arg)))
			return;
		http_run(s->http, TURN_MS);
	}
}

/* Not the reply's own words: they may be anything. */
static int read_answer(const struct asked *a, struct policy_answer *ret, struct error *err)
{
	const struct http_call *call = &a->call;

	if (!a->is_over)
		return error_set(err, -ECANCELED, "interrupted");
	if (call->code && call->code != 200)
		return error_set(err, -EBADMSG, "status %d", call->code);
	if (call->result < 0)
		return error_set(err, call->result, "%s", call->err.msg);
	return policy_parse((struct slice){ a->answer.s, a->answer.n }, ret, err);
}

static void give_none(const struct policy_engine *e, const char *why, struct policy_answer *ret)
{
	*ret = (struct policy_answer){ .is_allowed = e->fail_open };
	snprintf(ret->reason, sizeof(ret->reason), "the %s gave no valid answer: %s", e->name, why);
}

static void try_all(const struct policy_engine *e, struct service *s, struct asked *asked, size_t n,
		    int tries, struct policy_answer *answers, const char *(*stop)(void *arg),
		    void *arg)
{
	for (int try = 1; try <= tries; try++) {
		for (size_t i = 0; i < n; i++)
			if (!answers[i].was_given)
				start(s, &asked[i]);
		run(s, asked, n, stop, arg);
		for (size_t i = 0; i < n; i++) {
			struct error err = ERROR_INIT;

			if (!answers[i].was_given && read_answer(&asked[i], &answers[i], &err) < 0)
				give_none(e, err.msg, &answers[i]);
		}
		if (stop && stop(arg))
			return;
	}
}

static void ask_all(const struct policy_engine *e, struct asked *asked, size_t n, int tries,
		    struct policy_answer *answers, const char *(*stop)(void *arg), void *arg)
{
	AUTO(service_close) struct service s = { 0 };
	struct error err = ERROR_INIT;

	memset(answers, 0, n * sizeof(*answers));
	if (service_open(&s, e->url, e->ca_file, e->token, POLICY_TIMEOUT_MS, &err) < 0) {
		for (size_t i = 0; i < n; i++)
			give_none(e, err.msg, &answers[i]);
		return;
	}
	for (size_t i = 0; i < n; i++)
		asked[i].answer = (struct str)STR_INIT;
	try_all(e, &s, asked, n, tries, answers, stop, arg);
	for (size_t i = 0; i < n; i++) {
		http_call_done(&asked[i].call);
		str_done(&asked[i].answer);
	}
}

void policy_ask(const struct policy_engine *e, const struct policy_question *questions, size_t n,
		struct policy_answer *answers, const char *(*stop)(void *arg), void *arg)
{
	AUTO_FREE struct asked *asked = xcalloc(n, sizeof(*asked));
	AUTO_FREE struct str *bodies = xcalloc(n, sizeof(*bodies));

	for (size_t i = 0; i < n; i++) {
		bodies[i] = (struct str)STR_INIT;
		policy_write(&questions[i], &bodies[i]);
		asked[i].path = moves_path;
		asked[i].body = (struct slice){ bodies[i].s, bodies[i].n };
	}
	ask_all(e, asked, n, POLICY_TRIES, answers, stop, arg);
	for (size_t i = 0; i < n; i++)
		str_done(&bodies[i]);
}

void policy_ask_plan(const struct policy_engine *e, struct slice plan, struct policy_answer *answer,
		     const char *(*stop)(void *arg), void *arg)
{
	struct asked asked = { .path = plans_path, .body = plan };

	ask_all(e, &asked, 1, 1, answer, stop, arg);
}
