/* SPDX-License-Identifier: Apache-2.0 */
#include "node/history_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/units.h"

/* What the file says of a container and a pod. */
struct recorded_container {
	char *name;
	uint64_t cgroup;
	int64_t at_ns; /* of the reading */
	struct use_count count;
};

struct recorded_pod {
	struct history_line said; /* its texts are allocated; the level is that before this time */
	uint8_t level;
	bool is_cut;
	uint64_t overruns;
	int32_t runtime_us; /* the most since use was written */
	bool is_seen;
	ARRAY(struct recorded_container) containers;
};

void history_file_begin(struct history_file *f, const char *path, int64_t max_bytes,
			const char *node, int64_t now_ns, int64_t wall_us)
{
	*f = (struct history_file){
		.path = xstrdup(path),
		.node = node,
		.max_bytes = max_bytes,
		.since_us = wall_us,
		.clock_us = wall_us - now_ns / NS_PER_US,
		.use_ns = now_ns,
		.text = STR_INIT,
	};
}

static void free_pod(struct recorded_pod *r)
{
	free((char *)r->said.uid);
	free((char *)r->said.ns);
	free((char *)r->said.name);
	array_each(c, &r->containers)
		free(c->name);
	array_done(&r->containers);
}

void history_file_end(struct history_file *f)
{
	if (f->is_open)
		close(f->fd);
	array_each(r, &f->pods)
		free_pod(r);
	array_done(&f->pods);
	array_done(&f->lines);
	arena_done(&f->arena);
	str_done(&f->text);
	free(f->path);
	*f = (struct history_file){ 0 };
}

/* ---- What has changed, while the engine's lock is held ---- */

struct taking {
	struct history_file *f;
	struct engine *e;
	int64_t now_ns;
	bool is_use_due;
	size_t next; /* in f->pods: most come in the order of the time before */
};

static int64_t wall_us(const struct history_file *f, int64_t ns)
{
	return f->clock_us + ns / NS_PER_US;
}

static void add_line(struct history_file *f, struct history_line line)
{
	*array_add(&f->lines) = line;
}

static struct recorded_pod *find_pod(struct taking *t, const struct engine_pod *p)
{
	size_t n = t->f->pods.n;

	for (size_t i = 0; i < n; i++) {
		struct recorded_pod *r = &t->f->pods.items[(t->next + i) % n];

		if (strcmp(r->said.uid, p->uid) != 0)
			continue;
		t->next += i + 1;
		return r;
	}
	return NULL;
}

static struct recorded_pod *add_pod(struct history_file *f, const struct engine_pod *p)
{
	struct recorded_pod *r = array_add(&f->pods);

	*r = (struct recorded_pod){
		.said = {
			.kind = HISTORY_POD,
			.uid = xstrdup(p->uid),
			.ns = xstrdup(p->ns),
			.name = xstrdup(p->name),
		},
	};
	return r;
}

static bool is_said(const struct history_line *said, const struct escalation_pod *state)
{
	return budget_eq(&said->budget, &state->budget) && said->priority == state->priority &&
	       said->enforcement == state->wanted && cpuset_eq(&said->cores, &state->cores) &&
	       said->recovery.mode == state->recovery.mode &&
	       said->recovery.delay_seconds == state->recovery.delay_seconds &&
	       said->recovery.threshold == state->recovery.threshold;
}

static void say_pod(const struct taking *t, struct recorded_pod *r,
		    const struct escalation_pod *state)
{
	struct history_line *said = &r->said;

	said->at_us = wall_us(t->f, t->now_ns);
	said->budget = state->budget;
	said->priority = state->priority;
	said->enforcement = state->wanted;
	said->cores = state->cores;
	said->recovery = state->recovery;
	said->level = r->level = state->level;
	said->is_cut = r->is_cut = state->is_cut;
	add_line(t->f, *said);
}

