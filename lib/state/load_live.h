/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_STATE_LOAD_LIVE_H
#define MCKUBE_STATE_LOAD_LIVE_H

#include <stdio.h>

#include "kube/list.h"
#include "state/load.h"

/* What a plan reads, from an API server: all kinds side by side, each list in pages, items into the
 * loader as their bytes arrive. Only `list` is asked for. A list that breaks or grows too old makes
 * all begin again, so that nothing of before is left. A kind that the server does not have (the
 * custom ones may be missing) counts as empty. Metrics are read where they are wanted. */

enum { LIVE_TRIES = 5 };

/* On success *ret holds the objects; the caller adds what overrides them, finishes and frees it. */
int load_live(struct kube *k, const char *server, uint32_t chunk, bool with_metrics,
	      struct loader **ret, struct error *err);

/* The same objects as one `v1 List` of JSON, each as the server sent it, kind after kind; with
 * server and time in its annotations, as files are read (state/load.h). */
int save_live(struct kube *k, const char *server, uint32_t chunk, bool with_metrics, FILE *out,
	      struct error *err);

#endif
