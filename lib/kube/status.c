/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/status.h"

#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/json.h"

static int code_to_errno(const struct kube_status *s)
{
	static const struct {
		int http, code;
	} rows[] = {
		{ 400, EINVAL },    { 401, EPERM },	{ 403, EACCES }, { 404, ENOENT },
		{ 405, ENOTSUP },   { 408, ETIMEDOUT }, { 409, EBUSY },	 { 410, ESTALE },
		{ 413, EFBIG },	    { 415, ENOTSUP },	{ 422, EINVAL }, { 429, EAGAIN },
		{ 504, ETIMEDOUT },
	};

	if (strcmp(s->reason, "AlreadyExists") == 0)
		return -EEXIST;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].http == s->code)
			return -rows[i].code;
	return -EIO;
}

static void copy(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from ? from : "");
}

static void read_status(const cJSON *root, struct kube_status *ret)
{
	const cJSON *causes = json_path(root, "details.causes");
	int64_t n;

	copy(ret->reason, sizeof(ret->reason), json_text(json_get(root, "reason")));
	if (cJSON_IsArray(causes) && causes->child)
		copy(ret->cause, sizeof(ret->cause), json_text(json_get(causes->child, "reason")));
	if (json_int(json_path(root, "details.retryAfterSeconds"), &n) && n > 0)
		ret->retry_after = n;
	if (json_int(json_get(root, "code"), &n) && n > 0 && n < 1000)
		ret->code = (int)n;
}

/* `The Pod "x" is invalid: spec.y: message`, as kubectl shows 422. */
static int invalid(const struct kube_status *s, const cJSON *root, struct error *err)
{
	const char *kind = json_text(json_path(root, "details.kind"));
	const char *name = json_text(json_path(root, "details.name"));
	const cJSON *causes = json_path(root, "details.causes"), *cause;
	AUTO(str_done) struct str text = STR_INIT;

	cJSON_ArrayForEach(cause, causes) {
		const char *field = json_text(json_get(cause, "field"));
		const char *message = json_text(json_get(cause, "message"));

		str_addf(&text, "%s%s%s%s", text.n ? "; " : "", field ? field : "",
			 field ? ": " : "", message ? message : "");
	}
	return error_set(err, code_to_errno(s), "The %s \"%s\" is invalid: %s", kind, name, text.s);
}

static bool has_causes(const cJSON *root)
{
	const cJSON *causes = json_path(root, "details.causes");

	return cJSON_IsArray(causes) && causes->child &&
	       json_text(json_path(root, "details.kind")) &&
	       json_text(json_path(root, "details.name"));
}

int kube_status_error(int http_code, struct slice body, struct kube_status *ret, struct error *err)
{
	AUTO_JSON cJSON *root = NULL;
	const char *kind, *message;

	*ret = (struct kube_status){ .code = http_code };
	if (body.n)
		json_parse(body.s, body.n, &root, NULL);
	kind = json_text(json_get(root, "kind"));
	if (!kind || strcmp(kind, "Status") != 0)
		return error_set(err, code_to_errno(ret), "Error from server: HTTP status %d",
				 http_code);
	read_status(root, ret);
	message = json_text(json_get(root, "message"));
	message = message ? message : "the server gave no message";
	if (strcmp(ret->reason, "Unauthorized") == 0)
		return error_set(err, code_to_errno(ret),
				 "You must be logged in to the server (%s)", message);
	if (strcmp(ret->reason, "Invalid") == 0 && has_causes(root))
		return invalid(ret, root, err);
	if (!*ret->reason)
		return error_set(err, code_to_errno(ret), "Error from server: %s", message);
	return error_set(err, code_to_errno(ret), "Error from server (%s): %s", ret->reason,
			 message);
}

bool kube_status_is_blocked(const struct kube_status *s)
{
	return s->code == 429 && strcmp(s->cause, "DisruptionBudget") == 0;
}
