/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/kubeconfig.h"

#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/file.h"
#include "base/json.h"
#include "base/yaml.h"
#include "kube/base64.h"

/* What a reader needs to know while it walks through one file. */
struct reader {
	struct kubeconfig *config;
	const char *path;
	const char *folder;
	const char *list, *name; /* the entry that is being read, for errors */
};

enum field_kind { FIELD_TEXT, FIELD_PATH, FIELD_FLAG, FIELD_BYTES, FIELD_TEXTS, FIELD_OTHER };

struct field {
	const char *key;
	enum field_kind kind;
	size_t offset;
	int (*read)(struct reader *r, const cJSON *value, void *to, struct error *err);
};

static const char *keep(struct reader *r, const char *s)
{
	return arena_strndup(&r->config->arena, s, strlen(s));
}

static int wrong(struct reader *r, const char *key, const char *want, struct error *err)
{
	return error_set(err, -EINVAL, "%s: %s \"%s\": %s must be %s", r->path, r->list,
			 r->name ? r->name : "", key, want);
}

static int read_text(struct reader *r, const char *key, const cJSON *value, const char **to,
		     struct error *err)
{
	const char *s = json_text(value);

	if (!s)
		return wrong(r, key, "a string", err);
	*to = *s ? keep(r, s) : NULL;
	return 0;
}

static const char *resolve(struct reader *r, const char *path)
{
	if (!path || path[0] == '/')
		return path;
	AUTO_FREE char *full = xasprintf("%s/%s", r->folder, path);
	return keep(r, full);
}

static int read_bytes(struct reader *r, const char *key, const cJSON *value, struct slice *to,
		      struct error *err)
{
	const char *s = json_text(value);
	AUTO(str_done) struct str raw = STR_INIT;

	if (!s || !base64_decode(s, strlen(s), &raw))
		return wrong(r, key, "base64", err);
	if (raw.n)
		*to = (struct slice){ arena_strndup(&r->config->arena, raw.s, raw.n), raw.n };
	return 0;
}

static int read_texts(struct reader *r, const char *key, const cJSON *value, struct text_list *to,
		      struct error *err)
{
	const cJSON *item;

	if (!cJSON_IsArray(value))
		return wrong(r, key, "a list of strings", err);
	to->items = arena_new(&r->config->arena, const char *, cJSON_GetArraySize(value) + 1);
	cJSON_ArrayForEach(item, value) {
		if (!json_text(item))
			return wrong(r, key, "a list of strings", err);
		to->items[to->n++] = keep(r, json_text(item));
	}
	return 0;
}

static int read_field(struct reader *r, const struct field *f, const cJSON *value, void *to,
		      struct error *err)
{
	switch (f->kind) {
	case FIELD_TEXT:
		return read_text(r, f->key, value, to, err);
	case FIELD_PATH:
		if (read_text(r, f->key, value, to, err) < 0)
			return -EINVAL;
		*(const char **)to = resolve(r, *(const char **)to);
		return 0;
	case FIELD_FLAG:
		if (!cJSON_IsBool(value))
			return wrong(r, f->key, "true or false", err);
		*(bool *)to = cJSON_IsTrue(value);
		return 0;
	case FIELD_BYTES:
		return read_bytes(r, f->key, value, to, err);
	case FIELD_TEXTS:
		return read_texts(r, f->key, value, to, err);
	case FIELD_OTHER:
		break;
	}
	return f->read(r, value, to, err);
}

/* Fills the struct at `to` from an object by the rows of a table. */
static int read_fields(struct reader *r, const struct field *fields, const char *what,
		       const cJSON *object, void *to, struct error *err)
{
	if (!object || cJSON_IsNull(object))
		return 0;
	if (!cJSON_IsObject(object))
		return wrong(r, what, "an object", err);
	for (const struct field *f = fields; f->key; f++) {
		const cJSON *value = json_get(object, f->key);

		if (!value || cJSON_IsNull(value))
			continue;
		if (read_field(r, f, value, (char *)to + f->offset, err) < 0)
			return -EINVAL;
	}
	return 0;
}

#define ROW(key_, kind_, type, member)                                           \
	{                                                                        \
		.key = (key_), .kind = (kind_), .offset = offsetof(type, member) \
	}
#define ROW_READ(key_, type, member, read_)                                           \
	{                                                                             \
		.key = (key_), .kind = FIELD_OTHER, .offset = offsetof(type, member), \
		.read = (read_)                                                       \
	}

