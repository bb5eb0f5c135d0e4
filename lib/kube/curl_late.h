/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_KUBE_CURL_LATE_H
#define MCKUBE_KUBE_CURL_LATE_H

#include "base/error.h"

/* libcurl is loaded when the first connection is opened (base/late.h says why). The functions of
 * curl/curl.h that are used here are defined in curl_late.c and go to the loaded library; nothing
 * else may call them before curl_late_load() has returned 0. */
int curl_late_load(struct error *err);

#endif
