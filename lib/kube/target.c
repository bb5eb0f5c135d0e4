/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/target.h"

#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/file.h"
#include "kube/proxy.h"
#include "kube/target_check.h"

enum { NAMESPACE_MAX_BYTES = 255 };

const struct option kube_global_options[] = {
	OPT_STRING(0, "kubeconfig", struct kube_overrides, kubeconfig, "FILE",
		   "read this kubeconfig and no other", .complete = "file"),
	OPT_STRING(0, "context", struct kube_overrides, context, "NAME",
		   "the kubeconfig's context to use", .complete = "context"),
	OPT_STRING(0, "cluster", struct kube_overrides, cluster, "NAME",
		   "the kubeconfig's cluster to use", .complete = "cluster"),
	OPT_STRING(0, "user", struct kube_overrides, user, "NAME", "the kubeconfig's user to use",
		   .complete = "user"),
	OPT_STRING('s', "server", struct kube_overrides, server, "URL", "the API server's address"),
	OPT_STRING(0, "tls-server-name", struct kube_overrides, tls_server_name, "NAME",
		   "the name that the server's certificate must have"),
	OPT_BOOL(0, "insecure-skip-tls-verify", struct kube_overrides, is_insecure,
		 "do not check the server's certificate: insecure"),
	OPT_STRING(0, "certificate-authority", struct kube_overrides, ca_file, "FILE",
		   "certificates that may have signed the server's", .complete = "file"),
	OPT_STRING(0, "client-certificate", struct kube_overrides, cert_file, "FILE",
		   "client certificate for TLS", .complete = "file"),
	OPT_STRING(0, "client-key", struct kube_overrides, key_file, "FILE",
		   "the client certificate's key", .complete = "file"),
	OPT_STRING(0, "token", struct kube_overrides, token, "TOKEN", "bearer token"),
	OPT_STRING(0, "username", struct kube_overrides, username, "NAME",
		   "user name for basic authentication"),
	OPT_STRING(0, "password", struct kube_overrides, password, "PASSWORD",
		   "password for basic authentication"),
	OPT_STRING(0, "as", struct kube_overrides, as, "USER", "act as this user"),
	OPT_STRING(0, "as-uid", struct kube_overrides, as_uid, "UID", "act with this uid"),
	OPT_STRINGS(0, "as-group", struct kube_overrides, as_groups, "GROUP",
		    "act with this group; may be given several times"),
	OPT_STRINGS(0, "as-user-extra", struct kube_overrides, as_extra, "KEY=VALUE",
		    "act with this extra; may be given several times"),
	OPT_DURATION(0, "request-timeout", struct kube_overrides, request_timeout,
		     "give up on a single request after this time; 0 waits forever"),
	OPT_BOOL(0, "disable-compression", struct kube_overrides, disables_compression,
		 "do not ask the server to compress"),
	OPT_STRING(0, "cache-dir", struct kube_overrides, cache_dir, "FOLDER",
		   "ignored: nothing is cached on disk", .complete = "file"),
	OPT_BOOL(0, "warnings-as-errors", struct kube_overrides, warnings_are_errors,
		 "end with an error when the server warned"),
	{},
};

struct kube_environment kube_environment(void)
{
	return (struct kube_environment){
		.kubeconfig = getenv("KUBECONFIG"),
		.home = getenv("HOME"),
		.service_host = getenv("KUBERNETES_SERVICE_HOST"),
		.service_port = getenv("KUBERNETES_SERVICE_PORT"),
		.pod_namespace = getenv("POD_NAMESPACE"),
		.account_dir = "/var/run/secrets/kubernetes.io/serviceaccount",
	};
}

static bool is_given(const char *s)
{
	return s && *s;
}

/* An allocated copy in the target's arena; NULL for "". */
static const char *keep(struct kube_target *t, const char *s)
{
	return is_given(s) ? arena_strndup(&t->config.arena, s, strlen(s)) : NULL;
}

int kube_files_load(const struct kube_overrides *flags, const struct kube_environment *env,
		    struct kubeconfig *ret, struct error *err)
{
	if (is_given(flags->kubeconfig))
		return kubeconfig_add_file(ret, flags->kubeconfig, err);
	if (is_given(env->kubeconfig))
		return kubeconfig_add_list(ret, env->kubeconfig, err);
	if (!is_given(env->home))
		return 0;

	AUTO_FREE char *path = xasprintf("%s/.kube/config", env->home);
	return kubeconfig_add_list(ret, path, err);
}

/* Picking the context and its parts. */

static int pick_context(struct kube_target *t, const struct kube_overrides *flags,
			struct kube_context *ret, struct error *err)
{
	const char *name = is_given(flags->context) ? flags->context : t->config.current_context;

