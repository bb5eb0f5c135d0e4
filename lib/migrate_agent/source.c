/* SPDX-License-Identifier: Apache-2.0 */

/* Moves away from this node. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/names.h"
#include "base/units.h"
#include "migrate/decide.h"
#include "migrate_agent/helper.h"

/* THAW_MS: a kubelet has seen a deletion by then, and starts nothing again. */
enum {
	THAW_MS = 1500,
	AWAIT_MS = 5000, /* beyond the limit, by which a source is resumed */
	MIB_PER_GIB = 1024,
	STEP_MS = 200,
	IDLE_MS = 60000,
	RETRY_MS = 1000,
	PROBE_MARGIN_MS = 1000,
	SETTLE_MS = 20000
};

static struct move_out *find(struct helper *h, const char *id)
{
	for (struct move_out *m = h->out; m; m = m->next)
		if (strcmp(m->id, id) == 0)
			return m;
	return NULL;
}

static void set_state(struct move_out *m, enum move_state state, const char *why)
{
	m->state = state;
	snprintf(m->why, sizeof(m->why), "%.250s", why);
}

/* Taking a move. */

static int64_t number_or(const cJSON *object, const char *key, int64_t preset)
{
	int64_t n = preset;

	json_int(json_get(object, key), &n);
	return n;
}

/* A paused container answers no probe: those by HTTP and TCP would have it restarted. */
static void limit_by_list(const cJSON *containers, struct move_out *m)
{
	const cJSON *container;

	cJSON_ArrayForEach(container, containers) {
		const cJSON *probe = json_get(container, "livenessProbe");

		if (!probe || json_get(probe, "exec"))
			continue;
		int64_t ms = number_or(probe, "failureThreshold", 3) *
				     number_or(probe, "periodSeconds", 10) * 1000 -
			     PROBE_MARGIN_MS;
		if (ms < m->limit_ms)
			m->limit_ms = ms;
	}
}

/* Init containers that run to their end have no probes. */
static void limit_by_probes(const struct move_pod *p, struct move_out *m)
{
	for (size_t i = 0; i < MOVE_LISTS; i++)
		limit_by_list(json_get(json_get(p->json, "spec"), move_lists[i]), m);
}

/* What is dumped, sent and restored takes as long as it is large. */
static void limit_by_size(struct move_out *m)
{
	const struct args *a = m->helper->args;
	int64_t mib = hold_memory(a->cgroup_root, m->uid) >> 20;

	m->limit_ms += mib * (a->pause_gib_ns / NS_PER_MS) / MIB_PER_GIB;
}

static struct move_out *new_move(struct helper *h, const char *id)
{
	struct move_out *m = xcalloc(1, sizeof(*m));

	m->helper = h;
	snprintf(m->id, sizeof(m->id), "%s", id);
	m->limit_ms = h->args->pause_ns / NS_PER_MS;
	for (size_t i = 0; i < MOVE_CONTAINERS; i++)
		m->containers[i].archive = (struct archive)ARCHIVE_INIT;
	return m;
}

static void add_move(struct move_out *m)
{
	helper_lock(m->helper);
	m->next = m->helper->out;
	m->helper->out = m;
	helper_notify(m->helper);
	helper_unlock(m->helper);
}

static int take_containers(const struct move_pod *p, struct move_out *m, struct error *err)
{
	for (size_t i = 0; i < p->n_containers; i++) {
		const struct move_container *c = &p->containers[i];
		const char *id = c->id ? strstr(c->id, "://") : NULL;

		if (!id || !c->is_running)
			return error_set(err, -EINVAL, "container %s: does not run", c->name);
		if (strncmp(c->id, "containerd://", 13) != 0)
			return error_set(err, -ENOTSUP, "container %s: is not containerd's",
					 c->name);
		m->containers[i].name = xstrdup(c->name);
		m->containers[i].id = xstrdup(id + 3);
		m->n_containers = i + 1;
	}
	return 0;
}

