/* SPDX-License-Identifier: Apache-2.0 */
#include "node/container.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"

/* Any path: what is taken apart must be made of safe names and of the path's own folders. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FREE char *path = xstrndup((const char *)data, size);
	char id[CONTAINER_ID_MAX + 1];
	struct container_path p;

	if (container_id(path, id, NULL) == 0 && strpbrk(id, "/."))
		abort();
	if (!container_parse(path, &p))
		return 0;
	/* A joined name of pod and container has no folder of the pod. */
	bool is_joined = p.root_len == p.pod_len && *p.id && strstr(path, ".slice:");
	if (!pod_uid_is_valid(p.pod_uid) || p.pod_len > strlen(path) ||
	    (p.root_len >= p.pod_len && !is_joined))
		abort();
	if (*p.id && (p.container_len <= p.pod_len || p.container_len > strlen(path) ||
		      container_id(p.id, id, NULL) < 0))
		abort();
	return 0;
}