	t->context = is_given(name) ? keep(t, name) : "";
	if (is_given(name)) {
		const struct kube_context *found = kubeconfig_context(&t->config, name);

		if (!found)
			return error_set(err, -ENOENT, "context \"%s\" does not exist", name);
		*ret = *found;
	}
	if (is_given(flags->cluster))
		ret->cluster = flags->cluster;
	if (is_given(flags->user))
		ret->user = flags->user;
	if (is_given(flags->ns))
		ret->ns = flags->ns;
	return 0;
}

static int pick_cluster(struct kube_target *t, const char *name, struct error *err)
{
	if (!is_given(name))
		return 0;

	const struct kube_cluster *found = kubeconfig_cluster(&t->config, name);
	if (!found)
		return error_set(err, -ENOENT, "cluster \"%s\" does not exist", name);
	t->cluster = *found;
	return 0;
}

static int pick_user(struct kube_target *t, const char *name, struct error *err)
{
	if (!is_given(name))
		return 0;

	const struct kube_user *found = kubeconfig_user(&t->config, name);
	if (!found)
		return error_set(err, -ENOENT, "user \"%s\" does not exist", name);
	t->user = *found;
	return 0;
}

/* Laying the flags on top. */

static void override_cluster(struct kube_target *t, const struct kube_overrides *f)
{
	struct kube_cluster *c = &t->cluster;

	if (f->is_insecure || is_given(f->ca_file)) {
		c->is_insecure = f->is_insecure;
		c->ca_file = keep(t, f->ca_file);
		c->ca_data = (struct slice){ 0 };
	}
	if (is_given(f->server))
		c->server = keep(t, f->server);
	if (is_given(f->server) || is_given(f->tls_server_name))
		c->tls_server_name = keep(t, f->tls_server_name);
	c->disables_compression |= f->disables_compression;
}

static void override_credentials(struct kube_target *t, const struct kube_overrides *f)
{
	struct kube_user *u = &t->user;

	if (is_given(f->token)) {
		u->token = keep(t, f->token);
		u->token_file = NULL;
	}
	if (is_given(f->cert_file)) {
		u->cert_file = keep(t, f->cert_file);
		u->cert_data = (struct slice){ 0 };
	}
	if (is_given(f->key_file)) {
		u->key_file = keep(t, f->key_file);
		u->key_data = (struct slice){ 0 };
	}
	if (is_given(f->username))
		u->username = keep(t, f->username);
	if (is_given(f->password))
		u->password = keep(t, f->password);
}

static int override_extra(struct kube_target *t, const struct option_list *list, struct error *err)
{
	struct kube_user *u = &t->user;
	struct kube_pair *all =
		arena_new(&t->config.arena, struct kube_pair, u->n_as_extra + list->n + 1);

	if (u->n_as_extra)
		memcpy(all, u->as_extra, u->n_as_extra * sizeof(*all));
	u->as_extra = all;
	for (size_t i = 0; i < list->n; i++) {
		const char *equals = strchr(list->items[i], '=');

		if (!equals || equals == list->items[i])
			return error_set(err, -EINVAL, "--as-user-extra %s: must be KEY=VALUE",
					 list->items[i]);
		all[u->n_as_extra++] = (struct kube_pair){
			arena_strndup(&t->config.arena, list->items[i],
				      (size_t)(equals - list->items[i])),
			arena_strndup(&t->config.arena, equals + 1, strlen(equals + 1)),
		};
	}
	return 0;
}

static int override_identity(struct kube_target *t, const struct kube_overrides *f,
			     struct error *err)
{
	struct kube_user *u = &t->user;

	if (is_given(f->as))
		u->as = keep(t, f->as);
	if (is_given(f->as_uid))
		u->as_uid = keep(t, f->as_uid);
	if (f->as_groups.n > 0) {
		u->as_groups.n = f->as_groups.n;
		u->as_groups.items = arena_new(&t->config.arena, const char *, f->as_groups.n);
		for (size_t i = 0; i < f->as_groups.n; i++)
			u->as_groups.items[i] = keep(t, f->as_groups.items[i]);
	}
	return override_extra(t, &f->as_extra, err);
}

/* The cluster that we run in (client-go rest.InClusterConfig). */

static bool is_in_cluster(const struct kube_target *t, const struct kube_overrides *f,
			  const struct kube_environment *env)
{
	AUTO_FREE char *token = xasprintf("%s/token", env->account_dir);

	for (size_t i = 0; i < KUBECONFIG_LISTS; i++)
		if (t->config.lists[i].n)
			return false;
	return !is_given(f->server) && !is_given(f->context) && !is_given(f->cluster) &&
	       is_given(env->service_host) && is_given(env->service_port) &&
	       access(token, R_OK) == 0;
}

