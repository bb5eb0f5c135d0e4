/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/containerd.h"

#include <string.h>

#include "base/array.h"
#include "base/auto.h"
#include "base/json.h"
#include "base/names.h"
#include "checkpoint/proto.h"

#define TASKS  "containerd.services.tasks.v1.Tasks/"
#define IMAGES "containerd.services.images.v1.Images/"

enum { SIGNAL_KILL = 9 };

/* Fields of the messages, by the .proto files. */
enum {
	TASK_CONTAINER_ID = 1,
	KILL_SIGNAL = 3,
	KILL_ALL = 4,
	GET_PROCESS = 1,
	PROCESS_STATUS = 4,
	IMAGE_NAME = 1,
	IMAGE_TARGET = 3,
	TARGET_DIGEST = 2,
	UPDATE_IMAGE = 1,
	UPDATE_MASK = 2,
	MASK_PATHS = 1,
	LIST_FILTERS = 1,
	LIST_IMAGES = 1,
	PULL_IMAGE = 1,
	SPEC_IMAGE = 1,
	STATUS_IMAGE = 1,
	IMAGE_ID = 1,
	VERSION_VERSION = 1,
	STATUS_VERBOSE = 1,
	STATUS_INFO = 2,
	MAP_KEY = 1,
	MAP_VALUE = 2,
};

int containerd_ask(const struct grpc *g, const char *method, const char *id, struct str *reply,
		   struct error *err)
{
	AUTO(str_done) struct str m = STR_INIT;

	proto_add_text(&m, TASK_CONTAINER_ID, id);
	return grpc_call(g, method, (struct slice){ m.s, m.n }, CONTAINERD_QUICK_MS, reply, err);
}

int containerd_status(const struct grpc *g, const char *id, enum task_status *ret,
		      struct error *err)
{
	AUTO(str_done) struct str reply = STR_INIT;
	struct proto_field f;

	if (containerd_ask(g, TASKS "Get", id, &reply, err) < 0)
		return err->code;
	struct slice process = PROTO_PATH(((struct slice){ reply.s, reply.n }), GET_PROCESS);
	*ret = TASK_UNKNOWN;
	if (proto_find(process, PROCESS_STATUS, PROTO_VARINT, &f) && f.value <= TASK_PAUSING)
		*ret = (enum task_status)f.value;
	return 0;
}

/* The call may fail because it was so already: its state decides. */
static int change_state(const struct grpc *g, const char *method, const char *id,
			enum task_status wanted, struct error *err)
{
	AUTO(str_done) struct str reply = STR_INIT;
	struct error first = ERROR_INIT;
	enum task_status status = TASK_UNKNOWN;

	int r = containerd_ask(g, method, id, &reply, &first);
	if (containerd_status(g, id, &status, err) < 0)
		return err->code;
	if (status == wanted)
		return 0;
	if (r < 0)
		return error_set(err, r, "%s", first.msg);
	return error_set(err, -EIO, "container %.20s: is not %s", id,
			 wanted == TASK_PAUSED ? "paused" : "running");
}

int containerd_pause(const struct grpc *g, const char *id, struct error *err)
{
	return change_state(g, TASKS "Pause", id, TASK_PAUSED, err);
}

int containerd_resume(const struct grpc *g, const char *id, struct error *err)
{
	return change_state(g, TASKS "Resume", id, TASK_RUNNING, err);
}

int containerd_kill(const struct grpc *g, const char *id, struct error *err)
{
	AUTO(str_done) struct str m = STR_INIT;
	AUTO(str_done) struct str reply = STR_INIT;

	proto_add_text(&m, TASK_CONTAINER_ID, id);
	proto_add_number(&m, KILL_SIGNAL, SIGNAL_KILL);
	proto_add_number(&m, KILL_ALL, 1);
	int r = grpc_call(g, TASKS "Kill", (struct slice){ m.s, m.n }, CONTAINERD_QUICK_MS, &reply,
			  err);
	return r == -ENOENT ? 0 : r;
}

