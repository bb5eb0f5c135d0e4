/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_STATE_REDACT_H
#define MCKUBE_STATE_REDACT_H

#include "state/reader.h"
#include "state/snapshot_out.h"

/* A snapshot that can be published. What a plan reads stays, and nothing else: no images,
 * environments, commands, conditions, addresses, volumes without claims, annotations that are not
 * ours, nor objects of other kinds. redact_rules.c is the list, field by field. Of what stays,
 *
 *	numbers, amounts, times, versions, phases and our own annotations are kept;
 *	names, namespaces, uids, label values and the like become pseudonyms, the same for the same
 *	text wherever it stands;
 *	keys (of labels, taints, resources, topologies) become pseudonyms unless Kubernetes or we
 *	define them; label values that are whole numbers stay, since rules may compare them.
 *
 * A pseudonym is "x", the text's place among all texts in their order, and 8 hex digits of
 * SHA-256(key, text): x0017-9f3ac1d2, or x0017_9f3ac1d2 for a text that no object may have as its
 * name. They sort as the names did, so a plan of it has the same actions, budgets and order as one
 * of the original, with the names replaced. Without the key, names cannot be tried out; with
 * the same key a text has the same digits in every snapshot. */

/* Reads the sources twice and writes one List; where it was read becomes "redacted", taken_at
 * (seconds since 1970, 0: unknown) stays. */
int redact_files(const struct source *sources, size_t n, const char *key, int64_t taken_at,
		 enum list_format format, FILE *out, struct error *err);

#endif
