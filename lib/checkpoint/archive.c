/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/archive.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
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

enum { PIECE = 1 << 20 };

static int mend_timers(int fd, int64_t end, int *ret_mended, struct error *err)
{
	AUTO_FREE struct tar_member *m = xcalloc(1, sizeof(*m));

	*ret_mended = 0;
	int r = tar_find(fd, end, CRIU_FILES, m, err);
	if (r < 0)
		return r;
	if (m->size > CRIU_FILES_MAX)
		return error_set(err, -EFBIG, CRIU_FILES ": %lld bytes", (long long)m->size);
	size_t n = (size_t)m->size;
	AUTO_FREE char *text = xcalloc(1, n + 1);
	if (pread(fd, text, n, m->offset) != (ssize_t)n)
		return error_errno(err, "read " CRIU_FILES);
	int mended = criu_mend_timers(text, n, err);
	if (mended <= 0)
		return mended;
	if (pwrite(fd, text, n, m->offset) != (ssize_t)n)
		return error_errno(err, "write " CRIU_FILES);
	*ret_mended = mended;
	return 0;
}

static int feed(EVP_MD_CTX *h, int fd, struct error *err)
{
	AUTO_FREE char *piece = xcalloc(1, PIECE);
	ssize_t n;

	for (int64_t at = 0; (n = pread(fd, piece, PIECE, at)) != 0; at += n) {
		if (n < 0)
			return error_errno(err, "read archive");
		EVP_DigestUpdate(h, piece, (size_t)n);
	}
	return 0;
}

/* By libcrypto: three times as fast as base/sha256.h, and the source stands still meanwhile. */
static int hash_file(int fd, char hex[static SHA256_HEX], struct error *err)
{
	unsigned char digest[SHA256_SIZE];
	EVP_MD_CTX *h = EVP_MD_CTX_new();

	if (!h || EVP_DigestInit_ex(h, EVP_sha256(), NULL) != 1) {
		EVP_MD_CTX_free(h);
		return error_set(err, -ENOSYS, "libcrypto has no SHA-256");
	}
	int r = feed(h, fd, err);
	EVP_DigestFinal_ex(h, digest, NULL);
	EVP_MD_CTX_free(h);
	for (size_t i = 0; i < SHA256_SIZE; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	return r;
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

static void add_descriptor(struct json_out *o, const char *type, const char *hex, int64_t size)
{
	json_out_object(o);
	json_out_member(o, "mediaType", type);
	json_out_key(o, "digest");
	add_digest(o, hex);
	json_out_member_int(o, "size", size);
	json_out_end(o);
}

static void write_manifest(const struct archive *a, const char *container, struct str *out)
{
	AUTO(json_out_done) struct json_out o = { .out = out, .is_compact = true };

	json_out_object(&o);
	json_out_member_int(&o, "schemaVersion", 2);
	json_out_member(&o, "mediaType", ARCHIVE_MANIFEST_TYPE);
	json_out_key(&o, "config");
	add_descriptor(&o, TYPE_CONFIG, a->config, (int64_t)a->config_text.n);
	json_out_key(&o, "layers");
	json_out_array(&o);
	add_descriptor(&o, TYPE_LAYER, a->layer, a->size);
	json_out_end(&o);
	json_out_key(&o, "annotations");
	json_out_object(&o);
	json_out_member(&o, KEY_CONTAINERD, container);
	json_out_member(&o, KEY_CRIO, container);
	json_out_end(&o);
	json_out_end(&o);
}

int archive_open(const char *path, const char *container, struct archive *ret, int *ret_mended,
		 struct error *err)
{
	AUTO(archive_done) struct archive a = ARCHIVE_INIT;
	struct stat st;

	a.fd = open(path, O_RDWR | O_CLOEXEC);
	if (a.fd < 0 || fstat(a.fd, &st) < 0)
		return error_errno(err, "open %s", path);
	a.size = st.st_size;
	if (mend_timers(a.fd, a.size, ret_mended, err) < 0 || hash_file(a.fd, a.layer, err) < 0)
		return error_wrap(err, "container %s", container);
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
	if (a->fd >= 0)
		close(a->fd);
	str_done(&a->config_text);
	str_done(&a->manifest_text);
	*a = (struct archive)ARCHIVE_INIT;
}
