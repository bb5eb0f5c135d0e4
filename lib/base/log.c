/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int log_level_;

void log_set_level(int level)
{
	log_level_ = level;
}

static int add_header(char *buf, size_t size, char severity, const char *file, int line)
{
	const char *slash = strrchr(file, '/');
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	return snprintf(buf, size, "%c%02d%02d %02d:%02d:%02d.%06ld %7d %s:%d] ", severity,
			tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
			now.tv_nsec / 1000, (int)getpid(), slash ? slash + 1 : file, line);
}

static void replace_controls(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
}

void log_write(char severity, const char *file, int line, const char *fmt, ...)
{
	char buf[1024];
	size_t last = sizeof(buf) - 1; /* kept for the newline */
	va_list ap;

	size_t n = (size_t)add_header(buf, last, severity, file, line);
	va_start(ap, fmt);
	vsnprintf(buf + n, last - n, fmt, ap);
	va_end(ap);

	replace_controls(buf);
	n = strlen(buf);
	buf[n++] = '\n';
	if (write(STDERR_FILENO, buf, n) < 0)
		return; /* there is nobody left to tell */
}
