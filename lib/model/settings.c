/* SPDX-License-Identifier: Apache-2.0 */
#include "model/settings.h"

#include <stddef.h>

const char *const legacy_pin_words[] = { "honor", "ignore", NULL };
const char *const pressure_trigger_words[] = { "realTime", "cpu", NULL };
const char *const pressure_action_words[] = { "degrade", "raise", NULL };
const char *const eviction_bare_words[] = { "allow", "never", NULL };
const char *const pressure_eviction_words[] = { "none", "controlled", "all", NULL };
const char *const consolidate_words[] = { "auto", "all", "none", NULL };
