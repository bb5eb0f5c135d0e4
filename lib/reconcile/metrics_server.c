/* SPDX-License-Identifier: Apache-2.0 */
#include "reconcile/metrics_server.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "serve/serve.h"

enum { HEALTHY_MS = 60000, ASKED_MS = 300000 };

struct watch_serve {
	struct serve *serve;   /* NULL: none */
	struct secure *secure; /* NULL: none */
	pthread_mutex_t lock;  /* of all below */
	struct str text;
	int64_t turned_ms, published_ms, asked_ms; /* published_ms 0: never */
	bool is_asked;
	const char *unready; /* why it is not ready; NULL: it is */
};

static unsigned serve_health(const struct serve_request *r, void *arg, struct str *reply)
{
	struct watch_serve *s = arg;

	(void)r;
	pthread_mutex_lock(&s->lock);
	bool is_alive = clock_ms() - s->turned_ms < HEALTHY_MS;
	pthread_mutex_unlock(&s->lock);
	str_add(reply, is_alive ? "ok\n" : "the main loop is stuck\n");
	return is_alive ? 200 : 503;
}

static unsigned serve_readiness(const struct serve_request *r, void *arg, struct str *reply)
{
	struct watch_serve *s = arg;

	(void)r;
	pthread_mutex_lock(&s->lock);
	const char *unready = s->unready;
	pthread_mutex_unlock(&s->lock);
	str_addf(reply, "%s\n", unready ? unready : "ok");
	return unready ? 503 : 200;
}

static unsigned serve_metrics(const struct serve_request *r, void *arg, struct str *reply)
{
	struct watch_serve *s = arg;

	(void)r;
	pthread_mutex_lock(&s->lock);
	s->is_asked = true;
	s->asked_ms = clock_ms();
	str_addn(reply, s->text.s, s->text.n);
	pthread_mutex_unlock(&s->lock);
	return reply->n ? 200 : 503;
}

static const struct serve_route routes[] = {
	{ "GET", "/metrics", serve_metrics },
	{ "GET", "/healthz", serve_health },
	{ "GET", "/readyz", serve_readiness },
	{},
};

static int open_servers(struct watch_serve *s, const char *address,
			const struct secure_options *secure, struct error *err)
{
	const struct serve_options options = { .routes = routes + (secure->address != NULL),
					       .arg = s };
	struct secure_options own = *secure;

	own.metrics = serve_metrics;
	own.arg = s;
	if (strcmp(address, "0") != 0 && serve_start(address, &options, &s->serve, err) < 0)
		return error_wrap(err, "--metrics-bind-address");
	return secure->address ? secure_start(&own, &s->secure, err) : 0;
}

int watch_serve_start(const char *address, const struct secure_options *secure,
		      struct watch_serve **ret, struct error *err)
{
	struct watch_serve *s = xcalloc(1, sizeof(*s));

	s->text = (struct str)STR_INIT;
	s->turned_ms = clock_ms();
	s->unready = "not all objects are listed yet";
	pthread_mutex_init(&s->lock, NULL);
	if (open_servers(s, address, secure, err) < 0) {
		watch_serve_stop(s);
		return err->code;
	}
	*ret = s;
	return 0;
}

void watch_serve_stop(struct watch_serve *s)
{
	if (!s)
		return;
	secure_stop(s->secure);
	serve_stop(s->serve);
	pthread_mutex_destroy(&s->lock);
	str_done(&s->text);
	free(s);
}

/* Has the text been out for long while it is read, or while there is more to tell? */
static bool is_due(const struct watch_serve *s, bool has_news, int64_t now)
{
	bool is_read = s->asked_ms && now - s->asked_ms < ASKED_MS;

	return !s->published_ms ||
	       (now - s->published_ms >= WATCH_SERVE_REFRESH_MS && (is_read || has_news));
}

bool watch_serve_turn(struct watch_serve *s, const char *unready, bool has_news)
{
	pthread_mutex_lock(&s->lock);
	int64_t now = clock_ms();
	bool is_wanted = s->is_asked || is_due(s, has_news, now);
	s->is_asked = false;
	s->unready = unready;
	s->turned_ms = now;
	pthread_mutex_unlock(&s->lock);
	return is_wanted;
}

void watch_serve_publish(struct watch_serve *s, struct str *text)
{
	pthread_mutex_lock(&s->lock);
	struct str old = s->text;
	s->text = *text;
	s->published_ms = clock_ms();
	pthread_mutex_unlock(&s->lock);
	str_done(&old);
	*text = (struct str)STR_INIT;
}

const char *watch_serve_address(const struct watch_serve *s)
{
	return s->secure ? secure_address(s->secure) : serve_address(s->serve);
}
