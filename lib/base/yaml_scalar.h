/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_BASE_YAML_SCALAR_H
#define MCKUBE_BASE_YAML_SCALAR_H

#include <stdbool.h>

#include "base/error.h"
#include "base/str.h"

/* What a scalar of YAML means, as JSON text. The rules are those of the reader that kubectl uses
 * (go-yaml v2, resolve.go): YAML 1.1 without sexagesimal numbers, and times stay text. */

/* `tag` may be NULL. Only a plain scalar without a tag is typed by its looks. */
int yaml_scalar_to_json(struct slice text, const char *tag, bool is_plain, struct str *out,
			struct error *err);

/* Would this text, unquoted, read as something other than the string itself? */
bool yaml_scalar_is_typed(struct slice text);

#endif
