/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MODEL_CHECKPOINT_FACTS_H
#define MCKUBE_MODEL_CHECKPOINT_FACTS_H

#include "base/str.h"
#include "model/cluster.h"

/* What mckube-migrate has found on a node and written on it (NODE_CHECKPOINT):
 * "criu=V,containerd=V,restore=WORD,pause=SECONDS+SECONDS,missing=OPTION+OPTION", or "no: why".
 * pause: after how long it resumes what was not sent, and how much later for each GiB. */

/* "" where it has written nothing. */
const char *checkpoint_facts(const struct cluster *c, const struct node *node);

/* What a fact says; empty: it is not there. */
struct slice checkpoint_fact(const char *facts, const char *name);

/* Is the option of CRIU missing on the node? Without tcp-close a program with a connection cannot
 * be moved, without file-locks one that has locked a file. */
bool checkpoint_lacks(const char *facts, const char *option);

/* Why no container can be moved away from such a node, or to it; NULL: one can. The text may be a
 * part of `facts`. */
const char *checkpoint_bar(const char *facts);
const char *restore_bar(const char *facts);

#endif
