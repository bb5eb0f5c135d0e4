/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/auth.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "kube/exec_plugin.h"
#include "kube/plugin_policy.h"
#include "test/unit/test.h"

#define V1 "client.authentication.k8s.io/v1"

static char folder[64];

static char *put(const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", folder, name);
	AUTO_FILE FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(text, f);
	fchmod(fileno(f), 0700);
	return path;
}

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/mckube-XXXXXX");
	setenv("KUBERC", "off", 1);
	return !mkdtemp(folder);
}

static int remove_folder(void **state)
{
	static const char *const names[] = { "plugin", "token", "kuberc", "count" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		AUTO_FREE char *path = xasprintf("%s/%s", folder, names[i]);

		unlink(path);
	}
	return rmdir(folder);
}

static void free_auth(struct kube_auth **a)
{
	kube_auth_free(*a);
}

TEST(token_file_is_read_again_after_a_refusal)
{
	AUTO_FREE char *path = put("token", "  first\n");
	struct kube_target t = { .user.token_file = path };
	AUTO(free_auth) struct kube_auth *a = kube_auth_new(&t);
	struct kube_identity id;

	assert_int_equal(kube_auth_get(a, &id, NULL), 0);
	assert_string_equal(id.token, "first");
	free(put("token", "second"));
	assert_int_equal(kube_auth_get(a, &id, NULL), 0);
	assert_string_equal(id.token, "first");
	assert_true(kube_auth_was_refused(a));
	assert_int_equal(kube_auth_get(a, &id, NULL), 0);
	assert_string_equal(id.token, "second");
}

TEST(last_token_stays_while_the_file_is_away)
{
	AUTO_FREE char *path = put("token", "first");
	struct kube_target t = { .user.token_file = path };
	AUTO(free_auth) struct kube_auth *a = kube_auth_new(&t);
	struct kube_identity id;

	assert_int_equal(kube_auth_get(a, &id, NULL), 0);
	unlink(path);
	assert_false(kube_auth_was_refused(a));
	assert_int_equal(kube_auth_get(a, &id, NULL), 0);
	assert_string_equal(id.token, "first");
}

/* The plugin counts its runs in a file, and prints its argument and that number as the token. */
static const char counting_plugin[] =
	"#!/bin/sh\n"
	"echo x >> \"$COUNT\"\n"
	"n=$(wc -l < \"$COUNT\")\n"
	"cat <<END\n"
	"{\"apiVersion\":\"" V1 "\",\"kind\":\"ExecCredential\",\n"
	" \"status\":{\"token\":\"$1-$n\",\"expirationTimestamp\":\"$EXPIRES\"}}\n"
	"END\n";

TEST(plugin_runs_once_until_expiry_or_refusal)
{
	AUTO_FREE char *plugin = put("plugin", counting_plugin);
	AUTO_FREE char *count = xasprintf("%s/count", folder);
	const char *args[] = { "a b; $(touch x) `id`" };
	struct kube_pair env[] = { { "COUNT", count }, { "EXPIRES", "2999-01-01T00:00:00Z" } };
	struct kube_exec exec = { .command = plugin,
				  .api_version = V1,
				  .interactive_mode = "Never",
				  .args = { args, 1 },
				  .env = env,
				  .n_env = 2 };
	struct kube_target t = { .user.exec = &exec };
	AUTO(free_auth) struct kube_auth *a = kube_auth_new(&t);
	struct kube_identity id;

	assert_int_equal(kube_auth_get(a, &id, NULL), 0);
	assert_string_equal(id.token, "a b; $(touch x) `id`-1");
	assert_int_equal(kube_auth_get(a, &id, NULL), 0);
	assert_true(kube_auth_was_refused(a));
	env[1].value = "2001-01-01T00:00:00Z";
	assert_int_equal(kube_auth_get(a, &id, NULL), 0);
	assert_string_equal(id.token, "a b; $(touch x) `id`-2");
	assert_int_equal(kube_auth_get(a, &id, NULL), 0);
	assert_string_equal(id.token, "a b; $(touch x) `id`-3");
}

