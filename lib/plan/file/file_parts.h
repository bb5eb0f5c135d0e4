/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_FILE_FILE_PARTS_H
#define MCKUBE_PLAN_FILE_FILE_PARTS_H

#include "plan/file/fields.h"

/* The parts of a plan file that are more than a few rows; plan_file.c puts them together. */

/* Of a row that was seen. */
#define BIT(row) (UINT64_C(1) << (row))

/* Of struct settings. */
extern const struct field file_settings[];

/* Of struct action: ids in order, `after` only earlier ones, and each kind has what it needs. */
extern const struct field_list file_actions;

/* action.to, budget and source: a place, a grant or a whole assignment (assignment.c). */
extern const struct field_type field_to;
/* action.after and n_after; action.steps; action.deletion_cost (action_members.c). */
extern const struct field_type field_after;
extern const struct field_type field_steps;
extern const struct field_type field_deletion_cost;

/* action.status: plan/file/economy_status.h. */
extern const struct field_type field_economy_status;
/* struct action_share */
extern const struct field_type field_share;
/* struct action_baseline */
extern const struct field_type field_baseline;

/* Of struct unplaced. */
extern const struct field_list file_unplaced;

#endif