/* Images. */

/* The target, as a message that can be sent back. */
static int get_target(const struct grpc *g, struct slice name, struct str *ret, struct error *err)
{
	AUTO(str_done) struct str m = STR_INIT;
	AUTO(str_done) struct str reply = STR_INIT;

	proto_add_bytes(&m, IMAGE_NAME, name);
	if (grpc_call(g, IMAGES "Get", (struct slice){ m.s, m.n }, CONTAINERD_QUICK_MS, &reply,
		      err) < 0)
		return err->code;
	struct slice target =
		PROTO_PATH(((struct slice){ reply.s, reply.n }), LIST_IMAGES, IMAGE_TARGET);
	if (target.n == 0)
		return error_set(err, -EBADMSG, "image %.*s: containerd gives no target",
				 (int)name.n, name.s);
	str_addn(ret, target.s, target.n);
	return 0;
}

static int list_by_digest(const struct grpc *g, struct slice digest, struct str *reply,
			  struct error *err)
{
	AUTO(str_done) struct str filter = STR_INIT;
	AUTO(str_done) struct str m = STR_INIT;

	str_addf(&filter, "target.digest==%.*s", (int)digest.n, digest.s);
	proto_add_text(&m, LIST_FILTERS, filter.s);
	return grpc_call(g, IMAGES "List", (struct slice){ m.s, m.n }, CONTAINERD_QUICK_MS, reply,
			 err);
}

/* An imported image has a name of another registry than it says. */
static int target_by_digest(const struct grpc *g, const char *name, struct str *ret,
			    struct error *err)
{
	AUTO(str_done) struct str reply = STR_INIT;
	const char *at = strrchr(name, '@');

	if (at && list_by_digest(g, slice_of(at + 1), &reply, err) < 0)
		return err->code;
	struct slice target =
		PROTO_PATH(((struct slice){ reply.s, reply.n }), LIST_IMAGES, IMAGE_TARGET);
	if (target.n == 0)
		return error_set(err, -ENOENT, "image %s: is not on this node", name);
	str_addn(ret, target.s, target.n);
	return 0;
}

static int call_with_image(const struct grpc *g, const char *method, const char *name,
			   int64_t timeout_ms, struct str *reply, struct error *err)
{
	AUTO(str_done) struct str spec = STR_INIT;
	AUTO(str_done) struct str m = STR_INIT;

	proto_add_text(&spec, SPEC_IMAGE, name);
	proto_add_bytes(&m, PULL_IMAGE, (struct slice){ spec.s, spec.n });
	return grpc_call(g, method, (struct slice){ m.s, m.n }, timeout_ms, reply, err);
}

/* CRI knows an image by more names than containerd's store has: it resolves one to "sha256:...",
 * which the store has for each image of CRI. */
static int image_target(const struct grpc *g, const char *name, struct str *ret, struct error *err)
{
	AUTO(str_done) struct str reply = STR_INIT;

	if (call_with_image(g, "runtime.v1.ImageService/ImageStatus", name, CONTAINERD_QUICK_MS,
			    &reply, err) < 0)
		return err->code;
	struct slice id = PROTO_PATH(((struct slice){ reply.s, reply.n }), STATUS_IMAGE, IMAGE_ID);
	return id.n ? get_target(g, id, ret, err) : target_by_digest(g, name, ret, err);
}

static void add_image(struct str *out, const char *name, const struct str *target)
{
	AUTO(str_done) struct str image = STR_INIT;

	proto_add_text(&image, IMAGE_NAME, name);
	proto_add_bytes(&image, IMAGE_TARGET, (struct slice){ target->s, target->n });
	proto_add_bytes(out, UPDATE_IMAGE, (struct slice){ image.s, image.n });
}

