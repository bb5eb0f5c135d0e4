/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/economy/held.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

void held_begin(struct held_moves *h)
{
	array_each(m, &h->list)
		m->is_wanted = false;
}

static struct held_move *find(const struct held_moves *h, const char *uid)
{
	array_each(m, &h->list)
		if (strcmp(m->uid, uid) == 0)
			return m;
	return NULL;
}

bool held_waits(const struct held_moves *h, const char *uid)
{
	return find(h, uid);
}

bool held_confirm(struct held_moves *h, const char *uid, int64_t now)
{
	struct held_move *m = find(h, uid);

	if (!m) {
		m = array_add(&h->list);
		*m = (struct held_move){ xstrdup(uid), now, true };
	}
	m->is_wanted = true;
	m->since = m->since < now ? m->since : now; /* the clock may have gone back */
	return now > m->since + h->seconds;
}

void held_keep(struct held_moves *h, bool (*is_undecided)(const char *uid, const void *arg),
	       const void *arg)
{
	array_each(m, &h->list)
		m->is_wanted |= is_undecided(m->uid, arg);
}

uint32_t held_end(struct held_moves *h, int64_t now)
{
	uint32_t least = 0;
	size_t n = 0;

	array_each(m, &h->list) {
		if (!m->is_wanted) {
			free(m->uid);
			continue;
		}
		int64_t left = m->since + h->seconds + 1 - now;

		if (left > 0 && (!least || left < least))
			least = (uint32_t)left;
		h->list.items[n++] = *m;
	}
	h->list.n = n;
	return least;
}

void held_done(struct held_moves *h)
{
	array_each(m, &h->list)
		free(m->uid);
	array_done(&h->list);
}
