/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_AGENT_POD_TEXT_H
#define MCKUBE_AGENT_POD_TEXT_H

#include "base/error.h"
#include "base/str.h"

/* The members of a Pod that the agent reads, as JSON text. A parsed element takes 112 bytes, and a
 * pod of the largest size that the API server stores may have 700,000: arguments, environment,
 * managed fields. */
int pod_text_reduce(struct slice pod, struct str *out, struct error *err);

#endif
