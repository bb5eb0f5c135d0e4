/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/target_check.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/array.h"
#include "kube/header.h"
#include "kube/proxy.h"

static int check_file(const char *what, const char *path, struct error *err)
{
	if (path && access(path, R_OK) < 0)
		return error_errno(err, "unable to read %s %s", what, path);
	return 0;
}

int cluster_check(const struct kube_cluster *c, struct error *err)
{
	if (!c->server && !c->name)
		return error_set(
			err, -ENOENT,
			"no cluster is configured: set KUBECONFIG, --kubeconfig or --server");
	if (!c->server)
		return error_set(err, -EINVAL, "cluster \"%s\" has no server", c->name);
	if (c->ca_file && c->ca_data.s)
		return error_set(err, -EINVAL,
				 "cluster \"%s\" has certificate-authority and "
				 "certificate-authority-data",
				 c->name);
	if (c->is_insecure && (c->ca_file || c->ca_data.s))
		return error_set(err, -EINVAL,
				 "cluster \"%s\" has a certificate authority and "
				 "insecure-skip-tls-verify",
				 c->name);
	if (c->proxy_url && proxy_check(c->proxy_url, "proxy-url", err) < 0)
		return -EINVAL;
	return check_file("certificate-authority", c->ca_file, err);
}

static int check_certificate(const struct kube_user *u, const char *name, struct error *err)
{
	bool has_cert = u->cert_file || u->cert_data.s;
	bool has_key = u->key_file || u->key_data.s;

	if (u->cert_file && u->cert_data.s)
		return error_set(err, -EINVAL,
				 "user \"%s\" has client-certificate and client-certificate-data",
				 name);
	if (has_cert && u->key_file && u->key_data.s)
		return error_set(err, -EINVAL, "user \"%s\" has client-key and client-key-data",
				 name);
	if (has_cert && !has_key)
		return error_set(err, -EINVAL, "user \"%s\" has a client certificate without a key",
				 name);
	if (!has_cert)
		return 0;
	if (check_file("client-certificate", u->cert_file, err) < 0)
		return -EINVAL;
	return check_file("client-key", u->key_file, err);
}

static int check_exec(const struct kube_exec *e, const char *name, struct error *err)
{
	static const char *const modes[] = { "Never", "IfAvailable", "Always", NULL };
	bool is_beta = e->api_version &&
		       strcmp(e->api_version, "client.authentication.k8s.io/v1beta1") == 0;
	bool is_v1 =
		e->api_version && strcmp(e->api_version, "client.authentication.k8s.io/v1") == 0;
	const char *const *mode = modes;

	if (!e->command)
		return error_set(err, -EINVAL, "user \"%s\": exec has no command", name);
	if (!is_beta && !is_v1)
		return error_set(err, -EINVAL,
				 "user \"%s\": exec.apiVersion is %s: must be "
				 "client.authentication.k8s.io/v1 or v1beta1",
				 name, e->api_version ? e->api_version : "not given");
	for (size_t i = 0; i < e->n_env; i++)
		if (!e->env[i].name)
			return error_set(err, -EINVAL, "user \"%s\": exec.env[%zu] has no name",
					 name, i);
	if (!e->interactive_mode)
		return is_beta ? 0
			       : error_set(err, -EINVAL, "user \"%s\": exec has no interactiveMode",
					   name);
	while (*mode && strcmp(*mode, e->interactive_mode) != 0)
		mode++;
	return *mode ? 0
		     : error_set(err, -EINVAL, "user \"%s\": exec.interactiveMode is %s", name,
				 e->interactive_mode);
}

static int check_header(const char *name, const char *field, const char *value, struct error *err)
{
	if (!value || header_value_is_valid(value))
		return 0;
	return error_set(err, -EINVAL,
			 "user \"%s\": %s: must not be blank or hold control characters", name,
			 field);
}

/* What is sent in headers. libcurl would leave a blank one out: the request then runs with the
 * caller's own rights. */
static int check_headers(const struct kube_user *u, const char *name, struct error *err)
{
	if (check_header(name, "token", u->token, err) < 0 ||
	    check_header(name, "as", u->as, err) < 0 ||
	    check_header(name, "as-uid", u->as_uid, err) < 0)
		return -EINVAL;
	for (size_t i = 0; i < u->as_groups.n; i++)
		if (check_header(name, "as-groups", u->as_groups.items[i], err) < 0)
			return -EINVAL;
	for (size_t i = 0; i < u->n_as_extra; i++)
		if (check_header(name, "as-user-extra", u->as_extra[i].value, err) < 0)
			return -EINVAL;
	return 0;
}

int user_check(const struct kube_user *u, struct error *err)
{
	const char *name = u->name ? u->name : "";
	bool has_basic = u->username || u->password;

	if (u->token && has_basic)
		return error_set(err, -EINVAL,
				 "user \"%s\" has more than one authentication method: token and "
				 "basic",
				 name);
	if (u->exec && u->auth_provider)
		return error_set(err, -EINVAL, "user \"%s\" has auth-provider and exec", name);
	if (u->auth_provider)
		return error_set(
			err, -ENOTSUP,
			"user \"%s\": auth-provider %s is not supported: use an exec plugin", name,
			u->auth_provider);
	if (!u->as && (u->as_uid || u->as_groups.n || u->n_as_extra))
		return error_set(err, -EINVAL,
				 "user \"%s\": as-uid, as-groups and as-user-extra need `as`",
				 name);
	if (u->exec && check_exec(u->exec, name, err) < 0)
		return -EINVAL;
	if (check_headers(u, name, err) < 0)
		return -EINVAL;
	return check_certificate(u, name, err);
}
