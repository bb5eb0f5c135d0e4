/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BASE_SORT_H
#define MCKUBE_BASE_SORT_H

#include <stddef.h>
#include <stdint.h>

/* Orders the n ids by keys[id], the least first. Ids whose keys are equal stay in the order in
 * which they were: a sort by what matters less, and then by what matters more, orders by both. The
 * time grows with n alone, and with the number of bits in which keys differ. */
void sort_ids(uint32_t *ids, size_t n, const uint64_t *keys);

#endif
