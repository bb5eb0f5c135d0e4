/* SPDX-License-Identifier: Apache-2.0 */

/* Moves away: what takes time, in threads, and what is kept on the node: FOLDER/ID/ with a folder
 * of what each container's archive is made of, and `state`, which says what to do after a restart.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json_out.h"
#include "base/log.h"
#include "migrate_agent/helper.h"
#include "migrate_agent/late_criu.h"
#include "migrate_agent/threads.h"

void source_folder(const struct move_out *m, struct str *out)
{
	str_addf(out, "%s/%s", m->helper->args->folder, m->id);
}

void source_container_folder(const struct move_out *m, size_t i, struct str *out)
{
	source_folder(m, out);
	str_addf(out, "/%zu", i);
}

/* Not of what lies on other file systems: nothing does. */
static void remove_below(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	AUTO_DIR DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d)
		return;
	for (const struct dirent *e; (e = readdir(d));)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
		    unlinkat(fd, e->d_name, 0) < 0)
			remove_below(fd, e->d_name);
	if (unlinkat(parent, name, AT_REMOVEDIR) < 0)
		log_warning("remove %s: %s", name, strerror(errno));
}

void source_remove_folder(const struct move_out *m)
{
	AUTO(str_done) struct str folder = STR_INIT;

	source_folder(m, &folder);
	remove_below(AT_FDCWD, folder.s);
}

int source_save(const struct move_out *m, struct error *err)
{
	AUTO(str_done) struct str path = STR_INIT;
	AUTO(str_done) struct str text = STR_INIT;
	AUTO(json_out_done) struct json_out o = { .out = &text, .is_compact = true };

	source_folder(m, &path);
	if (mkdir(path.s, 0700) < 0 && errno != EEXIST)
		return error_errno(err, "make %s", path.s);
	str_add(&path, "/state");
	json_out_object(&o);
	json_out_member(&o, "namespace", m->ns);
	json_out_member(&o, "pod", m->pod);
	json_out_member(&o, "uid", m->uid);
	json_out_member(&o, "to", m->to);
	json_out_member(&o, "peer", m->peer);
	json_out_member(&o, "state", move_state_word(m->state));
	json_out_member(&o, "pidsMax", m->hold.pids_before);
	json_out_member_bool(&o, "mayReturn", m->may_return);
	json_out_key(&o, "containers");
	json_out_array(&o);
	for (size_t i = 0; i < m->n_containers; i++) {
		json_out_object(&o);
		json_out_member(&o, "name", m->containers[i].name);
		json_out_member(&o, "id", m->containers[i].id);
		if (m->containers[i].threads)
			json_out_member(&o, "threads", m->containers[i].threads);
		json_out_end(&o);
	}
	json_out_end(&o);
	json_out_end(&o);
	return file_write(path.s, (struct slice){ text.s, text.n }, err);
}

static int resume_one(const struct move_out *m, const char *id, struct error *err)
{
	const struct grpc *g = &m->helper->grpc;
	enum task_status status = TASK_UNKNOWN;
	struct error ignored;

	int r = containerd_resume(g, id, err);
	if (r == 0 || r == -ENOENT || containerd_status(g, id, &status, &ignored) < 0 ||
	    status != TASK_PAUSED)
		return r;
	if (hold_freeze_thawed(m->helper->args->cgroup_root, m->uid, id, &ignored) == 1)
		r = containerd_resume(g, id, err);
	return r;
}

int source_resume_all(const struct move_out *m, struct error *err)
{
	struct error one = ERROR_INIT;
	int code = 0;

	for (size_t i = 0; i < m->n_containers; i++) {
		int r = resume_one(m, m->containers[i].id, &one);

		if (r < 0 && r != -ENOENT) {
			code = r;
			error_set(err, r, "%s", one.msg);
		}
	}
	return code;
}

void source_unhold(struct move_out *m, bool is_leaving)
{
	struct error err = ERROR_INIT;

	m->is_thawed = true;
	if ((is_leaving ? hold_thaw(&m->hold, &err) : hold_release(&m->hold, &err)) < 0)
		log_warning("pod %s/%s: %s", m->ns, m->pod, err.msg);
}

/* Checkpointing. */

