/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_KUBE_KUBECONFIG_H
#define MCKUBE_KUBE_KUBECONFIG_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/error.h"
#include "base/str.h"

/* kubeconfig files, read and merged as client-go's tools/clientcmd does it (loader.go):
 *
 *  - a name in clusters, users or contexts belongs, as a whole, to the first file that has it; a
 *    duplicate name in one file is an error;
 *  - current-context is that of the first file where it is not empty;
 *  - relative paths are resolved against the folder of the file that has them; exec.command only
 *    when it holds a '/';
 *  - unknown keys pass, a value of another type is an error, and so is a file that cannot be read.
 *
 * Texts are NULL when they were not given or are empty, and belong to the arena. */

struct text_list {
	const char **items;
	size_t n;
};

struct kube_pair {
	const char *name, *value;
};

struct kube_exec {
	const char *command, *api_version, *install_hint, *interactive_mode;
	struct text_list args;
	struct kube_pair *env;
	size_t n_env;
	bool provides_cluster_info;
};

struct kube_cluster {
	const char *name;
	const char *server, *tls_server_name, *ca_file, *proxy_url;
	struct slice ca_data; /* decoded; `s` NULL: not given */
	bool is_insecure, disables_compression;
	const char *exec_config; /* JSON text of extension client.authentication.k8s.io/exec */
};

/* Impersonate-Extra-<name>, one value a row. */
struct kube_user {
	const char *name;
	const char *cert_file, *key_file, *token, *token_file, *username, *password;
	struct slice cert_data, key_data;
	const char *as, *as_uid;
	struct text_list as_groups;
	struct kube_pair *as_extra;
	size_t n_as_extra;
	struct kube_exec *exec;
	const char
		*auth_provider; /* its name: nothing speaks for it here, but the error names it */
};

struct kube_context {
	const char *name;
	const char *cluster, *user, *ns;
};

enum kubeconfig_list {
	KUBECONFIG_CLUSTERS,
	KUBECONFIG_USERS,
	KUBECONFIG_CONTEXTS,
	KUBECONFIG_LISTS
};

/* What the entries of all lists begin with. */
struct kube_entry {
	const char *name;
};

struct kubeconfig {
	struct arena arena;
	ARRAY(const struct kube_entry *) lists[KUBECONFIG_LISTS];
	const char *current_context;
};

enum { KUBECONFIG_MAX_BYTES = 16 << 20 };

/* Adds one file; earlier ones win. Zeroed is an empty configuration. */
int kubeconfig_add_file(struct kubeconfig *c, const char *path, struct error *err);

/* The same from memory; `path` names it in errors and its folder is where relative paths begin. */
int kubeconfig_add_text(struct kubeconfig *c, const char *text, size_t n, const char *path,
			struct error *err);

/* The files of a list like $KUBECONFIG's, separated by ':'. Empty entries, repeated ones and files
 * that do not exist are passed over. */
int kubeconfig_add_list(struct kubeconfig *c, const char *list, struct error *err);

/* NULL where there is none of that name. */
const struct kube_cluster *kubeconfig_cluster(const struct kubeconfig *c, const char *name);
const struct kube_user *kubeconfig_user(const struct kubeconfig *c, const char *name);
const struct kube_context *kubeconfig_context(const struct kubeconfig *c, const char *name);

void kubeconfig_done(struct kubeconfig *c);

#endif
