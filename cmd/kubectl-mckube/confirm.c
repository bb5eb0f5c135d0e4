/* SPDX-License-Identifier: Apache-2.0 */
#include "confirm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/auto.h"
#include "output/plan_text.h"

void agreed_done(struct agreed *a)
{
	array_each(uid, &a->uids)
		free(*uid);
	array_done(&a->uids);
}

bool confirm_is_possible(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

static bool is_bare(const struct cluster *c, const struct target *on)
{
	pod_id id = cluster_pod(c, on->ns, on->name);

	return id != NONE && pod_is_bare(&c->pods.items[id]);
}

static bool takes_pod_away(const struct action *a, const struct cluster *c, bool keeps_bare)
{
	if (a->kind == ACTION_EVICT)
		return !keeps_bare || !is_bare(c, &a->on);
	return a->kind == ACTION_MIGRATE;
}

static bool is_agreed(const struct agreed *agreed, const char *uid)
{
	array_each(known, &agreed->uids)
		if (strcmp(*known, uid) == 0)
			return true;
	return false;
}

bool confirm_is_needed(const struct plan *p, const struct cluster *c, bool keeps_bare,
		       const struct agreed *agreed)
{
	array_each(a, &p->actions)
		if (takes_pod_away(a, c, keeps_bare) && !is_agreed(agreed, a->on.uid))
			return true;
	return false;
}

struct counts {
	unsigned evicted, bare, moved, withheld;
};

static struct counts count(const struct plan *p, const struct cluster *c, bool keeps_bare)
{
	struct counts n = { 0 };

	array_each(a, &p->actions) {
		bool counts = takes_pod_away(a, c, keeps_bare);

		n.moved += a->kind == ACTION_MIGRATE;
		n.evicted += counts && a->kind == ACTION_EVICT;
		n.bare += counts && a->kind == ACTION_EVICT && is_bare(c, &a->on);
		n.withheld += !counts && a->kind == ACTION_EVICT;
	}
	return n;
}

static const char *plural(unsigned n)
{
	return n == 1 ? "" : "s";
}

static void add_question(const struct counts *n, struct str *out)
{
	if (n->withheld)
		str_addf(
			out,
			"%u pod%s without a controller %s not evicted without --force, nor is what "
			"waits for that done.\n",
			n->withheld, plural(n->withheld), n->withheld == 1 ? "is" : "are");
	if (n->evicted)
		str_addf(out, "Evict %u pod%s", n->evicted, plural(n->evicted));
	if (n->bare)
		str_addf(out, ", %u of them without a controller that recreates it", n->bare);
	if (n->moved)
		str_addf(out, "%s %u pod%s to another node", n->evicted ? ", and move" : "Move",
			 n->moved, plural(n->moved));
	str_add(out, "? [y/N] ");
}

static bool is_yes(char *answer)
{
	answer[strcspn(answer, "\r\n")] = '\0';
	return strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
}

int confirm_ask(const struct plan *p, const struct cluster *c, bool keeps_bare,
		const struct style *style, struct agreed *agreed, struct error *err)
{
	AUTO(str_done) struct str shown = STR_INIT;
	AUTO(str_done) struct str question = STR_INIT;
	const struct counts n = count(p, c, keeps_bare);
	char answer[16];

	plan_text(p, &(struct plan_view){ .has_header = true }, style, &shown);
	fwrite(shown.s, 1, shown.n, stdout);
	if (fflush(stdout))
		return error_errno(err, "standard output");
	add_question(&n, &question);
	fputs(question.s, stderr);
	if (!fgets(answer, sizeof(answer), stdin) || !is_yes(answer))
		return error_set(err, -ECANCELED, "cancelled: nothing was changed");
	array_each(a, &p->actions)
		if (takes_pod_away(a, c, keeps_bare))
			*array_add(&agreed->uids) = xstrndup(a->on.uid, strlen(a->on.uid));
	return 0;
}