static const struct field pair_fields[] = {
	ROW("name", FIELD_TEXT, struct kube_pair, name),
	ROW("value", FIELD_TEXT, struct kube_pair, value),
	{},
};

/* exec.env; `to` is the struct kube_exec. */
static int read_env(struct reader *r, const cJSON *value, void *to, struct error *err)
{
	struct kube_exec *exec = to;
	const cJSON *item;

	if (!cJSON_IsArray(value))
		return wrong(r, "exec.env", "a list", err);
	exec->env = arena_new(&r->config->arena, struct kube_pair, cJSON_GetArraySize(value) + 1);
	cJSON_ArrayForEach(item, value) {
		struct kube_pair *pair = &exec->env[exec->n_env++];

		if (read_fields(r, pair_fields, "exec.env", item, pair, err) < 0)
			return -EINVAL;
	}
	return 0;
}

static const struct field exec_fields[] = {
	ROW("command", FIELD_TEXT, struct kube_exec, command),
	ROW("apiVersion", FIELD_TEXT, struct kube_exec, api_version),
	ROW("installHint", FIELD_TEXT, struct kube_exec, install_hint),
	ROW("interactiveMode", FIELD_TEXT, struct kube_exec, interactive_mode),
	ROW("args", FIELD_TEXTS, struct kube_exec, args),
	ROW("provideClusterInfo", FIELD_FLAG, struct kube_exec, provides_cluster_info),
	{ .key = "env", .kind = FIELD_OTHER, .offset = 0, .read = read_env },
	{},
};

static int read_exec(struct reader *r, const cJSON *value, void *to, struct error *err)
{
	struct kube_exec *exec = arena_new(&r->config->arena, struct kube_exec, 1);

	if (read_fields(r, exec_fields, "exec", value, exec, err) < 0)
		return -EINVAL;
	if (exec->command && strchr(exec->command, '/'))
		exec->command = resolve(r, exec->command);
	*(struct kube_exec **)to = exec;
	return 0;
}

static int read_auth_provider(struct reader *r, const cJSON *value, void *to, struct error *err)
{
	if (!cJSON_IsObject(value))
		return wrong(r, "auth-provider", "an object", err);
	const char *name = json_text(json_get(value, "name"));
	*(const char **)to = keep(r, name ? name : "");
	return 0;
}

/* as-user-extra: {"key": ["value", ...]}; `to` is the struct kube_user. */
static int read_extra(struct reader *r, const cJSON *value, void *to, struct error *err)
{
	struct kube_user *user = to;
	const cJSON *key;
	size_t n = 0;

	if (!cJSON_IsObject(value))
		return wrong(r, "as-user-extra", "an object", err);
	cJSON_ArrayForEach(key, value)
		n += (size_t)cJSON_GetArraySize(key);
	user->as_extra = arena_new(&r->config->arena, struct kube_pair, n + 1);
	cJSON_ArrayForEach(key, value) {
		struct text_list list = { 0 };

		if (read_texts(r, "as-user-extra", key, &list, err) < 0)
			return -EINVAL;
		for (size_t i = 0; i < list.n; i++)
			user->as_extra[user->n_as_extra++] =
				(struct kube_pair){ keep(r, key->string), list.items[i] };
	}
	return 0;
}

/* The one extension that means something to us: what an exec plugin is told about its cluster. */
static int read_extensions(struct reader *r, const cJSON *value, void *to, struct error *err)
{
	const cJSON *item;

	if (!cJSON_IsArray(value))
		return wrong(r, "extensions", "a list", err);
	cJSON_ArrayForEach(item, value) {
		const char *name = json_text(json_get(item, "name"));
		const cJSON *extension = json_get(item, "extension");

		if (!name || !extension || strcmp(name, "client.authentication.k8s.io/exec") != 0)
			continue;
		AUTO_FREE char *text = cJSON_PrintUnformatted(extension);
		if (text)
			*(const char **)to = keep(r, text);
	}
	return 0;
}

static const struct field cluster_fields[] = {
	ROW("server", FIELD_TEXT, struct kube_cluster, server),
	ROW("tls-server-name", FIELD_TEXT, struct kube_cluster, tls_server_name),
	ROW("insecure-skip-tls-verify", FIELD_FLAG, struct kube_cluster, is_insecure),
	ROW("certificate-authority", FIELD_PATH, struct kube_cluster, ca_file),
	ROW("certificate-authority-data", FIELD_BYTES, struct kube_cluster, ca_data),
	ROW("proxy-url", FIELD_TEXT, struct kube_cluster, proxy_url),
	ROW("disable-compression", FIELD_FLAG, struct kube_cluster, disables_compression),
	ROW_READ("extensions", struct kube_cluster, exec_config, read_extensions),
	{},
};

