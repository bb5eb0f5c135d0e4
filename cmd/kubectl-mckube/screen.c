/* SPDX-License-Identifier: Apache-2.0 */
#include "screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/auto.h"

/* DEC private modes of xterm, which the Linux console, screen and tmux have, too: 1049 alternate
 * screen, 25 cursor, 7 wrap at the right edge. */
static const char enter[] = "\033[?1049h\033[?25l\033[?7l\033[2J";
static const char leave[] = "\033[?7h\033[?25h\033[?1049l";

enum { WIDTH_WITHOUT = 80, HEIGHT_WITHOUT = 24 };

static struct {
	struct termios before;
	bool is_open, is_redrawn;
	unsigned width, height;
	ARRAY(char *) lines; /* as they are on the screen */
} screen;

static volatile sig_atomic_t end_signal, is_stopping;

static void on_end(int signal)
{
	end_signal = signal;
}

static void on_stop(int signal)
{
	(void)signal;
	is_stopping = 1;
}

static int write_all(const char *text, size_t n)
{
	while (n) {
		ssize_t done = write(STDOUT_FILENO, text, n);

		if (done < 0 && errno == EINTR && !end_signal)
			continue;
		if (done < 0)
			return -errno;
		text += done;
		n -= (size_t)done;
	}
	return 0;
}

static void forget_lines(void)
{
	array_each(line, &screen.lines)
		free(*line);
	array_clear(&screen.lines);
	screen.is_redrawn = true;
}

static void start(void)
{
	struct termios raw = screen.before;

	raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
	raw.c_iflag &= (tcflag_t) ~(IXON | ICRNL);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	write_all(enter, sizeof(enter) - 1);
	forget_lines();
}

static void restore(void)
{
	write_all(leave, sizeof(leave) - 1);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &screen.before);
}

static void catch_signals(void (*end)(int), void (*stop)(int))
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = end };

	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		sigaction(ends[i], &action, NULL);
	action.sa_handler = stop;
	sigaction(SIGTSTP, &action, NULL);
}

int screen_open(struct error *err)
{
	static bool is_registered;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) ||
	    tcgetattr(STDIN_FILENO, &screen.before) < 0)
		return error_set(err, -ENOTTY, "standard input and output must be a terminal");
	if (!is_registered)
		atexit(screen_close);
	is_registered = true;
	screen.is_open = true;
	catch_signals(on_end, on_stop);
	start();
	return 0;
}

void screen_close(void)
{
	if (!screen.is_open)
		return;
	screen.is_open = false;
	restore();
	catch_signals(SIG_DFL, SIG_DFL);
	forget_lines();
	array_done(&screen.lines);
}

int screen_end_signal(void)
{
	return end_signal;
}

/* The shell has its terminal until it continues the program. */
static void stop(void)
{
	is_stopping = 0;
	restore();
	raise(SIGSTOP);
	start();
}

bool screen_size(unsigned *ret_width, unsigned *ret_height)
{
	struct winsize size = { 0 };

	if (is_stopping)
		stop();
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_col || !size.ws_row)
		size = (struct winsize){ .ws_col = WIDTH_WITHOUT, .ws_row = HEIGHT_WITHOUT };
	if (size.ws_col != screen.width || size.ws_row != screen.height)
		forget_lines();
	*ret_width = screen.width = size.ws_col;
	*ret_height = screen.height = size.ws_row;
	return screen.is_redrawn;
}

static void add_changed(const char *text, size_t n, size_t row, struct str *out)
{
	AUTO_FREE char *line = xstrndup(text, n);

	if (row < screen.lines.n && strcmp(screen.lines.items[row], line) == 0)
		return;
	str_addf(out, "\033[%zu;1H\033[K", row + 1);
	str_addn(out, line, n);
	if (row < screen.lines.n) {
		free(screen.lines.items[row]);
		screen.lines.items[row] = TAKE(line);
	} else {
		*array_add(&screen.lines) = TAKE(line);
	}
}

int screen_draw(const struct str *lines, struct error *err)
{
	AUTO(str_done) struct str out = STR_INIT;
	size_t row = 0;

	if (screen.is_redrawn)
		str_add(&out, "\033[2J");
	screen.is_redrawn = false;
	for (const char *at = lines->s, *end; (end = strchr(at, '\n')); at = end + 1)
		add_changed(at, (size_t)(end - at), row++, &out);
	int r = out.n ? write_all(out.s, out.n) : 0;
	return r < 0 && !end_signal ? error_set(err, r, "write to the terminal: %s", strerror(-r))
				    : 0;
}

int screen_read(char *buf, size_t size, struct error *err)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };

	if (poll(&p, 1, 0) <= 0)
		return 0;
	ssize_t n = read(STDIN_FILENO, buf, size);
	if (n > 0)
		return (int)n;
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	return error_set(err, -EPIPE, "the terminal is gone");
}
