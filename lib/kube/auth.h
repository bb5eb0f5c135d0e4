/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_KUBE_AUTH_H
#define MCKUBE_KUBE_AUTH_H

#include "kube/target.h"

/* Credentials, request by request: they change while a program runs.
 *
 *  - a token file (in-cluster ones are rotated) is read again every 50 seconds, as by client-go's
 *    cached source; while it cannot be read the last token stays;
 *  - an exec plugin runs when first needed, when what it gave has expired, and once after a 401; it
 *    is not asked where a token, a password or a certificate is configured besides. kuberc's
 *    policy is kept. Nothing is cached outside this process. */
struct kube_auth;

/* The target must outlive it. */
struct kube_auth *kube_auth_new(const struct kube_target *t);
void kube_auth_free(struct kube_auth *a);

/* Valid until the next call on the same kube_auth; NULL and empty are "none". */
struct kube_identity {
	const char *token;
	const char *username, *password;
	const char *cert_file, *key_file;
	struct slice cert, key; /* PEM */
	unsigned generation;	/* another number: all but the token may be another too */
};

int kube_auth_get(struct kube_auth *a, struct kube_identity *ret, struct error *err);

/* The server said 401 to what kube_auth_get() gave last. True: ask again, there may be something
 * newer. */
bool kube_auth_was_refused(struct kube_auth *a);

#endif
