/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/events.h"

#include <ctype.h>
#include <string.h>

#include "test/unit/test.h"

TEST(each_kind_has_a_reason_of_its_own)
{
	for (int kind = NODE_EVENT_APPLIED; kind <= NODE_EVENT_REWRITTEN; kind++) {
		const char *reason = node_event_reason((enum node_event_kind)kind);

		assert_non_null(reason);
		assert_true(isupper((unsigned char)*reason) && strlen(reason) < 128);
		for (int other = NODE_EVENT_APPLIED; other < kind; other++)
			assert_string_not_equal(reason,
						node_event_reason((enum node_event_kind)other));
	}
}
