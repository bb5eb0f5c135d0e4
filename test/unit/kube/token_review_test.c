/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/token_review.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "serve/serve.h"
#include "test/unit/test.h"

enum { CREATED = 201, BROKEN = 500, ACCOUNT_MAX = 1024 };

/* An API server: "good" is the token of an account that may get /metrics, "other" of one that may
 * not, "nameless" of one that has no name, and "odd" is answered by what is no JSON. */
struct api_server {
	struct serve *serve;
	struct kube_target target;
	struct kube kube;
	struct token_reviews *reviews;
	atomic_uint n_tokens, n_accounts;
	atomic_bool is_down;
	char account[ACCOUNT_MAX]; /* the last that was asked about */
};

static bool has(struct slice text, const char *part)
{
	return memmem(text.s, text.n, part, strlen(part)) != NULL;
}

static unsigned review_token(const struct serve_request *r, void *arg, struct str *reply)
{
	static const struct {
		const char *token, *status;
	} known[] = {
		{ "\"good\"", "{\"authenticated\":true,\"user\":{\"username\":\"p\",\"uid\":\"u\","
			      "\"groups\":[\"a\",\"b\"],\"extra\":{\"k\":[\"v\"]}}}" },
		{ "\"other\"", "{\"authenticated\":true,\"user\":{\"username\":\"o\"}}" },
		{ "\"nameless\"", "{\"authenticated\":true,\"user\":{}}" },
		{ "\"odd\"", "}" },
	};
	struct api_server *s = arg;
	const char *status = "{\"authenticated\":false,\"user\":{\"username\":\"p\"}}";

	s->n_tokens++;
	if (s->is_down)
		return BROKEN;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (has(r->body, known[i].token))
			status = known[i].status;
	str_addf(reply, "{\"kind\":\"TokenReview\",\"status\":%s}", status);
	return CREATED;
}

static unsigned review_account(const struct serve_request *r, void *arg, struct str *reply)
{
	struct api_server *s = arg;

	s->n_accounts++;
	snprintf(s->account, sizeof(s->account), "%.*s", (int)r->body.n, r->body.s);
	str_addf(reply, "{\"kind\":\"SubjectAccessReview\",\"status\":{\"allowed\":%s}}",
		 has(r->body, "\"user\":\"p\"") && has(r->body, "\"/metrics\"") ? "true" : "false");
	return CREATED;
}

static const struct serve_route routes[] = {
	{ "POST", "/apis/authentication.k8s.io/v1/tokenreviews", review_token },
	{ "POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review_account },
	{},
};

static int start(void **state)
{
	const struct http_options http = { .user_agent = "test" };
	struct api_server *s = xcalloc(1, sizeof(*s));
	struct error err = ERROR_INIT;

	if (serve_start("127.0.0.1:0", &(struct serve_options){ .routes = routes, .arg = s },
			&s->serve, &err) < 0)
		fail_msg("%s", err.msg);
	s->target.cluster.server = serve_address(s->serve);
	s->kube.manager = "test";
	if (http_open(&s->target, &http, &s->kube.http, &err) < 0)
		fail_msg("%s", err.msg);
	s->reviews = token_reviews_new(&s->kube);
	*state = s;
	return 0;
}

static int stop(void **state)
{
	struct api_server *s = *state;

	token_reviews_free(s->reviews);
	http_close(s->kube.http);
	serve_stop(s->serve);
	free(s);
	return 0;
}

static unsigned ask(struct api_server *s, const char *authorization)
{
	return token_reviews_ask(s->reviews, authorization, "/metrics");
}

TEST_WITH(what_is_no_token_is_not_looked_up, start, stop)
{
	struct api_server *s = *state;
	static char large[TOKEN_REVIEW_MAX + 1];

	memset(large, 'x', sizeof(large) - 1);
	memcpy(large, "Bearer ", 7);
	const char *const none[] = { NULL,     "",	  "good",      "Basic good",
				     "Bearer", "Bearer ", "Bearer   ", large };
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		assert_int_equal(ask(s, none[i]), 401);
	assert_int_equal(s->n_tokens, 0);
}

TEST_WITH(an_account_that_may_is_asked_about_once, start, stop)
{
	struct api_server *s = *state;

	assert_int_equal(ask(s, "Bearer good"), 0);
	assert_int_equal(ask(s, "bearer  good"), 0);
	assert_int_equal(s->n_tokens, 1);
	assert_int_equal(s->n_accounts, 1);
	assert_non_null(strstr(s->account,
			       "\"spec\":{\"user\":\"p\",\"uid\":\"u\",\"groups\":[\"a\",\"b\"],"
			       "\"extra\":{\"k\":[\"v\"]},\"nonResourceAttributes\":{"
			       "\"path\":\"/metrics\",\"verb\":\"get\"}}"));
}

TEST_WITH(a_no_is_kept_too, start, stop)
{
	struct api_server *s = *state;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(ask(s, "Bearer other"), 403);
		assert_int_equal(ask(s, "Bearer made-up"), 401);
	}
	assert_int_equal(s->n_tokens, 2);
	assert_int_equal(s->n_accounts, 1);
}

TEST_WITH(an_answer_is_about_one_path, start, stop)
{
	struct api_server *s = *state;

	assert_int_equal(ask(s, "Bearer good"), 0);
	assert_int_equal(token_reviews_ask(s->reviews, "Bearer good", "/other"), 403);
	assert_int_equal(s->n_tokens, 2);
}

TEST_WITH(an_account_without_a_name_is_none, start, stop)
{
	assert_int_equal(ask(*state, "Bearer nameless"), 401);
}

TEST_WITH(without_an_answer_no_account_may_and_that_is_not_kept, start, stop)
{
	struct api_server *s = *state;

	s->is_down = true;
	assert_int_equal(ask(s, "Bearer good"), 503);
	s->is_down = false;
	assert_int_equal(ask(s, "Bearer odd"), 503);
	assert_int_equal(ask(s, "Bearer good"), 0);
	s->is_down = true;
	assert_int_equal(ask(s, "Bearer good"), 0);
}