static const struct field user_fields[] = {
	ROW("client-certificate", FIELD_PATH, struct kube_user, cert_file),
	ROW("client-certificate-data", FIELD_BYTES, struct kube_user, cert_data),
	ROW("client-key", FIELD_PATH, struct kube_user, key_file),
	ROW("client-key-data", FIELD_BYTES, struct kube_user, key_data),
	ROW("token", FIELD_TEXT, struct kube_user, token),
	ROW("tokenFile", FIELD_PATH, struct kube_user, token_file),
	ROW("as", FIELD_TEXT, struct kube_user, as),
	ROW("as-uid", FIELD_TEXT, struct kube_user, as_uid),
	ROW("as-groups", FIELD_TEXTS, struct kube_user, as_groups),
	{ .key = "as-user-extra", .kind = FIELD_OTHER, .offset = 0, .read = read_extra },
	ROW("username", FIELD_TEXT, struct kube_user, username),
	ROW("password", FIELD_TEXT, struct kube_user, password),
	ROW_READ("auth-provider", struct kube_user, auth_provider, read_auth_provider),
	ROW_READ("exec", struct kube_user, exec, read_exec),
	{},
};

static const struct field context_fields[] = {
	ROW("cluster", FIELD_TEXT, struct kube_context, cluster),
	ROW("user", FIELD_TEXT, struct kube_context, user),
	ROW("namespace", FIELD_TEXT, struct kube_context, ns),
	{},
};

static const struct list_kind {
	const char *key, *member;
	const struct field *fields;
	size_t size;
} list_kinds[KUBECONFIG_LISTS] = {
	[KUBECONFIG_CLUSTERS] = { "clusters", "cluster", cluster_fields,
				  sizeof(struct kube_cluster) },
	[KUBECONFIG_USERS] = { "users", "user", user_fields, sizeof(struct kube_user) },
	[KUBECONFIG_CONTEXTS] = { "contexts", "context", context_fields,
				  sizeof(struct kube_context) },
};

static const void *find_entry(const struct kubeconfig *c, enum kubeconfig_list list,
			      const char *name)
{
	array_each(entry, &c->lists[list])
		if (strcmp((*entry)->name, name) == 0)
			return *entry;
	return NULL;
}

const struct kube_cluster *kubeconfig_cluster(const struct kubeconfig *c, const char *name)
{
	return find_entry(c, KUBECONFIG_CLUSTERS, name);
}

const struct kube_user *kubeconfig_user(const struct kubeconfig *c, const char *name)
{
	return find_entry(c, KUBECONFIG_USERS, name);
}

const struct kube_context *kubeconfig_context(const struct kubeconfig *c, const char *name)
{
	return find_entry(c, KUBECONFIG_CONTEXTS, name);
}

static int add_entry(struct reader *r, enum kubeconfig_list list, const cJSON *value,
		     struct error *err)
{
	const struct list_kind *kind = &list_kinds[list];
	struct kube_entry *entry = arena_alloc(&r->config->arena, kind->size);

	entry->name = r->name;
	if (read_fields(r, kind->fields, kind->member, value, entry, err) < 0)
		return -EINVAL;
	if (!find_entry(r->config, list, r->name)) {
		/* With room there are items; and they are pointers.
		 * NOLINTNEXTLINE(clang-analyzer-core.NullDereference,bugprone-sizeof-expression) */
		*array_add(&r->config->lists[list]) = entry;
	}
	return 0;
}

/* Is the name of this entry that of an earlier one in the same list? */
static bool is_repeated(const cJSON *list, const cJSON *entry, const char *name)
{
	for (const cJSON *e = list->child; e != entry; e = e->next) {
		const char *other = json_text(json_get(e, "name"));

		if (strcmp(other ? other : "", name) == 0)
			return true;
	}
	return false;
}

static int read_entry(struct reader *r, enum kubeconfig_list kind, const cJSON *list,
		      const cJSON *entry, struct error *err)
{
	const cJSON *name = json_get(entry, "name");

	r->name = NULL;
	if (!cJSON_IsObject(entry) && !cJSON_IsNull(entry))
		return wrong(r, "an entry", "an object", err);
	if (name && !cJSON_IsNull(name) && !json_text(name))
		return wrong(r, "name", "a string", err);
	r->name = keep(r, json_text(name) ? json_text(name) : "");
	if (is_repeated(list, entry, r->name))
		return error_set(err, -EINVAL, "%s: duplicate name \"%s\" in list %s", r->path,
				 r->name, r->list);
	return add_entry(r, kind, json_get(entry, list_kinds[kind].member), err);
}

