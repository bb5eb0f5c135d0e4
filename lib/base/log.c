/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/str.h"

int log_level_;
static enum log_format log_format;

void log_set_level(int level)
{
	log_level_ = level;
}

void log_set_format(enum log_format format)
{
	log_format = format;
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

static void write_klog(char severity, const char *file, int line, const char *fmt, va_list ap)
{
	char buf[1024];
	size_t last = sizeof(buf) - 1; /* kept for the newline */
	size_t n = (size_t)add_header(buf, last, severity, file, line);

	vsnprintf(buf + n, last - n, fmt, ap);
	str_make_printable(buf);
	n = strlen(buf);
	buf[n++] = '\n';
	if (write(STDERR_FILENO, buf, n) < 0)
		return; /* standard error is gone */
}

static void add_fact(struct str *out, const char *key, const char *value)
{
	if (!value || !*value)
		return;
	str_addf(out, ",\"%s\":", key);
	str_add_json(out, value);
}

static void write_json(char severity, const char *file, int line, const struct log_facts *f,
		       const char *fmt, va_list ap)
{
	AUTO(str_done) struct str message = STR_INIT, out = STR_INIT;
	const char *slash = strrchr(file, '/');
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	str_vaddf(&message, fmt, ap);
	str_addf(&out, "{\"ts\":%lld%03ld.%03ld,\"severity\":\"%s\",\"caller\":\"%s:%d\",\"msg\":",
		 (long long)now.tv_sec, now.tv_nsec / 1000000, now.tv_nsec / 1000 % 1000,
		 severity == 'W' ? "warning" : "info", slash ? slash + 1 : file, line);
	str_add_json(&out, message.s);
	add_fact(&out, "pod", f->pod);
	add_fact(&out, "node", f->node);
	add_fact(&out, "mckube", f->mckube);
	add_fact(&out, "action", f->action);
	add_fact(&out, "reason", f->reason);
	add_fact(&out, "result", f->result);
	str_add(&out, "}\n");
	if (write(STDERR_FILENO, out.s, out.n) < 0)
		return;
}

static void write_record(char severity, const char *file, int line, const struct log_facts *facts,
			 const char *fmt, va_list ap)
{
	if (log_format == LOG_JSON)
		write_json(severity, file, line, facts, fmt, ap);
	else
		write_klog(severity, file, line, fmt, ap);
}

void log_write(char severity, const char *file, int line, const char *fmt, ...)
{
	static const struct log_facts none;
	va_list ap;

	va_start(ap, fmt);
	write_record(severity, file, line, &none, fmt, ap);
	va_end(ap);
}

void log_about(char severity, const char *file, int line, const struct log_facts *facts,
	       const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_record(severity, file, line, facts, fmt, ap);
	va_end(ap);
}
