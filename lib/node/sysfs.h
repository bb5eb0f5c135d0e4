/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_SYSFS_H
#define MCKUBE_NODE_SYSFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Small text files of the kernel (/proc, /sys, cgroups): one system call reads or writes the whole
 * value. `dir` is an open folder or AT_FDCWD. Nothing here allocates. */

enum { SYSFS_VALUE = 4096 }; /* longest value that is read, with its NUL */

bool sysfs_exists(int dir, const char *name);

/* The content without trailing blanks and newlines; longer content is cut. */
int sysfs_read(int dir, const char *name, char *buf, size_t size, struct error *err);
int sysfs_read_int(int dir, const char *name, int64_t *ret, struct error *err);

/* The same through a descriptor that stays open. */
int sysfs_pread(int fd, const char *name, char *buf, size_t size, struct error *err);
int sysfs_pwrite(int fd, const char *name, const char *text, struct error *err);

/* The files of cgroups are opened without O_TRUNC and O_CREAT: cgroup v1 answers EBUSY or makes
 * nothing of both. */
int sysfs_write(int dir, const char *name, const char *text, struct error *err);

/* Decimal, with a sign; nothing may follow but blanks. */
bool sysfs_parse_int(const char *s, int64_t *ret);

/* Writes a number, of at most SYSFS_INT characters and without a NUL, and returns its end. printf()
 * takes 5 us when it has not been used for a while, which the way from an overrun to the new budget
 * has no time for. */
enum { SYSFS_INT = 20 };
char *sysfs_put_int(char *at, int64_t value);

#endif
