/* SPDX-License-Identifier: Apache-2.0 */
#include "node/overrun/overrun.h"

#include <sys/stat.h>

#include "node/overrun/bpf.h"

static int open_source(struct overruns *o, const struct overrun_source *source, struct error *err)
{
	o->source = source;
	o->created_fd = -1;
	o->n_queues = 0;
	return source->open(o, err);
}

int overruns_open(struct overruns *o, const struct kernel *k, const struct backend *b,
		  const struct overrun_source *source, struct error *ret_why, struct error *err)
{
	*ret_why = ERROR_INIT;
	o->kernel = k;
	o->backend = b;
	if (source)
		return open_source(o, source, err);
	if (open_source(o, &overrun_bpf, ret_why) == 0)
		return 0;
	return open_source(o, &overrun_poll, err);
}

void overruns_close(struct overruns *o)
{
	if (o->source)
		o->source->close(o);
	o->source = NULL;
}

int overruns_watch(struct overruns *o, const struct group *g, uint64_t cgroup,
		   const uint64_t limit_ns[OVERRUN_LIMITS], uint64_t granted_ns, struct error *err)
{
	return o->source->watch(o, g, cgroup, limit_ns, granted_ns, err);
}

void overruns_forget(struct overruns *o, uint64_t cgroup)
{
	o->source->forget(o, cgroup);
}

void overruns_read(struct overruns *o, unsigned queue)
{
	o->source->read(o, queue);
}

void overruns_read_created(struct overruns *o)
{
	if (o->source == &overrun_bpf)
		overrun_bpf_created(o);
}

uint64_t overruns_lost(const struct overruns *o)
{
	return o->source == &overrun_bpf ? overrun_bpf_lost(o) : 0;
}

bool overruns_missed(const struct overruns *o, uint64_t *ret_ns)
{
	return o->source == &overrun_bpf && overrun_bpf_missed(o, ret_ns);
}

bool overruns_use(const struct overruns *o, uint64_t cgroup, struct use_count *ret)
{
	return o->source->use && o->source->use(o, cgroup, ret);
}

bool overruns_work(const struct overruns *o)
{
	return o->source != &overrun_bpf || overrun_bpf_works(o);
}

int group_id(const struct group *g, uint64_t *ret, struct error *err)
{
	struct stat st;

	if (fstat(g->dir, &st) < 0)
		return error_errno(err, "%s: look up its cgroup id", g->name);
	*ret = st.st_ino;
	return 0;
}
