/* SPDX-License-Identifier: Apache-2.0 */
#include "listen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "node/set_rt.h"
#include "node/sysfs.h"
#include "serve/secure.h"

#include "metrics.h"

enum { TOKEN_MAX = 4096, POSTS_A_SECOND = 50 };

enum {
	HTTP_OK = 200,
	HTTP_BAD_REQUEST = 400,
	HTTP_UNAUTHORIZED = 401,
	HTTP_NOT_FOUND = 404,
	HTTP_TOO_MANY_REQUESTS = 429,
	HTTP_INTERNAL_SERVER_ERROR = 500,
	HTTP_UNAVAILABLE = 503,
};

struct listen {
	struct run *run;
	struct serve *serve;   /* NULL: none */
	struct secure *secure; /* NULL: none */
	char token[TOKEN_MAX]; /* empty: there is none */
	int64_t second;	       /* of the requests counted */
	unsigned n_posts;
};

static unsigned refuse(struct str *reply, const struct error *err)
{
	str_addf(reply, "%s\n", err->msg);
	return err->code == -EINVAL   ? HTTP_BAD_REQUEST
	       : err->code == -ENOENT ? HTTP_NOT_FOUND
				      : HTTP_INTERNAL_SERVER_ERROR;
}

static unsigned serve_health(const struct serve_request *r, void *arg, struct str *reply)
{
	int64_t late_ms = 0;
	const char *thread = run_stalled(((const struct listen *)arg)->run, &late_ms);

	(void)r;
	if (!thread) {
		str_add(reply, "ok\n");
		return HTTP_OK;
	}
	str_addf(reply, "%s thread: no progress for %lld ms\n", thread, (long long)late_ms);
	return HTTP_UNAVAILABLE;
}

static unsigned serve_ready(const struct serve_request *r, void *arg, struct str *reply)
{
	const struct run *run = ((const struct listen *)arg)->run;
	bool is_ready = !run->kube || agent_is_synced(run->kube);

	(void)r;
	str_add(reply, is_ready ? "ok\n" : "pods of this node: not listed yet\n");
	return is_ready ? HTTP_OK : HTTP_UNAVAILABLE;
}

static unsigned serve_metrics(const struct serve_request *r, void *arg, struct str *reply)
{
	const struct listen *l = arg;

	(void)r;
	metrics_write(l->run, reply);
	return HTTP_OK;
}

static unsigned serve_set_rt(const struct serve_request *r, void *arg, struct str *reply)
{
	struct run *run = ((const struct listen *)arg)->run;
	struct error err = ERROR_INIT;
	struct set_rt s;

	if (set_rt_parse(r->body.s, r->body.n, &s, &err) < 0 ||
	    set_rt_apply(&s, &run->kernel, run->backend, run->args->capacity_us, &err) < 0)
		return refuse(reply, &err);
	engine_refresh(&run->engine);
	str_addf(reply, "container %s: runtime %lld us\n", s.container, (long long)s.runtime_us);
	return HTTP_OK;
}

static unsigned serve_renice(const struct serve_request *r, void *arg, struct str *reply)
{
	const struct listen *l = arg;
	AUTO_JSON cJSON *json = NULL;
	char id[CONTAINER_ID_MAX + 1];
	struct error err = ERROR_INIT;
	int64_t nice = 0;

	if (json_parse(r->body.s, r->body.n, &json, &err) < 0)
		return refuse(reply, &err);
	const char *text = json_text(json_get(json, "container_id"));
	if (!text || !json_int(json_get(json, "nice"), &nice) || nice < -20 || nice > 19)
		error_set(&err, -EINVAL, "container_id and nice (-20 to 19) are needed");
	else if (container_id(text, id, &err) == 0)
		container_set_nice(&l->run->kernel, id, (int)nice, &err);
	if (err.code)
		return refuse(reply, &err);
	str_addf(reply, "container %s: nice %d\n", id, (int)nice);
	return HTTP_OK;
}

static const struct serve_route routes[] = {
	{ "GET", "/metrics", serve_metrics },
	{ "GET", "/healthz", serve_health },
	{ "GET", "/readyz", serve_ready },
	{ "POST", "/cgroup", serve_set_rt },
	{ "POST", "/set-rt", serve_set_rt },
	{ "POST", "/renice", serve_renice },
	{},
};

