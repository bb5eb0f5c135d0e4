/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/pod_status.h"

#include <string.h>

#include "agent/mckube_status.h"
#include "test/unit/test.h"

static struct cgroup group;

static struct engine_container container(bool is_there, bool is_applied, int64_t kernel_us)
{
	return (struct engine_container){
		.name = (char *)"app",
		.node = is_there ? &group : NULL,
		.is_applied = is_applied,
		.in_kernel = { 100000, kernel_us },
	};
}

static const struct escalation_pod low = {
	.budget = { 100000, 6000, 9000, 0, 1000, LEVEL_HIGH },
	.enforcement = ENFORCE_RAISE,
};

static struct pod_status status_of(const struct backend *b, struct engine_container c,
				   const struct escalation_pod *state, const char *refusal)
{
	const struct engine_pod pod = { .containers = &c,
					.n_containers = 1,
					.refusal = (char *)refusal };
	struct pod_status p = { .is_known = true };

	pod_facts_take(&p.now, b, &pod, state);
	return p;
}

/* What was read back, by backend; what rt-applied says. */
TEST(applied_is_what_the_kernel_has)
{
	const struct {
		const struct backend *backend;
		struct engine_container container;
		const char *refusal;
		enum pod_applied applied;
		const char *value;
	} rows[] = {
		{ &backend_cgroup_v1, container(true, true, 6000), NULL, POD_APPLIED, "true" },
		{ &backend_cap_v2, container(true, true, 6000), NULL, POD_APPLIED_CAP, "true" },
		{ &backend_noop, container(true, false, 6000), NULL, POD_APPLIED_NOTHING, "" },
		{ &backend_deadline, container(true, false, 0), NULL, POD_APPLIED_DIFFERENT, "" },
		{ &backend_cgroup_v1, container(false, false, 0), NULL, POD_APPLIED_WAITING, "" },
		{ &backend_cgroup_v1, container(true, true, 3000), "no room", POD_APPLIED_REFUSED,
		  "false" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct pod_status p =
			status_of(rows[i].backend, rows[i].container, &low, rows[i].refusal);

		assert_int_equal(p.now.applied, rows[i].applied);
		assert_string_equal(pod_status_applied(&p), rows[i].value);
	}
}

TEST(budget_alone_is_not_all_where_a_policy_is_asked_for)
{
	struct engine_container c = container(true, true, 6000);

	c.class = (struct thread_class){ THREAD_POLICY_FIFO, 20 };
	struct pod_status p = status_of(&backend_cgroup_v1, c, &low, NULL);
	assert_int_equal(p.now.applied, POD_APPLIED_NO_POLICY);
	assert_string_equal(pod_status_applied(&p), "");

	c.threads.is_applied = true;
	p = status_of(&backend_cgroup_v1, c, &low, NULL);
	assert_int_equal(p.now.applied, POD_APPLIED);
	assert_string_equal(p.now.policy, "FIFO 20");
	assert_int_equal(status_of(&backend_cap_v2, c, &low, NULL).now.applied,
			 POD_APPLIED_UNLIMITED);

	c.threads.refusal = (struct error){ -EPERM, "not permitted" };
	p = status_of(&backend_cgroup_v1, c, &low, NULL);
	assert_int_equal(p.now.applied, POD_APPLIED_NO_POLICY);
	assert_string_equal(p.now.policy_refusal, "not permitted");
}

TEST(invalid_annotations_are_not_applied)
{
	struct pod_status p = { .invalid = "rt-period: 'x'", .level = "hi" };

	assert_string_equal(pod_status_applied(&p), "false");
	assert_string_equal(pod_status_level(&p), "hi");
}

TEST(cut_pod_is_at_its_floor)
{
	struct escalation_pod cut = low;

	cut.is_cut = true;
	struct pod_status p =
		status_of(&backend_cgroup_v1, container(true, true, 1000), &cut, NULL);
	assert_string_equal(pod_status_level(&p), "floor");
	assert_int_equal(p.now.runtime_us, 1000);
	assert_string_equal(pod_status_applied(&p), "true");
}

/* The conditions of the McKube, by the same facts. */
TEST(conditions_say_what_was_read_back)
{
	const struct {
		struct pod_facts facts;
		const char *applied, *ready, *message;
	} rows[] = {
		{ { .applied = POD_APPLIED, .kernel_us = 6000 },
		  "InForce",
		  "Ready",
		  "6000 us of every 100000 us" },
		{ { .applied = POD_APPLIED, .kernel_us = 6000, .policy = "FIFO 20" },
		  "InForce",
		  "Ready",
		  "6000 us of every 100000 us, threads FIFO 20" },
		{ { .applied = POD_APPLIED, .kernel_us = 6000, .can_outrank = true },
		  "InForce",
		  "Ready",
		  "6000 us of every 100000 us; a container has CAP_SYS_NICE and can outrank the "
		  "helper" },
		{ { .applied = POD_APPLIED_NO_POLICY, .container = "app" },
		  "Waiting",
		  "Waiting",
		  "container app has no thread with its policy yet" },
		{ { .applied = POD_APPLIED_NO_POLICY,
		    .container = "app",
		    .policy_refusal = "not permitted" },
		  "RTPolicyRefused",
		  "RTPolicyRefused",
		  "container app: not permitted" },
		{ { .applied = POD_APPLIED_UNLIMITED, .policy = "RR 5" },
		  "Unlimited",
		  "Unlimited",
		  "threads RR 5: a bandwidth cap does not limit real-time threads" },
		{ { .applied = POD_APPLIED_CAP, .kernel_us = 6000 },
		  "BandwidthCapOnly",
		  "Ready",
		  "6000 us of every 100000 us at most, without real-time guarantee" },
		{ { .applied = POD_APPLIED_NOTHING },
		  "NoEnforcement",
		  "NoEnforcement",
		  "the node's backend enforces no budget" },
		{ { .applied = POD_APPLIED_WAITING, .container = "app" },
		  "Waiting",
		  "Waiting",
		  "container app has no cgroup yet" },
		{ { .applied = POD_APPLIED_DIFFERENT, .container = "app", .runtime_us = 6000 },
		  "NotInForce",
		  "NotInForce",
		  "container app: the kernel has 0 us, not 6000 us" },
		{ { .applied = POD_APPLIED_REFUSED, .refusal = "no room", .kernel_us = 3000 },
		  "RTBudgetRefused",
		  "RTBudgetRefused",
		  "no room; the kernel has 3000/100000 us" },
		{ { .applied = POD_APPLIED, .is_floor = true, .kernel_us = 1000 },
		  "InForce",
		  "Degraded",
		  "1000 us of every 100000 us" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct pod_status p = { .now = rows[i].facts };
		struct mckube_condition applied, ready;

		p.now.period_us = 100000;
		mckube_status_conditions(&p, &applied, &ready);
		assert_string_equal(applied.reason, rows[i].applied);
		assert_string_equal(applied.message, rows[i].message);
		assert_string_equal(ready.reason, rows[i].ready);
		assert_int_equal(ready.is_true, strcmp(rows[i].ready, "Ready") == 0);
	}
}

TEST(refusal_of_one_object_is_its_own)
{
	assert_true(pod_status_is_own_fault(500));
	assert_true(pod_status_is_own_fault(413));
	assert_true(pod_status_is_own_fault(403));
	assert_false(pod_status_is_own_fault(0));
	assert_false(pod_status_is_own_fault(401));
	assert_false(pod_status_is_own_fault(429));
	assert_false(pod_status_is_own_fault(503));
}

TEST(retries_come_later_and_later)
{
	struct retry r = { 0 };

	retry_later(&r, 1000);
	assert_int_equal(r.at_ms, 1000 + RETRY_FIRST_MS);
	retry_later(&r, 1000);
	assert_int_equal(r.at_ms, 1000 + 2 * RETRY_FIRST_MS);
	for (int i = 0; i < 20; i++)
		retry_later(&r, 1000);
	assert_int_equal(r.at_ms, 1000 + RETRY_LAST_MS);
}
