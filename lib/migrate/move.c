/* SPDX-License-Identifier: Apache-2.0 */
#include "migrate/move.h"

#include <string.h>

#include "base/array.h"
#include "base/date.h"
#include "base/names.h"

static const char *const words[] = {
	[MOVE_REQUESTED] = "Requested", [MOVE_WAITING] = "Waiting",   [MOVE_PAUSED] = "Paused",
	[MOVE_SENT] = "Sent",		[MOVE_RESTORED] = "Restored", [MOVE_RESUMED] = "Resumed",
	[MOVE_FAILED] = "Failed",
};

const char *move_state_word(enum move_state state)
{
	return words[state] ? words[state] : "";
}

enum move_state move_state_of(const char *annotation, const char **ret_text)
{
	if (ret_text)
		*ret_text = "";
	if (!annotation)
		return MOVE_NONE;
	size_t n = strcspn(annotation, ":");
	for (size_t i = 1; i < ARRAY_LEN(words); i++) {
		if (strlen(words[i]) != n || memcmp(words[i], annotation, n) != 0)
			continue;
		if (ret_text && annotation[n] == ':')
			*ret_text = annotation + n + 1 + strspn(annotation + n + 1, " ");
		return (enum move_state)i;
	}
	return MOVE_NONE;
}

/* Reasons of a container that waits because its image or its start was refused:
 * pkg/kubelet/images/types.go and pkg/kubelet/kuberuntime/kuberuntime_container.go. */
static bool is_refusal(const char *reason)
{
	static const char *const reasons[] = {
		"ErrImagePull",		"ImagePullBackOff",  "InvalidImageName",
		"ErrImageNeverPull",	"ImageInspectError", "CreateContainerConfigError",
		"CreateContainerError", "RunContainerError", "CrashLoopBackOff",
	};

	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (strcmp(reasons[i], reason) == 0)
			return true;
	return false;
}

static void read_status(const cJSON *status, struct move_container *c)
{
	const cJSON *end = json_path(status, "lastState.terminated");

	c->id = json_text(json_get(status, "containerID"));
	c->image = json_text(json_get(status, "imageID"));
	c->waiting = json_text(json_path(status, "state.waiting.reason"));
	c->message = json_text(json_path(status, "state.waiting.message"));
	c->is_running = json_path(status, "state.running") != NULL;
	json_int(json_get(status, "restartCount"), &c->restarts);
	c->has_failed_start =
		json_path(status, "state.terminated") || (c->waiting && is_refusal(c->waiting));
	if (!end)
		end = json_path(status, "state.terminated");
	if (end && !c->message)
		c->message = json_text(json_get(end, "message"));
}

static struct move_container *find_container(struct move_pod *p, const char *name)
{
	for (size_t i = 0; i < p->n_containers; i++)
		if (strcmp(p->containers[i].name, name) == 0)
			return &p->containers[i];
	return NULL;
}

static bool has_condition(const cJSON *pod, const char *type)
{
	const cJSON *c;

	cJSON_ArrayForEach(c, json_path(pod, "status.conditions")) {
		const char *its = json_text(json_get(c, "type"));
		const char *status = json_text(json_get(c, "status"));

		if (its && status && strcmp(its, type) == 0)
			return strcmp(status, "True") == 0;
	}
	return false;
}

const char *const move_lists[MOVE_LISTS] = { "initContainers", "containers" };

static bool is_init(const char *list)
{
	return strcmp(list, move_lists[0]) == 0;
}

bool move_takes(const char *list, const cJSON *container)
{
	const char *policy = json_text(json_get(container, "restartPolicy"));

	return !is_init(list) || (policy && strcmp(policy, "Always") == 0);
}

static int read_list(const char *list, struct move_pod *p, struct error *err)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, json_get(json_get(p->json, "spec"), list)) {
		const char *name = json_text(json_get(item, "name"));

		if (!move_takes(list, item))
			continue;
		if (!name || p->n_containers == MOVE_CONTAINERS)
			return error_set(err, -EINVAL, "pod %s/%s: more than %d containers", p->ns,
					 p->name, MOVE_CONTAINERS);
		p->containers[p->n_containers++] =
			(struct move_container){ .name = name, .is_sidecar = is_init(list) };
	}
	return 0;
}

static void read_statuses(const cJSON *statuses, struct move_pod *p)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, statuses) {
		const char *name = json_text(json_get(item, "name"));
		struct move_container *c = name ? find_container(p, name) : NULL;

		if (c)
			read_status(item, c);
	}
}

static int read_containers(struct move_pod *p, struct error *err)
{
	for (size_t i = 0; i < MOVE_LISTS; i++)
		if (read_list(move_lists[i], p, err) < 0)
			return err->code;
	read_statuses(json_path(p->json, "status.initContainerStatuses"), p);
	read_statuses(json_path(p->json, "status.containerStatuses"), p);
	return 0;
}

int move_pod_read(const cJSON *pod, struct move_pod *ret, struct error *err)
{
	const cJSON *meta = json_get(pod, "metadata");
	const cJSON *notes = json_get(meta, "annotations");
	struct move_pod p = {
		.json = pod,
		.ns = json_text(json_get(meta, "namespace")),
		.name = json_text(json_get(meta, "name")),
		.uid = json_text(json_get(meta, "uid")),
		.version = json_text(json_get(meta, "resourceVersion")),
		.node = json_text(json_path(pod, "spec.nodeName")),
		.phase = json_text(json_path(pod, "status.phase")),
		.label = json_text(json_get(json_get(meta, "labels"), MIGRATING)),
		.id = json_text(json_get(notes, MIGRATE_ID)),
		.to = json_text(json_get(notes, MIGRATE_TO)),
		.from = json_text(json_get(notes, MIGRATE_FROM)),
		.state_text = json_text(json_get(notes, MIGRATE_STATE)),
		.ready = json_text(json_get(notes, MIGRATE_READY)),
		.cancel = json_text(json_get(notes, MIGRATE_CANCEL)),
		.gone = json_text(json_get(notes, MIGRATE_GONE)),
		.base = json_text(json_get(notes, MIGRATE_BASE)),
		.placement = json_text(json_get(notes, MIGRATE_PLACEMENT)),
		.new_name = json_text(json_get(notes, MIGRATE_NEW)),
		.is_deleting = json_get(meta, "deletionTimestamp") != NULL,
		.is_ready = has_condition(pod, "Ready"),
	};

	const char *created = json_text(json_get(meta, "creationTimestamp"));

	if (created)
		date_parse(created, strlen(created), &p.created);
	if (!p.ns || !p.name || !p.uid)
		return error_set(err, -EINVAL, "a pod without namespace, name or uid");
	if (p.id && !move_id_is_valid(p.id))
		p.id = NULL;
	p.state = move_state_of(p.state_text, &p.why);
	if (read_containers(&p, err) < 0)
		return err->code;
	*ret = p;
	return 0;
}

const char *move_label(const struct move_pod *p, const char *key)
{
	return json_text(json_get(json_path(p->json, "metadata.labels"), key));
}

bool move_pod_runs(const struct move_pod *p)
{
	for (size_t i = 0; i < p->n_containers; i++)
		if (!p->containers[i].is_running || !p->containers[i].id)
			return false;
	return p->n_containers > 0;
}

const struct move_container *move_pod_failed(const struct move_pod *p)
{
	for (size_t i = 0; i < p->n_containers; i++)
		if (p->containers[i].has_failed_start)
			return &p->containers[i];
	return NULL;
}
