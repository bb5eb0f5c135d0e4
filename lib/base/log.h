/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BASE_LOG_H
#define MCKUBE_BASE_LOG_H

/* The log of a program: to standard error, in klog's text form
 *
 *	I1122 09:00:00.123456    4711 load.c:42] read 3 files
 *
 * or, after log_set_format(LOG_JSON), as one JSON object a line:
 *
 *	{"ts":1764666000123.456,"severity":"info","caller":"load.c:42","msg":"read 3 files"}
 *
 * Levels follow kubectl's -v: 0 is silent, 1 and 2 what is done, 4 why, 6 every request, 8 their
 * bodies. Never pass a token, a key or a header that holds one. Libraries use log_v() alone:
 * what went wrong is an error's business. */

enum log_format { LOG_KLOG, LOG_JSON };

void log_set_level(int level);
void log_set_format(enum log_format format);
extern int log_level_; /* for the macro below only */

#define log_v(level, ...)                                                \
	do {                                                             \
		if ((level) <= log_level_)                               \
			log_write('I', __FILE__, __LINE__, __VA_ARGS__); \
	} while (0)

/* At every level: something is wrong, and work continues. */
#define log_warning(...) log_write('W', __FILE__, __LINE__, __VA_ARGS__)

/* What a record is about, as further members of it in JSON; the text says it, too. NULL or "": it
 * does not apply. Objects are NAMESPACE/NAME, or NAME. */
struct log_facts {
	const char *pod, *node, *mckube;
	const char *action, *reason, *result;
};

#define log_v_about(level, facts, ...)                                          \
	do {                                                                    \
		if ((level) <= log_level_)                                      \
			log_about('I', __FILE__, __LINE__, facts, __VA_ARGS__); \
	} while (0)
#define log_warning_about(facts, ...) log_about('W', __FILE__, __LINE__, facts, __VA_ARGS__)

void log_about(char severity, const char *file, int line, const struct log_facts *facts,
	       const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* One line, in one write, made printable (base/str.h). */
void log_write(char severity, const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif
