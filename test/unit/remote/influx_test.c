/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/influx.h"

#include "base/auto.h"
#include "test/unit/test.h"

TEST(a_point_is_one_line)
{
	AUTO(str_done) struct str out = STR_INIT;

	influx_write(&(struct influx_point){ "cnt", "node-a", "node-b", true, 1795987126726000000 },
		     &out);
	assert_string_equal(out.s,
			    "pod_migration,pod_name=cnt,source_node=node-a,target_node=node-b,"
			    "success=true migration_count=1i 1795987126726000000\n");
}

TEST(what_ends_a_tag_is_escaped)
{
	AUTO(str_done) struct str out = STR_INIT;

	influx_write(&(struct influx_point){ "a,b c=d", "x\ny", "z", false, 1 }, &out);
	assert_string_equal(out.s, "pod_migration,pod_name=a\\,b\\ c\\=d,source_node=x y,"
				   "target_node=z,success=false migration_count=1i 1\n");
}

TEST(points_are_kept_while_the_server_is_away)
{
	const struct influx_options o = { .url = "http://127.0.0.1:9", .org = "o", .bucket = "b" };
	struct influx *x = NULL;
	struct error err = ERROR_INIT;

	assert_int_equal(influx_open(&o, &x, &err), 0);
	for (int i = 0; i < INFLUX_KEPT + 5; i++)
		influx_add(x, &(struct influx_point){ "p", "a", "b", true, i });
	influx_flush(x, 2000);
	assert_int_equal(influx_stats(x).kept, INFLUX_KEPT);
	assert_int_equal(influx_stats(x).dropped, 5);
	assert_int_equal(influx_stats(x).written, 0);
	influx_close(x);
}