TEST(configured_token_comes_before_the_plugin)
{
	struct kube_exec exec = { .command = "/nonexistent", .api_version = V1 };
	struct kube_target t = { .user.exec = &exec, .user.token = "own" };
	AUTO(free_auth) struct kube_auth *a = kube_auth_new(&t);
	struct kube_identity id;

	assert_int_equal(kube_auth_get(a, &id, NULL), 0);
	assert_string_equal(id.token, "own");
	assert_false(kube_auth_was_refused(a));
}

TEST(plugin_is_told_about_its_cluster)
{
	AUTO_FREE char *plugin =
		put("plugin", "#!/bin/sh\n"
			      "token=$(printf %s \"$KUBERNETES_EXEC_INFO\" | tr -d '\\n' | sed "
			      "'s/\"/!/g')\n"
			      "echo '{\"apiVersion\":\"" V1 "\",\"kind\":\"ExecCredential\",'\n"
			      "echo \"\\\"status\\\":{\\\"token\\\":\\\"$token\\\"}}\"\n");
	struct kube_exec exec = { .command = plugin,
				  .api_version = V1,
				  .interactive_mode = "Never",
				  .provides_cluster_info = true };
	struct kube_cluster cluster = { .server = "https://h",
					.ca_data = SLICE("abc"),
					.exec_config = "{\"id\":12345678901234567}" };
	AUTO(credential_done) struct credential c = CREDENTIAL_INIT;

	assert_int_equal(exec_plugin_run(&exec, plugin, &cluster, &c, NULL), 0);
	assert_string_equal(c.token,
			    "{!kind!:!ExecCredential!,!apiVersion!:!" V1 "!,!spec!:{!interactive!:"
			    "false,!cluster!:{!server!:!https://h!,!config!:{!id!:"
			    "12345678901234567},!certificate-authority-data!:!YWJj!}}}");
}

TEST(plugin_failures_say_which)
{
	static const struct {
		const char *reply, *message;
	} rows[] = {
		{ "x", "is not JSON" },
		{ "{}", "is no ExecCredential" },
		{ "{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/"
		  "v1beta1\"}",
		  "is configured for " V1 ", but answered in" },
		{ "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\"}", "has no status" },
		{ "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\",\"status\":{}}",
		  "neither token nor certificate" },
		{ "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1
		  "\",\"status\":{\"clientKeyData\":\"k\"}}",
		  "only a certificate or only a key" },
	};
	struct kube_exec exec = { .command = "p", .api_version = V1, .interactive_mode = "Never" };
	struct kube_cluster cluster = { 0 };
	struct credential c = CREDENTIAL_INIT;
	struct error err;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_true(exec_plugin_parse(&exec, rows[i].reply, strlen(rows[i].reply), &c,
					      &err) < 0);
		assert_non_null(strstr(err.msg, rows[i].message));
	}
	assert_true(exec_plugin_run(&exec, "/bin/false", &cluster, &c, &err) < 0);
	assert_non_null(strstr(err.msg, "failed with exit code 1"));
}

static int finds(const char *command, char **ret, struct error *err)
{
	const struct kube_exec exec = { .command = command,
					.install_hint = "see \033[31mhttps://x" };

	return plugin_find(&exec, ret, err);
}

TEST(plugin_that_is_missing_is_named_with_its_hint)
{
	struct error err;
	char *program;

	assert_int_equal(finds("/nonexistent/plugin", &program, &err), -ENOENT);
	assert_string_equal(err.msg, "credential plugin /nonexistent/plugin: No such file or "
				     "directory; see ?[31mhttps://x");
	assert_int_equal(finds("no-such-plugin", &program, &err), -ENOENT);
	assert_string_equal(err.msg, "credential plugin no-such-plugin: executable file not found "
				     "in PATH; see ?[31mhttps://x");
}

