/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_PLAN_FILE_FILE_PARTS_H
#define MCKUBE_PLAN_FILE_FILE_PARTS_H

#include "plan/file/fields.h"

/* The parts of a plan file that are more than a few rows; plan_file.c puts them together. */

/* Of struct settings. */
extern const struct field file_settings[];

/* Of struct action: ids in order, `after` only earlier ones, and each kind has what it needs. */
extern const struct field_list file_actions;

/* action.status: plan/file/economy_status.h. */
extern const struct field_type field_economy_status;
/* struct action_share */
extern const struct field_type field_share;

/* Of struct unplaced. */
extern const struct field_list file_unplaced;

#endif
