/* SPDX-License-Identifier: Apache-2.0 */
#include "reconcile/reconcile.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "test/unit/snapshot.h"
#include "test/unit/test.h"

#define NODE                                                                     \
	"kind: Node\napiVersion: v1\nmetadata: {name: n1}\n"                     \
	"status: {allocatable: {cpu: '1', memory: 8Gi, pods: '110'}, capacity: " \
	"{cpu: '1', memory: 8Gi, pods: '110'}}\n"
#define PENDING(name, runtime)                                                               \
	"---\nkind: Pod\napiVersion: v1\nmetadata:\n  name: " name "\n  namespace: x\n"      \
	"  uid: u-" name "\n  resourceVersion: '7'\n  labels: {sdv.com: " name "}\n"         \
	"  annotations: {mckube.io/criticality: High, mckube.io/rt-period: '100000', "       \
	"mckube.io/rt-runtime-low: '" runtime "', mckube.io/rt-runtime-hi: '" runtime "'}\n" \
	"spec: {schedulerName: mckube, containers: [{name: c, resources: {requests: "        \
	"{cpu: 100m}}}]}\nstatus: {phase: Pending}\n"

static const struct settings settings = SETTINGS_DEFAULT;

/* The lines that a dry pass over this snapshot logs, without their heads. */
static char *pass(struct reconcile *r, const char *yaml)
{
	AUTO(cluster_done) struct cluster c = snapshot_of(yaml);
	AUTO_FILE FILE *log = tmpfile();
	int before = dup(STDERR_FILENO);
	char *text = calloc(1, 4096);
	struct error err;

	dup2(fileno(log), STDERR_FILENO);
	int result = reconcile_pass(r, &c, &err);
	dup2(before, STDERR_FILENO);
	close(before);
	assert_int_equal(result, 0);
	rewind(log);
	for (size_t n = 0; fgets(text + n, (int)(4096 - n), log);) {
		const char *begin = strstr(text + n, "] ");

		memmove(text + n, begin + 2, strlen(begin + 2) + 1);
		n += strlen(text + n);
	}
	return text;
}

static struct reconcile dry(void)
{
	return (struct reconcile){ .settings = &settings, .is_dry_run = true };
}

TEST(findings_are_logged_once_until_they_change)
{
	AUTO(reconcile_done) struct reconcile r = dry();
	AUTO_FREE char *first = pass(&r, NODE PENDING("a", "30000"));
	AUTO_FREE char *same = pass(&r, NODE PENDING("a", "30000"));
	AUTO_FREE char *other = pass(&r, NODE PENDING("a", "30000") PENDING("b", "10000"));
	AUTO_FREE char *none = pass(&r, NODE);
	AUTO_FREE char *again = pass(&r, NODE PENDING("a", "30000"));

	assert_non_null(strstr(first, "Pod x/a: "));
	assert_string_equal(same, "");
	assert_non_null(strstr(other, "Pod x/b"));
	assert_string_equal(none, "");
	assert_string_equal(again, first);
}

TEST(a_change_is_logged_without_what_stays)
{
	AUTO(reconcile_done) struct reconcile r = dry();
	AUTO_FREE char *first = pass(&r, NODE PENDING("a", "99000") PENDING("b", "98000"));
	AUTO_FREE char *more =
		pass(&r, NODE PENDING("a", "99000") PENDING("b", "98000") PENDING("c", "97000"));
	AUTO_FREE char *less = pass(&r, NODE PENDING("b", "98000") PENDING("c", "97000"));

	assert_non_null(strstr(first, "no place for Pod x/a: NoRoom: "));
	assert_non_null(strstr(first, "no place for Pod x/b: NoRoom: "));
	assert_int_equal(strncmp(more, "no place for Pod x/c: NoRoom: ", 30), 0);
	assert_non_null(strchr(more, '\n'));
	assert_int_equal(strchr(more, '\n')[1], 0);
	assert_string_equal(less, "");
}

TEST(what_has_no_place_is_logged)
{
	AUTO(reconcile_done) struct reconcile r = dry();
	AUTO_FREE char *text = pass(&r, NODE PENDING("a", "99000"));

	assert_non_null(strstr(text, "Pod x/a: "));
	assert_int_equal(r.counts.passes, 1);
	assert_int_equal(r.counts.failures, 0);
}

TEST(other_namespaces_are_not_logged)
{
	AUTO(reconcile_done) struct reconcile r = dry();

	r.ns = "elsewhere";
	AUTO_FREE char *text = pass(&r, NODE PENDING("a", "30000"));
	assert_string_equal(text, "");
}