TEST(plugin_of_the_working_directory_is_not_found_by_name)
{
	static const char *const paths[] = { ":/usr/bin", ".:/usr/bin", "/nonexistent::/bin",
					     "./x:." };
	AUTO_FREE char *plugin = put("plugin", "#!/bin/sh\n");
	AUTO_FREE char *before = xstrdup(getenv("PATH"));
	AUTO_FREE char *slash = xasprintf("%s", plugin);
	struct error err;
	char *program;

	*strrchr(slash, '/') = '\0';
	assert_int_equal(chdir(slash), 0);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		setenv("PATH", paths[i], 1);
		assert_int_equal(finds("plugin", &program, &err), -EACCES);
		assert_non_null(strstr(err.msg, "is in a folder of PATH that is not absolute"));
	}
	setenv("PATH", slash, 1);
	assert_int_equal(finds("plugin", &program, &err), 0);
	assert_string_equal(program, plugin);
	free(program);
	setenv("PATH", before, 1);
	assert_int_equal(chdir("/"), 0);
}

TEST(plugin_that_prints_without_end_is_killed)
{
	AUTO_FREE char *plugin = put("plugin", "#!/bin/sh\ntrap '' PIPE\nexec yes\n");
	struct kube_exec exec = { .command = plugin,
				  .api_version = V1,
				  .interactive_mode = "Never" };
	struct kube_cluster cluster = { 0 };
	struct credential c = CREDENTIAL_INIT;
	struct error err;

	assert_int_equal(exec_plugin_run(&exec, plugin, &cluster, &c, &err), -EACCES);
	assert_non_null(strstr(err.msg, ": output: larger than 1048576 bytes"));
}

TEST(plugin_inherits_neither_descriptors_nor_ignored_signals)
{
	AUTO_FREE char *plugin =
		put("plugin", "#!/bin/sh\n"
			      "test -e /proc/$$/fd/57 && fd=open || fd=closed\n"
			      "sh -c 'kill -PIPE $$; true'; code=$?\n"
			      "echo '{\"apiVersion\":\"" V1 "\",\"kind\":\"ExecCredential\",'\n"
			      "echo \"\\\"status\\\":{\\\"token\\\":\\\"$fd $code\\\"}}\"\n");
	struct kube_exec exec = { .command = plugin,
				  .api_version = V1,
				  .interactive_mode = "Never" };
	struct kube_cluster cluster = { 0 };
	AUTO(credential_done) struct credential c = CREDENTIAL_INIT;

	assert_int_equal(dup2(STDIN_FILENO, 57), 57);
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(exec_plugin_run(&exec, plugin, &cluster, &c, NULL), 0);
	signal(SIGPIPE, SIG_DFL);
	close(57);
	assert_string_equal(c.token, "closed 141");
}

TEST(kuberc_decides_which_plugins_run)
{
	AUTO(plugin_policy_done) struct plugin_policy p = { 0 };
	AUTO_FREE char *cat = NULL;
	static const char list[] = "kind: Preference\ncredentialPluginPolicy: Allowlist\n"
				   "credentialPluginAllowlist: [{name: true}, {name: 'cat'}]\n";

	assert_true(plugin_policy_parse(list, sizeof(list) - 1, &p, NULL) < 0);
	AUTO_FREE char *path = put("kuberc", "credentialPluginPolicy: Allowlist\n"
					     "credentialPluginAllowlist: [{name: cat}]\n");
	setenv("KUBERC", path, 1);
	assert_int_equal(plugin_policy_load(&p, NULL), 0);
	setenv("KUBERC", "off", 1);
	assert_int_equal(finds("cat", &cat, NULL), 0);
	assert_int_equal(plugin_policy_check(&p, cat, NULL), 0);
	assert_true(plugin_policy_check(&p, "/bin/sh", NULL) < 0);
	plugin_policy_done(&p);
	assert_int_equal(plugin_policy_parse("credentialPluginPolicy: DenyAll", 31, &p, NULL), 0);
	assert_true(plugin_policy_check(&p, cat, NULL) < 0);
}

GROUP(make_folder, remove_folder)
