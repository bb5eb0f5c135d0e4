/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_STATE_REDACT_RULES_H
#define MCKUBE_STATE_REDACT_RULES_H

#include <stdbool.h>

#include "model/members.h"

/* What redact.c does to the members of an object. A member without a rule is left out; of a list,
 * each element is treated by the list's rule. */
enum redaction {
	REDACT_SCALAR,	 /* a number or a truth value; of a text only that it is one */
	REDACT_FORM,	 /* the same, and a text that fits `form` */
	REDACT_ENUM,	 /* the same, and the words of the Kubernetes API */
	REDACT_VERSION,	 /* the same, and an API version with its group, or a resourceVersion */
	REDACT_QUANTITY, /* the same, and quantities */
	REDACT_WORD,	 /* a text: its pseudonym */
	REDACT_KEY,	 /* the same, unless it is a public one */
	REDACT_VALUE,	 /* the same, unless it is a short number or a truth value */
	REDACT_ADDRESS,	 /* the same, unless it means every address */
	REDACT_PRESENT,	 /* only that it is there */
	REDACT_PAIR,	 /* two words, joined by the last slash */
	REDACT_NAMED,	 /* a value of `form`, or "name=value,..." of such values */
	REDACT_OBJECT,	 /* by the rules in `members` */
	REDACT_LABELS,	 /* a map of keys to values */
	REDACT_AMOUNTS,	 /* a map of resources to quantities */
	REDACT_VOLUME,	 /* a pod's volume: its claim */
	REDACT_LEASE,	 /* the name of a node helper's Lease: its node's is a pseudonym */
};

struct redact_rule {
	const char *key; /* the row without one is the last */
	const struct redact_rule *members;
	enum redaction how;
	enum member_form form;
};

struct redact_kind {
	const char *kind;
	bool is_namespaced;
	const struct redact_rule *rules;
};

/* NULL: objects of this kind are left out. */
const struct redact_kind *redact_kind(const char *kind, const char *api_version);

/* Names that say nothing about a cluster: those of Kubernetes itself and ours, each in a list. */
bool redact_is_public_key(const char *key);
bool redact_is_public_resource(const char *name);
bool redact_is_enum(const char *word);
bool redact_is_public_value(const char *word);

#endif
