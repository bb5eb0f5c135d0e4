/* SPDX-License-Identifier: Apache-2.0 */

/* Budgets in software: node/soft/soft.h. Only a running helper keeps them. */
#include <errno.h>

#include "node/backend/backend.h"
#include "node/overrun/overrun.h"
#include "node/soft/soft.h"

static int soft_group_open(struct group *g, struct error *err)
{
	(void)g;
	(void)err;
	return 0;
}

static int soft_group_read(const struct group *g, int cpu, struct bandwidth *ret, struct error *err)
{
	uint64_t id;

	(void)cpu;
	if (!g->soft)
		return error_set(err, -ENOTSUP,
				 "budgets in software exist in a running helper only");
	if (group_id(g, &id, err) < 0)
		return err->code;
	return soft_get(g->soft, id, ret, err);
}

/* Both numbers are one value. */
static int soft_group_write(struct group *g, int cpu, enum budget_field field, struct bandwidth to,
			    struct error *err)
{
	uint64_t id;

	(void)cpu;
	(void)field;
	if (!g->soft)
		return error_set(err, -ENOTSUP,
				 "budgets in software exist in a running helper only");
	if (group_id(g, &id, err) < 0)
		return err->code;
	return soft_set(g->soft, id, g->dir, to, err);
}

static void soft_group_close(struct group *g)
{
	struct error ignored;
	uint64_t id;

	if (g->soft && group_id(g, &id, &ignored) == 0)
		soft_set(g->soft, id, g->dir, (struct bandwidth){ 0 }, &ignored);
}

const struct backend backend_soft = {
	.name = "soft",
	.guarantee =
		"soft, statistical: in 99 % of periods a container's FIFO and RR threads run as "
		"real-time for at most 100 us more than their budget on a CPU, which is taken "
		"off the next periods; at least their budget unless others run at a higher "
		"priority; not against threads with CAP_SYS_NICE "
		"or where threads are made by the thousand",
	.needs = FEATURE_BPF_TIMER, /* and more, see backend.c */
	.scope = SCOPE_CORE,
	.is_rt = true,
	.open = soft_group_open,
	.close = soft_group_close,
	.read = soft_group_read,
	.write = soft_group_write,
};
