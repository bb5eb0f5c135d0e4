/* SPDX-License-Identifier: Apache-2.0 */
#include "node/container.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

/* A word in a path: n bytes that end `end` bytes after the path's beginning. */
struct part {
	struct slice text;
	size_t end;
};

static bool next_part(const char *path, size_t *at, struct part *ret)
{
	while (path[*at] == '/')
		(*at)++;
	size_t n = strcspn(path + *at, "/");
	if (n == 0)
		return false;
	ret->text = (struct slice){ path + *at, n };
	ret->end = *at += n;
	return true;
}

static bool take_suffix(struct slice *s, const char *suffix)
{
	size_t n = strlen(suffix);

	if (s->n < n || memcmp(s->s + s->n - n, suffix, n) != 0)
		return false;
	s->n -= n;
	return true;
}

static bool take_prefix(struct slice *s, const char *prefix)
{
	size_t n = strlen(prefix);

	if (s->n < n || memcmp(s->s, prefix, n) != 0)
		return false;
	s->s += n;
	s->n -= n;
	return true;
}

static bool is_id(struct slice s, size_t max)
{
	if (s.n == 0 || s.n > max)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.s[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    c != '-' && c != '_')
			return false;
	}
	return true;
}

/* "kubepods", "kubepods.slice", "a-b-kubepods.slice". */
static bool is_kubepods(struct slice s)
{
	bool is_slice = take_suffix(&s, ".slice");

	return slice_eq(s, "kubepods") || (is_slice && take_suffix(&s, "-kubepods"));
}

static bool parse_qos(struct slice s, enum pod_qos *ret)
{
	static const char *const names[] = {
		[QOS_BURSTABLE] = "burstable",
		[QOS_BEST_EFFORT] = "besteffort",
	};
	bool is_slice = take_suffix(&s, ".slice");

	for (int qos = QOS_BEST_EFFORT; qos <= QOS_BURSTABLE; qos++) {
		struct slice rest = s;

		if (!is_slice ? slice_eq(s, names[qos])
			      : take_suffix(&rest, names[qos]) && take_suffix(&rest, "kubepods-")) {
			*ret = (enum pod_qos)qos;
			return true;
		}
	}
	return false;
}

/* "podUID", or "kubepods[-QOS]-podUID.slice" with '_' for '-'. */
static bool parse_pod(struct slice s, char uid[POD_UID_MAX])
{
	bool is_slice = take_suffix(&s, ".slice");

	if (is_slice) {
		const char *at = memmem(s.s, s.n, "-pod", 4);

		for (const char *more = at; more;) {
			size_t left = s.n - (size_t)(more + 4 - s.s);

			at = more;
			more = memmem(more + 4, left, "-pod", 4);
		}
		if (!at)
			return false;
		s.n -= (size_t)(at + 1 - s.s);
		s.s = at + 1;
	}
	if (!take_prefix(&s, "pod") || !is_id(s, POD_UID_MAX - 1))
		return false;
	memcpy(uid, s.s, s.n);
	uid[s.n] = '\0';
	for (char *c = uid; is_slice && *c; c++)
		if (*c == '_')
			*c = '-';
	return true;
}

static bool parse_id(struct slice s, char id[CONTAINER_ID_MAX + 1])
{
	static const char *const prefixes[] = { "cri-containerd-", "docker-", "crio-" };
	bool is_scope = take_suffix(&s, ".scope"), has_prefix = false;

	for (size_t i = 0; !has_prefix && i < 3; i++)
		has_prefix = take_prefix(&s, prefixes[i]);
	if ((is_scope && !has_prefix) || take_prefix(&s, "conmon-") || !is_id(s, CONTAINER_ID_MAX))
		return false;
	memcpy(id, s.s, s.n);
	id[s.n] = '\0';
	return true;
}

/* "kubepods-QOS-podUID.slice:cri-containerd:ID" in one name: runc without the systemd driver under
 * a kubelet with it. */
static bool parse_joined(struct slice s, struct container_path *ret)
{
	const char *colon = memchr(s.s, ':', s.n);
	size_t n = colon ? (size_t)(colon - s.s) : 0;
	struct slice slice = { s.s, n }, name = slice, qos = slice;
	const char *last = colon ? memrchr(s.s, ':', s.n) : NULL;

	if (!colon || last == colon || memmem(s.s, n, "kubepods", 8) == NULL ||
	    !take_suffix(&name, ".slice") || !parse_pod(slice, ret->pod_uid))
		return false;
	for (const char *pod; (pod = memmem(qos.s, qos.n, "-pod", 4));)
		qos.n = (size_t)(pod - qos.s);
	if (take_suffix(&qos, "-burstable"))
		ret->qos = QOS_BURSTABLE;
	else if (take_suffix(&qos, "-besteffort"))
		ret->qos = QOS_BEST_EFFORT;
	return parse_id((struct slice){ last + 1, s.n - (size_t)(last + 1 - s.s) }, ret->id);
}

bool container_parse(const char *path, struct container_path *ret)
{
	struct container_path p = { .qos = QOS_GUARANTEED };
	struct part part;
	size_t at = 0;

	do {
		struct container_path joined = { .qos = QOS_GUARANTEED };

		if (!next_part(path, &at, &part))
			return false;
		if (!parse_joined(part.text, &joined))
			continue;
		joined.root_len = joined.pod_len = part.end - part.text.n;
		joined.container_len = part.end;
		*ret = joined;
		return true;
	} while (!is_kubepods(part.text));
	p.root_len = part.end;

	if (!next_part(path, &at, &part))
		return false;
	if (parse_qos(part.text, &p.qos) && !next_part(path, &at, &part))
		return false;
	if (!parse_pod(part.text, p.pod_uid))
		return false;
	p.pod_len = part.end;

	if (next_part(path, &at, &part)) {
		if (!parse_id(part.text, p.id))
			return false;
		p.container_len = part.end;
	}
	*ret = p;
	return true;
}

int container_id(const char *text, char ret[CONTAINER_ID_MAX + 1], struct error *err)
{
	const char *scheme = strstr(text, "://");
	struct slice id = slice_of(scheme ? scheme + 3 : text);

	if (!is_id(id, CONTAINER_ID_MAX))
		return error_set(err, -EINVAL,
				 "container id '%.80s': only letters, digits, - and _, at most %d",
				 text, CONTAINER_ID_MAX);
	memcpy(ret, id.s, id.n + 1);
	return 0;
}

bool pod_uid_is_valid(const char *uid)
{
	return is_id(slice_of(uid), POD_UID_MAX - 1);
}
