/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/http_try.h"

#include <string.h>

#include "base/clock.h"
#include "base/timer.h"
#include "base/units.h"
#include "kube/auth.h"
#include "kube/status.h"

enum { RETRY_FIRST_MS = 100, RETRY_LAST_MS = 5000 };

/* Did the connection break, and not because the server refused our certificate? With TLS 1.3 it
 * does so after the handshake, where libcurl only says that receiving failed; OpenSSL and GnuTLS
 * both call it an alert. */
static bool is_broken(const struct http_try *t, CURLcode curl)
{
	long proxy_code = 0; /* the proxy refused CONNECT */

	curl_easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_code);
	return (curl == CURLE_GOT_NOTHING || curl == CURLE_RECV_ERROR || curl == CURLE_SEND_ERROR ||
		curl == CURLE_PARTIAL_FILE) &&
	       (proxy_code == 0 || http_is_success(proxy_code)) && !strstr(t->detail, "alert");
}

/* Does the server want the same request again, later? */
static bool is_deferred(const struct http_try *t)
{
	const struct http_call *call = t->call;
	struct kube_status status;
	struct error why;

	if (t->retry_after < 0 || (call->code != 429 && call->code < 500))
		return false;
	kube_status_error(call->code, (struct slice){ call->reply.s, call->reply.n }, &status,
			  &why);
	return !kube_status_is_blocked(&status);
}

/* Milliseconds until the same request may be sent again; negative: it may not. */
static int64_t wanted_pause(struct http_try *t, struct kube_auth *auth, CURLcode curl)
{
	struct http_call *call = t->call;
	bool may_repeat = t->tries < HTTP_BROKEN_TRIES && strcmp(call->method, "GET") == 0;

	if (t->tries >= HTTP_TRIES || t->has_sunk || call->is_stream)
		return -1;
	if (curl != CURLE_OK)
		return may_repeat && is_broken(t, curl)
			       ? jittered_ms(backoff_ms(RETRY_FIRST_MS, RETRY_LAST_MS, t->tries))
			       : -1;
	if (call->code == 401 && !t->was_refused && kube_auth_was_refused(auth)) {
		t->was_refused = true;
		return 0;
	}
	return is_deferred(t) ? t->retry_after * MS_PER_S : -1;
}

int64_t http_try_delay(struct http_try *t, struct kube_auth *auth, CURLcode curl)
{
	int64_t pause = wanted_pause(t, auth, curl);

	if (pause < 0 || t->paused_ms + pause > HTTP_PAUSES_MS || clock_ms() + pause >= t->end_ms)
		return -1;
	t->paused_ms += pause;
	return pause;
}

void http_try_judge(struct http_try *t, const struct endpoint *endpoint, CURLcode curl)
{
	struct http_call *call = t->call;

	if (call->result < 0) /* the sink's own error */
		return;
	if (t->is_too_large)
		call->result = error_set(&call->err, -EFBIG, "%s: reply larger than %zu bytes",
					 call->path, call->reply.max);
	else if (t->is_head_too_large)
		call->result = error_set(&call->err, -EFBIG, "%s: headers larger than %d bytes",
					 call->path, HTTP_HEAD_MAX);
	else if (t->has_legacy_name)
		call->result = error_set(&call->err, -EKEYREJECTED,
					 "Unable to connect to the server: certificate relies on "
					 "the legacy Common Name field, use SANs instead");
	else if (curl != CURLE_OK)
		call->result = endpoint_error(endpoint, t->easy, curl, t->detail, &call->err);
	else if (!http_is_success(call->code))
		call->result = kube_status_error(call->code,
						 (struct slice){ call->reply.s, call->reply.n },
						 &call->status, &call->err);
}
