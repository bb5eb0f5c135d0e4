/* SPDX-License-Identifier: Apache-2.0 */

/* What CRIU does not restore: the CPUs that single threads were held to. The source's helper has
 * read them, and is asked for them when the containers run here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/log.h"
#include "checkpoint/registry.h"
#include "migrate_agent/helper.h"
#include "migrate_agent/threads.h"

enum { REPLY_MAX = 1 << 20, FETCH_MS = 5000 };

static int ask(const struct stream *peer, const char *id, unsigned container, struct str *reply,
	       struct error *err)
{
	AUTO(str_done) struct str head = STR_INIT;
	char piece[4096];
	ssize_t n;

	registry_ask_threads(&head, id, container);
	stream_set_timeout(peer, FETCH_MS);
	int r = stream_write(peer, head.s, head.n);
	if (r < 0)
		return error_set(err, r, "ask: %s", strerror(-r));
	while ((n = stream_read(peer, piece, sizeof(piece))) > 0)
		str_addn(reply, piece, (size_t)n);
	return n < 0 ? error_set(err, (int)n, "read: %s", strerror((int)-n)) : 0;
}

static int fetch(const struct move_in *m, unsigned container, struct str *reply, struct slice *ret,
		 struct error *err)
{
	struct stream peer = STREAM_INIT;

	if (!m->address)
		return error_set(err, -ENOENT, "its helper is not known");
	if (peer_connect(&m->helper->identity, m->address, m->peer, &peer, err) < 0)
		return err->code;
	int r = ask(&peer, m->id, container, reply, err);
	stream_close(&peer);
	if (r < 0)
		return r;
	return registry_body((struct slice){ reply->s, reply->n }, ret, err);
}

static int bind_container(struct move_in *m, unsigned i, const char *id, unsigned *ret_lost,
			  struct error *err)
{
	AUTO(str_done) struct str reply = STR_INIT_MAX(REPLY_MAX);
	struct slice text = { 0 };

	if (fetch(m, i, &reply, &text, err) < 0)
		return error_wrap(err, "node %s", m->from ? m->from : "of the source");
	if (text.n == 0)
		return 0;
	log_v(2, "pod %s/%s: container %u: CPUs of threads: %.*s", m->ns, m->new, i, (int)text.n,
	      text.s);
	return threads_bind(m->helper->args->cgroup_root, m->new_uid, id, text, ret_lost, err);
}

void *target_bind_threads(void *arg)
{
	struct move_in *m = arg;
	struct error err = ERROR_INIT;
	AUTO_FREE char *ids = xstrdup(m->ids);
	char *rest = ids, *id;
	unsigned n_lost = 0;
	int code = 0;

	for (unsigned i = 0; code == 0 && (id = strsep(&rest, ",")); i++)
		code = bind_container(m, i, id, &n_lost, &err);
	if (code == 0 && n_lost)
		code = error_set(&err, -EIO, "%u threads", n_lost);
	if (code < 0)
		log_warning("pod %s/%s: CPUs of threads are not kept: %s", m->ns, m->new, err.msg);
	helper_lock(m->helper);
	m->bind = code < 0 ? IN_REFUSED : IN_DONE;
	snprintf(m->lost, sizeof(m->lost), "%.150s", code < 0 ? err.msg : "");
	m->n_users--;
	helper_notify(m->helper);
	helper_unlock(m->helper);
	return NULL;
}
