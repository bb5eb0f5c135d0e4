/* SPDX-License-Identifier: Apache-2.0 */

/* Moves to this node. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/names.h"
#include "migrate/decide.h"
#include "migrate_agent/helper.h"

enum { TAKE_MS = 5000, IDLE_MS = 60000, RETRY_MS = 1000, EXPECTED_MS = ARRIVAL_SECONDS * 1000 };

static struct move_in *find(struct helper *h, const char *id)
{
	for (struct move_in *m = h->in; m; m = m->next)
		if (strcmp(m->id, id) == 0)
			return m;
	return NULL;
}

static struct move_in *find_or_add(struct helper *h, const struct move_pod *p)
{
	helper_lock(h);
	struct move_in *m = find(h, p->id);
	if (!m) {
		m = xcalloc(1, sizeof(*m));
		m->helper = h;
		m->ns = xstrdup(p->ns);
		snprintf(m->id, sizeof(m->id), "%s", p->id);
		m->next = h->in;
		h->in = m;
	}
	helper_unlock(h);
	return m;
}

static void set_text(char **to, const char *text)
{
	if (*to && strcmp(*to, text) == 0)
		return;
	free(*to);
	*to = xstrdup(text);
}

/* Where the archive comes from. */
static void want_peer(struct move_in *m, const char *node)
{
	struct error err = ERROR_INIT;
	AUTO_FREE char *address = NULL;
	char peer[SHA256_HEX];

	if (m->address)
		return;
	set_text(&m->from, node);
	int code = helper_find_peer(m->helper, node, &address, peer, &err);
	helper_lock(m->helper);
	if (code < 0) {
		snprintf(m->why, sizeof(m->why), "%.190s", err.msg);
		m->prepare = IN_REFUSED;
	} else {
		m->address = TAKE(address);
		memcpy(m->peer, peer, sizeof(m->peer));
	}
	helper_notify(m->helper);
	helper_unlock(m->helper);
}

/* Base images. */

static int for_each(const char *list,
		    int (*visit)(struct move_in *, unsigned, const char *, struct error *),
		    struct move_in *m, struct error *err)
{
	AUTO_FREE char *copy = xstrdup(list);
	char *rest = copy, *name;

	for (unsigned i = 0; (name = strsep(&rest, ",")); i++)
		if (visit(m, i, name, err) < 0)
			return err->code;
	return 0;
}

static int want_image(struct move_in *m, unsigned i, const char *name, struct error *err)
{
	(void)i;
	return containerd_want_image(&m->helper->grpc, name, err);
}

static int repoint(struct move_in *m, unsigned i, const char *base, struct error *err)
{
	AUTO(str_done) struct str image = STR_INIT;

	move_image(&image, m->id, i);
	return containerd_repoint_image(&m->helper->grpc, image.s, base, err);
}

static void end_work(struct move_in *m, enum in_work *work, int code, const struct error *err)
{
	helper_lock(m->helper);
	*work = code < 0 ? IN_REFUSED : IN_DONE;
	if (code < 0)
		snprintf(m->why, sizeof(m->why), "%.190s", err->msg);
	m->n_users--;
	helper_notify(m->helper);
	helper_unlock(m->helper);
}

static void *prepare(void *arg)
{
	struct move_in *m = arg;
	struct error err = ERROR_INIT;
	bool restores = false;

	int code = containerd_restores(&m->helper->grpc, &restores, &err);
	if (code == 0 && !restores)
		code = error_set(&err, -ENOTSUP, "containerd does not restore here");
	if (code == 0)
		code = for_each(m->bases_want, want_image, m, &err);
	end_work(m, &m->prepare, code, &err);
	return NULL;
}

/* Its pull by this node's containerd is what makes the source's helper begin. */
static void *pull(void *arg)
{
	struct move_in *m = arg;
	struct error err = ERROR_INIT;
	int code = 0;

	for (unsigned i = 0; i < m->n_containers && code == 0; i++) {
		AUTO(str_done) struct str image = STR_INIT;

		move_image(&image, m->id, i);
		code = containerd_pull_image(&m->helper->grpc, image.s, &err);
	}
	helper_lock(m->helper);
	m->relayed_ms = clock_ms();
	helper_unlock(m->helper);
	end_work(m, &m->pull, code, &err);
	return NULL;
}

/* From now on a restart begins at the program's start, and the checkpoint can go. */
static void *settle(void *arg)
{
	struct move_in *m = arg;
	struct error err = ERROR_INIT;

	int code = for_each(m->bases, repoint, m, &err);
	if (code < 0)
		log_warning("pod %s/%s: %s", m->ns, m->new, err.msg);
	end_work(m, &m->settle, code, &err);
	return NULL;
}

static void start(struct move_in *m, enum in_work *work, void *(*run)(void *))
{
	struct error err = ERROR_INIT;

	helper_lock(m->helper);
	*work = IN_WORKING;
	m->n_users++;
	if (helper_start(run, m, &err) < 0) {
		*work = IN_REFUSED;
		m->n_users--;
		snprintf(m->why, sizeof(m->why), "%.190s", err.msg);
	}
	helper_unlock(m->helper);
}

void target_see_source(struct helper *h, const struct move_pod *p)
{
	AUTO(str_done) struct str bases = STR_INIT;

	if (!p->to || strcmp(p->to, h->args->node_name) != 0 || !p->node)
		return;
	struct move_in *m = find_or_add(h, p);
	m->is_source_seen = true;
	m->pulls_ahead = move_kind_of(p) == MOVE_STATEFULSET;
	m->may_pull = p->state == MOVE_WAITING || p->state == MOVE_PAUSED || p->state == MOVE_SENT;
	if (!m->is_called_off &&
	    (p->cancel || p->state == MOVE_RESUMED || p->state == MOVE_FAILED)) {
		m->is_called_off = true;
		sweep_want(h);
	}
	m->n_containers = (unsigned)p->n_containers;
	set_text(&m->source, p->name);
	set_text(&m->source_uid, p->uid);
	set_text(&m->source_version, p->version);
	m->is_ready_told = p->ready != NULL;
	if (p->ready || p->cancel || m->prepare != IN_IDLE)
		return want_peer(m, p->node);
	for (size_t i = 0; i < p->n_containers; i++)
		str_addf(&bases, "%s%s", i ? "," : "",
			 p->containers[i].image ? p->containers[i].image : "");
	set_text(&m->bases_want, bases.s);
	want_peer(m, p->node);
	if (m->prepare == IN_IDLE)
		start(m, &m->prepare, prepare);
}

/* "containerd://ID" */
static void add_ids(const struct move_pod *p, struct str *out)
{
	for (size_t i = 0; i < p->n_containers; i++) {
		const char *id = p->containers[i].id ? strstr(p->containers[i].id, "://") : NULL;

		str_addf(out, "%s%s", i ? "," : "", id ? id + 3 : "");
	}
}

void target_see_new(struct helper *h, const struct move_pod *p)
{
	if (!p->node || strcmp(p->node, h->args->node_name) != 0 || !p->base || !p->from)
		return;
	struct move_in *m = find_or_add(h, p);
	AUTO_FREE char *node = xstrndup(p->from, strcspn(p->from, "/"));
	AUTO(str_done) struct str ids = STR_INIT;

	m->is_new_seen = true;
	set_text(&m->new, p->name);
	set_text(&m->new_uid, p->uid);
	set_text(&m->bases, p->base);
	add_ids(p, &ids);
	if (m->bind == IN_IDLE)
		set_text(&m->ids, ids.s);
	m->is_restored_told = p->state == MOVE_RESTORED;
	helper_lock(h);
	m->is_running = move_pod_runs(p) && !p->is_deleting;
	helper_unlock(h);
	want_peer(m, node);
}

void target_unsee(struct helper *h, const char *uid)
{
	for (struct move_in *m = h->in; m; m = m->next) {
		if (m->source_uid && strcmp(m->source_uid, uid) == 0)
			m->is_source_seen = false;
		if (m->new_uid && strcmp(m->new_uid, uid) == 0)
			m->is_new_seen = false;
	}
	sweep_want(h);
}

/* Telling. */

static int tell_ready(struct move_in *m, enum in_work work)
{
	AUTO(str_done) struct str text = STR_INIT;
	struct error err = ERROR_INIT;

	if (work == IN_REFUSED)
		str_addf(&text, "%s: %s", move_state_word(MOVE_FAILED), m->why);
	else
		str_add(&text, m->pulls_ahead ? MOVE_PULLED : MOVE_READY);
	const struct kube_pair note = { MIGRATE_READY, text.s };
	/* At the version that was seen: a note behind the end of the move would stay. What has
	 * changed comes with the watch, and is told again if it is a move still. */
	int code = helper_annotate(m->helper, m->ns, m->source, m->source_uid, m->source_version,
				   &note, 1, false, &err);
	if (code < 0 && code != -EBUSY)
		log_warning("pod %s/%s: %s", m->ns, m->source, err.msg);
	m->is_ready_told = code == 0 || code == -ENOENT || code == -EBUSY;
	return m->is_ready_told ? IDLE_MS : RETRY_MS;
}

