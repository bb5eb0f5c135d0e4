/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/pod_text.h"

#include <string.h>

#include "base/scan.h"

struct keep {
	const char *key;
	const struct keep *below; /* of the object, or of each object of the list; NULL: all */
};

static const struct keep metadata[] = {
	{ "name", NULL },	 { "namespace", NULL },
	{ "uid", NULL },	 { "resourceVersion", NULL },
	{ "annotations", NULL }, {},
};
static const struct keep container[] = { { "name", NULL }, {} };
static const struct keep spec[] = {
	{ "priority", NULL },
	{ "containers", container },
	{ "initContainers", container },
	{},
};
static const struct keep container_status[] = { { "name", NULL }, { "containerID", NULL }, {} };
static const struct keep status[] = {
	{ "phase", NULL },
	{ "qosClass", NULL },
	{ "containerStatuses", container_status },
	{ "initContainerStatuses", container_status },
	{},
};
static const struct keep pod_members[] = {
	{ "metadata", metadata },
	{ "spec", spec },
	{ "status", status },
	{},
};

static int copy_value(struct scan *s, const struct keep *below, struct str *out);

static const struct keep *find(const struct keep *keep, struct slice key)
{
	for (; keep->key; keep++)
		if (slice_eq(key, keep->key))
			return keep;
	return NULL;
}

static int copy_object(struct scan *s, const struct keep *keep, struct str *out)
{
	struct slice key;
	const char *gap = "";
	int r = scan_open(s, '{');

	str_addc(out, '{');
	while (r >= 0 && (r = scan_member(s, &key)) > 0) {
		const struct keep *k = find(keep, key);

		if (!k) {
			r = scan_skip(s);
			continue;
		}
		str_addf(out, "%s\"%s\":", gap, k->key);
		gap = ",";
		r = copy_value(s, k->below, out);
	}
	str_addc(out, '}');
	return r;
}

static int copy_list(struct scan *s, const struct keep *keep, struct str *out)
{
	const char *gap = "";
	int r = scan_open(s, '[');

	str_addc(out, '[');
	while (r >= 0 && (r = scan_element(s)) > 0) {
		str_add(out, gap);
		gap = ",";
		r = copy_value(s, keep, out);
	}
	str_addc(out, ']');
	return r;
}

static int copy_value(struct scan *s, const struct keep *below, struct str *out)
{
	int first = scan_blank(s);

	if (below && first == '{')
		return copy_object(s, below, out);
	if (below && first == '[')
		return copy_list(s, below, out);
	const char *start = s->at;
	int r = scan_skip(s);
	str_addn(out, start, (size_t)(s->at - start));
	return r;
}

int pod_text_reduce(struct slice pod, struct str *out, struct error *err)
{
	struct scan s = scan_of(pod);
	int r = copy_value(&s, pod_members, out);

	return r < 0 ? scan_error(&s, r, pod, err) : 0;
}
