/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BASE_JSON_H
#define MCKUBE_BASE_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/error.h"

/* cJSON as a tree, with its traps closed: for what is small (configuration,
 * replies of a few kilobytes) and for foreign objects that are changed and written back whole.
 * cJSON's own parser is not used, base/scan.h reads; its printer only for such trees, what is ours
 * is written by base/json_out.h. What has a table (objects in bulk, plan files, kubeconfigs) goes
 * through base/decode.h: 4 to 10 us a pod where a tree takes 30.
 *
 * Closed here: trailing bytes (error), duplicate keys (the last wins, as in kubectl), look-up that
 * ignores case (json_get() is exact), numbers that a double cannot hold or cJSON would print short
 * (json_int() reads the token's own digits: the parser keeps numbers of more than 15 digits, and
 * whole numbers written as 1.0 or 1e3, as raw text), depth (100), text that is not UTF-8 and NUL
 * characters (errors). */

/* An error says "line N: ...". */
int json_parse(const char *text, size_t n, cJSON **ret, struct error *err);

static inline void json_free(cJSON **j)
{
	cJSON_Delete(*j);
}
#define AUTO_JSON AUTO(json_free)

/* The member of an object, exact case; NULL where there is none or `object` is no object. */
const cJSON *json_get(const cJSON *object, const char *key);

/* Follows a path of keys separated by '.', NULL where one is missing. */
const cJSON *json_path(const cJSON *root, const char *path);

/* Puts the members of all objects in the order of their keys. */
void json_sort(cJSON *root);

/* Text of a string; NULL for anything else. */
const char *json_text(const cJSON *j);

/* A whole number that fits; 1.0, 1e3 and strings are not whole numbers here. */
bool json_int(const cJSON *j, int64_t *ret);

#endif
