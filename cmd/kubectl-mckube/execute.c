/* SPDX-License-Identifier: Apache-2.0 */
#include "execute.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "execute/to_api.h"

#include "command.h"
#include "interrupt.h"
#include "progress.h"

const char carry_out_dry[] = "A dry run: the server checked every write and stored nothing.\n";

/* The lock. */

int pass_lock_take(const struct cli *cli, const struct execute_args *a, struct pass_lock *ret,
		   struct error *err)
{
	const char *slash = strchr(a->lease, '/');

	*ret = (struct pass_lock){ 0 };
	if (!slash || slash == a->lease || !slash[1])
		return error_set(err, -EINVAL, "--lease %s: must be NAMESPACE/NAME", a->lease);
	if (live_open(cli, &ret->live, err) < 0)
		return err->code;
	const struct stage stage = stage_begin("lock", ret->live.kube.http);
	ret->ns = xstrndup(a->lease, (size_t)(slash - a->lease));
	ret->lease.ns = ret->ns;
	ret->lease.name = slash + 1;
	int r = kube_lease_acquire(&ret->live.kube, &ret->lease, a->lock_timeout / 1000000, err);
	stage_end(&stage);
	return r;
}

void pass_lock_release(struct pass_lock *l)
{
	kube_lease_release(&l->lease);
	live_close(&l->live);
	free(l->ns);
	l->ns = NULL;
}

/* Progress. */

struct progress {
	struct pass_lock *lock;
	size_t total, done, not_done;
	int64_t shown_ms;
	bool is_shown; /* standard error is a terminal */
};

enum { SHOW_EVERY_MS = 100 };

static void on_result(const struct action *a, const struct result *r, void *arg)
{
	struct progress *p = arg;

	p->done += r->state == RESULT_DONE;
	p->not_done += r->state != RESULT_DONE;
	log_v(2, "%s %s %s/%s: %s%s%s", action_kind_name(a->kind), a->on.kind, a->on.ns, a->on.name,
	      result_state_name(r->state), *r->message ? ": " : "", r->message);
	if (!p->is_shown || clock_ms() - p->shown_ms < SHOW_EVERY_MS)
		return;
	p->shown_ms = clock_ms();
	fprintf(stderr, "\r%zu of %zu done", p->done, p->total);
	if (p->not_done)
		fprintf(stderr, ", %zu not", p->not_done);
}

static const char *stop_reason(void *arg)
{
	struct progress *p = arg;

	const char *interrupted = interrupt_reason();

	if (interrupted || !p->lock)
		return interrupted;
	kube_lease_step(&p->lock->lease);
	http_run(p->lock->live.kube.http, 0);
	return kube_lease_is_held(&p->lock->lease) ? NULL : "the Lease was lost";
}

int execute_plan(const struct cli *cli, const struct execute_args *a, struct live *live,
		 struct pass_lock *lock, const struct cluster *c, struct plan *plan,
		 struct error *err)
{
	struct progress p = {
		.lock = lock,
		.total = plan->actions.n,
		.is_shown = isatty(STDERR_FILENO) && !cli->global.verbosity,
	};
	const struct api_options options = {
		.parallel = (uint32_t)a->parallel,
		.gone_seconds = (uint32_t)a->gone_timeout_s,
		.stop = stop_reason,
		.on_result = on_result,
		.arg = &p,
	};

	const struct stage stage = stage_begin("write", live->kube.http);
	interrupt_catch();
	if (lock)
		kube_lease_refresh(&lock->lease);
	int r = execute_on_api(&live->kube, plan, c, &options, err);
	stage_end(&stage);
	if (p.is_shown && p.shown_ms)
		fputs("\r\033[K", stderr);
	return r < 0 ? r : live_check_warnings(live, err);
}
