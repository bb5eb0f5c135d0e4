/* SPDX-License-Identifier: Apache-2.0 */
#include "reconcile/metrics_server.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "serve/serve.h"

enum { WAIT_S = 2, HEALTHY_MS = 60000 };

struct watch_serve {
	struct serve *serve;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t published;
	struct str text;
	uint64_t generation; /* of the text */
	int64_t turned_ms;
	bool is_asked, is_ready;
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
	bool is_ready = s->is_ready;
	pthread_mutex_unlock(&s->lock);
	str_add(reply, is_ready ? "ok\n" : "not all objects are listed yet\n");
	return is_ready ? 200 : 503;
}

static unsigned serve_metrics(const struct serve_request *r, void *arg, struct str *reply)
{
	struct watch_serve *s = arg;
	struct timespec end;
	int timed_out = 0;

	(void)r;
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += WAIT_S;
	pthread_mutex_lock(&s->lock);
	uint64_t before = s->generation;
	s->is_asked = true;
	while (s->generation == before && !timed_out)
		timed_out = pthread_cond_timedwait(&s->published, &s->lock, &end);
	str_addn(reply, s->text.s, s->text.n);
	pthread_mutex_unlock(&s->lock);
	return reply->n ? 200 : 503;
}

static const struct serve_route routes[] = {
	{ "GET", "/healthz", serve_health },
	{ "GET", "/readyz", serve_readiness },
	{ "GET", "/metrics", serve_metrics },
	{},
};

int watch_serve_start(const char *address, struct watch_serve **ret, struct error *err)
{
	struct watch_serve *s = xcalloc(1, sizeof(*s));
	const struct serve_options options = { .routes = routes, .arg = s };
	pthread_condattr_t attributes;

	s->text = (struct str)STR_INIT;
	s->turned_ms = clock_ms();
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&s->published, &attributes);
	pthread_condattr_destroy(&attributes);
	if (serve_start(address, &options, &s->serve, err) < 0) {
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
	serve_stop(s->serve);
	pthread_cond_destroy(&s->published);
	pthread_mutex_destroy(&s->lock);
	str_done(&s->text);
	free(s);
}

bool watch_serve_turn(struct watch_serve *s, bool is_ready)
{
	pthread_mutex_lock(&s->lock);
	bool is_asked = s->is_asked;
	s->is_asked = false;
	s->is_ready = is_ready;
	s->turned_ms = clock_ms();
	pthread_mutex_unlock(&s->lock);
	return is_asked;
}

void watch_serve_publish(struct watch_serve *s, struct str *text)
{
	pthread_mutex_lock(&s->lock);
	struct str old = s->text;
	s->text = *text;
	s->generation++;
	pthread_cond_broadcast(&s->published);
	pthread_mutex_unlock(&s->lock);
	str_done(&old);
	*text = (struct str)STR_INIT;
}

const char *watch_serve_address(const struct watch_serve *s)
{
	return serve_address(s->serve);
}
