/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/token_review.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/sha256.h"
#include "base/units.h"
#include "kube/rate_limit.h"

enum { KEEP_YES_MS = 60000, KEEP_NO_MS = 10000, REVIEW_MS = 3000 };

enum {
	HTTP_UNAUTHORIZED = 401,
	HTTP_FORBIDDEN = 403,
	HTTP_TOO_MANY_REQUESTS = 429,
	HTTP_UNAVAILABLE = 503,
};

struct known {
	unsigned char key[SHA256_SIZE]; /* of the token, and the path */
	unsigned status;
	int64_t until_ms; /* 0: unused */
};

struct token_reviews {
	struct kube *k;
	struct rate_limit limit;
	struct known known[TOKENS_KEPT];
};

struct token_reviews *token_reviews_new(struct kube *k)
{
	struct token_reviews *t = xcalloc(1, sizeof(*t));

	t->k = k;
	rate_limit_init(&t->limit, TOKEN_REVIEWS_A_SECOND, TOKEN_REVIEWS_A_SECOND, clock_ms());
	return t;
}

void token_reviews_free(struct token_reviews *t)
{
	free(t);
}

static cJSON *new_review(const char *api_version, const char *kind, cJSON **ret_spec)
{
	cJSON *review = cJSON_CreateObject();

	cJSON_AddStringToObject(review, "apiVersion", api_version);
	cJSON_AddStringToObject(review, "kind", kind);
	*ret_spec = cJSON_AddObjectToObject(review, "spec");
	return review;
}

/* The status that the server fills in, as part of *ret; negative: it did not. */
static int ask(struct kube *k, const struct kube_resource *resource, const cJSON *review,
	       cJSON **ret, struct error *err)
{
	char *text = cJSON_PrintUnformatted(review);
	struct kube_request r = { 0 };

	kube_create(&r, k, resource, NULL, slice_of(text));
	r.call.is_secret = true;
	r.call.timeout_ms = REVIEW_MS;
	int result = kube_do(k, &r, err);
	if (result == 0)
		result = json_parse(r.call.reply.s, r.call.reply.n, ret, err);
	kube_request_done(&r);
	explicit_bzero(text, strlen(text));
	free(text);
	return result;
}

/* Copies what is known of the account, under the names that the other review has. */
static void copy_account(const cJSON *user, cJSON *spec)
{
	static const char *const members[][2] = { { "username", "user" },
						  { "uid", "uid" },
						  { "groups", "groups" },
						  { "extra", "extra" } };

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const cJSON *value = json_get(user, members[i][0]);

		if (value)
			cJSON_AddItemToObject(spec, members[i][1], cJSON_Duplicate(value, true));
	}
}

/* 0: the account may; 403; negative. */
static int ask_permission(struct kube *k, const cJSON *user, const char *path, struct error *err)
{
	cJSON *spec, *what;
	AUTO_JSON cJSON *review =
		new_review("authorization.k8s.io/v1", "SubjectAccessReview", &spec);
	AUTO_JSON cJSON *reply = NULL;

	copy_account(user, spec);
	what = cJSON_AddObjectToObject(spec, "nonResourceAttributes");
	cJSON_AddStringToObject(what, "path", path);
	cJSON_AddStringToObject(what, "verb", "get");
	if (ask(k, &kube_subject_reviews, review, &reply, err) < 0)
		return error_wrap(err, "SubjectAccessReview");
	return cJSON_IsTrue(json_path(reply, "status.allowed")) ? 0 : HTTP_FORBIDDEN;
}

/* 0, 401, 403 or negative. */
static int review(struct kube *k, const char *token, const char *path, struct error *err)
{
	cJSON *spec;
	AUTO_JSON cJSON *review = new_review("authentication.k8s.io/v1", "TokenReview", &spec);
	AUTO_JSON cJSON *reply = NULL;

	cJSON_AddStringToObject(spec, "token", token);
	if (ask(k, &kube_token_reviews, review, &reply, err) < 0)
		return error_wrap(err, "TokenReview");
	const cJSON *user = json_path(reply, "status.user");
	if (!cJSON_IsTrue(json_path(reply, "status.authenticated")) ||
	    !json_text(json_get(user, "username")))
		return HTTP_UNAUTHORIZED;
	return ask_permission(k, user, path, err);
}

/* Of "Bearer TOKEN"; NULL: none that could be one. */
static const char *token_of(const char *authorization)
{
	static const char scheme[] = "Bearer ";
	size_t n = sizeof(scheme) - 1;

	if (!authorization || strncasecmp(authorization, scheme, n) != 0)
		return NULL;
	n += strspn(authorization + n, " ");
	return authorization[n] && strlen(authorization) < TOKEN_REVIEW_MAX ? authorization + n
									    : NULL;
}

/* NULL: nothing is known under the key. What is no longer valid is found, too. */
static struct known *find(struct token_reviews *t, const unsigned char *key)
{
	for (size_t i = 0; i < TOKENS_KEPT; i++)
		if (t->known[i].until_ms && memcmp(t->known[i].key, key, SHA256_SIZE) == 0)
			return &t->known[i];
	return NULL;
}

/* In place of what ends first: a no rather than a yes. */
static void remember(struct token_reviews *t, const unsigned char *key, unsigned status)
{
	struct known *at = find(t, key);

	if (!at) {
		at = t->known;
		for (size_t i = 1; i < TOKENS_KEPT; i++)
			if (t->known[i].until_ms < at->until_ms)
				at = &t->known[i];
	}
	memcpy(at->key, key, SHA256_SIZE);
	at->status = status;
	at->until_ms = clock_ms() + (status ? KEEP_NO_MS : KEEP_YES_MS);
}

unsigned token_reviews_ask(struct token_reviews *t, const char *authorization, const char *path)
{
	const char *token = token_of(authorization);
	struct sha256 h = SHA256_INIT;
	unsigned char key[SHA256_SIZE];
	struct error err = ERROR_INIT;
	int64_t now = clock_ms(), due;

	if (!token)
		return HTTP_UNAUTHORIZED;
	sha256_add(&h, token, strlen(token) + 1);
	sha256_add(&h, path, strlen(path));
	sha256_finish(&h, key);
	const struct known *known = find(t, key);
	if (known && known->until_ms > now)
		return known->status;
	/* An account that might read before is not kept out by made-up tokens. */
	if (!(known && known->status == 0) && !rate_limit_take(&t->limit, now, &due))
		return HTTP_TOO_MANY_REQUESTS;
	int r = review(t->k, token, path, &err);
	if (r < 0) {
		log_warning("%s: the token of a request was not reviewed: %s", path, err.msg);
		return HTTP_UNAVAILABLE;
	}
	remember(t, key, (unsigned)r);
	return (unsigned)r;
}