/* When it happened; of what is said for the first time now, since nothing may come before that. */
static int64_t time_of(const struct taking *t, bool is_new, int64_t at_ns)
{
	return wall_us(t->f, is_new || at_ns <= 0 || at_ns > t->now_ns ? t->now_ns : at_ns);
}

static void take_overruns(const struct taking *t, struct recorded_pod *r,
			  const struct engine_pod *p, bool is_new)
{
	uint64_t n = p->overruns - r->overruns;

	r->overruns = p->overruns;
	if (!n)
		return;
	add_line(t->f, (struct history_line){
			       .kind = HISTORY_OVERRUN,
			       .at_us = time_of(t, is_new, (int64_t)p->last_overrun.at_ns),
			       .uid = r->said.uid,
			       .count = (int64_t)n,
			       .used_us = (int64_t)((p->last_overrun.used_ns + NS_PER_US - 1) /
						    NS_PER_US),
		       });
}

static void take_level(const struct taking *t, struct recorded_pod *r, const struct engine_pod *p,
		       const struct escalation_pod *state)
{
	if (r->level == state->level && r->is_cut == state->is_cut)
		return;
	r->level = state->level;
	r->is_cut = state->is_cut;
	add_line(t->f, (struct history_line){
			       .kind = HISTORY_LEVEL,
			       .at_us = time_of(t, false, p->changed_ns),
			       .uid = r->said.uid,
			       .level = state->level,
			       .is_cut = state->is_cut,
		       });
}

static struct recorded_container *container_of(struct recorded_pod *r, const char *name)
{
	array_each(c, &r->containers)
		if (strcmp(c->name, name) == 0)
			return c;
	struct recorded_container *c = array_add(&r->containers);
	*c = (struct recorded_container){ .name = xstrdup(name) };
	return c;
}

static void add_use(const struct taking *t, const struct recorded_pod *r,
		    const struct recorded_container *before, const struct use_count *now,
		    int32_t share)
{
	struct history_use *uses = arena_new(&t->f->arena, struct history_use, USE_BUCKETS);
	size_t n = 0;

	for (uint32_t i = 0; i < USE_BUCKETS; i++) {
		uint32_t periods = now->by_use[i] - before->count.by_use[i];

		if (periods)
			uses[n++] = (struct history_use){ (int64_t)use_bucket_end(i), periods };
	}
	if (n)
		add_line(t->f, (struct history_line){
				       .kind = HISTORY_USE,
				       .at_us = wall_us(t->f, t->now_ns),
				       .uid = r->said.uid,
				       .container = arena_strndup(&t->f->arena, before->name,
								  strlen(before->name)),
				       .share = share,
				       .span_us = (t->now_ns - before->at_ns) / NS_PER_US,
				       .runtime_us = r->runtime_us,
				       .uses = uses,
				       .n_uses = n,
			       });
}

static void take_use(const struct taking *t, struct recorded_pod *r,
		     const struct engine_container *c)
{
	struct use_count now;

	if (!c->node || !c->share || !overruns_use(t->e->overruns, c->node->id, &now))
		return;
	struct recorded_container *before = container_of(r, c->name);
	if (before->at_ns && !t->is_use_due)
		return;
	int64_t span_us = (t->now_ns - before->at_ns) / NS_PER_US;
	if (before->cgroup == c->node->id && now.periods >= before->count.periods && span_us >= 1 &&
	    span_us <= HISTORY_SPAN_MAX)
		add_use(t, r, before, &now, c->share < PPM ? (int32_t)c->share : PPM);
	before->cgroup = c->node->id;
	before->at_ns = t->now_ns;
	before->count = now;
}

