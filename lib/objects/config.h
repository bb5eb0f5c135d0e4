/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_OBJECTS_CONFIG_H
#define MCKUBE_OBJECTS_CONFIG_H

#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/nearest.h"
#include "base/option.h"
#include "model/settings.h"

/* The configuration file, YAML or JSON:
 *
 *	apiVersion: mckube.io/v1alpha1
 *	kind: Configuration
 *	coreUtilizationThreshold: 0.85
 *	policies:
 *	- { name: spread }
 *	- { name: topology, weight: 3 }
 *	search: { steps: 1000000 }
 *
 * A key that is not given keeps what `settings` holds; one that is not known is an error that names
 * the nearest. Errors begin with the key's path: "search.steps: must be ...". */

/* All keys with type, range, default and help, as an option table over struct settings; a nested
 * key is written with dots. */
extern const struct option config_keys[];

/* Sets every key to its default. */
void config_preset(struct settings *settings);

int config_read(const char *text, size_t n, struct settings *settings, struct error *err);

/* Variables of the SDI migration service that keys have, too: an empty one is none, the key's own
 * comes first. Ends with a variable NULL. */
struct config_alias {
	const char *variable, *key;
	const char *unit; /* what a number without one gets: "%" */
};
extern const struct config_alias config_aliases[];

/* Reads the keys' environment variables: coreUtilizationThreshold is
 * MCKUBE_CORE_UTILIZATION_THRESHOLD, search.steps is MCKUBE_SEARCH_STEPS; policies are written as
 * "spread=1,topology=3". `lookup` is getenv(3) but in tests. */
int config_read_environment(const char *(*lookup)(const char *name), struct settings *settings,
			    struct error *err);

/* One key, as a flag gives it. The error does not name it. */
int config_set(struct settings *settings, const char *key, const char *text, struct error *err);

/* The name of a key's variable. */
void config_variable(const char *key, struct str *out);

/* Does a key have this variable? If not, those of all keys are offered, in the arena. */
bool config_has_variable(const char *name, struct arena *arena, struct nearest *n);

/* Takes "NAME" or "NAME=WEIGHT" items in place of the policies that settings hold. */
int config_set_policies(struct settings *settings, const char *const *items, size_t n,
			struct error *err);

#endif
