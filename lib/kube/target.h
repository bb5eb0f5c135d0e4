/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_KUBE_TARGET_H
#define MCKUBE_KUBE_TARGET_H

#include "base/option.h"
#include "kube/kubeconfig.h"

/* Which API server, with which identity: the outcome of kubeconfig, environment and flags, by the
 * rules of client-go's tools/clientcmd (loader.go, client_config.go, validation.go):
 *
 *  1. the files: --kubeconfig alone, else $KUBECONFIG, else ~/.kube/config;
 *  2. --context or current-context picks the context, --cluster, --user and --namespace its parts,
 *     the other flags their fields. --server drops the file's tls-server-name; a CA or
 *     --insecure-skip-tls-verify from a flag drops the file's CA and insecure; a token, certificate
 *     or key from a flag drops the file's other form of it;
 *  3. where nothing is configured and a service account is mounted, the cluster that we run in;
 *  4. two forms of the same credential, two methods, or a credential without its other half are
 *     errors, so is a server that is not there: there is no default of localhost:8080. */

/* What kubectl's global flags say; NULL and zero mean "not given". kube_global_options has a row
 * for each but --namespace, which is the program's own. */
struct kube_overrides {
	const char *kubeconfig, *context, *cluster, *user, *ns;
	const char *server, *tls_server_name, *ca_file;
	const char *cert_file, *key_file, *token, *username, *password;
	const char *as, *as_uid;
	struct option_list as_groups, as_extra; /* as_extra: "key=value" */
	const char *cache_dir;	 /* accepted, and not used: nothing is cached on disk */
	int64_t request_timeout; /* ns */
	bool is_insecure, disables_compression;
	bool warnings_are_errors;
};

extern const struct option kube_global_options[];

/* Where to look; kube_environment() fills it from the process's environment. */
struct kube_environment {
	const char *kubeconfig;			 /* $KUBECONFIG */
	const char *home;			 /* $HOME */
	const char *service_host, *service_port; /* $KUBERNETES_SERVICE_HOST, _PORT */
	const char *pod_namespace;		 /* $POD_NAMESPACE */
	const char *account_dir;		 /* /var/run/secrets/kubernetes.io/serviceaccount */
};

struct kube_environment kube_environment(void);

struct kube_target {
	struct kubeconfig config; /* owns the texts below that came from files */
	struct kube_cluster cluster;
	struct kube_user user;
	const char *context; /* its name; "" when there is none */
	const char *ns;	     /* flag, then context, then "default" */
	int64_t timeout_ms;  /* --request-timeout; 0: none */
	bool is_in_cluster;
};

int kube_target_load(const struct kube_overrides *flags, const struct kube_environment *env,
		     struct kube_target *ret, struct error *err);
void kube_target_done(struct kube_target *t);

/* Only the files, merged by rule 1: for completion of contexts, clusters and users. */
int kube_files_load(const struct kube_overrides *flags, const struct kube_environment *env,
		    struct kubeconfig *ret, struct error *err);

#endif
