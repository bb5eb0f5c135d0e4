/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "plan/explain/explainer.h"

const char *explain_cores_of(struct explainer *x, const struct place *place)
{
	if (!*place->cores)
		return plan_strf(&x->out->plan, "no core of %s", place->node);
	return plan_strf(&x->out->plan, "core%s %s of %s", strpbrk(place->cores, ",-") ? "s" : "",
			 place->cores, place->node);
}

const char *explain_place_words(struct explainer *x, place_id id)
{
	struct place place = emit_place(&x->emit, id);

	return explain_cores_of(x, &place);
}

const struct budget_fields *explain_budget_fields(const char *source)
{
	static const struct budget_fields rows[] = {
		{
			"mckube",
			&mckube_rows[MCKUBE_MEMBER_runtime_low],
			&mckube_rows[MCKUBE_MEMBER_runtime_medium],
			&mckube_rows[MCKUBE_MEMBER_runtime_hi],
			&mckube_rows[MCKUBE_MEMBER_runtime_floor],
		},
		{
			"annotations",
			&pod_annotation_rows[POD_ANNOTATION_runtime_low],
			NULL,
			&pod_annotation_rows[POD_ANNOTATION_runtime_hi],
			NULL,
		},
		{
			"rt-operator",
			&pod_annotation_rows[POD_ANNOTATION_rt_runtime_us],
			NULL,
			&pod_annotation_rows[POD_ANNOTATION_rt_runtime_us],
			NULL,
		},
	};
	size_t row = 0;

	while (row < ARRAY_LEN(rows) - 1 && strcmp(rows[row].source, source) != 0)
		row++;
	return &rows[row];
}