static const char *account_namespace(struct kube_target *t, const struct kube_environment *env)
{
	AUTO_FREE char *path = xasprintf("%s/namespace", env->account_dir);
	AUTO(str_done) struct str text = STR_INIT_MAX(NAMESPACE_MAX_BYTES);

	if (is_given(env->pod_namespace))
		return keep(t, env->pod_namespace);
	if (file_read(path, &text, NULL) < 0)
		return NULL;
	str_cut(&text, strcspn(text.s, " \t\r\n"));
	return text.n ? keep(t, text.s) : NULL;
}

static void use_own_cluster(struct kube_target *t, const struct kube_environment *env,
			    struct kube_context *context)
{
	bool is_ipv6 = strchr(env->service_host, ':');
	AUTO_FREE char *server =
		xasprintf("https://%s%s%s:%s", is_ipv6 ? "[" : "", env->service_host,
			  is_ipv6 ? "]" : "", env->service_port);
	AUTO_FREE char *ca = xasprintf("%s/ca.crt", env->account_dir);
	AUTO_FREE char *token = xasprintf("%s/token", env->account_dir);

	t->is_in_cluster = true;
	t->cluster.server = keep(t, server);
	if (access(ca, R_OK) == 0)
		t->cluster.ca_file = keep(t, ca);
	t->user.token_file = keep(t, token);
	if (!context->ns)
		context->ns = account_namespace(t, env);
}

/* An address without a scheme gets one as client-go's DefaultServerURL gives it; slashes at the end
 * go away. Credentials are only for https (client_config.go: "only if we are secure"). */
static int finish_server(struct kube_target *t, struct error *err)
{
	struct kube_cluster *c = &t->cluster;
	bool is_tls = c->ca_file || c->ca_data.s || c->is_insecure || t->user.cert_file ||
		      t->user.cert_data.s;
	const char *scheme = strstr(c->server, "://") ? "" : is_tls ? "https://" : "http://";
	AUTO_FREE char *url = xasprintf("%s%s", scheme, c->server);
	size_t n = strcspn(url, "?#");

	while (n > 0 && url[n - 1] == '/')
		n--;
	url[n] = '\0';
	AUTO_FREE char *shown = url_redacted(c->server);
	if (strncasecmp(url, "https://", 8) != 0 && strncasecmp(url, "http://", 7) != 0)
		return error_set(err, -EINVAL, "server %s: must begin with https:// or http://",
				 shown);
	if (!*(strstr(url, "://") + 3))
		return error_set(err, -EINVAL, "server %s: names no host", shown);
	c->server = keep(t, url);
	return 0;
}

static bool is_secure(const struct kube_target *t)
{
	return strncasecmp(t->cluster.server, "https://", 8) == 0;
}

static void drop_credentials(struct kube_user *u)
{
	*u = (struct kube_user){
		.name = u->name,
		.as = u->as,
		.as_uid = u->as_uid,
		.as_groups = u->as_groups,
		.as_extra = u->as_extra,
		.n_as_extra = u->n_as_extra,
	};
}

static int load(const struct kube_overrides *flags, const struct kube_environment *env,
		struct kube_target *t, struct error *err)
{
	struct kube_context context = { 0 };

	if (kube_files_load(flags, env, &t->config, err) < 0 ||
	    pick_context(t, flags, &context, err) < 0 || pick_user(t, context.user, err) < 0 ||
	    pick_cluster(t, context.cluster, err) < 0)
		return -1;
	if (is_in_cluster(t, flags, env))
		use_own_cluster(t, env, &context);
	override_cluster(t, flags);
	override_credentials(t, flags);
	if (override_identity(t, flags, err) < 0 || cluster_check(&t->cluster, err) < 0 ||
	    user_check(&t->user, err) < 0 || finish_server(t, err) < 0)
		return -1;
	if (!is_secure(t))
		drop_credentials(&t->user);
	t->ns = is_given(context.ns) ? keep(t, context.ns) : "default";
	t->timeout_ms = flags->request_timeout / 1000000;
	return 0;
}

int kube_target_load(const struct kube_overrides *flags, const struct kube_environment *env,
		     struct kube_target *ret, struct error *err)
{
	struct error local = ERROR_INIT;
	struct kube_target t = { 0 };

	if (load(flags, env, &t, &local) < 0) {
		kube_target_done(&t);
		return error_set(err, local.code, "%s", local.msg);
	}
	*ret = t;
	return 0;
}

void kube_target_done(struct kube_target *t)
{
	kubeconfig_done(&t->config);
	*t = (struct kube_target){ 0 };
}
