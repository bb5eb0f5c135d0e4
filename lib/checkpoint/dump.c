/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/dump.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/date.h"
#include "base/file.h"
#include "base/json_out.h"
#include "checkpoint/archive.h"
#include "checkpoint/containerd.h"
#include "checkpoint/proto.h"

#define SNAPSHOTS    "containerd.services.snapshots.v1.Snapshots/"
#define LEASES	     "containerd.services.leases.v1.Leases/"
#define LAYER	     "application/vnd.oci.image.layer.v1.tar"
#define RUNC_OPTIONS "containerd.runc.v1.CheckpointOptions"

enum { LEASE_SECONDS = 3600 };

/* Fields of the messages, by the .proto files. */
enum {
	ID = 1,
	REPLY = 1,
	ANY_URL = 1,
	ANY_VALUE = 2,
	CONTAINER_RUNTIME = 4,
	CONTAINER_SPEC = 5,
	CONTAINER_SNAPSHOTTER = 6,
	CONTAINER_SNAPSHOT = 7,
	RUNTIME_NAME = 1,
	STATUS_METADATA = 2,
	STATUS_IMAGE = 8,
	STATUS_IMAGE_REF = 9,
	STATUS_LABELS = 12,
	STATUS_ANNOTATIONS = 13,
	STATUS_LOG = 15,
	METADATA_NAME = 1,
	IMAGE_IMAGE = 1,
	IMAGE_USER_SPECIFIED = 18,
	MAP_KEY = 1,
	MAP_VALUE = 2,
	LEASE_LABELS = 3,
	SNAPSHOTTER = 1,
	SNAPSHOT_KEY = 2,
	SNAPSHOT_PARENT = 3,
	INFO_PARENT = 2,
	MOUNTS = 1,
	DIFF_LEFT = 1,
	DIFF_RIGHT = 2,
	DIFF_MEDIA_TYPE = 3,
	DIFF_DESCRIPTOR = 3,
	DESCRIPTOR_DIGEST = 2,
	READ_DIGEST = 1,
	READ_DATA = 2,
	CHECKPOINT_OPTIONS = 3,
	OPTION_IMAGE_PATH = 8,
	OPTION_WORK_PATH = 9,
};

static struct slice all(const struct str *s)
{
	return (struct slice){ s->s, s->n };
}

static int ask(const struct grpc *g, const char *method, const struct str *m, struct str *reply,
	       struct error *err)
{
	return grpc_call(g, method, all(m), CONTAINERD_QUICK_MS, reply, err);
}

/* What describes it. */

static void add_member(struct json_out *o, const char *key, struct slice text)
{
	AUTO_FREE char *copy = xstrndup(text.s ? text.s : "", text.n);

	json_out_member(o, key, copy);
}

static void add_map(struct json_out *o, const char *key, struct slice message, uint32_t number)
{
	AUTO(str_done) struct str name = STR_INIT;
	struct proto_field f;

	json_out_key(o, key);
	json_out_object(o);
	while (proto_next(&message, &f) == 1) {
		if (f.number != number || f.wire != PROTO_BYTES)
			continue;
		struct slice at = PROTO_PATH(f.bytes, MAP_KEY);
		str_clear(&name);
		str_addn(&name, at.s, at.n);
		add_member(o, name.s, PROTO_PATH(f.bytes, MAP_VALUE));
	}
	json_out_end(o);
}

static int write_in(const char *folder, const char *name, struct slice text, struct error *err)
{
	AUTO_FREE char *path = xasprintf("%s/%s", folder, name);

	return file_write(path, text, err);
}