static int read_list(struct reader *r, enum kubeconfig_list kind, const cJSON *list,
		     struct error *err)
{
	const cJSON *entry;

	r->list = list_kinds[kind].key;
	if (!list || cJSON_IsNull(list))
		return 0;
	if (!cJSON_IsArray(list))
		return error_set(err, -EINVAL, "%s: %s must be a list", r->path, r->list);
	cJSON_ArrayForEach(entry, list) {
		if (read_entry(r, kind, list, entry, err) < 0)
			return -EINVAL;
	}
	return 0;
}

static int read_current_context(struct reader *r, const cJSON *root, struct error *err)
{
	const cJSON *value = json_get(root, "current-context");

	if (!value || cJSON_IsNull(value))
		return 0;
	if (!json_text(value))
		return error_set(err, -EINVAL, "%s: current-context must be a string", r->path);
	if (!r->config->current_context && *json_text(value))
		r->config->current_context = keep(r, json_text(value));
	return 0;
}

static int read_root(struct reader *r, const cJSON *root, struct error *err)
{
	if (cJSON_IsNull(root))
		return 0;
	if (!cJSON_IsObject(root))
		return error_set(err, -EINVAL, "%s: is not a kubeconfig: not an object", r->path);

	const char *kind = json_text(json_get(root, "kind"));
	if (kind && *kind && strcmp(kind, "Config") != 0)
		return error_set(err, -EINVAL, "%s: kind is %s, not Config", r->path, kind);
	for (enum kubeconfig_list list = 0; list < KUBECONFIG_LISTS; list++)
		if (read_list(r, list, json_get(root, list_kinds[list].key), err) < 0)
			return -EINVAL;
	return read_current_context(r, root, err);
}

/* The folder of a file, absolute where the working directory is known. */
static const char *folder_of(struct kubeconfig *c, const char *path)
{
	const char *slash = strrchr(path, '/');
	AUTO_FREE char *folder = slash ? xstrndup(path, (size_t)(slash - path)) : xstrdup(".");
	AUTO_FREE char *real = realpath(*folder ? folder : "/", NULL);
	const char *best = real ? real : folder;

	return arena_strndup(&c->arena, best, strlen(best));
}

int kubeconfig_add_text(struct kubeconfig *c, const char *text, size_t n, const char *path,
			struct error *err)
{
	static const struct yaml_limits limits = { .max_bytes = KUBECONFIG_MAX_BYTES };
	AUTO(str_done) struct str json = STR_INIT;
	AUTO_JSON cJSON *root = NULL;
	struct reader r = { .config = c, .path = path, .folder = folder_of(c, path) };

	if (yaml_to_json(text, n, &limits, &json, err) < 0)
		return error_wrap(err, "%s", path);
	if (json_parse(json.s, json.n, &root, err) < 0)
		return error_wrap(err, "%s", path);
	return read_root(&r, root, err);
}

int kubeconfig_add_file(struct kubeconfig *c, const char *path, struct error *err)
{
	AUTO(str_done) struct str text = STR_INIT_MAX(KUBECONFIG_MAX_BYTES);

	if (file_read(path, &text, err) < 0)
		return err ? err->code : -EIO;
	return kubeconfig_add_text(c, text.s, text.n, path, err);
}

/* Does the part of the list before `at` name this file already? */
static bool is_listed_before(const char *list, const char *at, size_t n)
{
	for (const char *p = list; p < at; p += strcspn(p, ":") + 1)
		if (strcspn(p, ":") == n && memcmp(p, at, n) == 0)
			return true;
	return false;
}

int kubeconfig_add_list(struct kubeconfig *c, const char *list, struct error *err)
{
	for (const char *p = list; *p; p += *p == ':') {
		size_t n = strcspn(p, ":");
		AUTO_FREE char *path = xstrndup(p, n);
		int r = 0;

		if (n > 0 && !is_listed_before(list, p, n))
			r = kubeconfig_add_file(c, path, err);
		if (r < 0 && r != -ENOENT)
			return r;
		p += n;
	}
	return 0;
}

void kubeconfig_done(struct kubeconfig *c)
{
	for (size_t i = 0; i < KUBECONFIG_LISTS; i++)
		array_done(&c->lists[i]);
	arena_done(&c->arena);
	*c = (struct kubeconfig){ 0 };
}