static int check(const struct move_pod *p, struct move_out *m, struct error *err)
{
	AUTO_FREE char *address = NULL;

	limit_by_size(m);
	limit_by_probes(p, m);
	if (m->limit_ms <= 0)
		return error_set(err, -ENOTSUP, "a liveness probe would end it while it is paused");
	if (take_containers(p, m, err) < 0)
		return err->code;
	return helper_find_peer(m->helper, p->to, &address, m->peer, err);
}

static void take(struct helper *h, const struct move_pod *p)
{
	struct move_out *m = new_move(h, p->id);
	struct error err = ERROR_INIT;

	m->ns = xstrdup(p->ns);
	m->pod = xstrdup(p->name);
	m->uid = xstrdup(p->uid);
	m->to = xstrdup(p->to);
	m->may_return = move_kind_of(p) == MOVE_STATEFULSET;
	if (check(p, m, &err) < 0)
		set_state(m, MOVE_FAILED, err.msg);
	else
		set_state(m, MOVE_WAITING, "");
	log_v(0, "pod %s/%s: move to %s: %s", m->ns, m->pod, m->to,
	      m->state == MOVE_FAILED ? err.msg : "waiting for its pull");
	add_move(m);
}

/* Has a container another id, or been restarted, since the move began? */
static bool has_changed(const struct move_pod *p, const struct move_out *m)
{
	for (size_t i = 0; i < p->n_containers && i < m->n_containers; i++)
		if (p->containers[i].id && !strstr(p->containers[i].id, m->containers[i].id))
			return true;
	return false;
}

void source_see(struct helper *h, const struct move_pod *p)
{
	if (!p->node || strcmp(p->node, h->args->node_name) != 0 || !p->to)
		return;
	struct move_out *m = find(h, p->id);
	if (!m && !p->is_deleting && !p->cancel &&
	    (p->state == MOVE_REQUESTED || p->state == MOVE_WAITING))
		take(h, p);
	if (!m)
		return;
	helper_lock(h);
	if (p->is_deleting && !m->is_deleting)
		m->deleting_ms = clock_ms();
	m->is_deleting = p->is_deleting;
	m->is_new_gone = p->gone != NULL;
	if (p->cancel && !*m->cancel)
		snprintf(m->cancel, sizeof(m->cancel), "%s", p->cancel);
	if (m->state != MOVE_SENT && !*m->cancel && has_changed(p, m))
		snprintf(m->cancel, sizeof(m->cancel), "a container was restarted");
	helper_unlock(h);
}

void source_see_new(struct helper *h, const struct move_pod *p)
{
	helper_lock(h);
	struct move_out *m = find(h, p->id);
	if (m && p->state == MOVE_RESTORED)
		m->is_settled = true;
	helper_unlock(h);
}

void source_unsee(struct helper *h, const char *uid)
{
	helper_lock(h);
	for (struct move_out *m = h->out; m; m = m->next)
		if (strcmp(m->uid, uid) == 0)
			m->is_unseen = true;
	helper_unlock(h);
}

void source_unsee_others(struct helper *h, bool (*is_seen)(struct helper *h, const char *uid))
{
	for (struct move_out *m = h->out; m; m = m->next)
		if (!is_seen(h, m->uid))
			source_unsee(h, m->uid);
}

/* What is done when. */

static void start_back(struct move_out *m)
{
	struct error err;

	m->is_working = true;
	m->n_users++;
	if (helper_start(source_go_back, m, &err) < 0) {
		m->is_working = false;
		m->n_users--;
		log_warning("%s", err.msg);
	}
}