static void take_pod(const struct engine_pod *p, const struct escalation_pod *state, void *arg)
{
	struct taking *t = arg;
	struct recorded_pod *r = find_pod(t, p);
	bool is_new = !r;

	if (state->budget.low < 1)
		return; /* it was refused */
	if (is_new)
		r = add_pod(t->f, p);
	r->is_seen = true;
	if (is_new || !is_said(&r->said, state))
		say_pod(t, r, state);
	take_overruns(t, r, p, is_new);
	take_level(t, r, p, state);
	int32_t runtime_us = escalation_runtime(state);
	if (r->runtime_us < runtime_us)
		r->runtime_us = runtime_us;
	for (size_t i = 0; i < p->n_containers; i++)
		if (t->is_use_due || r->containers.n < p->n_containers)
			take_use(t, r, &p->containers[i]);
	if (t->is_use_due)
		r->runtime_us = runtime_us;
}

static void take_gone(struct history_file *f, int64_t at_us)
{
	for (size_t i = f->pods.n; i-- > 0;) {
		struct recorded_pod *r = &f->pods.items[i];

		if (r->is_seen) {
			r->is_seen = false;
			continue;
		}
		add_line(f,
			 (struct history_line){
				 .kind = HISTORY_GONE,
				 .at_us = at_us,
				 .uid = arena_strndup(&f->arena, r->said.uid, strlen(r->said.uid)),
			 });
		free_pod(r);
		*r = f->pods.items[--f->pods.n];
	}
}

/* ---- Writing, without the lock ---- */

static int32_t ms_of(int64_t ns)
{
	enum { DAY_MS = 86400000 };

	return ns / NS_PER_MS < DAY_MS ? (int32_t)(ns / NS_PER_MS) : DAY_MS;
}

/* All that is known, at the beginning of a file or after lines that were lost. The escalation's
 * rules do not change while the helper runs. */
static void add_known(struct history_file *f, const struct engine *e, int64_t at_us)
{
	const struct escalation_rules *rules = &e->escalation.rules;
	const struct history_line node = {
		.kind = HISTORY_NODE,
		.at_us = at_us,
		.node = f->node,
		.since_us = f->since_us,
		.scope = (uint8_t)e->escalation.scope,
		.cap = e->escalation.cap < PPM ? (int32_t)e->escalation.cap : PPM,
		.dwell_ms = ms_of(rules->dwell_ns),
		.dwell_max_ms = ms_of(rules->dwell_max_ns),
		.calm_periods = rules->calm_periods,
		.headroom_us = rules->headroom_us,
	};

	history_write(&node, &f->text);
	array_each(r, &f->pods) {
		r->said.at_us = at_us;
		history_write(&r->said, &f->text);
	}
	if (f->n_lost)
		history_write(&(struct history_line){ .kind = HISTORY_LOST,
						      .at_us = at_us,
						      .count = (int64_t)f->n_lost },
			      &f->text);
}

/* Cuts off a line that was not finished. */
static int find_end(struct history_file *f, struct error *err)
{
	char tail[HISTORY_LINE_MAX];
	struct stat st;

	if (fstat(f->fd, &st) < 0)
		return error_errno(err, "%s", f->path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, -EINVAL, "%s: is no regular file", f->path);
	int64_t from = st.st_size > HISTORY_LINE_MAX ? st.st_size - HISTORY_LINE_MAX : 0;
	ssize_t n = pread(f->fd, tail, sizeof(tail), from);
	if (n < 0)
		return error_errno(err, "%s", f->path);
	while (n > 0 && tail[n - 1] != '\n')
		n--;
	f->size = from + n;
	return f->size < st.st_size && ftruncate(f->fd, f->size) < 0
		       ? error_errno(err, "%s", f->path)
		       : 0;
}

static int open_file(struct history_file *f, struct error *err)
{
	enum { MODE = 0640 };

	if (f->is_open)
		return 0;
	f->fd = open(f->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
		     MODE);
	if (f->fd < 0)
		return error_errno(err, "%s", f->path);
	if (find_end(f, err) < 0) {
		close(f->fd);
		return err->code;
	}
	f->is_open = true;
	f->is_known = false;
	return 0;
}

