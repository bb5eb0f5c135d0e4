/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_RECONCILE_METRICS_SERVER_H
#define MCKUBE_RECONCILE_METRICS_SERVER_H

#include <stdbool.h>

#include "base/error.h"
#include "base/str.h"
#include "serve/secure.h"

/* What `watch` answers over HTTP; /metrics over TLS alone where there is a secure address:
 *
 *	/healthz	200 while the main loop turns at least once a minute
 *	/readyz		200 once every kind of object is listed
 *	/metrics	the text that the main loop published last
 *
 * A thread of its own answers, and waits for nothing: a probe is answered while others scrape.
 * The numbers belong to the main loop. It publishes them at its start, after each scrape, and every
 * WATCH_SERVE_REFRESH_MS while there were passes, or a scrape in the last five minutes. So what a
 * scraper gets lacks no pass that is older than that, but for the time that a plan or a write
 * takes; a first scrape may find an older age or CPU time. */
enum { WATCH_SERVE_REFRESH_MS = 5000 };

struct watch_serve;

/* `address` "0": none. `secure` without an address: none; its handler is not read. */
int watch_serve_start(const char *address, const struct secure_options *secure,
		      struct watch_serve **ret, struct error *err);
void watch_serve_stop(struct watch_serve *s);

/* For the main loop, at each turn: it lives. `unready` says why it is not ready, a text that stays;
 * NULL: it is. `has_news`: there were passes since the last text. True when it is time to publish.
 */
bool watch_serve_turn(struct watch_serve *s, const char *unready, bool has_news);

/* Takes the text. */
void watch_serve_publish(struct watch_serve *s, struct str *text);

/* Of the metrics. */
const char *watch_serve_address(const struct watch_serve *s);

#endif