/* Under the lock. */
static void step_back(struct move_out *m)
{
	bool may_return = m->state == MOVE_PAUSED || (m->state == MOVE_SENT && m->may_return);
	int64_t late = may_return ? clock_ms() - m->paused_ms - m->limit_ms : -1;
	bool is_lost = m->is_deleting || m->is_unseen;

	if (late > 0 && !*m->cancel)
		snprintf(m->cancel, sizeof(m->cancel), "not done after %lld ms",
			 (long long)m->limit_ms);
	if (m->is_working)
		return;
	if (m->state == MOVE_WAITING && *m->cancel)
		set_state(m, MOVE_FAILED, m->cancel);
	else if ((m->state == MOVE_PAUSED && (*m->cancel || is_lost)) ||
		 (m->state == MOVE_SENT && m->is_new_gone && !is_lost))
		start_back(m);
}

/* Under the lock: a source that was sent, and that its executor has not deleted. */
static bool wants_return(const struct move_out *m)
{
	return m->state == MOVE_SENT && m->may_return && *m->cancel && !m->is_working &&
	       !m->is_deleting && !m->is_unseen;
}

/* It is written first: the executor deletes only what has not changed since it was read. */
static int return_sent(struct move_out *m)
{
	AUTO(str_done) struct str text = STR_INIT;
	struct error err = ERROR_INIT;

	str_addf(&text, "%s: %s", move_state_word(MOVE_RESUMED), m->cancel);
	const struct kube_pair note = { MIGRATE_STATE, text.s };
	if (helper_annotate(m->helper, m->ns, m->pod, m->uid, NULL, &note, 1, false, &err) < 0) {
		log_warning("pod %s/%s: stays paused: %s", m->ns, m->pod, err.msg);
		return RETRY_MS;
	}
	m->reported = MOVE_RESUMED;
	helper_lock(m->helper);
	start_back(m);
	helper_unlock(m->helper);
	return IDLE_MS;
}

/* What is left of a source that is gone from the API. Not before: a kubelet that does not know yet
 * that the pod is to end would start its container again. */
static void kill_sent(struct move_out *m)
{
	struct error err = ERROR_INIT;

	source_unhold(m, true);
	for (size_t i = 0; i < m->n_containers; i++)
		if (containerd_kill(&m->helper->grpc, m->containers[i].id, &err) < 0)
			log_warning("pod %s/%s: %s", m->ns, m->pod, err.msg);
	log_v(1, "pod %s/%s: killed, it runs on %s", m->ns, m->pod, m->to);
	m->killed_ms = clock_ms();
	m->is_killed = true;
}

static void free_move(struct move_out *m)
{
	for (size_t i = 0; i < MOVE_CONTAINERS; i++) {
		archive_done(&m->containers[i].archive);
		free(m->containers[i].name);
		free(m->containers[i].id);
		free(m->containers[i].threads);
	}
	free(m->ns);
	free(m->pod);
	free(m->uid);
	free(m->to);
	hold_done(&m->hold);
	free(m);
}

/* Its pod is gone, or is no longer part of a move; and no connection or thread uses it. */
static bool is_over(const struct move_out *m)
{
	/* The target's kubelet may ask for the manifest of what it has, again. */
	bool is_wanted = m->state == MOVE_SENT && m->may_return && !m->is_settled &&
			 clock_ms() - m->killed_ms < SETTLE_MS;

	return m->is_unseen && !m->is_working && m->n_users == 0 && !is_wanted &&
	       (m->state != MOVE_PAUSED && (m->state != MOVE_SENT || m->is_killed));
}

/* Negative: the API server is to be asked again later. */
static int tell(struct move_out *m, enum move_state state, const char *why)
{
	AUTO(str_done) struct str text = STR_INIT;
	struct error err = ERROR_INIT;

	str_addf(&text, "%s%s%s", move_state_word(state), *why ? ": " : "", why);
	const struct kube_pair note = { MIGRATE_STATE, text.s };
	int code = helper_annotate(m->helper, m->ns, m->pod, m->uid, NULL, &note, 1, false, &err);
	if (code == -ENOENT || code == -EBUSY || code == 0) {
		m->reported = state;
		return 0;
	}
	log_warning("pod %s/%s: %s", m->ns, m->pod, err.msg);
	return code;
}

