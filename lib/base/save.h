/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BASE_SAVE_H
#define MCKUBE_BASE_SAVE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"

/* A file that is replaced as a whole or stays as it was: written beside its place, synced, renamed.
 *
 *	AUTO(save_done) struct save out = { 0 };
 *	if (save_open(&out, path, err) < 0)
 *		return err->code;
 *	fputs(text, out.f);
 *	return save_commit(&out, err);
 *
 * Write errors need no check on the way: save_commit() finds them. "-" is standard output, and what
 * is no regular file (a pipe, /dev/null) is written in place. A symbolic link is followed, an
 * existing file keeps its mode. Zeroed is closed.
 *
 * What is being written has no name (O_TMPFILE of open(2)) until it is whole, so a program that is
 * killed leaves nothing behind. Only on file systems that cannot do that it is PATH.XXXXXX. */
struct save {
	FILE *f;
	char *path, *temp; /* temp: the name of what is not committed yet, NULL */
	bool is_unnamed;   /* ... which has none so far */
};

int save_open(struct save *s, const char *path, struct error *err);
int save_commit(struct save *s, struct error *err);

/* Closes, and takes away what was not committed. */
void save_done(struct save *s);

#endif
