/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_EXECUTE_TO_SNAPSHOT_H
#define MCKUBE_EXECUTE_TO_SNAPSHOT_H

#include <stdio.h>

#include "base/error.h"
#include "plan/plan.h"
#include "state/reader.h"
#include "state/snapshot_out.h"

/* Executes a plan on the files that its snapshot was read from: what the API server, the kubelet
 * and our node helper would have done to the objects is done to their text, and the new state is
 * written as one `v1 List`, in the order of the input. Of duplicates the last is written. Fields
 * that we do not know, and objects that the plan does not name, stay as they are.
 *
 *	Bind		nodeName, assignment annotations, our gate off; phase becomes Running, since
 *			no kubelet will ever say so
 *	Assign, Move	assignment annotations
 *	Evict		the pod is left out; the PodDisruptionBudget that covers it allows one
 *			disruption less. Files have no controllers: no replacement appears, and
 *			nothing lets the budget rise again
 *	SetLevel	annotation mckube.io/rt-current
 *	Status		McKube: status.allocatedCore and currentRuntime; Pod: assignment annotations
 *			off
 *	Finalizer	ours off; an object that was only waiting for that is left out
 *
 * A numeric resourceVersion grows by one for each action; uids stay. */

/* Reads the sources again (they must be readable twice: standard input is spooled by the caller),
 * writes the list to `out` and fills p->results. The memory used grows with the number of objects
 * by a few bytes, not with their size; where pods are evicted, also with what a plan reads of the
 * objects that it names and of the PodDisruptionBudgets.
 *
 * -ENOTSUP: the plan has an action that files cannot take; -ESTALE: an object is not there. The
 * content of `out` is invalid after an error: write through base/file.h. */
int execute_on_files(struct plan *p, const struct source *sources, size_t n_sources,
		     enum list_format format, FILE *out, struct error *err);

#endif
