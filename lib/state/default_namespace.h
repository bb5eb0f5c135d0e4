/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_STATE_DEFAULT_NAMESPACE_H
#define MCKUBE_STATE_DEFAULT_NAMESPACE_H

#include "state/reader.h"

/* Objects as kubectl would create them: those of a namespaced kind that name no namespace get one.
 * Between a source and the taker of its objects:
 *
 *	struct default_namespace d = { "team", taker };
 *	const struct object_taker between = default_namespace_taker(&d);
 */
struct default_namespace {
	const char *ns;
	const struct object_taker *taker;
};

struct object_taker default_namespace_taker(struct default_namespace *d);

#endif
