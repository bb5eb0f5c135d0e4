/* SPDX-License-Identifier: Apache-2.0 */
#include "remote/metric_query.h"

#include <string.h>

#include "base/names.h"
#include "base/sha256.h"

enum { NAME_MAX_BYTES = 240, NAME_KEPT = 200, HASH_KEPT = 16 };

bool metric_optimizer_asks(const struct optimizer *o)
{
	return o->has_scaling && !o->is_scaling_off && !o->is_disabled && !o->is_deleting &&
	       !o->is_unread;
}

/* A label binds a pod before an annotation does. */
static bool is_pod_of(const struct cluster *c, const struct pod *pod, const struct optimizer *o,
		      str_id label)
{
	str_id name = label == INTERN_NONE ? INTERN_NONE : cluster_label(c, pod->labels, label);

	if (pod->meta.ns != o->meta.ns)
		return false;
	if (name == INTERN_NONE && pod->annotations != NONE) {
		const struct pod_annotations *a = &c->annotations.items[pod->annotations];

		name = a->optimizer != NONE ? a->optimizer : a->kcloud_optimizer;
	}
	return name == o->meta.name;
}

/* In a name only the dot means something else in an expression; in a text of PromQL a backslash
 * would have to be doubled. */
static void add_name(struct str *out, const char *name)
{
	for (; *name; name++)
		if (*name == '.')
			str_add(out, "[.]");
		else
			str_addc(out, *name);
}

static void add_pods(const struct cluster *c, const struct optimizer *o, struct str *out)
{
	str_id label = intern_find(&c->strings, KCLOUD_OPTIMIZER_LABEL,
				   sizeof(KCLOUD_OPTIMIZER_LABEL) - 1);
	size_t n = 0;

	array_each(pod, &c->pods) {
		if (!is_pod_of(c, pod, o, label))
			continue;
		str_add(out, n++ ? "|" : "");
		add_name(out, cluster_str(c, pod->meta.name));
	}
}

void metric_query_expand(const struct cluster *c, const struct optimizer *o,
			 const struct scaling_metric *m, const struct metrics_settings *settings,
			 struct str *out)
{
	static const char namespace[] = "{namespace}", name[] = "{name}", pods[] = "{pods}";
	const char *at = m->type == METRIC_GPU ? settings->gpu_query : settings->latency_query;

	if (m->query)
		at = cluster_str(c, m->query);
	while (*at) {
		if (strncmp(at, namespace, sizeof(namespace) - 1) == 0) {
			str_add(out, cluster_str(c, o->meta.ns));
			at += sizeof(namespace) - 1;
		} else if (strncmp(at, name, sizeof(name) - 1) == 0) {
			str_add(out, cluster_str(c, o->meta.name));
			at += sizeof(name) - 1;
		} else if (strncmp(at, pods, sizeof(pods) - 1) == 0) {
			add_pods(c, o, out);
			at += sizeof(pods) - 1;
		} else {
			str_addc(out, *at++);
		}
	}
}

void metric_sample_name(const char *optimizer, enum metric_type type, struct str *out)
{
	size_t n = strlen(optimizer);

	if (n <= NAME_MAX_BYTES) {
		str_addf(out, "%s.%s", optimizer, metric_type_words[type]);
		return;
	}
	struct sha256 hash = SHA256_INIT;
	char hex[SHA256_HEX];

	sha256_add(&hash, optimizer, n);
	sha256_finish_hex(&hash, hex);
	str_addf(out, "%.*s-%.*s.%s", NAME_KEPT, optimizer, HASH_KEPT, hex,
		 metric_type_words[type]);
}
