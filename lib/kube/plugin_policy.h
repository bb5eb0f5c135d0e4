/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MCKUBE_KUBE_PLUGIN_POLICY_H
#define MCKUBE_KUBE_PLUGIN_POLICY_H

#include "base/error.h"
#include "kube/kubeconfig.h"

/* Which credential plugins the user lets run: credentialPluginPolicy and credentialPluginAllowlist
 * of kubectl's kuberc (kubectl.config.k8s.io/v1beta1 Preference), in $KUBERC or ~/.kube/kuberc.
 * kubectl does not hand it to plugins like us, so it is read here. KUBERC=off and
 * KUBECTL_KUBERC=false mean that there is none. */

enum plugin_policy_kind { PLUGINS_ALLOW_ALL, PLUGINS_DENY_ALL, PLUGINS_ALLOWLIST };

struct plugin_policy {
	struct arena arena;
	enum plugin_policy_kind kind;
	struct text_list names; /* of programs; looked up in PATH unless they hold a '/' */
};

/* The user's file. One that is not there allows everything, one that cannot be read is an error. */
int plugin_policy_load(struct plugin_policy *ret, struct error *err);
int plugin_policy_parse(const char *text, size_t n, struct plugin_policy *ret, struct error *err);

/* The file that the plugin's command means, found once: it is what is checked and what is run. The
 * caller frees it. */
int plugin_find(const struct kube_exec *exec, char **ret, struct error *err);

/* May this file run? */
int plugin_policy_check(const struct plugin_policy *p, const char *program, struct error *err);

void plugin_policy_done(struct plugin_policy *p);

#endif
