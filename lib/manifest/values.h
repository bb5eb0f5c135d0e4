/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MANIFEST_VALUES_H
#define MCKUBE_MANIFEST_VALUES_H

#include <stdbool.h>

#include "base/error.h"
#include "base/json.h"

/* The values of an installation, as of a Helm chart: a tree that begins as manifests/values.yaml
 * and says there what keys there are. An object that is empty there takes any keys, a list any
 * elements. Errors begin with the value's name: "watch.replicas: must be a whole number". */

/* manifests/values.yaml; the caller deletes it. */
cJSON *values_new(void);

/* Puts the values of a file on top; null leaves a value as it is. */
int values_merge(cJSON *values, const cJSON *changes, struct error *err);
int values_merge_yaml(cJSON *values, const char *text, size_t n, struct error *err);

/* Helm's --set with one assignment, "watch.replicas=1"; a dot within a key is "\\.". What is JSON,
 * such as true, 3 or ["a"], is that, other text is a string; a value that is a string takes all as
 * text. */
int values_set(cJSON *values, const char *assignment, struct error *err);

/* Keys of `changes` on top of an object, objects in objects likewise. */
void values_overlay(cJSON *object, const cJSON *changes);

/* By its name; NULL where there is none. */
const cJSON *values_get(const cJSON *values, const char *name);
/* A string's text, "" for anything else. */
const char *values_text(const cJSON *values, const char *name);
bool values_is_true(const cJSON *values, const char *name);

#endif
