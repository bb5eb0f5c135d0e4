/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/assignment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/units.h"
#include "budget/thread_class.h"
#include "model/cluster.h"
#include "model/members.h"
#include "model/request_value.h"
#include "node/container.h"
#include "node/engine/internal.h"

void assignment_done(struct assignment *w)
{
	arena_done(&w->arena);
}

static const char *keep(struct assignment *w, const char *s)
{
	return arena_strndup(&w->arena, s ? s : "", s ? strlen(s) : 0);
}

/* The annotations of ours, and the strings that they are ids of. */
struct annotation_text {
	struct cluster strings;
	struct pod_annotations ids;
};

static void annotation_text_done(struct annotation_text *n)
{
	cluster_done(&n->strings);
}

static void read_annotations(const cJSON *pod, struct annotation_text *ret)
{
	const cJSON *annotations = json_path(pod, "metadata.annotations");

	memset(&ret->ids, 0xff, sizeof(ret->ids)); /* NONE */
	intern_cstr(&ret->strings.strings, "");
	for (size_t i = 0; i < POD_ANNOTATIONS_N; i++) {
		const struct member_row *row = &pod_annotation_rows[i];
		const char *text = json_text(json_get(annotations, row->key));
		void *id = (char *)&ret->ids + row->offset;

		if (text)
			*(str_id *)id = intern_cstr(&ret->strings.strings, text);
	}
}

/* NULL: it is not there. */
static const char *text_of(const struct annotation_text *n, str_id id)
{
	return id == NONE ? NULL : cluster_str(&n->strings, id);
}

static int read_request(struct assignment *w, const struct request_text *t, const struct cluster *s,
			bool is_degraded, unsigned n_cpus, struct error *err)
{
	struct request_value value;
	struct value_error why;

	if (!request_value_read(s, t, true, &value, &why))
		return error_set(err, -EINVAL, "%s", why.message);
	w->want.budget = value.budget;
	w->want.is_degraded = is_degraded;
	if (is_degraded) {
		w->want.budget.low = w->want.budget.hi = value.budget.floor;
		w->want.budget.medium = 0;
	}
	w->want.is_pinned = value.has_cores;
	w->want.cores = value.cores;
	for (unsigned cpu = 0; !value.has_cores && cpu < n_cpus && cpu < CPUSET_MAX; cpu++)
		cpuset_add(&w->want.cores, cpu);
	return 0;
}

/* A word from a short list; absent is 0. */
static int read_word(const char *text, const char *path, const char *const *words, uint8_t *ret,
		     struct error *err)
{
	for (uint8_t i = 0; text && words[i]; i++) {
		if (strcasecmp(text, words[i]) != 0)
			continue;
		*ret = i;
		return 0;
	}
	if (text)
		return error_set(err, -EINVAL, "%s: unknown value '%.40s'", path, text);
	return 0;
}

static int read_recovery(const struct annotation_text *n, struct recovery *ret, struct error *err)
{
	const char *text = text_of(n, n->ids.recovery);

	if (!recovery_parse(text ? text : "", ret))
		return error_set(err, -EINVAL, "%s: unknown value '%.60s'",
				 POD_ANNOTATION_PATH(recovery), text);
	return 0;
}

static int read_words(struct assignment *w, const struct annotation_text *n, struct error *err)
{
	static const char *const enforcements[] = { "", "watch", "raise", NULL };
	static const char *const levels[] = { "low", "medium", "hi", LEVEL_NAME_FLOOR, NULL };
	int r = read_word(text_of(n, n->ids.enforcement), POD_ANNOTATION_PATH(enforcement),
			  enforcements, &w->want.enforcement, err);

	if (r == 0)
		r = read_recovery(n, &w->want.recovery, err);
	if (r == 0)
		r = read_word(text_of(n, n->ids.current), POD_ANNOTATION_PATH(current), levels,
			      &w->want.level, err);
	if (w->want.level >= LEVELS)
		w->want.level = LEVEL_LOW;
	return r;
}

/* A container of the pod by name; NULL name: the first. Init containers come after the others. */
static const cJSON *find_container(const cJSON *pod, const char *name, size_t n)
{
	static const char *const lists[] = { "spec.containers", "spec.initContainers" };
	const cJSON *c;

	for (int i = 0; i < 2; i++)
		cJSON_ArrayForEach(c, json_path(pod, lists[i])) {
			const char *has = json_text(json_get(c, "name"));

			if (!name || (has && strlen(has) == n && memcmp(has, name, n) == 0))
				return c;
		}
	return NULL;
}

