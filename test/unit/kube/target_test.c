/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/target.h"

#include <string.h>

#include "base/auto.h"
#include "test/unit/test.h"

/* A folder with the files of a test; $KUBECONFIG names them all. */
struct fixture {
	char folder[64];
	struct str list;
	struct kube_overrides flags;
	struct kube_environment env;
	struct kube_target target;
	struct error err;
};

static void put(struct fixture *f, const char *name, const char *text)
{
	AUTO_FREE char *path = xasprintf("%s/%s", f->folder, name);
	AUTO_FILE FILE *file = fopen(path, "we");

	assert_non_null(file);
	fputs(text, file);
}

static void put_config(struct fixture *f, const char *name, const char *text)
{
	put(f, name, text);
	str_addf(&f->list, "%s%s/%s", f->list.n ? ":" : "", f->folder, name);
	f->env.kubeconfig = f->list.s;
}

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	strcpy(f->folder, "/tmp/mckube-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	f->list = (struct str)STR_INIT;
	f->env.home = "/nonexistent";
	f->env.account_dir = f->folder;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = { "a", "b", "token", "namespace", "ca.crt" };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		AUTO_FREE char *path = xasprintf("%s/%s", f->folder, names[i]);

		unlink(path);
	}
	rmdir(f->folder);
	kube_target_done(&f->target);
	array_done(&f->flags.as_groups);
	array_done(&f->flags.as_extra);
	str_done(&f->list);
	free(f);
	return 0;
}

static int load(struct fixture *f)
{
	kube_target_done(&f->target);
	f->err = ERROR_INIT;
	return kube_target_load(&f->flags, &f->env, &f->target, &f->err);
}

static void refuses(struct fixture *f, const char *message)
{
	assert_true(load(f) < 0);
	if (!strstr(f->err.msg, message))
		fail_msg("\"%s\" does not say \"%s\"", f->err.msg, message);
}

static const char one[] = "clusters:\n"
			  "- name: c\n"
			  "  cluster: {server: 'https://one:6443/', tls-server-name: inner}\n"
			  "users:\n"
			  "- name: u\n"
			  "  user: {token: secret}\n"
			  "contexts:\n"
			  "- name: x\n"
			  "  context: {cluster: c, user: u, namespace: team}\n"
			  "current-context: x\n";

TEST_WITH(reads_context_cluster_and_user, setup, teardown)
{
	struct fixture *f = *state;

	put_config(f, "a", one);
	assert_int_equal(load(f), 0);
	assert_string_equal(f->target.cluster.server, "https://one:6443");
	assert_string_equal(f->target.cluster.tls_server_name, "inner");
	assert_string_equal(f->target.user.token, "secret");
	assert_string_equal(f->target.ns, "team");
	assert_string_equal(f->target.context, "x");
}

TEST_WITH(server_flag_drops_tls_server_name, setup, teardown)
{
	struct fixture *f = *state;

	put_config(f, "a", one);
	f->flags.server = "https://other";
	assert_int_equal(load(f), 0);
	assert_null(f->target.cluster.tls_server_name);
	f->flags.tls_server_name = "mine";
	assert_int_equal(load(f), 0);
	assert_string_equal(f->target.cluster.tls_server_name, "mine");
}

TEST_WITH(ca_and_insecure_flags_drop_the_files_ca, setup, teardown)
{
	struct fixture *f = *state;

	put_config(f, "a",
		   "clusters: [{name: c, cluster: {server: 'https://h', "
		   "certificate-authority-data: YWJj}}]\n"
		   "contexts: [{name: x, context: {cluster: c}}]\ncurrent-context: x\n");
	assert_int_equal(load(f), 0);
	assert_memory_equal(f->target.cluster.ca_data.s, "abc", 3);
	f->flags.is_insecure = true;
	assert_int_equal(load(f), 0);
	assert_null(f->target.cluster.ca_data.s);
	assert_true(f->target.cluster.is_insecure);
}

TEST_WITH(token_flag_drops_the_token_file, setup, teardown)
{
	struct fixture *f = *state;

	put(f, "token", "x");
	put_config(f, "a",
		   "clusters: [{name: c, cluster: {server: 'https://h'}}]\n"
		   "users: [{name: u, user: {tokenFile: token}}]\n"
		   "contexts: [{name: x, context: {cluster: c, user: u}}]\n"
		   "current-context: x\n");
	assert_int_equal(load(f), 0);
	assert_int_equal(f->target.user.token_file[0], '/');
	f->flags.token = "flag";
	assert_int_equal(load(f), 0);
	assert_null(f->target.user.token_file);
	assert_string_equal(f->target.user.token, "flag");
}

TEST_WITH(credentials_are_for_https_only, setup, teardown)
{
	struct fixture *f = *state;

	put_config(f, "a", one);
	f->flags.server = "http://plain";
	f->flags.as = "joe";
	assert_int_equal(load(f), 0);
	assert_null(f->target.user.token);
	assert_string_equal(f->target.user.as, "joe");
}

