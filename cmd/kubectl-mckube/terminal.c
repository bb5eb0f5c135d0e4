/* SPDX-License-Identifier: Apache-2.0 */
#include "terminal.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { WIDTH_MAX = 120 }; /* longer lines are hard to read */

static bool wants_color(bool is_terminal)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return is_terminal && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
}

struct style terminal_style(int fd, enum color color)
{
	bool is_terminal = isatty(fd);
	struct winsize size = { 0 };
	struct style style = {
		.has_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
		.has_color =
			color == COLOR_ALWAYS || (color == COLOR_AUTO && wants_color(is_terminal)),
	};

	if (is_terminal && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col)
		style.width = size.ws_col < WIDTH_MAX ? size.ws_col : WIDTH_MAX;
	return style;
}
