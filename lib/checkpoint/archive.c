/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/archive.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/base64.h"
#include "base/file.h"
#include "base/json_out.h"
#include "checkpoint/criu_image.h"
#include "checkpoint/tar.h"

#define KEY_CONTAINERD "org.criu.checkpoint.container.name"
#define KEY_CRIO       "io.kubernetes.cri-o.annotations.checkpoint.name"
#define TYPE_CONFIG    "application/vnd.oci.image.config.v1+json"
#define TYPE_LAYER     "application/vnd.oci.image.layer.v1.tar"

#if defined(__aarch64__)
#define ARCHITECTURE "arm64"
#else
#define ARCHITECTURE "amd64"
#endif

enum { PIECE = 1 << 20, END_BLOCKS = 2 };

static int mend_timers(const char *folder, int *ret_mended, struct error *err)
{
	AUTO_FREE char *path = xasprintf("%s/" ARCHIVE_CRIU "/" CRIU_FILES, folder);
	AUTO(str_done) struct str text = STR_INIT_MAX(CRIU_FILES_MAX);

	*ret_mended = 0;
	AUTO_CLOSE int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "open %s", path);
	if (file_read_fd(fd, path, &text, err) < 0)
		return err->code;
	int mended = criu_mend_timers(text.s, text.n, err);
	if (mended <= 0)
		return mended;
	if (pwrite(fd, text.s, text.n, 0) != (ssize_t)text.n)
		return error_errno(err, "write %s", path);
	*ret_mended = mended;
	return 0;
}

/* What it is made of. */