/* As Go writes runtime.v1.ContainerStatus: what a restore reads of it. */
static int write_status(const char *folder, const char *id, struct slice status, struct error *err)
{
	AUTO(str_done) struct str text = STR_INIT;
	AUTO(json_out_done) struct json_out o = { .out = &text, .is_compact = true };

	json_out_object(&o);
	json_out_member(&o, "id", id);
	json_out_key(&o, "metadata");
	json_out_object(&o);
	add_member(&o, "name", PROTO_PATH(status, STATUS_METADATA, METADATA_NAME));
	json_out_end(&o);
	json_out_key(&o, "image");
	json_out_object(&o);
	add_member(&o, "image", PROTO_PATH(status, STATUS_IMAGE, IMAGE_IMAGE));
	add_member(&o, "user_specified_image",
		   PROTO_PATH(status, STATUS_IMAGE, IMAGE_USER_SPECIFIED));
	json_out_end(&o);
	add_member(&o, "image_ref", PROTO_PATH(status, STATUS_IMAGE_REF));
	add_map(&o, "labels", status, STATUS_LABELS);
	add_map(&o, "annotations", status, STATUS_ANNOTATIONS);
	json_out_end(&o);
	return write_in(folder, "status.dump", all(&text), err);
}

/* checkpointctl's ContainerConfig. */
static int write_config(const char *folder, const char *id, struct slice container,
			struct slice status, struct error *err)
{
	AUTO(str_done) struct str text = STR_INIT;
	AUTO(json_out_done) struct json_out o = { .out = &text, .is_compact = true };
	char now[DATE_TEXT];

	json_out_object(&o);
	json_out_member(&o, "id", id);
	add_member(&o, "name", PROTO_PATH(status, STATUS_METADATA, METADATA_NAME));
	add_member(&o, "rootfsImage", PROTO_PATH(status, STATUS_IMAGE, IMAGE_IMAGE));
	add_member(&o, "rootfsImageName", PROTO_PATH(status, STATUS_IMAGE, IMAGE_IMAGE));
	add_member(&o, "rootfsImageRef", PROTO_PATH(status, STATUS_IMAGE_REF));
	add_member(&o, "runtime", PROTO_PATH(container, CONTAINER_RUNTIME, RUNTIME_NAME));
	json_out_member(&o, "checkpointedTime", date_format(time(NULL), now));
	json_out_end(&o);
	return write_in(folder, "config.dump", all(&text), err);
}

static int describe(const struct grpc *g, const char *id, const char *folder,
		    struct slice container, struct dump *d, struct error *err)
{
	AUTO(str_done) struct str reply = STR_INIT;
	struct slice spec = PROTO_PATH(container, CONTAINER_SPEC, ANY_VALUE);

	if (containerd_ask(g, "runtime.v1.RuntimeService/ContainerStatus", id, &reply, err) < 0)
		return err->code;
	struct slice status = PROTO_PATH(all(&reply), REPLY);
	struct slice log = PROTO_PATH(status, STATUS_LOG);
	if (spec.n == 0 || status.n == 0)
		return error_set(err, -EBADMSG, "containerd does not tell what it is");
	d->log = log.n ? xstrndup(log.s, log.n) : NULL;
	if (write_in(folder, "spec.dump", spec, err) < 0 ||
	    write_status(folder, id, status, err) < 0)
		return err->code;
	return write_config(folder, id, container, status, err);
}

/* What its file system is compared with. */

static void add_entry(struct str *out, uint32_t number, const char *key, const char *value)
{
	AUTO(str_done) struct str entry = STR_INIT;

	proto_add_text(&entry, MAP_KEY, key);
	proto_add_text(&entry, MAP_VALUE, value);
	proto_add_bytes(out, number, all(&entry));
}

static char *lease_of(const char *id)
{
	return xasprintf("mckube-migrate-%s", id);
}

static int hold(const struct grpc *g, struct dump *d, struct error *err)
{
	AUTO(str_done) struct str m = STR_INIT;
	AUTO(str_done) struct str reply = STR_INIT;
	AUTO_FREE char *lease = lease_of(d->id);
	char end[DATE_TEXT];

	proto_add_text(&m, ID, lease);
	add_entry(&m, LEASE_LABELS, "containerd.io/gc.expire",
		  date_format(time(NULL) + LEASE_SECONDS, end));
	int r = ask(g, LEASES "Create", &m, &reply, err);
	if (r < 0 && r != -EEXIST)
		return r;
	d->lease = TAKE(lease);
	return 0;
}

