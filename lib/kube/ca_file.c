/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/ca_file.h"

#include <stdlib.h>
#include <unistd.h>

static const char *const files[] = {
	"/etc/ssl/certs/ca-certificates.crt", /* Debian, Arch, Gentoo */
	"/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora, RHEL */
	"/etc/ssl/ca-bundle.pem",	      /* SUSE */
	"/etc/ssl/cert.pem",		      /* Alpine */
	NULL,
};

const char *ca_file_find(const char *preset)
{
	const char *own = getenv("SSL_CERT_FILE");

	if (own && *own)
		return own;
	if (preset && access(preset, R_OK) == 0)
		return preset;
	for (const char *const *file = files; *file; file++)
		if (access(*file, R_OK) == 0)
			return *file;
	return NULL;
}
