/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CMD_SCREEN_H
#define MCKUBE_CMD_SCREEN_H

#include <stdbool.h>

#include "base/array.h"
#include "base/error.h"
#include "base/str.h"

/* The terminal as a screen of lines: its alternate one, without echo and cursor, with keys as they
 * are typed. Of a frame only the lines that differ from those on the screen are written, all at
 * once; nothing is queued, so a slow line shows fewer frames, not old ones. What was there comes
 * back when it is closed, when the program exits, and while it is stopped (Ctrl-Z).
 *
 * There is one screen in a process: signals have no argument. SIGINT, SIGTERM and SIGHUP only
 * set screen_end_signal() while it is open. */

/* -ENOTTY: standard input or output is no terminal. */
int screen_open(struct error *err);
void screen_close(void);

/* 0: none has come. */
int screen_end_signal(void);

/* The size now. True: it is another one than last time, or the program was stopped and goes on: the
 * next frame draws all. */
bool screen_size(unsigned *ret_width, unsigned *ret_height);

/* Lines, each ended by a line feed. */
int screen_draw(const struct str *lines, struct error *err);

/* Takes what was typed, without waiting. -EPIPE: the terminal is gone. */
int screen_read(char *buf, size_t size, struct error *err);

#endif