static void add_mounts(struct str *out, uint32_t number, const struct str *reply)
{
	struct slice rest = all(reply);
	struct proto_field f;

	while (proto_next(&rest, &f) == 1)
		if (f.number == MOUNTS && f.wire == PROTO_BYTES)
			proto_add_bytes(out, number, f.bytes);
}

static int add_layer(const struct grpc *g, const char *method, struct slice snapshotter,
		     struct slice key, struct slice parent, uint32_t number, struct dump *d,
		     struct error *err)
{
	AUTO(str_done) struct str m = STR_INIT;
	AUTO(str_done) struct str reply = STR_INIT;

	proto_add_bytes(&m, SNAPSHOTTER, snapshotter);
	proto_add_bytes(&m, SNAPSHOT_KEY, key);
	if (parent.n)
		proto_add_bytes(&m, SNAPSHOT_PARENT, parent);
	int r = ask(g, method, &m, &reply, err);
	if (r < 0)
		return r;
	add_mounts(&d->layers, number, &reply);
	return 0;
}

/* Its image alone, and the image with what it changed. */
static int view(const struct grpc *g, struct slice container, struct dump *d, struct error *err)
{
	const struct grpc held = { g->socket, g->namespace, d->lease };
	const struct slice none = { 0 };
	AUTO(str_done) struct str m = STR_INIT;
	AUTO(str_done) struct str reply = STR_INIT;
	struct slice by = PROTO_PATH(container, CONTAINER_SNAPSHOTTER);
	struct slice key = PROTO_PATH(container, CONTAINER_SNAPSHOT);

	proto_add_bytes(&m, SNAPSHOTTER, by);
	proto_add_bytes(&m, SNAPSHOT_KEY, key);
	if (ask(g, SNAPSHOTS "Stat", &m, &reply, err) < 0)
		return err->code;
	struct slice parent = PROTO_PATH(all(&reply), REPLY, INFO_PARENT);
	struct slice its = slice_of(d->lease);
	int r = add_layer(&held, SNAPSHOTS "View", by, its, parent, DIFF_LEFT, d, err);
	/* Of an earlier attempt. */
	if (r == -EEXIST)
		r = add_layer(&held, SNAPSHOTS "Mounts", by, its, none, DIFF_LEFT, d, err);
	if (r == 0)
		r = add_layer(&held, SNAPSHOTS "Mounts", by, key, none, DIFF_RIGHT, d, err);
	proto_add_text(&d->layers, DIFF_MEDIA_TYPE, LAYER);
	return r;
}

int dump_prepare(const struct grpc *g, const char *id, const char *folder, struct dump *ret,
		 struct error *err)
{
	AUTO(str_done) struct str reply = STR_INIT;

	ret->id = xstrdup(id);
	if (containerd_ask(g, "containerd.services.containers.v1.Containers/Get", id, &reply, err) <
	    0)
		return err->code;
	struct slice container = PROTO_PATH(all(&reply), REPLY);
	if (describe(g, id, folder, container, ret, err) < 0 || hold(g, ret, err) < 0)
		return err->code;
	return view(g, container, ret, err);
}

/* While it is paused. */

int dump_processes(const struct grpc *g, const struct dump *d, const char *folder, const char *work,
		   int64_t timeout_ms, struct error *err)
{
	AUTO_FREE char *images = xasprintf("%s/" ARCHIVE_CRIU, folder);
	AUTO(str_done) struct str options = STR_INIT;
	AUTO(str_done) struct str any = STR_INIT;
	AUTO(str_done) struct str m = STR_INIT;
	AUTO(str_done) struct str reply = STR_INIT;

	if (mkdir(images, 0700) < 0)
		return error_errno(err, "make %s", images);
	proto_add_text(&options, OPTION_IMAGE_PATH, images);
	proto_add_text(&options, OPTION_WORK_PATH, work);
	proto_add_text(&any, ANY_URL, RUNC_OPTIONS);
	proto_add_bytes(&any, ANY_VALUE, all(&options));
	proto_add_text(&m, ID, d->id);
	proto_add_bytes(&m, CHECKPOINT_OPTIONS, all(&any));
	return grpc_call(g, "containerd.services.tasks.v1.Tasks/Checkpoint", all(&m), timeout_ms,
			 &reply, err);
}

