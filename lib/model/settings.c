/* SPDX-License-Identifier: Apache-2.0 */
#include "model/settings.h"

#include <stddef.h>
#include <string.h>

const char *const legacy_pin_words[] = { "honor", "ignore", NULL };
const char *const pressure_trigger_words[] = { "realTime", "cpu", NULL };
const char *const pressure_action_words[] = { "degrade", "raise", NULL };
const char *const eviction_bare_words[] = { "allow", "never", NULL };
const char *const eviction_outside_words[] = { "realTime", "none", NULL };
const char *const pressure_eviction_words[] = { "none", "controlled", "all", NULL };
const char *const consolidate_words[] = { "auto", "all", "none", NULL };
const char *const cost_basis_words[] = { "requests", "usage", NULL };

bool settings_optimise_in(const struct settings *s, const char *ns)
{
	static const char between[] = ", ";
	const char *at = s->optimise.namespaces + strspn(s->optimise.namespaces, between);
	size_t n = strlen(ns);

	if (!*at)
		return true;
	for (size_t length; *at; at += length + strspn(at + length, between)) {
		length = strcspn(at, between);
		if (length == n && memcmp(at, ns, n) == 0)
			return true;
	}
	return false;
}