static int is_named(const struct dirent *e)
{
	return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

static int add_folder(struct archive *a, const char *prefix, struct error *err);

static int add_member(struct archive *a, const char *prefix, const char *name, struct error *err)
{
	AUTO_FREE char *path = xasprintf("%s/%s%s", a->folder, prefix, name);
	struct stat st;

	if (lstat(path, &st) < 0)
		return error_errno(err, "stat %s", path);
	bool is_folder = S_ISDIR(st.st_mode);
	AUTO_FREE char *member = xasprintf("%s%s%s", prefix, name, is_folder ? "/" : "");
	if (!(S_ISREG(st.st_mode) || (is_folder && !*prefix)) || strlen(member) >= TAR_NAME_MAX)
		return error_set(err, -EBADMSG, "%s: does not belong to a checkpoint", path);
	struct archive_member *m = array_add(&a->members);
	*m = (struct archive_member){ xstrdup(member), is_folder ? 0 : st.st_size };
	a->size += TAR_BLOCK + tar_padded(m->size);
	return is_folder ? add_folder(a, member, err) : 0;
}

static int add_folder(struct archive *a, const char *prefix, struct error *err)
{
	AUTO_FREE char *path = xasprintf("%s/%s", a->folder, prefix);
	struct dirent **names = NULL;
	int n = scandir(path, &names, is_named, alphasort), code = 0;

	if (n < 0)
		return error_errno(err, "list %s", path);
	for (int i = 0; i < n; i++) {
		if (code == 0)
			code = add_member(a, prefix, names[i]->d_name, err);
		free(names[i]);
	}
	free(names);
	return code;
}

/* Its bytes. */

/* A piece of the layer, as far as it is wanted. */
struct reader {
	const struct archive *archive;
	int64_t at; /* of what comes next, in the layer */
	int64_t from, end;
	archive_take *take;
	void *arg;
	char *piece;
};

static int give(struct reader *r, const void *bytes, int64_t n)
{
	int64_t skip = r->from > r->at ? r->from - r->at : 0;
	int64_t left = r->end - r->at < n ? r->end - r->at : n;

	r->at += n;
	return skip < left ? r->take(r->arg, (const char *)bytes + skip, (size_t)(left - skip)) : 0;
}

static int give_data(struct reader *r, const struct archive_member *m)
{
	AUTO_FREE char *path = xasprintf("%s/%s", r->archive->folder, m->name);
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	/* Whole pieces before the first one that is wanted are not read. */
	int64_t at = r->from > r->at ? (r->from - r->at) / PIECE * PIECE : 0;

	if (fd < 0)
		return -errno;
	r->at += at;
	for (int64_t n; at < m->size && r->at < r->end; at += n) {
		n = pread(fd, r->piece, m->size - at < PIECE ? (size_t)(m->size - at) : PIECE, at);
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		int code = give(r, r->piece, n);
		if (code < 0)
			return code;
	}
	return 0;
}

static int give_zeros(struct reader *r, int64_t n)
{
	static const char zeros[END_BLOCKS * TAR_BLOCK];

	return give(r, zeros, n);
}

static int give_member(struct reader *r, const struct archive_member *m)
{
	unsigned char header[TAR_BLOCK];
	int64_t padded = tar_padded(m->size);
	bool is_folder = m->name[strlen(m->name) - 1] == '/';

	if (r->at + TAR_BLOCK + padded <= r->from) {
		r->at += TAR_BLOCK + padded;
		return 0;
	}
	tar_header(m->name, is_folder ? TAR_FOLDER : TAR_FILE, m->size, header);
	int code = give(r, header, sizeof(header));
	int64_t end = r->at + m->size;
	if (code == 0 && m->size && end > r->from)
		code = give_data(r, m);
	r->at = end;
	return code < 0 ? code : give_zeros(r, padded - m->size);
}

int archive_read(const struct archive *a, int64_t from, int64_t n, archive_take *take, void *arg)
{
	AUTO_FREE char *piece = xcalloc(1, PIECE);
	struct reader r = { a, 0, from, from + n, take, arg, piece };

	array_each(m, &a->members) {
		int code = r.at < r.end ? give_member(&r, m) : 0;

		if (code < 0)
			return code;
	}
	return r.at < r.end ? give_zeros(&r, (int64_t)END_BLOCKS * TAR_BLOCK) : 0;
}

/* Its digests. */

static int feed(void *hash, const void *bytes, size_t n)
{
	return EVP_DigestUpdate(hash, bytes, n) == 1 ? 0 : -EIO;
}

/* By libcrypto: three times as fast as base/sha256.h, and the source stands still meanwhile. */
static int hash_layer(struct archive *a, struct error *err)
{
	unsigned char digest[SHA256_SIZE];
	EVP_MD_CTX *h = EVP_MD_CTX_new();

	if (!h || EVP_DigestInit_ex(h, EVP_sha256(), NULL) != 1) {
		EVP_MD_CTX_free(h);
		return error_set(err, -ENOSYS, "libcrypto has no SHA-256");
	}
	int r = archive_read(a, 0, a->size, feed, h);
	EVP_DigestFinal_ex(h, digest, NULL);
	EVP_MD_CTX_free(h);
	for (size_t i = 0; i < SHA256_SIZE; i++)
		snprintf(a->layer + 2 * i, 3, "%02x", digest[i]);
	return r < 0 ? error_set(err, r, "read %s: %s", a->folder, strerror(-r)) : 0;
}

static void hash_text(const struct str *text, char hex[static SHA256_HEX])
{
	struct sha256 h = SHA256_INIT;

	sha256_add(&h, text->s, text->n);
	sha256_finish_hex(&h, hex);
}

static void add_digest(struct json_out *o, const char *hex)
{
	AUTO(str_done) struct str text = STR_INIT;

	str_addf(&text, "sha256:%s", hex);
	json_out_text(o, text.s);
}

static void write_config(const struct archive *a, struct str *out)
{
	AUTO(json_out_done) struct json_out o = { .out = out, .is_compact = true };

	json_out_object(&o);
	json_out_member(&o, "architecture", ARCHITECTURE);
	json_out_member(&o, "os", "linux");
	json_out_key(&o, "config");
	json_out_object(&o);
	json_out_end(&o);
	json_out_key(&o, "rootfs");
	json_out_object(&o);
	json_out_member(&o, "type", "layers");
	json_out_key(&o, "diff_ids");
	json_out_array(&o);
	add_digest(&o, a->layer);
	json_out_end(&o);
	json_out_end(&o);
	json_out_end(&o);
}

/* With the text in it there is one request less while the source stands still. */
static void add_descriptor(struct json_out *o, const char *type, const char *hex, int64_t size,
			   const struct str *text)
{
	AUTO(str_done) struct str data = STR_INIT;

	json_out_object(o);
	json_out_member(o, "mediaType", type);
	json_out_key(o, "digest");
	add_digest(o, hex);
	json_out_member_int(o, "size", size);
	if (text) {
		base64_encode(text->s, text->n, &data);
		json_out_member(o, "data", data.s);
	}
	json_out_end(o);
}

static void write_manifest(const struct archive *a, const char *container, struct str *out)
{
	AUTO(json_out_done) struct json_out o = { .out = out, .is_compact = true };

	json_out_object(&o);
	json_out_member_int(&o, "schemaVersion", 2);
	json_out_member(&o, "mediaType", ARCHIVE_MANIFEST_TYPE);
	json_out_key(&o, "config");
	add_descriptor(&o, TYPE_CONFIG, a->config, (int64_t)a->config_text.n, &a->config_text);
	json_out_key(&o, "layers");
	json_out_array(&o);
	add_descriptor(&o, TYPE_LAYER, a->layer, a->size, NULL);
	json_out_end(&o);
	json_out_key(&o, "annotations");
	json_out_object(&o);
	json_out_member(&o, KEY_CONTAINERD, container);
	json_out_member(&o, KEY_CRIO, container);
	json_out_end(&o);
	json_out_end(&o);
}

int archive_open(const char *folder, const char *container, struct archive *ret, int *ret_mended,
		 struct error *err)
{
	AUTO(archive_done) struct archive a = ARCHIVE_INIT;

	a.folder = xstrdup(folder);
	if (mend_timers(folder, ret_mended, err) < 0 || add_folder(&a, "", err) < 0)
		return err->code;
	a.size += (int64_t)END_BLOCKS * TAR_BLOCK;
	if (hash_layer(&a, err) < 0)
		return err->code;
	write_config(&a, &a.config_text);
	hash_text(&a.config_text, a.config);
	write_manifest(&a, container, &a.manifest_text);
	hash_text(&a.manifest_text, a.manifest);
	*ret = a;
	a = (struct archive)ARCHIVE_INIT;
	return 0;
}

void archive_done(struct archive *a)
{
	array_each(m, &a->members)
		free(m->name);
	array_done(&a->members);
	free(a->folder);
	str_done(&a->config_text);
	str_done(&a->manifest_text);
	*a = (struct archive)ARCHIVE_INIT;
}