static int rotate(struct history_file *f, struct error *err)
{
	AUTO_FREE char *before = xasprintf("%s.1", f->path);

	close(f->fd);
	f->is_open = false;
	if (rename(f->path, before) < 0)
		return error_errno(err, "rename %s", f->path);
	return open_file(f, err);
}

static void make_text(struct history_file *f, const struct engine *e)
{
	str_clear(&f->text);
	if (!f->is_known)
		add_known(f, e, f->lines.items[0].at_us);
	array_each(line, &f->lines)
		if (f->is_known || line->kind != HISTORY_POD)
			history_write(line, &f->text);
}

static void say_levels(struct history_file *f)
{
	array_each(r, &f->pods) {
		r->said.level = r->level;
		r->said.is_cut = r->is_cut;
	}
}

/* All of it, or nothing. */
static int append(struct history_file *f, struct error *err)
{
	size_t done = 0;

	while (done < f->text.n) {
		ssize_t n = write(f->fd, f->text.s + done, f->text.n - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			error_errno(err, "%s", f->path);
			if (ftruncate(f->fd, f->size) < 0) {
				close(f->fd);
				f->is_open = false; /* its end is looked for again */
			}
			return err->code;
		}
		done += (size_t)n;
	}
	f->size += (int64_t)done;
	return 0;
}

static int write_lines(struct history_file *f, const struct engine *e, struct error *err)
{
	if (open_file(f, err) < 0)
		return err->code;
	make_text(f, e);
	if (f->size > 0 && f->size + (int64_t)f->text.n > f->max_bytes) {
		if (rotate(f, err) < 0)
			return err->code;
		make_text(f, e);
	}
	return append(f, err);
}

/* In the order of time, which most are in already, and not before what is there. */
static void order_lines(struct history_file *f)
{
	struct history_line *lines = f->lines.items;

	for (size_t i = 1; i < f->lines.n; i++) {
		struct history_line line = lines[i];
		size_t at = i;

		for (; at > 0 && lines[at - 1].at_us > line.at_us; at--)
			lines[at] = lines[at - 1];
		lines[at] = line;
	}
	array_each(line, &f->lines) {
		if (line->at_us < f->at_us)
			line->at_us = f->at_us;
		f->at_us = line->at_us;
	}
}

static bool must_look(struct history_file *f, struct engine *e, int64_t now_ns)
{
	uint64_t revision = engine_revision(e);

	if (revision == f->revision && now_ns - f->look_ns < NS_PER_S)
		return false;
	f->revision = revision;
	f->look_ns = now_ns;
	return true;
}

static int take(struct history_file *f, struct engine *e, int64_t now_ns, bool is_use_due,
		struct error *err)
{
	struct taking t = { .f = f, .e = e, .now_ns = now_ns, .is_use_due = is_use_due };
	int code = 0;

	if (is_use_due)
		f->use_ns = now_ns;
	engine_each(e, take_pod, &t);
	take_gone(f, wall_us(f, now_ns));
	if (f->lines.n) {
		order_lines(f);
		code = write_lines(f, e, err);
		f->n_lost = code < 0 ? f->n_lost + f->lines.n : 0;
		f->is_known = code == 0;
		say_levels(f);
	}
	bool was_failed = f->is_failed;
	if (f->lines.n)
		f->is_failed = code < 0;
	array_clear(&f->lines);
	arena_done(&f->arena);
	f->arena = (struct arena){ 0 };
	return was_failed ? 0 : code;
}

int history_file_take(struct history_file *f, struct engine *e, int64_t now_ns, struct error *err)
{
	if (!f->path || !must_look(f, e, now_ns))
		return 0;
	return take(f, e, now_ns, now_ns - f->use_ns >= (int64_t)HISTORY_USE_S * NS_PER_S, err);
}

int history_file_finish(struct history_file *f, struct engine *e, int64_t now_ns, struct error *err)
{
	return f->path ? take(f, e, now_ns, true, err) : 0;
}
