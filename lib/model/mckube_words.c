/* SPDX-License-Identifier: Apache-2.0 */
#include "model/mckube_words.h"

#include <string.h>
#include <strings.h>

/* By enum recovery_mode. */
static const char *const recovery_modes[] = { "consumption", "nodeCpu", NULL };
static const char *const migrations[] = { "Never", "Restart", "Checkpoint", NULL };

struct word_field {
	size_t at; /* of its struct raw in struct mckube */
	const char *path;
	const char *const *words; /* NULL: a whole number */
	const char *rule;
};

#define AT(member) offsetof(struct mckube, member)

static const struct word_field fields[] = {
	{ AT(migration), "spec.migration", migrations,
	  "is not Never, Restart or Checkpoint; Never is taken" },
	{ AT(recovery_mode), "spec.recovery.mode", recovery_modes,
	  "is not consumption or nodeCpu; consumption is taken" },
	{ AT(recovery_delay), "spec.recovery.delaySeconds", NULL,
	  "is not a whole number of 0 or more; the default is taken" },
	{ AT(recovery_threshold), "spec.recovery.threshold", NULL,
	  "is not a whole number of 0 or more; the default is taken" },
};

/* The index of the word, -1 if it is none of them. */
static int word_index(const char *text, const char *const *words)
{
	for (int i = 0; words[i]; i++)
		if (strcasecmp(text, words[i]) == 0)
			return i;
	return -1;
}

static bool is_known(const char *text, enum raw_kind kind, const char *const *words)
{
	if (kind == RAW_ABSENT)
		return true;
	if (words)
		return kind == RAW_STRING && word_index(text, words) >= 0;
	return kind == RAW_NUMBER && text[strspn(text, "0123456789")] == '\0';
}

void mckube_words_check(const struct cluster *c, const struct mckube *m, struct notices *notices)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		const struct word_field *f = &fields[i];
		const struct raw *raw = (const void *)((const char *)m + f->at);
		const char *text = cluster_str(c, raw->text);

		if (is_known(text, (enum raw_kind)raw->kind, f->words))
			continue;
		notice_add(notices, cluster_str(c, m->kind), cluster_str(c, m->meta.ns),
			   cluster_str(c, m->meta.name), "Unsupported", "%s: '%.40s' %s", f->path,
			   text, f->rule);
	}
}

enum recovery_mode mckube_recovery(const struct cluster *c, const struct mckube *m)
{
	int mode = m->recovery_mode.kind == RAW_STRING
			   ? word_index(cluster_str(c, m->recovery_mode.text), recovery_modes)
			   : -1;

	return mode < 0 ? RECOVERY_CONSUMPTION : (enum recovery_mode)mode;
}
