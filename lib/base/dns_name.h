/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BASE_DNS_NAME_H
#define MCKUBE_BASE_DNS_NAME_H

#include <stdbool.h>
#include <stddef.h>

/* What Kubernetes allows as the name of an object: a label of at most 63 bytes, or a subdomain of
 * at most 253 (RFC 1123, in lower case). */
bool is_dns_label(const char *s, size_t n);
bool is_dns_subdomain(const char *s, size_t n);

#endif