static int step_move(struct move_out *m)
{
	char why[sizeof(m->why)];

	helper_lock(m->helper);
	step_back(m);
	enum move_state state = m->state;
	bool is_unseen = m->is_unseen;
	bool needs_kill = state == MOVE_SENT && is_unseen && !m->is_killed;
	bool returns = wants_return(m);
	bool thaws = state == MOVE_SENT && m->is_deleting && !m->is_thawed;
	int64_t thaw_ms = m->deleting_ms + THAW_MS - clock_ms();
	memcpy(why, m->why, sizeof(why));
	helper_unlock(m->helper);

	if (returns)
		return return_sent(m);
	if (thaws && thaw_ms <= 0)
		source_unhold(m, true);
	if (needs_kill)
		kill_sent(m);
	if (state != m->reported && !is_unseen && tell(m, state, why) < 0)
		return RETRY_MS;
	if (thaws && thaw_ms > 0)
		return (int)thaw_ms;
	return state == MOVE_PAUSED || (state == MOVE_SENT && m->may_return) ? STEP_MS : IDLE_MS;
}

int source_step(struct helper *h)
{
	int wait = IDLE_MS;

	for (struct move_out **at = &h->out, *m; (m = *at);) {
		int its = step_move(m);

		wait = its < wait ? its : wait;
		helper_lock(h);
		bool is_done = is_over(m);
		if (is_done)
			*at = m->next;
		else
			at = &m->next;
		helper_unlock(h);
		if (is_done) {
			source_remove_folder(m);
			free_move(m);
		}
	}
	return wait;
}

/* For the threads. */

struct move_out *source_take(struct helper *h, const char *id, const char *peer)
{
	helper_lock(h);
	struct move_out *m = find(h, id);
	if (m && strcmp(m->peer, peer) == 0)
		m->n_users++;
	else
		m = NULL;
	helper_unlock(h);
	return m;
}

void source_release(struct move_out *m)
{
	struct helper *h = m->helper;

	helper_lock(h);
	m->n_users--;
	helper_notify(h);
	helper_unlock(h);
}

/* Under the lock. */
static void begin(struct move_out *m)
{
	struct error err;

	m->paused_ms = clock_ms();
	m->is_working = true;
	m->n_users++;
	set_state(m, MOVE_PAUSED, "");
	if (helper_start(source_checkpoint, m, &err) < 0) {
		m->is_working = false;
		m->n_users--;
		set_state(m, MOVE_FAILED, err.msg);
	}
	helper_notify(m->helper);
}

bool source_await(struct move_out *m)
{
	struct helper *h = m->helper;
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += (m->limit_ms + AWAIT_MS) / 1000;
	helper_lock(h);
	if (m->state == MOVE_WAITING && !*m->cancel && !m->is_working && !m->is_deleting)
		begin(m);
	while (!m->has_archives && m->state == MOVE_PAUSED)
		if (pthread_cond_timedwait(&h->changed, &h->lock, &end) != 0)
			break;
	bool has_archives = m->has_archives && !(m->state != MOVE_SENT && *m->cancel);
	helper_unlock(h);
	return has_archives;
}

bool source_commit(struct move_out *m)
{
	struct helper *h = m->helper;
	struct error err = ERROR_INIT;
	bool is_sent = true;

	helper_lock(h);
	if (m->state == MOVE_PAUSED && m->has_archives && !m->is_working && !*m->cancel &&
	    !m->is_deleting && !m->is_unseen) {
		m->state = MOVE_SENT;
		snprintf(m->why, sizeof(m->why), "%lld", (long long)(clock_ms() - m->paused_ms));
		if (hold_take(&m->hold, &err) < 0 || source_save(m, &err) < 0) {
			source_unhold(m, false);
			m->state = MOVE_PAUSED;
			snprintf(m->cancel, sizeof(m->cancel), "%.190s", err.msg);
		}
		helper_notify(h);
	}
	is_sent = m->state == MOVE_SENT && !m->is_working;
	helper_unlock(h);
	return is_sent;
}

