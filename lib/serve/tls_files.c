/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/tls_files.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"

static int read_one(const char *path, char **ret, struct stat *ret_seen, struct error *err)
{
	struct str text = STR_INIT_MAX(TLS_FILE_MAX);

	if (stat(path, ret_seen) < 0)
		return error_errno(err, "%s", path);
	int r = file_read(path, &text, err);
	if (r == 0)
		*ret = str_detach(&text);
	str_done(&text);
	return r;
}

int tls_files_read(const char *cert_file, const char *key_file, struct tls_files *ret,
		   struct error *err)
{
	*ret = (struct tls_files){ 0 };
	if (read_one(cert_file, &ret->cert, &ret->seen[0], err) == 0 &&
	    read_one(key_file, &ret->key, &ret->seen[1], err) == 0)
		return 0;
	tls_files_done(ret);
	return err->code;
}

static bool has_changed(const char *path, const struct stat *seen)
{
	struct stat now;

	return stat(path, &now) == 0 &&
	       (now.st_ino != seen->st_ino || now.st_dev != seen->st_dev ||
		now.st_size != seen->st_size || now.st_mtim.tv_sec != seen->st_mtim.tv_sec ||
		now.st_mtim.tv_nsec != seen->st_mtim.tv_nsec);
}

bool tls_files_have_changed(const struct tls_files *t, const char *cert_file, const char *key_file)
{
	return has_changed(cert_file, &t->seen[0]) || has_changed(key_file, &t->seen[1]);
}

void tls_files_done(struct tls_files *t)
{
	if (t->key)
		explicit_bzero(t->key, strlen(t->key));
	free(t->key);
	free(t->cert);
	t->key = t->cert = NULL;
}
