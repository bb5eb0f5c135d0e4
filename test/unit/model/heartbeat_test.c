/* SPDX-License-Identifier: Apache-2.0 */
#include "model/heartbeat.h"

#include "base/auto.h"
#include "test/unit/test.h"

/* A node whose helper reported a backend, and renewed its Lease at `renewed` for 40 s. */
static struct node node(struct cluster *c, int64_t renewed)
{
	struct node n = { .heartbeat = renewed, .heartbeat_seconds = 40 };

	intern_cstr(&c->strings, "");
	n.annotations.backend = intern_cstr(&c->strings, "hcbs");
	c->taken_at = 1000;
	c->has_heartbeats = true;
	return n;
}

TEST(a_renewed_lease_is_a_live_helper)
{
	AUTO(cluster_done) struct cluster c = { 0 };
	struct node n = node(&c, 960);

	assert_int_equal(helper_state(&c, &n), HELPER_ALIVE);
	assert_string_equal(helper_backend(&c, &n), "hcbs");
}

TEST(an_expired_or_missing_lease_is_a_silent_helper)
{
	AUTO(cluster_done) struct cluster c = { 0 };
	struct node expired = node(&c, 959), missing = node(&c, 0);

	assert_int_equal(helper_state(&c, &expired), HELPER_SILENT);
	assert_int_equal(helper_state(&c, &missing), HELPER_SILENT);
	assert_string_equal(helper_backend(&c, &expired), "");
}

TEST(without_leases_time_or_backend_the_helper_is_unknown)
{
	AUTO(cluster_done) struct cluster c = { 0 };
	struct node n = node(&c, 0);

	c.has_heartbeats = false;
	assert_int_equal(helper_state(&c, &n), HELPER_UNKNOWN);
	assert_string_equal(helper_backend(&c, &n), "hcbs");
	c.has_heartbeats = true;
	c.taken_at = 0;
	assert_int_equal(helper_state(&c, &n), HELPER_UNKNOWN);
	c.taken_at = 1000;
	n.annotations.backend = NONE;
	assert_int_equal(helper_state(&c, &n), HELPER_UNKNOWN);
}
