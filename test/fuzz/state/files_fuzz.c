/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/auto.h"
#include "state/load.h"

/* A whole file: framing of lists and documents, YAML and JSON, and what stands in them. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO_CLOSE int fd = memfd_create("fuzz", MFD_CLOEXEC);
	AUTO(cluster_done) struct cluster c = { 0 };
	char path[40];
	const struct source src = { .path = path };

	if (fd < 0 || write(fd, data, n) != (ssize_t)n)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);

	struct loader *l = loader_new();
	loader_files(l, &src, 1, NULL);
	loader_finish(l, &c);
	loader_free(l);
	return 0;
}
