/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/service.h"

#include <string.h>

int service_open(struct service *s, const char *url, const char *ca_file, const char *token,
		 int64_t timeout_ms, struct error *err)
{
	const struct http_options options = { .user_agent = "kubectl-mckube" };

	*s = (struct service){ 0 };
	if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
		return error_set(err, -EINVAL, "%s: must begin with http:// or https://", url);
	s->target.cluster.server = url;
	s->target.cluster.ca_file = ca_file;
	s->target.user.token = token;
	s->target.timeout_ms = timeout_ms;
	return http_open(&s->target, &options, &s->http, err);
}

void service_close(struct service *s)
{
	http_close(s->http);
	s->http = NULL;
}
