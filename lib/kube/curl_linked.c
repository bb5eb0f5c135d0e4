/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/curl_late.h"

#include "base/late.h"

int curl_late_load(struct error *err)
{
	return late_load("libcurl.so.4", "API server", NULL, 0, NULL, err);
}