/* After a restart. */

static int read_containers(const cJSON *state, struct move_out *m)
{
	const cJSON *c;

	cJSON_ArrayForEach(c, json_get(state, "containers")) {
		const char *name = json_text(json_get(c, "name"));
		const char *id = json_text(json_get(c, "id"));
		const char *threads = json_text(json_get(c, "threads"));

		if (!name || !id || m->n_containers == MOVE_CONTAINERS)
			return -EBADMSG;
		m->containers[m->n_containers++] = (struct out_container){
			.name = xstrdup(name),
			.id = xstrdup(id),
			.archive = ARCHIVE_INIT,
			.threads = threads ? xstrdup(threads) : NULL,
		};
	}
	return 0;
}

static char *text_of(const cJSON *state, const char *key)
{
	const char *text = json_text(json_get(state, key));

	return xstrdup(text ? text : "");
}

static int read_state(struct move_out *m, struct error *err)
{
	AUTO(str_done) struct str path = STR_INIT;
	AUTO(str_done) struct str text = STR_INIT_MAX(1 << 20);
	AUTO_JSON cJSON *state = NULL;

	source_folder(m, &path);
	str_add(&path, "/state");
	if (file_read(path.s, &text, err) < 0 || json_parse(text.s, text.n, &state, err) < 0)
		return err->code;
	m->ns = text_of(state, "namespace");
	m->pod = text_of(state, "pod");
	m->uid = text_of(state, "uid");
	m->to = text_of(state, "to");
	AUTO_FREE char *peer = text_of(state, "peer");
	snprintf(m->peer, sizeof(m->peer), "%s", peer);
	AUTO_FREE char *limit = text_of(state, "pidsMax");
	snprintf(m->hold.pids_before, sizeof(m->hold.pids_before), "%s", limit);
	m->state = move_state_of(json_text(json_get(state, "state")), NULL);
	m->may_return = cJSON_IsTrue(json_get(state, "mayReturn"));
	return read_containers(state, m);
}

static int open_archives(struct move_out *m, struct error *err)
{
	for (size_t i = 0; i < m->n_containers; i++) {
		AUTO(str_done) struct str path = STR_INIT;
		int mended;

		source_container_folder(m, i, &path);
		if (archive_open(path.s, m->containers[i].name, &m->containers[i].archive, &mended,
				 err) < 0)
			return err->code;
	}
	m->has_archives = true;
	return 0;
}

static void recover(struct helper *h, const char *id)
{
	struct move_out *m = new_move(h, id);
	struct error err = ERROR_INIT;

	if (read_state(m, &err) < 0) {
		log_warning("move %s: %s", id, err.msg);
		source_remove_folder(m);
		free_move(m);
		return;
	}
	m->paused_ms = clock_ms();
	hold_find(&m->hold, h->args->cgroup_root, m->uid);
	m->hold.is_taken = m->hold.freezer && m->hold.pids;
	if (m->state == MOVE_SENT) {
		log_v(0, "pod %s/%s: sent to %s before a restart", m->ns, m->pod, m->to);
		if (open_archives(m, &err) < 0)
			log_warning("pod %s/%s: %s", m->ns, m->pod, err.msg);
		snprintf(m->why, sizeof(m->why), "0");
	} else {
		m->state = MOVE_PAUSED;
		snprintf(m->cancel, sizeof(m->cancel), "the helper was restarted");
	}
	add_move(m);
}

void source_recover(struct helper *h)
{
	AUTO_DIR DIR *d = opendir(h->args->folder);

	if (!d)
		return;
	for (const struct dirent *e; (e = readdir(d));)
		if (move_id_is_valid(e->d_name))
			recover(h, e->d_name);
}
