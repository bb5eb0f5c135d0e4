/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_KUBE_EXEC_PLUGIN_H
#define MCKUBE_KUBE_EXEC_PLUGIN_H

#include "base/error.h"
#include "kube/kubeconfig.h"

/* Credential plugins: a program that prints an ExecCredential (client.authentication.k8s.io/v1 and
 * v1beta1, KEP-541). It is started by name and arguments, never through a shell; what it prints is
 * parsed and never shown. Its standard error is ours, its standard input ours only when it may
 * talk to the user. */

struct credential {
	char *token;	      /* allocated; NULL: none */
	struct str cert, key; /* PEM; empty: none */
	int64_t expires;      /* seconds since 1970; 0: with this process */
};

#define CREDENTIAL_INIT                            \
	{                                          \
		.cert = STR_INIT, .key = STR_INIT, \
	}

enum { CREDENTIAL_MAX_BYTES = 1 << 20 };

/* Runs `program`, which plugin_find() found. `cluster` is given to a plugin that asks for it. */
int exec_plugin_run(const struct kube_exec *exec, const char *program,
		    const struct kube_cluster *cluster, struct credential *ret, struct error *err);

/* The reply's check and decoding, by itself. */
int exec_plugin_parse(const struct kube_exec *exec, const char *text, size_t n,
		      struct credential *ret, struct error *err);

void credential_done(struct credential *c);

#endif
