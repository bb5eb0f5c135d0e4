/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_KUBE_CA_FILE_H
#define MCKUBE_KUBE_CA_FILE_H

/* Where this machine keeps the certificates that a server is checked against whose kubeconfig names
 * none: $SSL_CERT_FILE, as kubectl has it; else `preset`, which libcurl was built with (NULL:
 * none); else the first that exists of the files that distributions have. NULL: none was found, and
 * no server is trusted. */
const char *ca_file_find(const char *preset);

#endif
