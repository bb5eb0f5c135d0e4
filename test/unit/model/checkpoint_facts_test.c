/* SPDX-License-Identifier: Apache-2.0 */
#include "model/checkpoint_facts.h"

#include "test/unit/test.h"

#define GOOD "criu=4.2.1,containerd=2.2.9,restore=true,missing=tcp-close+file-locks"

TEST(a_fact_is_the_word_behind_its_name)
{
	assert_true(slice_eq(checkpoint_fact(GOOD, "criu"), "4.2.1"));
	assert_true(slice_eq(checkpoint_fact(GOOD, "missing"), "tcp-close+file-locks"));
	assert_int_equal(checkpoint_fact(GOOD, "restor").n, 0);
	assert_int_equal(checkpoint_fact("xcriu=1,criu", "criu").n, 0);
	assert_int_equal(checkpoint_fact("", "criu").n, 0);
}

TEST(a_missing_option_is_a_whole_word)
{
	assert_true(checkpoint_lacks(GOOD, "tcp-close"));
	assert_true(checkpoint_lacks(GOOD, "file-locks"));
	assert_false(checkpoint_lacks(GOOD, "file-lock"));
	assert_false(checkpoint_lacks(GOOD, "cpu-cap"));
	assert_false(checkpoint_lacks("criu=4.2", "tcp-close"));
	assert_false(checkpoint_lacks("missing=+", "tcp-close"));
}

TEST(what_a_node_cannot_do_is_said_by_its_own_words)
{
	static const struct {
		const char *facts, *source, *target;
	} rows[] = {
		{ GOOD, NULL, NULL },
		{ "", "mckube-migrate does not report there",
		  "mckube-migrate does not report there" },
		{ "no: criu is not found on the node", "criu is not found on the node",
		  "criu is not found on the node" },
		{ "no: restore=true", "restore=true", "restore=true" },
		{ "no: ", "mckube-migrate says no", "mckube-migrate says no" },
		{ "yes", "mckube-migrate says no", "mckube-migrate says no" },
		{ "criu=", "mckube-migrate says no", "mckube-migrate says no" },
		{ "criu=4.2,restore=unsupported", NULL,
		  "this containerd cannot restore, or not safely: it needs 2.2.7 to 2.2.x or 2.3.4 "
		  "to 2.3.x" },
		{ "criu=4.2,restore=unknown", NULL,
		  "containerd does not tell whether it restores" },
		{ "criu=4.2,restore=truest", NULL, "containerd does not tell whether it restores" },
		{ "criu=4.2", NULL, "containerd does not tell whether it restores" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *source = checkpoint_bar(rows[i].facts);
		const char *target = restore_bar(rows[i].facts);

		assert_string_equal(source ? source : "none",
				    rows[i].source ? rows[i].source : "none");
		assert_string_equal(target ? target : "none",
				    rows[i].target ? rows[i].target : "none");
	}
}