static int add_container(struct assignment *w, const cJSON *c, uint32_t share, struct error *err)
{
	const char *name = json_text(json_get(c, "name")), *path = json_text(json_get(c, "cgroup"));
	int64_t pid = 0;

	if (w->want.n_containers == ASSIGNMENT_CONTAINERS)
		return error_set(err, -E2BIG, "%s: more than %d containers",
				 POD_ANNOTATION_PATH(containers), ASSIGNMENT_CONTAINERS);
	if (path && (strstr(path, "..") || *path == '\0'))
		return error_set(err, -EINVAL, "spec.containers[].cgroup: '%.80s' is not a path",
				 path);
	while (path && *path == '/')
		path++;
	json_int(json_get(c, "pid"), &pid);
	w->pids[w->want.n_containers] = (pid_t)pid;
	w->containers[w->want.n_containers++] = (struct container_want){
		.name = keep(w, name),
		.path = path ? keep(w, path) : NULL,
		.share = share,
	};
	return 0;
}

/* "name" or "name=percent"; 0 per cent: an equal part. */
static int take_share(const cJSON *pod, struct slice word, const cJSON **ret_container,
		      uint32_t *ret_percent, struct error *err)
{
	const char *equal = memchr(word.s, '=', word.n);
	size_t n = equal ? (size_t)(equal - word.s) : word.n;
	char *end = NULL;
	unsigned long percent = equal ? strtoul(equal + 1, &end, 10) : 0;
	bool is_valid = !equal || (percent >= 1 && percent <= PER_CENT && end == word.s + word.n);

	*ret_percent = is_valid ? (uint32_t)percent : 0;
	*ret_container = n ? find_container(pod, word.s, n) : NULL;
	if (!*ret_container || !is_valid)
		return error_set(
			err, -EINVAL, "%s: '%.*s' names no container with 1 to 100 per cent",
			POD_ANNOTATION_PATH(containers), word.n > 60 ? 60 : (int)word.n, word.s);
	return 0;
}

static int divide_shares(struct assignment *w, struct error *err)
{
	uint32_t sum = 0, n_equal = 0;

	for (size_t i = 0; i < w->want.n_containers; i++) {
		sum += w->containers[i].share;
		n_equal += w->containers[i].share == 0;
	}
	if (sum > PER_CENT || (n_equal && sum == PER_CENT))
		return error_set(err, -EINVAL, "%s: more than 100 per cent",
				 POD_ANNOTATION_PATH(containers));
	uint32_t equal = n_equal ? (PER_CENT - sum) * (PPM / PER_CENT) / n_equal : 0;
	for (size_t i = 0; i < w->want.n_containers; i++) {
		uint32_t percent = w->containers[i].share;

		w->containers[i].share = percent ? percent * (PPM / PER_CENT) : equal;
	}
	return 0;
}

static int read_containers(struct assignment *w, const cJSON *pod, const struct annotation_text *n,
			   struct error *err)
{
	const char *at = text_of(n, n->ids.containers);
	const cJSON *container = find_container(pod, NULL, 0);

	if (!at)
		return container ? add_container(w, container, PPM, err)
				 : error_set(err, -EINVAL, "spec.containers: is empty");
	for (;; at++) {
		struct slice word = { at, strcspn(at, ",") };
		uint32_t percent;

		if (take_share(pod, word, &container, &percent, err) < 0 ||
		    add_container(w, container, percent, err) < 0)
			return err->code;
		at += word.n;
		if (!*at)
			return divide_shares(w, err);
	}
}

/* The kubelet names the cgroup of a static pod by this hash, not by the uid of its mirror. */
static const char *cgroup_uid(const cJSON *annotations)
{
	const char *hash = json_text(json_get(annotations, "kubernetes.io/config.hash"));

	return json_get(annotations, ANNOTATION_MIRROR) && hash && pod_uid_is_valid(hash) ? hash
											  : NULL;
}

/* Does an assigned container have this name? */
static bool is_assigned_container(const char *name, size_t n, void *arg)
{
	const struct assignment *w = arg;

	for (size_t i = 0; i < w->want.n_containers; i++)
		if (strlen(w->containers[i].name) == n &&
		    memcmp(w->containers[i].name, name, n) == 0)
			return true;
	return false;
}

/* A container without a part of the budget gets no policy either: with RT groups the kernel would
 * refuse it, and elsewhere nothing would limit it. */
