/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_MODEL_REQUEST_VALUE_H
#define MCKUBE_MODEL_REQUEST_VALUE_H

#include <stdbool.h>

#include "budget/budget.h"
#include "budget/cpuset.h"
#include "model/cluster.h"

/* The values of one request as its source wrote them, and what is wrong with them. Used by
 * model/request.c; here so that it can be tested alone. */

struct text_field {
	struct raw raw;
	const char *path; /* for messages */
};

/* A source's fields in one shape. */
struct request_text {
	struct text_field period, low, medium, hi, floor, core_count, core, criticality, guarantee,
		policy, priority;
	int32_t fixed_period; /* not 0: the source has no period of its own, this is it */
	bool is_high;	      /* ... nor criticalities */
};

struct request_value {
	struct budget budget;
	struct cpuset cores; /* only if has_cores */
	bool has_cores;
	uint16_t core_count;
	uint8_t guarantee;	 /* enum guarantee */
	str_id policy, priority; /* of threads: budget/thread_class.h; 0: not given */
};

struct value_error {
	const char *reason; /* BadBudget, BadCpuset, BadCriticality, BadGuarantee, BadPolicy; NULL:
			     * all is well */
	char message[256];
};

/* A pod's annotations as a request, as rt-operator's, and as the assignment that they are where the
 * pod has been placed: the planner's view, in which its cores are no request. */
struct request_text request_text_of_annotations(const struct pod_annotations *n);
struct request_text request_text_of_rt_operator(const struct pod_annotations *n);
struct request_text request_text_of_assignment(const struct pod_annotations *n);

/* A field of a pod's annotations. */
#define ANNOTATION_TEXT(n, member) \
	((struct text_field){ raw_of_annotation((n)->member), POD_ANNOTATION_PATH(member) })
struct raw raw_of_annotation(str_id id);

/* Reads and checks everything. `takes_strings`: numbers may be written as strings (annotations).
 * Returns false with the first error. */
bool request_value_read(const struct cluster *c, const struct request_text *text,
			bool takes_strings, struct request_value *ret, struct value_error *err);

#endif