/* Takes the same time whatever differs. */
static bool is_equal(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	unsigned char difference = n != m;

	for (size_t i = 0; i < m; i++)
		difference |= (unsigned char)(a[n ? i % n : 0] ^ b[i]);
	return difference == 0;
}

static bool may_write(const struct listen *l, const struct serve_request *r)
{
	static const char scheme[] = "Bearer ";
	const char *header = r->authorization;

	if (r->is_unix && !*l->token)
		return true;
	return *l->token && header && strncmp(header, scheme, sizeof(scheme) - 1) == 0 &&
	       is_equal(l->token, header + sizeof(scheme) - 1);
}

static bool is_too_many(struct listen *l)
{
	int64_t second = clock_ns() / 1000000000;

	if (second != l->second)
		l->n_posts = 0;
	l->second = second;
	return ++l->n_posts > POSTS_A_SECOND;
}

static unsigned admit(const struct serve_request *r, void *arg)
{
	struct listen *l = arg;

	if (strcmp(r->method, "POST") != 0)
		return 0;
	if (!may_write(l, r))
		return HTTP_UNAUTHORIZED;
	return is_too_many(l) ? HTTP_TOO_MANY_REQUESTS : 0;
}

/* A file that was named must be there; the usual one need not. */
static int read_token(struct listen *l, const char *file, struct error *err)
{
	static const char usual[] = "/etc/mckube/token";
	const char *text = getenv("MCKUBE_SHARED_TOKEN");

	if (file)
		return sysfs_read(AT_FDCWD, file, l->token, sizeof(l->token), err);
	if (text && strlen(text) < sizeof(l->token))
		memcpy(l->token, text, strlen(text) + 1);
	else
		sysfs_read(AT_FDCWD, usual, l->token, sizeof(l->token), NULL);
	return 0;
}

int listen_check(const struct run_args *args, struct error *err)
{
	const struct serve_tls tls = { .cert_file = args->cert_file, .key_file = args->key_file };

	if (args->secure_address && args->static_file)
		return error_set(
			err, -EINVAL,
			"--secure-metrics-bind-address: needs an API server, which --static "
			"does not");
	return secure_check(args->secure_address, &tls, err);
}

static int open_plain(struct listen *l, struct error *err)
{
	const struct run_args *args = l->run->args;
	/* The first row is that of /metrics. */
	const struct serve_options options = { .routes = routes + (args->secure_address != NULL),
					       .admit = admit,
					       .arg = l };

	if (!args->listen)
		return 0;
	if (read_token(l, args->token_file, err) < 0)
		return err->code;
	if (serve_start(args->listen, &options, &l->serve, err) < 0)
		return error_wrap(err, "--listen");
	if (!serve_is_unix(l->serve) && !*l->token)
		log_v(0, "--listen %s: no token, every POST is refused", args->listen);
	return 0;
}

static int open_secure(struct listen *l, struct error *err)
{
	const struct run_args *args = l->run->args;
	const struct secure_options options = {
		.address = args->secure_address,
		.tls = { .cert_file = args->cert_file, .key_file = args->key_file },
		.target = agent_target(l->run->kube),
		.user_agent = "mckube-node",
		.metrics = serve_metrics,
		.arg = l,
	};

	if (!args->secure_address)
		return 0;
	if (secure_start(&options, &l->secure, err) < 0)
		return err->code;
	log_v(0, "metrics: %s/metrics", secure_address(l->secure));
	return 0;
}

int listen_start(struct run *r, struct listen **ret, struct error *err)
{
	struct listen *l = xcalloc(1, sizeof(*l));

	l->run = r;
	if (open_plain(l, err) < 0 || open_secure(l, err) < 0) {
		listen_stop(l);
		return err->code;
	}
	*ret = l;
	return 0;
}

void listen_stop(struct listen *l)
{
	if (!l)
		return;
	secure_stop(l->secure);
	serve_stop(l->serve);
	explicit_bzero(l->token, sizeof(l->token));
	free(l);
}
