/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/heartbeat.h"

#include "base/auto.h"
#include "test/unit/test.h"

TEST(lease_names_the_node_and_how_long_it_holds)
{
	AUTO(str_done) struct str out = STR_INIT;

	heartbeat_lease(&out, "mckube-system", "mckube-node-n1", "n1", "{\"pods\":[]}",
			"2026-11-21T09:00:00.000000Z");
	assert_string_equal(
		out.s, "{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\","
		       "\"metadata\":{\"name\":\"mckube-node-n1\",\"namespace\":\"mckube-system\","
		       "\"labels\":{\"app.kubernetes.io/name\":\"mckube-node\"},"
		       "\"annotations\":{\"mckube.io/use\":\"{\\\"pods\\\":[]}\"}},"
		       "\"spec\":{\"holderIdentity\":\"n1\",\"leaseDurationSeconds\":40,"
		       "\"renewTime\":\"2026-11-21T09:00:00.000000Z\"}}");
}

TEST(unhealthy_helper_sends_no_heartbeat)
{
	struct heartbeat h = { 0 };

	/* Without a server: a request would crash. */
	assert_int_equal(heartbeat_step(&h, NULL, NULL, "n1", NULL, false), HEARTBEAT_INTERVAL_MS);
	assert_true(heartbeat_step(&h, NULL, NULL, "n1", NULL, true) <= HEARTBEAT_INTERVAL_MS);
}
