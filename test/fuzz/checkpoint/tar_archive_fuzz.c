/* SPDX-License-Identifier: Apache-2.0 */
/* Members lie within the archive, one behind the other. */
#include "checkpoint/tar.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct tar_member m;
	struct error err = ERROR_INIT;
	int fd = memfd_create("tar", MFD_CLOEXEC);
	int64_t at = 0, before = 0, end = (int64_t)n;

	if (write(fd, data, n) != (ssize_t)n)
		abort();
	while (tar_next(fd, end, &at, &m, &err) == 1) {
		if (at <= before || at > end || m.size < 0 || m.offset + m.size > end)
			abort();
		before = at;
	}
	close(fd);
	return 0;
}
