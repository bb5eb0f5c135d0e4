/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/exec_plugin.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

#include "base/auto.h"
#include "base/base64.h"
#include "base/date.h"
#include "base/file.h"
#include "base/json.h"
#include "base/json_out.h"
#include "kube/header.h"

extern char **environ;

/* Bytes of a secret do not stay behind in freed memory. */
static void wipe(struct str *s)
{
	if (s->cap)
		explicit_bzero(s->s, s->cap);
	str_done(s);
}

void credential_done(struct credential *c)
{
	if (c->token)
		explicit_bzero(c->token, strlen(c->token));
	free(c->token);
	str_done(&c->cert);
	wipe(&c->key);
	*c = (struct credential)CREDENTIAL_INIT;
}

/* May the plugin ask the user? */
static int choose_interactive(const struct kube_exec *exec, bool *ret, struct error *err)
{
	const char *mode = exec->interactive_mode ? exec->interactive_mode : "IfAvailable";
	bool has_terminal = isatty(STDIN_FILENO);

	if (strcmp(mode, "Always") == 0 && !has_terminal)
		return error_set(err, -ENOTTY,
				 "credential plugin %s: wants to ask the user, and standard input "
				 "is no terminal",
				 exec->command);
	*ret = has_terminal && strcmp(mode, "Never") != 0;
	return 0;
}

static int add_ca(struct json_out *o, const struct kube_cluster *c, struct error *err)
{
	AUTO(str_done) struct str pem = STR_INIT_MAX(CREDENTIAL_MAX_BYTES);
	AUTO(str_done) struct str text = STR_INIT;

	if (c->ca_file && file_read(c->ca_file, &pem, err) < 0)
		return error_wrap(err, "certificate-authority");
	str_addn(&pem, c->ca_data.s, c->ca_data.n);
	base64_encode(pem.s, pem.n, &text);
	json_out_given(o, "certificate-authority-data", text.s);
	return 0;
}

static int add_cluster(struct json_out *o, const struct kube_cluster *c, struct error *err)
{
	json_out_key(o, "cluster");
	json_out_object(o);
	json_out_given(o, "server", c->server);
	json_out_given(o, "tls-server-name", c->tls_server_name);
	json_out_flag(o, "insecure-skip-tls-verify", c->is_insecure);
	json_out_given(o, "proxy-url", c->proxy_url);
	json_out_flag(o, "disable-compression", c->disables_compression);
	if (c->exec_config) {
		json_out_key(o, "config");
		json_out_raw(o, c->exec_config);
	}
	int r = add_ca(o, c, err);
	json_out_end(o);
	return r;
}

/* The value of KUBERNETES_EXEC_INFO. */
static int exec_info(const struct kube_exec *exec, const struct kube_cluster *cluster,
		     bool is_interactive, struct str *out, struct error *err)
{
	AUTO(json_out_done) struct json_out o = { .out = out, .is_compact = true };
	int r = 0;

	json_out_object(&o);
	json_out_member(&o, "kind", "ExecCredential");
	json_out_member(&o, "apiVersion", exec->api_version);
	json_out_key(&o, "spec");
	json_out_object(&o);
	json_out_member_bool(&o, "interactive", is_interactive);
	if (exec->provides_cluster_info)
		r = add_cluster(&o, cluster, err);
	json_out_end(&o);
	json_out_end(&o);
	return r;
}

/* The plugin's arguments and environment; both arrays and the strings made here are its own. */
struct command_line {
	struct arena arena;
	char **argv, **envp;
};

static void command_line_done(struct command_line *c)
{
	arena_done(&c->arena);
}

static char *join(struct arena *a, const char *name, const char *value)
{
	AUTO_FREE char *text = xasprintf("%s=%s", name, value ? value : "");

	return arena_strndup(a, text, strlen(text));
}

static bool is_set_by(const struct kube_exec *exec, const char *variable)
{
	size_t n = strcspn(variable, "=");

	if (strncmp(variable, "KUBERNETES_EXEC_INFO=", n + 1) == 0)
		return true;
	for (size_t i = 0; i < exec->n_env; i++)
		if (strlen(exec->env[i].name) == n && strncmp(exec->env[i].name, variable, n) == 0)
			return true;
	return false;
}

static void command_line_init(struct command_line *c, const struct kube_exec *exec,
			      const char *info)
{
	size_t n = 0, at = 0;

	c->argv = arena_new(&c->arena, char *, exec->args.n + 2);
	c->argv[0] = arena_strndup(&c->arena, exec->command, strlen(exec->command));
	for (size_t i = 0; i < exec->args.n; i++)
		c->argv[i + 1] =
			arena_strndup(&c->arena, exec->args.items[i], strlen(exec->args.items[i]));
	while (environ[n])
		n++;
	c->envp = arena_new(&c->arena, char *, n + exec->n_env + 2);
	for (size_t i = 0; i < n; i++)
		if (!is_set_by(exec, environ[i]))
			c->envp[at++] = environ[i];
	for (size_t i = 0; i < exec->n_env; i++)
		c->envp[at++] = join(&c->arena, exec->env[i].name, exec->env[i].value);
	c->envp[at] = join(&c->arena, "KUBERNETES_EXEC_INFO", info);
}

