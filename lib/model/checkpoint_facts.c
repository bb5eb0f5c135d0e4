/* SPDX-License-Identifier: Apache-2.0 */
#include "model/checkpoint_facts.h"

#include <string.h>

const char *checkpoint_facts(const struct cluster *c, const struct node *node)
{
	return node->annotations.checkpoint == NONE ? ""
						    : cluster_str(c, node->annotations.checkpoint);
}

struct slice checkpoint_fact(const char *facts, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = facts; *at; at += strcspn(at, ","), at += *at == ',')
		if (strncmp(at, name, n) == 0 && at[n] == '=')
			return (struct slice){ at + n + 1, strcspn(at + n + 1, ",") };
	return (struct slice){ "", 0 };
}

bool checkpoint_lacks(const char *facts, const char *option)
{
	struct slice missing = checkpoint_fact(facts, "missing");
	size_t n = strlen(option);

	while (missing.n) {
		const char *plus = memchr(missing.s, '+', missing.n);
		size_t n_word = plus ? (size_t)(plus - missing.s) : missing.n;

		if (n_word == n && memcmp(missing.s, option, n) == 0)
			return true;
		n_word += plus != NULL;
		missing = (struct slice){ missing.s + n_word, missing.n - n_word };
	}
	return false;
}

const char *checkpoint_bar(const char *facts)
{
	if (!*facts)
		return "mckube-migrate does not report there";
	if (strncmp(facts, "no: ", 4) == 0 && facts[4])
		return facts + 4;
	return checkpoint_fact(facts, "criu").n ? NULL : "mckube-migrate says no";
}

const char *restore_bar(const char *facts)
{
	static const struct {
		const char *word, *text;
	} rows[] = {
		{ "true", NULL },
		{ "off", "containerd does not restore: set enable_experimental_restore_via_create "
			 "= true below [plugins.'io.containerd.cri.v1.runtime'] and restart it" },
		{ "unsupported", "this containerd cannot restore, or not safely: it needs 2.2.7 to "
				 "2.2.x or 2.3.4 to 2.3.x" },
	};
	const char *bar = checkpoint_bar(facts);

	if (bar)
		return bar;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (slice_eq(checkpoint_fact(facts, "restore"), rows[i].word))
			return rows[i].text;
	return "containerd does not tell whether it restores";
}
