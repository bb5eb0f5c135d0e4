/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MIGRATE_MOVE_ID_H
#define MCKUBE_MIGRATE_MOVE_ID_H

#include <stdbool.h>

#include "base/error.h"
#include "base/str.h"

/* The id of a move, and the images that its containers are served as. */

enum {
	MOVE_ID_SIZE = 33, /* 32 of [a-z0-9] and a NUL: 160 bits of chance */
	MOVE_CONTAINERS = 16,
};

bool move_id_is_valid(const char *id);

/* By getrandom(2). */
int move_id_make(char ret[static MOVE_ID_SIZE], struct error *err);

/* localhost:9809/mig/ID-N:v1 */
void move_image(struct str *out, const char *id, unsigned container);

/* Does an image of that name, which leads to that digest, hold a checkpoint? A pull leaves it by
 * the name localhost:9809/mig/ID-N@DIGEST, too. ret: its move. */
bool move_image_is_checkpoint(struct slice name, struct slice digest,
			      char ret[static MOVE_ID_SIZE]);

#endif
