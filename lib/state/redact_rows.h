/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_STATE_REDACT_ROWS_H
#define MCKUBE_STATE_REDACT_ROWS_H

#include <stddef.h>

#include "base/names.h"
#include "state/redact_rules.h"

/* How the tables of redact_rules.c and redact_economy.c are written. */

#define RULE(key, members, how, form)   \
	{                               \
		key, how, members, form \
	}
#define SCALAR(key)	     RULE(key, REDACT_SCALAR, NULL, 0)
#define ENUM(key)	     RULE(key, REDACT_ENUM, NULL, 0)
#define TIME(key)	     RULE(key, REDACT_FORM, NULL, FORM_TIME)
#define VERSION(key)	     RULE(key, REDACT_VERSION, NULL, 0)
#define WORD(key)	     RULE(key, REDACT_WORD, NULL, 0)
#define QUANTITY(key)	     RULE(key, REDACT_QUANTITY, NULL, 0)
#define PROPOSALS(key)	     RULE(key, REDACT_FORM, NULL, FORM_PROPOSAL)
#define HOURS(key)	     RULE(key, REDACT_FORM, NULL, FORM_HOURS)
#define KEY(key)	     RULE(key, REDACT_KEY, NULL, 0)
#define VALUE(key)	     RULE(key, REDACT_VALUE, NULL, 0)
#define LABELS(key)	     RULE(key, REDACT_LABELS, NULL, 0)
#define AMOUNTS(key)	     RULE(key, REDACT_AMOUNTS, NULL, 0)
#define OBJECT(key, members) RULE(key, REDACT_OBJECT, members, 0)

/* A row of model/members.h. */
#define ROW(member, key, form, ...)                   \
	RULE(key,                                     \
	     (form) == FORM_NAME       ? REDACT_WORD  \
	     : (form) == FORM_PAIR     ? REDACT_PAIR  \
	     : (form) == FORM_POLICY   ? REDACT_NAMED \
	     : (form) == FORM_PRIORITY ? REDACT_NAMED \
				       : REDACT_FORM, \
	     NULL, form),

#define TYPE_AND_METADATA VERSION("apiVersion"), ENUM("kind"), OBJECT("metadata", redact_metadata)

/* Of several tables. */
extern const struct redact_rule redact_metadata[], redact_scalable_metadata[], redact_selector[],
	redact_node_term[], redact_node_terms[];
extern const struct redact_rule redact_optimizer[], redact_cost_policy[], redact_power_policy[];
extern const struct redact_rule redact_scalable[], redact_autoscaler[], redact_sample[],
	redact_scale_target[];

#endif
