/* SPDX-License-Identifier: Apache-2.0 */
#include "execute/stale.h"

#include <string.h>

#include "base/auto.h"
#include "state/load.h"
#include "test/unit/test.h"

static const char *const objects[] = {
	"{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"n1\"}}",
	"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"namespace\":\"x\",\"name\":\"a\","
	"\"uid\":\"u1\",\"resourceVersion\":\"7\"}}",
	"{\"apiVersion\":\"mcoperator.sdv.com/v1\",\"kind\":\"McKube\",\"metadata\":{"
	"\"namespace\":\"x\",\"name\":\"m\",\"uid\":\"u2\",\"resourceVersion\":\"9\"},"
	"\"spec\":{\"podname\":\"a\"}}",
};

static void load(struct cluster *c)
{
	struct loader *l = loader_new();

	for (size_t i = 0; i < ARRAY_LEN(objects); i++)
		assert_int_equal(loader_object(l, slice_of(objects[i]), "test", NULL), 0);
	loader_finish(l, c);
	loader_free(l);
}

static struct action on(const char *kind, const char *name, const char *uid, const char *version)
{
	return (struct action){ .kind = ACTION_STATUS,
				.on = { kind, "x", name, uid, version, "" } };
}

/* A plan of one action against the cluster; what it says of staleness. */
static void finds(struct action a, const char *expect)
{
	AUTO(cluster_done) struct cluster c = { 0 };
	AUTO(plan_done) struct plan p = { .name = "0123456789abcdef" };
	AUTO(str_done) struct str stale = STR_INIT;
	struct error err = ERROR_INIT;

	load(&c);
	*array_add(&p.actions) = a;
	*array_add(&p.actions) = a;
	assert_int_equal(plan_check_fresh(&p, &c, &stale, &err), *expect ? -ESTALE : 0);
	assert_string_equal(stale.s, expect);
	if (*expect)
		assert_string_equal(err.msg, "plan 0123456789abcdef is stale: 1 object changed "
					     "since it was made");
}

TEST(what_did_not_change_is_fresh)
{
	finds(on("Pod", "a", "u1", "7"), "");
	finds(on("McKube", "m", "u2", "9"), "");
}

TEST(what_the_plan_does_not_know_does_not_count)
{
	finds(on("Pod", "a", "", ""), "");
}

TEST(every_difference_has_its_line)
{
	struct action bind = on("Pod", "a", "u1", "7");

	finds(on("Pod", "a", "u1", "6"), "Pod x/a: resourceVersion 6 in the plan, 7 now\n");
	finds(on("Pod", "a", "u0", "6"), "Pod x/a: uid u0 in the plan, u1 now\n");
	finds(on("Pod", "b", "u1", "7"), "Pod x/b: not found\n");
	finds(on("McKube", "gone", "", ""), "McKube x/gone: not found\n");
	bind.to.node = "n2";
	finds(bind, "Node n2: not found\n");
}
