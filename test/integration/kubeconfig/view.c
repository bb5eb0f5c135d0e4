/* SPDX-License-Identifier: Apache-2.0 */
/* Prints what kubeconfig, environment and flags come to, in the shape of
 * `kubectl config view --raw --flatten --minify -o json`, for test/integration/kubeconfig/compare.
 * Options are kubectl's global ones. */
#include <stdio.h>

#include "base/auto.h"
#include "base/base64.h"
#include "base/json.h"
#include "kube/target.h"

static void add(cJSON *object, const char *key, const char *text)
{
	if (text)
		cJSON_AddStringToObject(object, key, text);
}

static void add_bytes(cJSON *object, const char *key, const char *path, struct slice data)
{
	AUTO(str_done) struct str raw = STR_INIT;
	AUTO(str_done) struct str text = STR_INIT;
	AUTO_FILE FILE *f = path ? fopen(path, "re") : NULL;
	char piece[4096];
	size_t n;

	while (f && (n = fread(piece, 1, sizeof(piece), f)) > 0)
		str_addn(&raw, piece, n);
	if (data.s)
		str_addn(&raw, data.s, data.n);
	base64_encode(raw.s, raw.n, &text);
	if (text.n)
		cJSON_AddStringToObject(object, key, text.s);
}

static void add_list(cJSON *object, const char *key, const struct text_list *list)
{
	cJSON *array;

	if (!list->n)
		return;
	array = cJSON_AddArrayToObject(object, key);
	for (size_t i = 0; i < list->n; i++)
		cJSON_AddItemToArray(array, cJSON_CreateString(list->items[i]));
}

static cJSON *cluster_json(const struct kube_cluster *c)
{
	cJSON *out = cJSON_CreateObject();

	add(out, "server", c->server);
	add(out, "tls-server-name", c->tls_server_name);
	if (c->is_insecure)
		cJSON_AddTrueToObject(out, "insecure-skip-tls-verify");
	add_bytes(out, "certificate-authority-data", c->ca_file, c->ca_data);
	add(out, "proxy-url", c->proxy_url);
	if (c->disables_compression)
		cJSON_AddTrueToObject(out, "disable-compression");
	return out;
}

static cJSON *exec_json(const struct kube_exec *e)
{
	cJSON *out = cJSON_CreateObject();
	cJSON *env;

	add(out, "command", e->command);
	add_list(out, "args", &e->args);
	add(out, "apiVersion", e->api_version);
	add(out, "installHint", e->install_hint);
	add(out, "interactiveMode", e->interactive_mode ? e->interactive_mode : "IfAvailable");
	cJSON_AddBoolToObject(out, "provideClusterInfo", e->provides_cluster_info);
	if (!e->n_env)
		return out;
	env = cJSON_AddArrayToObject(out, "env");
	for (size_t i = 0; i < e->n_env; i++) {
		cJSON *pair = cJSON_CreateObject();

		add(pair, "name", e->env[i].name);
		cJSON_AddStringToObject(pair, "value", e->env[i].value ? e->env[i].value : "");
		cJSON_AddItemToArray(env, pair);
	}
	return out;
}

static void add_extra(cJSON *out, const struct kube_user *u)
{
	cJSON *extra = u->n_as_extra ? cJSON_AddObjectToObject(out, "as-user-extra") : NULL;

	for (size_t i = 0; i < u->n_as_extra; i++) {
		cJSON *list = cJSON_GetObjectItemCaseSensitive(extra, u->as_extra[i].name);

		if (!list)
			list = cJSON_AddArrayToObject(extra, u->as_extra[i].name);
		cJSON_AddItemToArray(list, cJSON_CreateString(u->as_extra[i].value));
	}
}

static cJSON *user_json(const struct kube_user *u)
{
	cJSON *out = cJSON_CreateObject();

	add_bytes(out, "client-certificate-data", u->cert_file, u->cert_data);
	add_bytes(out, "client-key-data", u->key_file, u->key_data);
	add(out, "token", u->token);
	add(out, "tokenFile", u->token_file);
	add(out, "username", u->username);
	add(out, "password", u->password);
	add(out, "as", u->as);
	add(out, "as-uid", u->as_uid);
	add_list(out, "as-groups", &u->as_groups);
	add_extra(out, u);
	if (u->exec)
		cJSON_AddItemToObject(out, "exec", exec_json(u->exec));
	return out;
}

int main(int argc, char **argv)
{
	struct arena arena = { 0 };
	struct option_list rest = { 0 };
	struct kube_overrides flags = { 0 };
	struct option_set sets[] = { { "Options", kube_global_options, &flags }, { 0 } };
	struct kube_environment env = kube_environment();
	struct kube_target target = { 0 };
	struct error err = ERROR_INIT;
	AUTO_JSON cJSON *root = cJSON_CreateObject();
	int r = option_parse(sets, argc - 1, argv + 1, &arena, &rest, &err);

	if (r == 0)
		r = kube_target_load(&flags, &env, &target, &err);
	if (r == 0) {
		cJSON_AddItemToObject(root, "cluster", cluster_json(&target.cluster));
		cJSON_AddItemToObject(root, "user", user_json(&target.user));
		add(root, "namespace", target.ns);
		AUTO_FREE char *text = cJSON_Print(root);
		puts(text);
	} else {
		fprintf(stderr, "error: %s\n", err.msg);
	}
	kube_target_done(&target);
	option_done(sets);
	array_done(&rest);
	arena_done(&arena);
	return r < 0;
}
