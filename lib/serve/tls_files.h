/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_SERVE_TLS_FILES_H
#define MCKUBE_SERVE_TLS_FILES_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/error.h"

/* A certificate and its key, as PEM, from two files that change while the program runs: those of a
 * Secret are replaced before the certificate expires. */
struct tls_files {
	char *cert, *key;
	struct stat seen[2];
};

enum { TLS_FILE_MAX = 256 << 10 };

int tls_files_read(const char *cert_file, const char *key_file, struct tls_files *ret,
		   struct error *err);

/* Is one of the files another than was read? One that is gone has not changed. */
bool tls_files_have_changed(const struct tls_files *t, const char *cert_file, const char *key_file);

/* Forgets the key. */
void tls_files_done(struct tls_files *t);

#endif