static int create_image(const struct grpc *g, const char *name, const struct str *target,
			struct error *err)
{
	AUTO(str_done) struct str m = STR_INIT;
	AUTO(str_done) struct str reply = STR_INIT;

	add_image(&m, name, target);
	int r = grpc_call(g, IMAGES "Create", (struct slice){ m.s, m.n }, CONTAINERD_QUICK_MS,
			  &reply, err);
	return r == -EEXIST ? 0 : r;
}

int containerd_pull_image(const struct grpc *g, const char *name, struct error *err)
{
	AUTO(str_done) struct str reply = STR_INIT;

	if (call_with_image(g, "runtime.v1.ImageService/PullImage", name, CONTAINERD_PULL_MS,
			    &reply, err) < 0)
		return error_wrap(err, "image %s", name);
	return 0;
}

int containerd_want_image(const struct grpc *g, const char *name, struct error *err)
{
	AUTO(str_done) struct str target = STR_INIT;

	int r = get_target(g, slice_of(name), &target, err);
	if (r != -ENOENT)
		return r;
	r = image_target(g, name, &target, err);
	if (r == 0)
		return create_image(g, name, &target, err);
	return r == -ENOENT ? containerd_pull_image(g, name, err) : r;
}

static int update_image(const struct grpc *g, const char *name, const struct str *target,
			struct error *err)
{
	AUTO(str_done) struct str mask = STR_INIT;
	AUTO(str_done) struct str m = STR_INIT;
	AUTO(str_done) struct str reply = STR_INIT;

	add_image(&m, name, target);
	proto_add_text(&mask, MASK_PATHS, "target");
	proto_add_bytes(&m, UPDATE_MASK, (struct slice){ mask.s, mask.n });
	return grpc_call(g, IMAGES "Update", (struct slice){ m.s, m.n }, CONTAINERD_QUICK_MS,
			 &reply, err);
}

static int delete_image(const struct grpc *g, struct slice name, struct error *err)
{
	AUTO(str_done) struct str m = STR_INIT;
	AUTO(str_done) struct str reply = STR_INIT;

	proto_add_bytes(&m, IMAGE_NAME, name);
	int r = grpc_call(g, IMAGES "Delete", (struct slice){ m.s, m.n }, CONTAINERD_QUICK_MS,
			  &reply, err);
	return r == -ENOENT ? 0 : r;
}

static int delete_names(const struct grpc *g, struct slice list, bool has_digest, struct error *err)
{
	struct proto_field image;

	while (proto_next(&list, &image) == 1) {
		if (image.number != LIST_IMAGES || image.wire != PROTO_BYTES)
			continue;
		struct slice name = PROTO_PATH(image.bytes, IMAGE_NAME);
		bool its = name.n && memchr(name.s, '@', name.n);
		if (name.n && its == has_digest && delete_image(g, name, err) < 0)
			return err->code;
	}
	return 0;
}

/* Last those with the digest, by which a checkpoint is found again after half of it. */
static int delete_images_of(const struct grpc *g, struct slice digest, struct error *err)
{
	AUTO(str_done) struct str reply = STR_INIT;

	if (list_by_digest(g, digest, &reply, err) < 0)
		return err->code;
	const struct slice list = { reply.s, reply.n };
	if (delete_names(g, list, false, err) < 0)
		return err->code;
	return delete_names(g, list, true, err);
}

int containerd_repoint_image(const struct grpc *g, const char *name, const char *base,
			     struct error *err)
{
	AUTO(str_done) struct str before = STR_INIT;
	AUTO(str_done) struct str after = STR_INIT;

	if (image_target(g, base, &after, err) < 0 ||
	    get_target(g, slice_of(name), &before, err) < 0)
		return err->code;
	struct slice old = PROTO_PATH(((struct slice){ before.s, before.n }), TARGET_DIGEST);
	struct slice new = PROTO_PATH(((struct slice){ after.s, after.n }), TARGET_DIGEST);
	if (old.n == new.n && memcmp(old.s, new.s, old.n) == 0)
		return 0;
	if (update_image(g, name, &after, err) < 0)
		return err->code;
	return delete_images_of(g, old, err);
}

