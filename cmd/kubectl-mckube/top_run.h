/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CMD_TOP_RUN_H
#define MCKUBE_CMD_TOP_RUN_H

#include "output/top_screen.h"

#include "command.h"

/* The command top while it runs. */

struct top_args {
	const char *node, *sort_by;
	int32_t output; /* enum format */
	int64_t interval;
	bool has_no_headers, is_once, is_reversed;
};

enum { TOP_KEYS_MAX = 64 };

/* What is shown, whatever it comes from. */
struct top_run {
	const struct top_args *args;
	const struct style *style;
	struct settings settings;
	struct node_uses uses;
	struct top_screen screen;
	const char *ns;
	char keys[TOP_KEYS_MAX]; /* not handled yet */
	size_t n_keys;
	int64_t drawn_ms;
};

int top_input_of(const struct top_run *t, const struct cluster *c, struct top_input *ret,
		 struct error *err);

/* On the screen, which is open, until a key or a signal ends it. Return the exit code. */
int top_show_snapshot(struct top_run *t, const struct cluster *c, struct error *err);
int top_follow(struct cli *cli, struct top_run *t, struct error *err);

#endif