/* The plugin gets our standard error alone, and signals as they were: libcurl's sockets, and that
 * SIGPIPE is ignored, are not for it. */
static int spawn(const char *program, const struct command_line *c, bool is_interactive, int out,
		 pid_t *ret_pid, struct error *err)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t defaults;

	posix_spawn_file_actions_init(&actions);
	if (!is_interactive)
		posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
	int r = posix_spawn(ret_pid, program, &actions, &attributes, c->argv, c->envp);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return r ? error_set(err, -r, "credential plugin %s: %s", c->argv[0], strerror(r)) : 0;
}

static int wait_for(pid_t pid, const char *command, struct error *err)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return error_errno(err, "credential plugin %s", command);
	if (WIFSIGNALED(status))
		return error_set(err, -EACCES, "credential plugin %s: ended by signal %d", command,
				 WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		return error_set(err, -EACCES, "credential plugin %s: failed with exit code %d",
				 command, WEXITSTATUS(status));
	return 0;
}

/* Starts the plugin and collects what it prints; one that prints without end is killed. */
static int run(const char *program, const struct command_line *line, bool is_interactive,
	       struct str *out, struct error *err)
{
	const char *command = line->argv[0];
	struct error ended = ERROR_INIT;
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, "credential plugin %s", command);
	AUTO_CLOSE int from = ends[0];
	int r = spawn(program, line, is_interactive, ends[1], &pid, err);
	close(ends[1]);
	if (r < 0)
		return r;
	r = file_read_fd(from, "output", out, err);
	if (r < 0) {
		kill(pid, SIGKILL);
		wait_for(pid, command, &ended);
		return error_wrap(err, "credential plugin %s", command);
	}
	return wait_for(pid, command, err);
}

static int take_expiry(const cJSON *status, int64_t *ret, struct error *err)
{
	const cJSON *value = json_get(status, "expirationTimestamp");
	const char *text = json_text(value);

	*ret = 0;
	if (!value || cJSON_IsNull(value))
		return 0;
	if (!text || !date_parse(text, strlen(text), ret))
		return error_set(err, -EINVAL, "expirationTimestamp is no RFC 3339 time");
	return 0;
}

static int take_status(const cJSON *status, struct credential *ret, struct error *err)
{
	const char *token = json_text(json_get(status, "token"));
	const char *cert = json_text(json_get(status, "clientCertificateData"));
	const char *key = json_text(json_get(status, "clientKeyData"));
	struct credential c = CREDENTIAL_INIT;

	if (!cJSON_IsObject(status))
		return error_set(err, -EINVAL, "the reply has no status");
	if (!token && !cert && !key)
		return error_set(err, -EINVAL, "the reply has neither token nor certificate");
	if (!cert != !key)
		return error_set(err, -EINVAL, "the reply has only a certificate or only a key");
	if (token && *token && !header_value_is_valid(token))
		return error_set(err, -EINVAL, "the token holds control characters");
	if (take_expiry(status, &c.expires, err) < 0)
		return -EINVAL;
	c.token = token && *token ? xstrdup(token) : NULL;
	str_add(&c.cert, cert ? cert : "");
	str_add(&c.key, key ? key : "");
	*ret = c;
	return 0;
}

int exec_plugin_parse(const struct kube_exec *exec, const char *text, size_t n,
		      struct credential *ret, struct error *err)
{
	AUTO_JSON cJSON *root = NULL;
	const char *version, *kind;

	if (json_parse(text, n, &root, NULL) < 0)
		return error_set(err, -EINVAL, "credential plugin %s: what it printed is not JSON",
				 exec->command);
	version = json_text(json_get(root, "apiVersion"));
	kind = json_text(json_get(root, "kind"));
	if (!kind || strcmp(kind, "ExecCredential") != 0)
		return error_set(err, -EINVAL,
				 "credential plugin %s: what it printed is no ExecCredential",
				 exec->command);
	if (!version || strcmp(version, exec->api_version) != 0)
		return error_set(err, -EINVAL,
				 "credential plugin %s: is configured for %s, but answered in %s",
				 exec->command, exec->api_version, version ? version : "none");
	if (take_status(json_get(root, "status"), ret, err) < 0)
		return error_wrap(err, "credential plugin %s", exec->command);
	return 0;
}

int exec_plugin_run(const struct kube_exec *exec, const char *program,
		    const struct kube_cluster *cluster, struct credential *ret, struct error *err)
{
	AUTO(wipe) struct str out = STR_INIT_MAX(CREDENTIAL_MAX_BYTES);
	AUTO(str_done) struct str info = STR_INIT;
	AUTO(command_line_done) struct command_line line = { 0 };
	bool is_interactive = false;

	if (choose_interactive(exec, &is_interactive, err) < 0)
		return -ENOTTY;
	if (exec_info(exec, cluster, is_interactive, &info, err) < 0)
		return -EINVAL;
	command_line_init(&line, exec, info.s);
	if (run(program, &line, is_interactive, &out, err) < 0)
		return -EACCES;
	return exec_plugin_parse(exec, out.s, out.n, ret, err);
}