int containerd_drop_image(const struct grpc *g, const char *name, struct error *err)
{
	AUTO(str_done) struct str target = STR_INIT;

	int r = get_target(g, slice_of(name), &target, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return delete_images_of(
		g, PROTO_PATH(((struct slice){ target.s, target.n }), TARGET_DIGEST), err);
}

/* One image of the store's list. */
static void add_checkpoint(struct slice image, struct checkpoint_images *to)
{
	struct slice name = PROTO_PATH(image, IMAGE_NAME);
	struct slice digest = PROTO_PATH(image, IMAGE_TARGET, TARGET_DIGEST);
	char id[MOVE_ID_SIZE];

	if (!move_image_is_checkpoint(name, digest, id))
		return;
	struct checkpoint_image *c = array_add(to);
	c->name = xstrndup(name.s, name.n);
	memcpy(c->id, id, sizeof(id));
}

int containerd_list_checkpoints(const struct grpc *g, struct checkpoint_images *ret,
				struct error *err)
{
	AUTO(str_done) struct str m = STR_INIT;
	AUTO(str_done) struct str reply = STR_INIT;
	struct proto_field f;

	proto_add_text(&m, LIST_FILTERS, "name~=\"^" MIGRATE_REGISTRY "/mig/\"");
	if (grpc_call(g, IMAGES "List", (struct slice){ m.s, m.n }, CONTAINERD_QUICK_MS, &reply,
		      err) < 0)
		return err->code;
	struct slice rest = { reply.s, reply.n };
	while (proto_next(&rest, &f) == 1)
		if (f.number == LIST_IMAGES && f.wire == PROTO_BYTES)
			add_checkpoint(f.bytes, ret);
	return 0;
}

/* The configuration is JSON text in a map of texts. */
static struct slice config_of(struct slice reply)
{
	struct proto_field f;

	while (proto_next(&reply, &f) == 1)
		if (f.number == STATUS_INFO && f.wire == PROTO_BYTES &&
		    slice_eq(PROTO_PATH(f.bytes, MAP_KEY), "config"))
			return PROTO_PATH(f.bytes, MAP_VALUE);
	return (struct slice){ 0 };
}

int containerd_restores(const struct grpc *g, bool *ret, struct error *err)
{
	AUTO(str_done) struct str m = STR_INIT;
	AUTO(str_done) struct str reply = STR_INIT;
	AUTO_JSON cJSON *config = NULL;

	proto_add_number(&m, STATUS_VERBOSE, 1);
	if (grpc_call(g, "runtime.v1.RuntimeService/Status", (struct slice){ m.s, m.n },
		      CONTAINERD_QUICK_MS, &reply, err) < 0)
		return err->code;
	struct slice text = config_of((struct slice){ reply.s, reply.n });
	if (text.n == 0)
		return error_set(err, -EBADMSG, "containerd does not tell its configuration");
	if (json_parse(text.s, text.n, &config, err) < 0)
		return error_wrap(err, "containerd's configuration");
	*ret = cJSON_IsTrue(json_get(config, "enableExperimentalRestoreViaCreate"));
	return 0;
}

int containerd_version(const struct grpc *g, struct str *ret, struct error *err)
{
	AUTO(str_done) struct str reply = STR_INIT;

	if (grpc_call(g, "containerd.services.version.v1.Version/Version", (struct slice){ "", 0 },
		      CONTAINERD_QUICK_MS, &reply, err) < 0)
		return err->code;
	struct slice version = PROTO_PATH(((struct slice){ reply.s, reply.n }), VERSION_VERSION);
	str_addn(ret, version.s, version.n);
	return 0;
}
