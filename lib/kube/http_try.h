/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_KUBE_HTTP_TRY_H
#define MCKUBE_KUBE_HTTP_TRY_H

#include "kube/endpoint.h"
#include "kube/http.h"

/* What the end of a transfer means for its call: the same request again, a result, or an error.
 * Only for http.c, which sends and receives. */

/* A call that is under way. `easy` is only there while it is on the transfer. */
struct http_try {
	struct http *http;
	struct http_call *call;
	CURL *easy;
	unsigned generation; /* of the identity that `easy` was prepared for */
	struct curl_slist *headers;
	int64_t due_ms; /* not before */
	int64_t end_ms; /* nor after: all tries and the pauses between them; INT64_MAX: no bound */
	int64_t paused_ms; /* so far */
	size_t head_bytes; /* of this try */
	int64_t sent_ms;
	int64_t received_ms; /* of a stream: its last byte, or when it was sent */
	int64_t retry_after; /* seconds; -1: the header is not there */
	unsigned tries;
	bool was_refused; /* a 401 was answered with a newer credential already */
	bool has_sunk;	  /* bytes of a success were handed on */
	bool is_too_large, is_head_too_large;
	bool has_legacy_name;	      /* the server's certificate */
	char detail[CURL_ERROR_SIZE]; /* libcurl's own words */
};

static inline bool http_is_success(long code)
{
	return code >= 200 && code < 300;
}

/* Milliseconds until the same request is sent again, within the bounds of the call; negative: it
 * is not. Credentials that the server refused are renewed once. */
int64_t http_try_delay(struct http_try *t, struct kube_auth *auth, CURLcode curl);

/* The last word: fills result, status and err of the call. */
void http_try_judge(struct http_try *t, const struct endpoint *endpoint, CURLcode curl);

#endif
