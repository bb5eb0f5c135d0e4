/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_CHECKPOINT_CRIU_IMAGE_H
#define MCKUBE_CHECKPOINT_CRIU_IMAGE_H

#include "base/error.h"
#include "base/str.h"

/* CRIU's images (criu.org/Images): a magic, then entries of a length, four bytes little-endian, and
 * a message. Those with a magic of their own kind in front have eight bytes of it. */

#define CRIU_FILES "files.img" /* all open files */

enum { CRIU_FILES_MAX = 64 << 20 };

/* Mends periodic timerfds in the text of files.img, in place. One that had expired before it was
 * dumped and was not read has no time left in the image, and CRIU takes that for "off" (criu issue
 * 3162): it gets one nanosecond, so that it fires at once and goes on. No length changes. Returns
 * how many were mended, or -EBADMSG: the text is no such image, and may have been changed. */
int criu_mend_timers(char *text, size_t n, struct error *err);

#endif
