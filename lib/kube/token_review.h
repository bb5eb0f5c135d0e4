/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_KUBE_TOKEN_REVIEW_H
#define MCKUBE_KUBE_TOKEN_REVIEW_H

#include "kube/client.h"

/* May the sender of a request read a path of our server? The API server is asked whose token it is
 * (TokenReview), and whether this account may get the path (SubjectAccessReview of a non-resource
 * URL): as kubelets and kube-rbac-proxy do it. It needs the verb create on
 * tokenreviews and subjectaccessreviews, and nothing else.
 *
 * A yes is kept for a minute and a no for ten seconds, by the token's SHA-256; the token itself is
 * not kept and in no log. At most TOKEN_REVIEWS_A_SECOND tokens that are not known are looked up:
 * made-up ones do not load the API server. Without an answer of the API server no account may. */
struct token_reviews;

enum { TOKEN_REVIEWS_A_SECOND = 5, TOKENS_KEPT = 64, TOKEN_REVIEW_MAX = 16 << 10 };

/* `k` must outlive it, and is used by the calling thread alone. */
struct token_reviews *token_reviews_new(struct kube *k);
void token_reviews_free(struct token_reviews *t);

/* `authorization` is the header's value, NULL without one. 0: it may; else the HTTP status that
 * refuses the request: 401 not known, 403 may not, 429 too many, 503 not known now. */
unsigned token_reviews_ask(struct token_reviews *t, const char *authorization, const char *path);

#endif