static int pause_all(const struct move_out *m, struct error *err)
{
	for (size_t i = 0; i < m->n_containers; i++)
		if (containerd_pause(&m->helper->grpc, m->containers[i].id, err) < 0)
			return error_wrap(err, "pause container %s", m->containers[i].name);
	return 0;
}

/* A move does not fail by that: the target tells that they are not kept. */
static void read_threads(struct move_out *m)
{
	const char *cgroup_root = m->helper->args->cgroup_root;

	for (size_t i = 0; i < m->n_containers; i++) {
		struct out_container *c = &m->containers[i];
		AUTO(str_done) struct str text = STR_INIT;
		struct error err = ERROR_INIT;

		if (threads_read(cgroup_root, m->uid, c->id, &text, &err) < 0)
			log_warning("pod %s/%s: container %s: CPUs of threads: %s", m->ns, m->pod,
				    c->name, err.msg);
		else
			c->threads = str_detach(&text);
	}
}

static bool may_go_on(struct move_out *m, struct error *err)
{
	helper_lock(m->helper);
	bool is_off = m->is_deleting || m->is_unseen || *m->cancel;
	error_set(err, -ECANCELED, "%s", *m->cancel ? m->cancel : "the source is being deleted");
	helper_unlock(m->helper);
	return !is_off;
}

/* containerd says yes to one that ended meanwhile: it must still be paused. */
static int still_paused(const struct move_out *m, struct error *err)
{
	for (size_t i = 0; i < m->n_containers; i++) {
		enum task_status status;

		if (containerd_status(&m->helper->grpc, m->containers[i].id, &status, err) < 0)
			return error_wrap(err, "container %s", m->containers[i].name);
		if (status != TASK_PAUSED)
			return error_set(err, -ECANCELED, "container %s: changed meanwhile",
					 m->containers[i].name);
	}
	return 0;
}

/* What is done while it still runs. */
static int prepare_all(const struct move_out *m, struct dump *dumps, struct error *err)
{
	for (size_t i = 0; i < m->n_containers; i++) {
		AUTO(str_done) struct str folder = STR_INIT;

		source_container_folder(m, i, &folder);
		if (mkdir(folder.s, 0700) < 0)
			return error_errno(err, "make %s", folder.s);
		if (dump_prepare(&m->helper->grpc, m->containers[i].id, folder.s, &dumps[i], err) <
		    0)
			return error_wrap(err, "checkpoint container %s", m->containers[i].name);
	}
	return 0;
}

/* Beside its memory: what it wrote. */
struct written {
	const struct move_out *move;
	const struct dump *dump;
	const char *folder;
	int64_t left_ms;
	struct error err;
};

static void *dump_written(void *arg)
{
	struct written *w = arg;
	const struct helper *h = w->move->helper;

	if (dump_files(&h->grpc, w->dump, w->folder, w->left_ms, &w->err) == 0)
		dump_log(w->dump, h->args->host_root, w->folder, &w->err);
	return NULL;
}

static int dump_one(struct move_out *m, size_t i, const struct dump *d, int64_t left_ms,
		    struct error *err)
{
	AUTO(str_done) struct str folder = STR_INIT;
	struct out_container *c = &m->containers[i];
	int64_t begun = clock_ms();
	pthread_t thread;
	int mended = 0;

	source_container_folder(m, i, &folder);
	struct written w = { m, d, folder.s, left_ms, ERROR_INIT };
	AUTO_FREE char *work = xasprintf("%s-criu", folder.s);
	if (mkdir(work, 0700) < 0)
		return error_errno(err, "make %s", work);
	if (pthread_create(&thread, NULL, dump_written, &w) != 0)
		return error_set(err, -EAGAIN, "start a thread");
	int code = dump_processes(&m->helper->grpc, d, folder.s, work, left_ms, err);
	pthread_join(thread, NULL);
	if (code == 0 && w.err.code)
		code = error_set(err, w.err.code, "%s", w.err.msg);
	int64_t dumped = clock_ms();
	if (code < 0 || archive_open(folder.s, c->name, &c->archive, &mended, err) < 0)
		return err->code;
	log_v(1,
	      "pod %s/%s: container %s: dumped in %lld ms, %lld bytes hashed in %lld ms, %d timers mended",
	      m->ns, m->pod, c->name, (long long)(dumped - begun), (long long)c->archive.size,
	      (long long)(clock_ms() - dumped), mended);
	return 0;
}