static int read_classes(struct assignment *w, const struct annotation_text *n, struct error *err)
{
	const char *policy = text_of(n, n->ids.policy), *priority = text_of(n, n->ids.priority);

	if (!thread_policy_is_valid(policy))
		return error_set(err, -EINVAL, "%s: invalid value '%.60s'",
				 POD_ANNOTATION_PATH(policy), policy);
	if (!thread_priority_is_valid(priority))
		return error_set(err, -EINVAL, "%s: invalid value '%.60s'",
				 POD_ANNOTATION_PATH(priority), priority);
	if (!thread_class_each_name(policy, is_assigned_container, w))
		return error_set(err, -EINVAL, "%s: '%.60s' names a container without a budget",
				 POD_ANNOTATION_PATH(policy), policy);
	if (!thread_class_each_name(priority, is_assigned_container, w))
		return error_set(err, -EINVAL, "%s: '%.60s' names a container without a budget",
				 POD_ANNOTATION_PATH(priority), priority);
	for (size_t i = 0; i < w->want.n_containers; i++)
		w->containers[i].class = thread_class_of(policy, priority, w->containers[i].name,
							 (enum level)w->want.budget.criticality);
	return 0;
}

static bool has_one_container(const cJSON *pod)
{
	return cJSON_GetArraySize(json_path(pod, "spec.containers")) == 1 &&
	       cJSON_GetArraySize(json_path(pod, "spec.initContainers")) == 0;
}

static int read_names(struct assignment *w, const cJSON *pod, struct error *err)
{
	const char *name = json_text(json_path(pod, "metadata.name"));
	const char *uid = json_text(json_path(pod, "metadata.uid"));
	const char *ns = json_text(json_path(pod, "metadata.namespace"));
	int64_t priority = 0;

	if (!name)
		return error_set(err, -EINVAL, "metadata.name: is missing");
	if (!pod_uid_is_valid(uid ? uid : name))
		return error_set(err, -EINVAL, "metadata.uid: '%.80s' is not a uid",
				 uid ? uid : name);
	json_int(json_path(pod, "spec.priority"), &priority);
	w->want.name = keep(w, name);
	w->want.uid = keep(w, uid ? uid : name);
	w->want.ns = keep(w, ns ? ns : "default");
	w->want.priority = (int32_t)priority;
	w->want.is_single = has_one_container(pod);
	const char *own = cgroup_uid(json_path(pod, "metadata.annotations"));
	w->want.cgroup_uid = own ? keep(w, own) : NULL;
	return 0;
}

/* The planner writes both with an assignment, in either vocabulary; admission policies keep others
 * from writing them. */
static bool is_assigned(const struct annotation_text *n)
{
	return *cluster_str(&n->strings, n->ids.core) && *cluster_str(&n->strings, n->ids.source);
}

/* Chooses the vocabulary. False: no assignment. */
static bool choose_fields(const cJSON *pod, const struct annotation_text *n,
			  enum assignment_trust trust, struct request_text *ret)
{
	const char *qos = json_text(json_path(pod, "status.qosClass"));
	const char *realtime = text_of(n, n->ids.realtime);

	if (n->ids.period != NONE) {
		*ret = request_text_of_assignment(&n->ids);
		ret->core = ANNOTATION_TEXT(&n->ids, core);
		return trust == TRUST_ALL || is_assigned(n);
	}
	*ret = request_text_of_rt_operator(&n->ids);
	ret->guarantee.raw = (struct raw){ 0 };
	return trust != TRUST_ASSIGNED && realtime && strcmp(realtime, "true") == 0 &&
	       (!qos || strcmp(qos, "Guaranteed") == 0);
}

enum assignment_kind assignment_read(const cJSON *pod, enum assignment_trust trust, unsigned n_cpus,
				     struct assignment *ret, struct error *err)
{
	AUTO(annotation_text_done) struct annotation_text n = { 0 };
	struct request_text text;

	*ret = (struct assignment){ .want.containers = ret->containers };
	read_annotations(pod, &n);
	if (!choose_fields(pod, &n, trust, &text))
		return ASSIGNMENT_NONE;
	bool is_degraded = *cluster_str(&n.strings, n.ids.degraded);
	if (read_names(ret, pod, err) < 0 ||
	    read_request(ret, &text, &n.strings, is_degraded, n_cpus, err) < 0 ||
	    read_words(ret, &n, err) < 0 || read_containers(ret, pod, &n, err) < 0 ||
	    read_classes(ret, &n, err) < 0)
		return ASSIGNMENT_INVALID;
	return ASSIGNMENT_VALID;
}