static int write_data(void *arg, struct slice message, struct error *err)
{
	const int *fd = arg;
	struct slice data = PROTO_PATH(message, READ_DATA);

	while (data.n) {
		ssize_t n = write(*fd, data.s, data.n);

		if (n < 0 && errno != EINTR)
			return error_errno(err, "write rootfs-diff.tar");
		if (n > 0)
			data = (struct slice){ data.s + n, data.n - (size_t)n };
	}
	return 0;
}

static int read_blob(const struct grpc *g, struct slice digest, const char *path,
		     int64_t timeout_ms, struct error *err)
{
	AUTO(str_done) struct str m = STR_INIT;
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		return error_errno(err, "open %s", path);
	proto_add_bytes(&m, READ_DIGEST, digest);
	return grpc_stream(g, "containerd.services.content.v1.Content/Read", all(&m), timeout_ms,
			   write_data, &fd, err);
}

int dump_files(const struct grpc *g, const struct dump *d, const char *folder, int64_t timeout_ms,
	       struct error *err)
{
	const struct grpc held = { g->socket, g->namespace, d->lease };
	AUTO_FREE char *path = xasprintf("%s/rootfs-diff.tar", folder);
	AUTO(str_done) struct str reply = STR_INIT;

	if (grpc_call(&held, "containerd.services.diff.v1.Diff/Diff", all(&d->layers), timeout_ms,
		      &reply, err) < 0)
		return err->code;
	struct slice digest = PROTO_PATH(all(&reply), DIFF_DESCRIPTOR, DESCRIPTOR_DIGEST);
	if (digest.n == 0)
		return error_set(err, -EBADMSG, "containerd does not tell what it changed");
	return read_blob(&held, digest, path, timeout_ms, err);
}

/* The node's links lead to places on the node. */
static int open_on_node(const char *host_root, const char *path)
{
	const struct open_how how = { .flags = O_RDONLY | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
	AUTO_CLOSE int root = open(*host_root ? host_root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return root < 0 ? -1 : (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

int dump_log(const struct dump *d, const char *host_root, const char *folder, struct error *err)
{
	AUTO_FREE char *path = xasprintf("%s/container.log", folder);
	AUTO_CLOSE int from = d->log ? open_on_node(host_root, d->log) : -1;
	struct stat st;

	if (!d->log || (from < 0 && errno == ENOENT))
		return 0;
	if (from < 0 || fstat(from, &st) < 0)
		return error_errno(err, "open %s", d->log);
	AUTO_CLOSE int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (to < 0)
		return error_errno(err, "open %s", path);
	for (off_t left = st.st_size; left > 0;) {
		ssize_t n = sendfile(to, from, NULL, (size_t)left);

		if (n < 0)
			return error_errno(err, "copy %s", d->log);
		if (n == 0)
			break;
		left -= n;
	}
	return 0;
}

/* An error only leaves it until its time is over. */
static void end_lease(const struct grpc *g, const char *lease)
{
	AUTO(str_done) struct str reply = STR_INIT;
	struct error err = ERROR_INIT;

	containerd_ask(g, LEASES "Delete", lease, &reply, &err);
}

void dump_forget(const struct grpc *g, const char *id)
{
	AUTO_FREE char *lease = lease_of(id);

	end_lease(g, lease);
}

void dump_done(const struct grpc *g, struct dump *d)
{
	if (d->lease)
		end_lease(g, d->lease);
	free(d->id);
	free(d->log);
	free(d->lease);
	str_done(&d->layers);
	*d = (struct dump)DUMP_INIT;
}