static int dump_all(struct move_out *m, const struct dump *dumps, struct error *err)
{
	for (size_t i = 0; i < m->n_containers; i++) {
		int64_t left = m->paused_ms + m->limit_ms - clock_ms();

		if (left <= 0 || !may_go_on(m, err))
			return left > 0 ? err->code
					: error_set(err, -ETIMEDOUT, "checkpoint: no time left");
		if (dump_one(m, i, &dumps[i], left, err) < 0)
			return error_wrap(err, "checkpoint container %s", m->containers[i].name);
	}
	return still_paused(m, err);
}

/* One that hangs, or that an earlier process of the helper has asked for. */
static void end_criu(const struct move_out *m)
{
	int64_t left = m->paused_ms + m->limit_ms - clock_ms();
	struct error err = ERROR_INIT;

	for (size_t i = 0; i < m->n_containers; i++) {
		int r = late_criu_end(m->helper->args->cgroup_root, m->uid, m->containers[i].id,
				      left > 0 ? left : 0, &err);

		if (r < 0)
			log_warning("pod %s/%s: container %s: %s", m->ns, m->pod,
				    m->containers[i].name, err.msg);
		else if (r > 0)
			log_warning("pod %s/%s: container %s: CRIU did not end, and was killed",
				    m->ns, m->pod, m->containers[i].name);
	}
}

/* Tried until the source runs, or has no containers any more: before, nothing says that it does. */
static void resume(const struct move_out *m)
{
	struct error err = ERROR_INIT;
	bool has_failed = false;

	while (source_resume_all(m, &err) < 0) {
		if (!has_failed)
			log_warning("pod %s/%s: resume: %s", m->ns, m->pod, err.msg);
		has_failed = true;
		sleep(1);
	}
}

static void go_back(struct move_out *m, const char *why)
{
	source_unhold(m, false);
	end_criu(m);
	resume(m);
	log_v(0, "pod %s/%s: resumed: %s", m->ns, m->pod, why);
	source_remove_folder(m);
	helper_lock(m->helper);
	/* Its archives stay open: a connection may be reading one. */
	m->state = MOVE_RESUMED;
	snprintf(m->why, sizeof(m->why), "%.250s", why);
	m->is_working = false;
	m->has_archives = false;
	helper_notify(m->helper);
	helper_unlock(m->helper);
}

void *source_go_back(void *arg)
{
	struct move_out *m = arg;

	go_back(m, *m->cancel ? m->cancel : "the new pod is gone");
	for (size_t i = 0; i < m->n_containers; i++)
		dump_forget(&m->helper->grpc, m->containers[i].id);
	source_release(m);
	return NULL;
}

static void set_paused(struct move_out *m)
{
	helper_lock(m->helper);
	m->paused_ms = clock_ms();
	helper_unlock(m->helper);
}

static int checkpoint(struct move_out *m, struct dump *dumps, struct error *err)
{
	hold_find(&m->hold, m->helper->args->cgroup_root, m->uid);
	if (source_save(m, err) < 0 || prepare_all(m, dumps, err) < 0)
		return err->code;
	set_paused(m);
	if (pause_all(m, err) < 0)
		return err->code;
	read_threads(m);
	if (dump_all(m, dumps, err) < 0)
		return err->code;
	return may_go_on(m, err) ? 0 : err->code;
}

void *source_checkpoint(void *arg)
{
	struct move_out *m = arg;
	struct dump dumps[MOVE_CONTAINERS];
	struct error err = ERROR_INIT;

	for (size_t i = 0; i < MOVE_CONTAINERS; i++)
		dumps[i] = (struct dump)DUMP_INIT;
	log_v(0, "pod %s/%s: node %s is ready, pausing", m->ns, m->pod, m->to);
	if (checkpoint(m, dumps, &err) < 0) {
		go_back(m, err.msg);
	} else {
		helper_lock(m->helper);
		m->is_working = false;
		m->has_archives = true;
		helper_notify(m->helper);
		helper_unlock(m->helper);
	}
	for (size_t i = 0; i < m->n_containers; i++)
		dump_done(&m->helper->grpc, &dumps[i]);
	source_release(m);
	return NULL;
}