static int tell_new(struct move_in *m, bool is_settled)
{
	AUTO(str_done) struct str text = STR_INIT;
	struct error err = ERROR_INIT;

	str_add(&text, move_state_word(MOVE_RESTORED));
	if (m->relayed_ms || *m->lost)
		str_addf(&text, ": %lld",
			 (long long)(m->relayed_ms ? m->running_ms - m->relayed_ms : 0));
	if (*m->lost)
		str_addf(&text, ": CPUs of threads are not kept: %s", m->lost);
	const struct kube_pair note = { MIGRATE_STATE, text.s };
	int code = helper_annotate(m->helper, m->ns, m->new, m->new_uid, NULL, &note,
				   m->is_restored_told ? 0 : 1, is_settled, &err);
	if (code == 0 && !m->is_restored_told)
		log_v(0, "pod %s/%s: restored, from %s", m->ns, m->new, m->from);
	if (code < 0)
		log_warning("pod %s/%s: %s", m->ns, m->new, err.msg);
	m->is_restored_told |= code == 0;
	if (code == -ENOENT || code == -EBUSY || (code == 0 && is_settled))
		m->is_new_seen = false;
	return code == 0 ? IDLE_MS : RETRY_MS;
}

static int step_move(struct move_in *m)
{
	int64_t left = m->retry_ms - clock_ms();

	if (left > 0)
		return (int)left;
	helper_lock(m->helper);
	enum in_work settled = m->settle;
	enum in_work ready = m->pulls_ahead && m->prepare == IN_DONE ? m->pull : m->prepare;
	bool pulls = m->pulls_ahead && m->prepare == IN_DONE && m->pull == IN_IDLE &&
		     m->is_source_seen && m->may_pull && !m->is_called_off && m->address;
	bool is_running = m->is_running;
	enum in_work bound = m->bind;
	helper_unlock(m->helper);

	int wait = IDLE_MS;
	if (pulls)
		start(m, &m->pull, pull);
	if (m->is_source_seen && !m->is_ready_told && (ready == IN_DONE || ready == IN_REFUSED))
		wait = tell_ready(m, ready);
	if (m->is_new_seen && is_running && !m->is_restored_told && bound == IN_IDLE) {
		m->running_ms = clock_ms();
		start(m, &m->bind, target_bind_threads);
		if (m->bind == IN_REFUSED)
			snprintf(m->lost, sizeof(m->lost), "%.150s", m->why);
	} else if (m->is_new_seen && is_running && !m->is_restored_told && bound != IN_WORKING) {
		wait = tell_new(m, false);
	}
	if (m->is_new_seen && m->is_restored_told && settled == IN_IDLE)
		start(m, &m->settle, settle);
	else if (m->is_new_seen && settled == IN_REFUSED) {
		m->settle = IN_IDLE;
		wait = RETRY_MS;
	} else if (m->is_new_seen && settled == IN_DONE && !m->is_source_seen)
		wait = tell_new(m, true);
	if (wait == RETRY_MS)
		m->retry_ms = clock_ms() + RETRY_MS;
	return wait;
}

static void free_move(struct move_in *m)
{
	char *const texts[] = { m->ns,	  m->source,	 m->source_uid, m->source_version,
				m->from,  m->ids,	 m->new,	m->new_uid,
				m->bases, m->bases_want, m->address };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		free(texts[i]);
	free(m);
}

/* Between a StatefulSet's two pods: when it relayed the last byte is told of the second. */
static bool is_expected(const struct move_in *m)
{
	return m->pulls_ahead && !m->is_called_off && m->relayed_ms && m->settle == IN_IDLE &&
	       clock_ms() - m->relayed_ms < EXPECTED_MS;
}

int target_step(struct helper *h)
{
	int wait = IDLE_MS;

	for (struct move_in **at = &h->in, *m; (m = *at);) {
		int its = step_move(m);

		wait = its < wait ? its : wait;
		helper_lock(h);
		bool is_over =
			!m->is_source_seen && !m->is_new_seen && m->n_users == 0 && !is_expected(m);
		if (is_over)
			*at = m->next;
		else
			at = &m->next;
		helper_unlock(h);
		if (is_over) {
			free_move(m);
			sweep_want(h);
		}
	}
	return wait;
}

/* For the threads. */

struct move_in *target_take(struct helper *h, const char *id)
{
	struct timespec end;
	struct move_in *m;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += TAKE_MS / 1000;
	helper_lock(h);
	while (!(m = find(h, id)) || !m->address)
		if (pthread_cond_timedwait(&h->changed, &h->lock, &end) != 0)
			break;
	if (m && m->address)
		m->n_users++;
	else
		m = NULL;
	helper_unlock(h);
	return m;
}

bool target_wants(struct helper *h, const char *id)
{
	helper_lock(h);
	const struct move_in *m = find(h, id);
	bool is_wanted = m && (m->n_users || m->is_new_seen ||
			       (m->is_source_seen && !(m->pulls_ahead && m->is_called_off)));
	helper_unlock(h);
	return is_wanted;
}

void target_release(struct move_in *m, bool has_relayed)
{
	struct helper *h = m->helper;

	helper_lock(h);
	if (has_relayed)
		m->relayed_ms = clock_ms();
	m->n_users--;
	helper_notify(h);
	helper_unlock(h);
}
