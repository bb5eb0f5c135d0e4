/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/secure.h"

#include <string.h>

#include "base/alloc.h"
#include "kube/token_review.h"

enum { BUFFER_BYTES = 16 << 10 };

struct secure {
	struct secure_options options;
	struct kube kube;
	struct token_reviews *reviews;
	struct serve *serve;
};

static unsigned admit(const struct serve_request *r, void *arg)
{
	struct secure *s = arg;

	return token_reviews_ask(s->reviews, r->authorization, r->path);
}

static unsigned serve_metrics(const struct serve_request *r, void *arg, struct str *reply)
{
	struct secure *s = arg;

	return s->options.metrics(r, s->options.arg, reply);
}

static const struct serve_route routes[] = {
	{ "GET", "/metrics", serve_metrics },
	{},
};

int secure_check(const char *address, const struct serve_tls *tls, struct error *err)
{
	if (!address && (tls->cert_file || tls->key_file))
		return error_set(err, -EINVAL,
				 "--tls-cert-file, --tls-private-key-file: only with "
				 "--secure-metrics-bind-address");
	if (address && !(tls->cert_file && tls->key_file))
		return error_set(err, -EINVAL,
				 "--secure-metrics-bind-address: needs --tls-cert-file and "
				 "--tls-private-key-file");
	return 0;
}

int secure_start(const struct secure_options *options, struct secure **ret, struct error *err)
{
	struct secure *s = xcalloc(1, sizeof(*s));
	const struct http_options http = { .user_agent = options->user_agent,
					   .max_connections = 1,
					   .buffer_bytes = BUFFER_BYTES };
	const struct serve_options serve = {
		.routes = routes, .admit = admit, .tls = &s->options.tls, .arg = s
	};

	s->options = *options;
	s->kube.manager = options->user_agent;
	s->reviews = token_reviews_new(&s->kube);
	if (http_open(options->target, &http, &s->kube.http, err) < 0 ||
	    serve_start(options->address, &serve, &s->serve, err) < 0) {
		secure_stop(s);
		return error_wrap(err, "--secure-metrics-bind-address");
	}
	*ret = s;
	return 0;
}

void secure_stop(struct secure *s)
{
	if (!s)
		return;
	serve_stop(s->serve);
	token_reviews_free(s->reviews);
	if (s->kube.http)
		http_close(s->kube.http);
	free(s);
}

const char *secure_address(const struct secure *s)
{
	return serve_address(s->serve);
}
