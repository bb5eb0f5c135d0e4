/* SPDX-License-Identifier: Apache-2.0 */

/* Moves away: what takes time, in threads, and what is kept on the node: FOLDER/ID/ with an archive
 * of each container and `state`, which says what to do after a restart. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json_out.h"
#include "base/log.h"
#include "helper.h"

void source_folder(const struct move_out *m, struct str *out)
{
	str_addf(out, "%s/%s", m->helper->args->folder, m->id);
}

static void archive_path(const struct move_out *m, size_t i, struct str *out)
{
	source_folder(m, out);
	str_addf(out, "/%zu.tar", i);
}

void source_remove_folder(const struct move_out *m)
{
	AUTO(str_done) struct str folder = STR_INIT;

	source_folder(m, &folder);
	AUTO_DIR DIR *d = opendir(folder.s);
	if (!d)
		return;
	for (const struct dirent *e; (e = readdir(d));)
		unlinkat(dirfd(d), e->d_name, 0);
	if (rmdir(folder.s) < 0)
		log_warning("remove %s: %s", folder.s, strerror(errno));
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
		json_out_end(&o);
	}
	json_out_end(&o);
	json_out_end(&o);
	return file_write(path.s, (struct slice){ text.s, text.n }, err);
}

int source_resume_all(const struct move_out *m, struct error *err)
{
	struct error one = ERROR_INIT;
	int code = 0;

	for (size_t i = 0; i < m->n_containers; i++) {
		int r = containerd_resume(&m->helper->grpc, m->containers[i].id, &one);

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

static bool may_go_on(struct move_out *m, struct error *err)
{
	helper_lock(m->helper);
	bool is_off = m->is_deleting || m->is_unseen || *m->cancel;
	error_set(err, -ECANCELED, "%s", *m->cancel ? m->cancel : "the source is being deleted");
	helper_unlock(m->helper);
	return !is_off;
}

/* CRI says yes to a container that ended meanwhile: it must still be paused. */
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

static int dump_all(struct move_out *m, struct error *err)
{
	for (size_t i = 0; i < m->n_containers; i++) {
		AUTO(str_done) struct str path = STR_INIT;
		int64_t left = m->paused_ms + m->limit_ms - clock_ms();
		int mended = 0;

		archive_path(m, i, &path);
		if (left <= 0 || !may_go_on(m, err))
			return left > 0 ? err->code
					: error_set(err, -ETIMEDOUT, "checkpoint: no time left");
		if (containerd_checkpoint(&m->helper->grpc, m->containers[i].id, path.s, left,
					  err) < 0 ||
		    archive_open(path.s, m->containers[i].name, &m->containers[i].archive, &mended,
				 err) < 0)
			return error_wrap(err, "checkpoint container %s", m->containers[i].name);
		log_v(2, "pod %s/%s: container %s: %lld bytes, %d timers mended", m->ns, m->pod,
		      m->containers[i].name, (long long)m->containers[i].archive.size, mended);
	}
	return still_paused(m, err);
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
	source_release(m);
	return NULL;
}

static int checkpoint(struct move_out *m, struct error *err)
{
	hold_find(&m->hold, m->helper->args->cgroup_root, m->uid);
	if (source_save(m, err) < 0 || pause_all(m, err) < 0 || dump_all(m, err) < 0)
		return err->code;
	return may_go_on(m, err) ? 0 : err->code;
}

void *source_checkpoint(void *arg)
{
	struct move_out *m = arg;
	struct error err = ERROR_INIT;

	log_v(0, "pod %s/%s: node %s is ready, pausing", m->ns, m->pod, m->to);
	if (checkpoint(m, &err) < 0) {
		go_back(m, err.msg);
	} else {
		helper_lock(m->helper);
		m->is_working = false;
		m->has_archives = true;
		helper_notify(m->helper);
		helper_unlock(m->helper);
	}
	source_release(m);
	return NULL;
}
