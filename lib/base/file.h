/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BASE_FILE_H
#define MCKUBE_BASE_FILE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "base/str.h"

/* Appends all of a file to `out`. -EFBIG where that is more than out->max allows. */
int file_read(const char *path, struct str *out, struct error *err);

/* The same of an open one, from where it stands; `name` is for the error. */
int file_read_fd(int fd, const char *name, struct str *out, struct error *err);

/* A file that is replaced as a whole or stays as it was: written beside its place, synced, renamed.
 *
 *	AUTO(save_done) struct save out = { 0 };
 *	if (save_open(&out, path, err) < 0)
 *		return err->code;
 *	fputs(text, out.f);
 *	return save_commit(&out, err);
 *
 * Write errors need no check on the way: save_commit() finds them. "-" is standard output, and what
 * is no regular file (a pipe, /dev/null) is written in place. A symbolic link is followed. An
 * existing file keeps its permission bits if it is our own; set-user-ID and the like go. Zeroed is
 * closed.
 *
 * What is being written has no name (O_TMPFILE of open(2)) until it is whole. Where PATH exists it
 * then is PATH.INODE for the moment between link and rename: a program that is killed right there
 * leaves that behind, and the next save that is as old as SAVE_STALE_S removes it. On file systems
 * without O_TMPFILE it is PATH.XXXXXX from the start. */
enum { SAVE_STALE_S = 60 };

struct save {
	FILE *f;
	char *path, *temp; /* temp: the name of what is not committed yet, NULL */
	bool is_unnamed;   /* ... which has none so far */
};

int save_open(struct save *s, const char *path, struct error *err);
int save_commit(struct save *s, struct error *err);

/* Closes, and takes away what was not committed. */
void save_done(struct save *s);

/* All of that at once. */
int file_write(const char *path, struct slice text, struct error *err);

#endif
