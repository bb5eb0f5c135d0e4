/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_NODE_CMD_STATIC_PODS_H
#define MCKUBE_NODE_CMD_STATIC_PODS_H

#include "run.h"

/* Reads the pods of a file, sets them, and removes those that are no longer in it. */
int static_pods_apply(struct run *r, const char *path, struct error *err);

#endif
