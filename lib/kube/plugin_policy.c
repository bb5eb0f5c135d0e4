/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/plugin_policy.h"

#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/file.h"
#include "base/json.h"
#include "base/yaml.h"

static int parse_kind(const cJSON *root, struct plugin_policy *p, struct error *err)
{
	static const struct {
		const char *name;
		enum plugin_policy_kind kind;
	} kinds[] = {
		{ "", PLUGINS_ALLOW_ALL },
		{ "AllowAll", PLUGINS_ALLOW_ALL },
		{ "DenyAll", PLUGINS_DENY_ALL },
		{ "Allowlist", PLUGINS_ALLOWLIST },
	};
	const cJSON *value = json_get(root, "credentialPluginPolicy");
	const char *name = value ? json_text(value) : "";

	for (size_t i = 0; name && i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i].name, name) == 0) {
			p->kind = kinds[i].kind;
			return 0;
		}
	return error_set(err, -EINVAL,
			 "credentialPluginPolicy: must be AllowAll, DenyAll or Allowlist");
}

static int parse_names(const cJSON *root, struct plugin_policy *p, struct error *err)
{
	const cJSON *list = json_get(root, "credentialPluginAllowlist"), *entry;

	if (!list || cJSON_IsNull(list))
		return 0;
	if (p->kind != PLUGINS_ALLOWLIST || !cJSON_IsArray(list))
		return error_set(err, -EINVAL,
				 "credentialPluginAllowlist: is a list that goes with Allowlist");
	p->names.items = arena_new(&p->arena, const char *, cJSON_GetArraySize(list) + 1);
	cJSON_ArrayForEach(entry, list) {
		const char *name = json_text(json_get(entry, "name"));

		if (!name || !*name)
			return error_set(err, -EINVAL,
					 "credentialPluginAllowlist: an entry without a name");
		p->names.items[p->names.n++] = arena_strndup(&p->arena, name, strlen(name));
	}
	return 0;
}

int plugin_policy_parse(const char *text, size_t n, struct plugin_policy *ret, struct error *err)
{
	static const struct yaml_limits limits = { .max_bytes = KUBECONFIG_MAX_BYTES };
	AUTO(str_done) struct str json = STR_INIT;
	AUTO_JSON cJSON *root = NULL;
	struct plugin_policy p = { 0 };

	if (yaml_to_json(text, n, &limits, &json, err) < 0 ||
	    json_parse(json.s, json.n, &root, err) < 0)
		return -EINVAL;
	if (parse_kind(root, &p, err) < 0 || parse_names(root, &p, err) < 0) {
		plugin_policy_done(&p);
		return -EINVAL;
	}
	*ret = p;
	return 0;
}

/* The path of the user's kuberc, "" when it is turned off or there is no home. */
static char *kuberc_path(void)
{
	const char *path = getenv("KUBERC");
	const char *gate = getenv("KUBECTL_KUBERC");
	const char *home = getenv("HOME");

	if ((path && strcmp(path, "off") == 0) || (gate && strcmp(gate, "false") == 0))
		return xstrdup("");
	if (path && *path)
		return xstrdup(path);
	return home && *home ? xasprintf("%s/.kube/kuberc", home) : xstrdup("");
}

int plugin_policy_load(struct plugin_policy *ret, struct error *err)
{
	AUTO_FREE char *path = kuberc_path();
	AUTO(str_done) struct str text = STR_INIT_MAX(KUBECONFIG_MAX_BYTES);

	*ret = (struct plugin_policy){ 0 };
	int r = *path ? file_read(path, &text, err) : -ENOENT;
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return plugin_policy_parse(text.s, text.n, ret, err) < 0 ? error_wrap(err, "%s", path) : 0;
}

/* Where a program is: its own path when it holds a '/', else the first match in PATH. As with Go's
 * exec.ErrDot a match in a folder that is not absolute is refused, an empty entry being such a one:
 * what lies in the working directory is not run by its name alone. NULL with err set. */
static char *look_up(const char *command, struct error *err)
{
	const char *path = getenv("PATH");

	if (strchr(command, '/')) {
		if (access(command, F_OK) == 0)
			return xstrdup(command);
		error_set(err, -errno, "%s", strerror(errno));
		return NULL;
	}
	for (; path && *path; path += *path == ':') {
		size_t n = strcspn(path, ":");
		AUTO_FREE char *full = xasprintf("%.*s%s%s", (int)n, path, n ? "/" : "", command);
		struct stat st;

		path += n;
		if (stat(full, &st) < 0 || !S_ISREG(st.st_mode) || access(full, X_OK) < 0)
			continue;
		if (*full == '/')
			return TAKE(full);
		error_set(err, -EACCES, "%s is in a folder of PATH that is not absolute", full);
		return NULL;
	}
	error_set(err, -ENOENT, "executable file not found in PATH");
	return NULL;
}

int plugin_find(const struct kube_exec *exec, char **ret, struct error *err)
{
	const char *hint = exec->install_hint;
	struct error why = ERROR_INIT;

	*ret = look_up(exec->command, &why);
	return *ret ? 0
		    : error_set(err, why.code, "credential plugin %s: %s%s%s", exec->command,
				why.msg, hint ? "; " : "", hint ? hint : "");
}

static bool is_same_file(const char *a, const char *b)
{
	AUTO_FREE char *x = realpath(a, NULL);
	AUTO_FREE char *y = realpath(b, NULL);

	return x && y && strcmp(x, y) == 0;
}

int plugin_policy_check(const struct plugin_policy *p, const char *program, struct error *err)
{
	if (p->kind == PLUGINS_ALLOW_ALL)
		return 0;
	if (p->kind == PLUGINS_DENY_ALL)
		return error_set(err, -EACCES, "credential plugin %s: kuberc's policy is DenyAll",
				 program);
	for (size_t i = 0; i < p->names.n; i++) {
		AUTO_FREE char *allowed = look_up(p->names.items[i], NULL);

		if (allowed && is_same_file(allowed, program))
			return 0;
	}
	return error_set(err, -EACCES, "credential plugin %s: not in kuberc's allowlist", program);
}

void plugin_policy_done(struct plugin_policy *p)
{
	arena_done(&p->arena);
	*p = (struct plugin_policy){ 0 };
}