TEST_WITH(names_that_are_not_there_are_errors, setup, teardown)
{
	struct fixture *f = *state;

	put_config(f, "a", one);
	f->flags.context = "nope";
	refuses(f, "context \"nope\" does not exist");
	f->flags = (struct kube_overrides){ .cluster = "nope" };
	refuses(f, "cluster \"nope\" does not exist");
	f->flags = (struct kube_overrides){ .user = "nope" };
	refuses(f, "user \"nope\" does not exist");
	f->flags = (struct kube_overrides){ .kubeconfig = "/nonexistent/config" };
	refuses(f, "No such file or directory");
}

TEST_WITH(nothing_configured_is_an_error, setup, teardown)
{
	refuses(*state, "no cluster is configured");
}

TEST_WITH(first_file_with_a_name_wins_whole, setup, teardown)
{
	struct fixture *f = *state;

	put_config(f, "a", one);
	put_config(f, "b",
		   "users: [{name: u, user: {token: other, as: joe}}]\n"
		   "current-context: other\n");
	assert_int_equal(load(f), 0);
	assert_string_equal(f->target.user.token, "secret");
	assert_null(f->target.user.as);
}

TEST_WITH(repeated_name_and_wrong_type_are_errors, setup, teardown)
{
	struct fixture *f = *state;

	put_config(f, "a", "users: [{name: u, user: {}}, {name: u, user: {}}]\n");
	refuses(f, "users[1]: duplicate name \"u\"");
	put(f, "a", "clusters: [{name: on, cluster: {server: x}}]\n");
	refuses(f, "clusters[0].name: must be a string");
	put(f, "a", "users: [{name: u, user: {token: 12}}]\n");
	refuses(f, "users[0].user.token: must be a string");
}

/* In every row a user that must be refused, and what is said. */
TEST_WITH(halves_and_doubles_are_errors, setup, teardown)
{
	static const struct {
		const char *user, *message;
	} rows[] = {
		{ "{token: a, username: b}", "more than one authentication method" },
		{ "{client-certificate-data: YQ==}", "a client certificate without a key" },
		{ "{client-certificate: /etc/hostname, client-certificate-data: YQ==}",
		  "client-certificate and client-certificate-data" },
		{ "{auth-provider: {name: oidc}}", "auth-provider oidc is not supported" },
		{ "{as-groups: [a]}", "need `as`" },
		{ "{exec: {command: c, apiVersion: client.authentication.k8s.io/v1alpha1}}",
		  "exec.apiVersion is client.authentication.k8s.io/v1alpha1" },
		{ "{exec: {command: c, apiVersion: client.authentication.k8s.io/v1}}",
		  "no interactiveMode" },
		{ "{exec: {apiVersion: client.authentication.k8s.io/v1beta1}}", "no command" },
	};
	struct fixture *f = *state;

	put_config(f, "a", "");
	f->flags.server = "https://h";
	f->flags.user = "u";
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_FREE char *text = xasprintf("users: [{name: u, user: %s}]\n", rows[i].user);

		put(f, "a", text);
		refuses(f, rows[i].message);
	}
}

TEST_WITH(runs_in_its_own_cluster, setup, teardown)
{
	struct fixture *f = *state;

	put(f, "token", "x");
	put(f, "namespace", "pods-home\n");
	put(f, "ca.crt", "x");
	f->env.service_host = "fd00::1";
	f->env.service_port = "443";
	assert_int_equal(load(f), 0);
	assert_true(f->target.is_in_cluster);
	assert_string_equal(f->target.cluster.server, "https://[fd00::1]:443");
	assert_string_equal(f->target.ns, "pods-home");
	f->env.pod_namespace = "from-env";
	assert_int_equal(load(f), 0);
	assert_string_equal(f->target.ns, "from-env");
	put_config(f, "a", one);
	assert_int_equal(load(f), 0);
	assert_false(f->target.is_in_cluster);
}

TEST_WITH(extras_are_pairs, setup, teardown)
{
	struct fixture *f = *state;

	put_config(f, "a", one);
	f->flags.as = "joe";
	*array_add(&f->flags.as_extra) = "reason=a=b";
	assert_int_equal(load(f), 0);
	assert_string_equal(f->target.user.as_extra[0].name, "reason");
	assert_string_equal(f->target.user.as_extra[0].value, "a=b");
	*array_add(&f->flags.as_extra) = "=x";
	refuses(f, "must be KEY=VALUE");
}

TEST_WITH(server_without_scheme_gets_one, setup, teardown)
{
	struct fixture *f = *state;

	f->flags.server = "host:8080//";
	assert_int_equal(load(f), 0);
	assert_string_equal(f->target.cluster.server, "http://host:8080");
	f->flags.is_insecure = true;
	assert_int_equal(load(f), 0);
	assert_string_equal(f->target.cluster.server, "https://host:8080");
	f->flags.server = "ftp://host";
	refuses(f, "must begin with https://");
}
