/* SPDX-License-Identifier: Apache-2.0 */
#include "state/load.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

static void load_object(const uint8_t *data, size_t n, struct cluster *ret)
{
	struct loader *l = loader_new();

	loader_object(l, (struct slice){ (const char *)data, n }, "fuzz", NULL);
	loader_finish(l, ret);
	loader_free(l);
}

/* A part of an object says "more", never something else than the whole says in the end; an object
 * that was taken is one, or one problem; reading it again gives the same digest. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO(cluster_done) struct cluster a = { 0 }, b = { 0 };

	load_object(data, n, &a);
	load_object(data, n, &b);
	if (strcmp(a.digest, b.digest) != 0)
		abort();
	if (a.nodes.n + a.pods.n + a.mckubes.n + a.n_skipped > 1)
		abort();
	return 0;
}
