/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/service.h"

#include <string.h>

static int open_as(struct service *s, const char *url, const char *ca_file,
		   const struct kube_user *user, int64_t timeout_ms, struct error *err)
{
	const struct http_options options = { .user_agent = "kubectl-mckube" };

	*s = (struct service){ 0 };
	if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
		return error_set(err, -EINVAL, "%s: must begin with http:// or https://", url);
	s->target.cluster.server = url;
	s->target.cluster.ca_file = ca_file;
	s->target.user = *user;
	s->target.timeout_ms = timeout_ms;
	return http_open(&s->target, &options, &s->http, err);
}

int service_open(struct service *s, const char *url, const char *ca_file, const char *token,
		 int64_t timeout_ms, struct error *err)
{
	return open_as(s, url, ca_file, &(struct kube_user){ .token = token }, timeout_ms, err);
}

int service_open_with_file(struct service *s, const char *url, const char *ca_file,
			   const char *token_file, int64_t timeout_ms, struct error *err)
{
	return open_as(s, url, ca_file, &(struct kube_user){ .token_file = token_file }, timeout_ms,
		       err);
}

void service_close(struct service *s)
{
	http_close(s->http);
	s->http = NULL;
}
