/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_REMOTE_POLICY_ENGINE_H
#define MCKUBE_REMOTE_POLICY_ENGINE_H

#include "base/array.h"
#include "base/error.h"
#include "base/str.h"

/* Services that allow or forbid what a plan would do. The policy engine of the SDI migration
 * service: may this pod move there?
 *
 *	POST URL/api/v1/migration/policy
 *	{"pod":{"name":,"namespace":,"node_name":,"labels":{}},"source_node":,"target_node":}
 *	-> 200 {"allowed": true, "reason": "..."}
 *
 * Anything else is no answer: another status, no boolean `allowed`, no JSON, none within
 * POLICY_TIMEOUT_MS, POLICY_TRIES times. No answer means no, unless fail_open is set.
 *
 * The core scheduler of KCloud: may this plan be executed?
 *
 *	POST URL/api/v1/plan, the plan as plan/file/FORMAT.md has it
 *
 * It answers in the same way, and is asked once: a plan that is refused is made again soon. */

enum { POLICY_TIMEOUT_MS = 5000, POLICY_TRIES = 2, POLICY_REASON_MAX = 640 };

struct policy_engine {
	const char *name; /* "policy engine", in reasons */
	const char *url;  /* without the path */
	const char *ca_file, *token;
	bool fail_open;
};

struct policy_pair {
	const char *key, *value;
};

struct policy_question {
	const char *ns, *pod, *source, *target;
	const struct policy_pair *labels;
	size_t n_labels;
};

struct policy_answer {
	bool is_allowed;
	bool was_given; /* by the engine, and not by fail_open or its opposite */
	char reason[POLICY_REASON_MAX];
};

/* Asks all at the same time. `stop` is called again and again meanwhile; a text ends it, and what
 * has no answer then is forbidden. NULL: never. */
void policy_ask(const struct policy_engine *e, const struct policy_question *questions, size_t n,
		struct policy_answer *answers, const char *(*stop)(void *arg), void *arg);

/* The same for a plan, given as JSON. */
void policy_ask_plan(const struct policy_engine *e, struct slice plan, struct policy_answer *answer,
		     const char *(*stop)(void *arg), void *arg);

/* The body of a 200. -EBADMSG: it is no answer. */
int policy_parse(struct slice body, struct policy_answer *ret, struct error *err);
void policy_write(const struct policy_question *q, struct str *out);

#endif
