/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MODEL_REQUEST_CACHE_H
#define MCKUBE_MODEL_REQUEST_CACHE_H

#include "model/request.h"

/* What requests_read() found, for the next time that requests are read from the same snapshot:
 * one that changes in between (state/store.h).
 *
 * A request follows from what its pod and its McKube say, and a version of an
 * object (metadata.resourceVersion) always says the same. So only those are read of which one has
 * another version than before, and the result, warnings too, is what requests_read() would give.
 * Zeroed is empty. */
struct known_object {
	str_id ns, name, version;
};

struct request_cache {
	struct requests requests;		  /* to be read by all, until the next time */
	ARRAY(struct known_object) pods, mckubes; /* of the snapshot as it was, in its order */
	uint32_t n_sweeps;			  /* of the snapshot's strings */
	size_t n_sets;				  /* when all was read */
	bool ignores_legacy_pins;		  /* of the settings */
	bool has_rivals;			  /* several McKubes selected one pod */
	bool has_unread_mckube;			  /* any pod may be its own */
};

/* Brings memory->requests up to what the snapshot says now. */
void requests_update(const struct cluster *c, const struct settings *settings,
		     struct request_cache *memory, struct warnings *warnings);

void request_cache_done(struct request_cache *m);

#endif
