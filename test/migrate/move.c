/* SPDX-License-Identifier: Apache-2.0 */

/* Moves a pod as the executor does, for tests: prints each step as a line, with the milliseconds
 * since its start.
 *
 *	move NAMESPACE/POD [TO-NODE [KEY=VALUE...]]	without TO-NODE: goes on with a move that
 *was promised
 *
 * MOVE_STOP=STEP ends it with SIGKILL before it does that step's successor: right after STEP. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "migrate/advance.h"

enum { PAIRS_MAX = 32 };

static int open_kube(struct kube_target *target, struct kube *k, struct error *err)
{
	const struct kube_environment env = kube_environment();
	const struct kube_overrides flags = { 0 };
	const struct http_options http = { .user_agent = "move" };

	k->manager = "move";
	if (kube_target_load(&flags, &env, target, err) < 0)
		return err->code;
	return http_open(target, &http, &k->http, err);
}

static void show(const struct move_progress *p, int64_t since)
{
	static char last[400];
	char line[400];

	snprintf(line, sizeof(line), "%s: %s%s%s", move_step_word(p->step),
		 move_state_word(p->state), *p->why ? ": " : "", p->why);
	if (strcmp(line, last) == 0)
		return;
	memcpy(last, line, sizeof(last));
	printf("%5lld %s\n", (long long)(clock_ms() - since), line);
	fflush(stdout);
}

static int run(struct kube *k, const struct move *m, struct error *err)
{
	struct move_progress p = { 0 };
	int64_t since = clock_ms();
	const char *stop = getenv("MOVE_STOP");

	for (;;) {
		if (move_advance(k, m, &p, err) < 0)
			return err->code;
		show(&p, since);
		if (stop && strcmp(stop, move_step_word(p.step)) == 0)
			raise(SIGKILL);
		if (move_is_over(&p))
			break;
		usleep(p.wait_ms * 1000);
	}
	printf("new pod %s, downtime about %lld ms\n", p.new_pod, (long long)p.downtime_ms);
	return p.step == STEP_DONE ? 0 : error_set(err, -ECANCELED, "%s", p.why);
}

int main(int argc, char **argv)
{
	struct error err = ERROR_INIT;
	struct kube_target target = { 0 };
	struct kube k = { 0 };
	struct kube_pair pairs[PAIRS_MAX];
	struct move m = { .annotations = pairs };

	char *slash = argc > 1 ? strchr(argv[1], '/') : NULL;
	if (!slash)
		return 2;
	*slash = '\0';
	m.ns = argv[1];
	m.pod = slash + 1;
	m.to = argc > 2 ? argv[2] : NULL;
	for (int i = 3; i < argc && i < PAIRS_MAX; i++) {
		char *equals = strchr(argv[i], '=');
		if (!equals)
			return 2;
		*equals = '\0';
		pairs[m.n_annotations++] = (struct kube_pair){ argv[i], equals + 1 };
	}
	log_set_level(getenv("MOVE_LOG") ? atoi(getenv("MOVE_LOG")) : 0);
	if (open_kube(&target, &k, &err) == 0)
		run(&k, &m, &err);
	if (err.code)
		fprintf(stderr, "error: %s\n", err.msg);
	http_close(k.http);
	kube_target_done(&target);
	return err.code ? 1 : 0;
}
