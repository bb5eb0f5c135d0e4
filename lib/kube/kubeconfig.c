/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/kubeconfig.h"

#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/base64.h"
#include "base/decode.h"
#include "base/file.h"
#include "base/yaml.h"

/* Whose memory a decoder fills. */
struct reader {
	struct kubeconfig *config;
	const char *folder;
	ARRAY(const char *) names; /* of the list that is being read */
	const char *current_context;
};

static const char *keep(struct reader *r, struct slice s)
{
	return arena_strndup(&r->config->arena, s.s, s.n);
}

/* const char *; "" is NULL */
static int read_string(struct decoder *d, const struct field *f, void *into)
{
	struct slice s;
	int r = decode_text(d, &s);

	(void)f;
	if (r == 0)
		*(const char **)into = s.n ? keep(d->owner, s) : NULL;
	return r;
}

static const char *resolve(struct reader *r, const char *path)
{
	if (!path || path[0] == '/')
		return path;
	AUTO_FREE char *full = xasprintf("%s/%s", r->folder, path);
	return keep(r, (struct slice){ full, strlen(full) });
}

static int read_path(struct decoder *d, const struct field *f, void *into)
{
	const char **path = into;
	int r = read_string(d, f, path);

	if (r == 0)
		*path = resolve(d->owner, *path);
	return r;
}

/* struct slice, decoded */
static int read_base64(struct decoder *d, const struct field *f, void *into)
{
	AUTO(str_done) struct str raw = STR_INIT;
	struct reader *reader = d->owner;
	struct slice s;
	int r = decode_text(d, &s);

	(void)f;
	if (r < 0)
		return r;
	if (!base64_decode(s.s, s.n, &raw))
		return decode_refuse(d, "must be base64");
	if (raw.n)
		*(struct slice *)into =
			(struct slice){ arena_strndup(&reader->config->arena, raw.s, raw.n),
					raw.n };
	return 0;
}

struct texts {
	const char **items;
	size_t n, cap;
};

static int add_string(struct decoder *d, void *arg)
{
	struct texts *texts = arg;
	struct slice s;
	int r = decode_text(d, &s);

	if (r == 0)
		*array_add(texts) = keep(d->owner, s);
	return r;
}

/* struct text_list */
static int read_strings(struct decoder *d, const struct field *f, void *into)
{
	struct reader *reader = d->owner;
	struct text_list *to = into;
	struct texts texts = { 0 };
	int r = decode_list(d, add_string, &texts);

	(void)f;
	to->items = arena_new(&reader->config->arena, const char *, texts.n + 1);
	for (to->n = 0; to->n < texts.n; to->n++)
		to->items[to->n] = texts.items[to->n];
	array_done(&texts);
	return r;
}

struct pairs {
	struct kube_pair *items;
	size_t n, cap;
	const char *name; /* of what is added next */
};

/* Puts the pairs into the arena. */
static struct kube_pair *keep_pairs(struct reader *r, struct pairs *pairs)
{
	struct kube_pair *kept = arena_new(&r->config->arena, struct kube_pair, pairs->n + 1);

	for (size_t i = 0; i < pairs->n; i++)
		kept[i] = pairs->items[i];
	array_done(pairs);
	return kept;
}

static const struct field pair_fields[] = {
	FIELD("name", read_string, struct kube_pair, name),
	FIELD("value", read_string, struct kube_pair, value),
	{ 0 },
};

static int add_env(struct decoder *d, void *arg)
{
	struct pairs *pairs = arg;
	struct kube_pair pair = { 0 };
	int r = decode_object(d, pair_fields, &pair);

	*array_add(pairs) = pair;
	return r;
}

/* env and n_env of struct kube_exec */
static int read_env(struct decoder *d, const struct field *f, void *into)
{
	struct kube_exec *exec = into;
	struct pairs pairs = { 0 };
	int r = decode_list(d, add_env, &pairs);

	(void)f;
	exec->n_env = pairs.n;
	exec->env = keep_pairs(d->owner, &pairs);
	return r;
}

static const struct field exec_fields[] = {
	FIELD("command", read_string, struct kube_exec, command),
	FIELD("apiVersion", read_string, struct kube_exec, api_version),
	FIELD("installHint", read_string, struct kube_exec, install_hint),
	FIELD("interactiveMode", read_string, struct kube_exec, interactive_mode),
	FIELD("args", read_strings, struct kube_exec, args),
	FIELD("provideClusterInfo", read_bool, struct kube_exec, provides_cluster_info),
	FIELD_WHOLE("env", read_env, NULL),
	{ 0 },
};

/* struct kube_exec * */
static int read_exec(struct decoder *d, const struct field *f, void *into)
{
	struct reader *reader = d->owner;
	struct kube_exec *exec = arena_new(&reader->config->arena, struct kube_exec, 1);
	int r = decode_object(d, exec_fields, exec);

	(void)f;
	if (exec->command && strchr(exec->command, '/'))
		exec->command = resolve(reader, exec->command);
	*(struct kube_exec **)into = exec;
	return r;
}

static const struct field auth_provider_fields[] = {
	FIELD("name", read_string, struct kube_user, auth_provider),
	{ 0 },
};

/* auth_provider of struct kube_user: "" where it has no name. */
static int read_auth_provider(struct decoder *d, const struct field *f, void *into)
{
	struct kube_user *user = into;
	int r = decode_object(d, auth_provider_fields, user);

	(void)f;
	if (!user->auth_provider)
		user->auth_provider = "";
	return r;
}

static int add_extra_value(struct decoder *d, void *arg)
{
	struct pairs *pairs = arg;
	struct slice s;
	int r = decode_text(d, &s);

	if (r == 0)
		*array_add(pairs) = (struct kube_pair){ pairs->name, keep(d->owner, s) };
	return r;
}

static int add_extra(struct decoder *d, struct slice key, void *arg)
{
	struct pairs *pairs = arg;

	pairs->name = keep(d->owner, key);
	return decode_list(d, add_extra_value, pairs);
}

/* as-user-extra: {"key": ["value", ...]}: as_extra and n_as_extra of struct kube_user */
static int read_extra(struct decoder *d, const struct field *f, void *into)
{
	struct kube_user *user = into;
	struct pairs pairs = { 0 };
	int r = decode_map(d, add_extra, &pairs);

	(void)f;
	user->n_as_extra = pairs.n;
	user->as_extra = keep_pairs(d->owner, &pairs);
	return r;
}

struct extension {
	const char *name;
	struct slice content;
};

static const struct field extension_fields[] = {
	FIELD("name", read_string, struct extension, name),
	FIELD("extension", read_slice, struct extension, content),
	{ 0 },
};

/* The one extension that means something to us: what an exec plugin is told about its cluster. */
static int add_extension(struct decoder *d, void *arg)
{
	struct extension e = { 0 };
	int r = decode_object(d, extension_fields, &e);

	if (r == 0 && e.name && e.content.n &&
	    strcmp(e.name, "client.authentication.k8s.io/exec") == 0)
		*(const char **)arg = keep(d->owner, e.content);
	return r;
}

/* const char * */
static int read_extensions(struct decoder *d, const struct field *f, void *into)
{
	(void)f;
	return decode_list(d, add_extension, into);
}

static const struct field cluster_fields[] = {
	FIELD("server", read_string, struct kube_cluster, server),
	FIELD("tls-server-name", read_string, struct kube_cluster, tls_server_name),
	FIELD("insecure-skip-tls-verify", read_bool, struct kube_cluster, is_insecure),
	FIELD("certificate-authority", read_path, struct kube_cluster, ca_file),
	FIELD("certificate-authority-data", read_base64, struct kube_cluster, ca_data),
	FIELD("proxy-url", read_string, struct kube_cluster, proxy_url),
	FIELD("disable-compression", read_bool, struct kube_cluster, disables_compression),
	FIELD("extensions", read_extensions, struct kube_cluster, exec_config),
	{ 0 },
};

static const struct field user_fields[] = {
	FIELD("client-certificate", read_path, struct kube_user, cert_file),
	FIELD("client-certificate-data", read_base64, struct kube_user, cert_data),
	FIELD("client-key", read_path, struct kube_user, key_file),
	FIELD("client-key-data", read_base64, struct kube_user, key_data),
	FIELD("token", read_string, struct kube_user, token),
	FIELD("tokenFile", read_path, struct kube_user, token_file),
	FIELD("as", read_string, struct kube_user, as),
	FIELD("as-uid", read_string, struct kube_user, as_uid),
	FIELD("as-groups", read_strings, struct kube_user, as_groups),
	FIELD_WHOLE("as-user-extra", read_extra, NULL),
	FIELD("username", read_string, struct kube_user, username),
	FIELD("password", read_string, struct kube_user, password),
	FIELD_WHOLE("auth-provider", read_auth_provider, NULL),
	FIELD("exec", read_exec, struct kube_user, exec),
	{ 0 },
};

static const struct field context_fields[] = {
	FIELD("cluster", read_string, struct kube_context, cluster),
	FIELD("user", read_string, struct kube_context, user),
	FIELD("namespace", read_string, struct kube_context, ns),
	{ 0 },
};

/* An entry of a list: its name, and what it is the name of. */
static const struct field cluster_entry[] = {
	FIELD("name", read_string, struct kube_cluster, name),
	FIELD_SUB("cluster", cluster_fields),
	{ 0 },
};

static const struct field user_entry[] = {
	FIELD("name", read_string, struct kube_user, name),
	FIELD_SUB("user", user_fields),
	{ 0 },
};

static const struct field context_entry[] = {
	FIELD("name", read_string, struct kube_context, name),
	FIELD_SUB("context", context_fields),
	{ 0 },
};

static const struct list_kind {
	enum kubeconfig_list list;
	const struct field *entry;
	size_t size;
} clusters = { KUBECONFIG_CLUSTERS, cluster_entry, sizeof(struct kube_cluster) },
  users = { KUBECONFIG_USERS, user_entry, sizeof(struct kube_user) },
  contexts = { KUBECONFIG_CONTEXTS, context_entry, sizeof(struct kube_context) };

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

/* Was this name given before in the same list? Adds it. */
static bool is_repeated(struct reader *r, const char *name)
{
	array_each(known, &r->names)
		if (strcmp(*known, name) == 0)
			return true;
	/* With room there are items; and they are pointers.
	 * NOLINTNEXTLINE(clang-analyzer-core.NullDereference,bugprone-sizeof-expression) */
	*array_add(&r->names) = name;
	return false;
}

static int read_entry(struct decoder *d, void *arg)
{
	const struct list_kind *kind = arg;
	struct reader *reader = d->owner;
	struct kube_entry *entry = arena_alloc(&reader->config->arena, kind->size);
	int r = decode_object(d, kind->entry, entry);

	if (r < 0)
		return r;
	if (!entry->name)
		entry->name = "";
	if (is_repeated(reader, entry->name))
		return decode_refuse(d, "duplicate name \"%s\"", entry->name);
	if (!find_entry(reader->config, kind->list, entry->name)) {
		/* With room there are items; and they are pointers.
		 * NOLINTNEXTLINE(clang-analyzer-core.NullDereference,bugprone-sizeof-expression) */
		*array_add(&reader->config->lists[kind->list]) = entry;
	}
	return 0;
}

static int read_entries(struct decoder *d, const struct field *f, void *into)
{
	struct reader *reader = d->owner;
	struct list_kind kind = *(const struct list_kind *)f->more;

	(void)into;
	array_clear(&reader->names);
	return decode_list(d, read_entry, &kind);
}

static int read_kind(struct decoder *d, const struct field *f, void *into)
{
	struct slice kind;
	int r = decode_text(d, &kind);

	(void)f;
	(void)into;
	if (r == 0 && kind.n && !slice_eq(kind, "Config"))
		return decode_refuse(d, "is %.*s, not Config", (int)(kind.n > 40 ? 40 : kind.n),
				     kind.s);
	return r;
}

static const struct field root_fields[] = {
	FIELD_WHOLE("kind", read_kind, NULL),
	FIELD_WHOLE("clusters", read_entries, &clusters),
	FIELD_WHOLE("users", read_entries, &users),
	FIELD_WHOLE("contexts", read_entries, &contexts),
	FIELD("current-context", read_string, struct reader, current_context),
	{ 0 },
};

/* The folder of a file, absolute where the working directory is known. */
static const char *folder_of(struct kubeconfig *c, const char *path)
{
	const char *slash = strrchr(path, '/');
	AUTO_FREE char *folder = slash ? xstrndup(path, (size_t)(slash - path)) : xstrdup(".");
	AUTO_FREE char *real = realpath(*folder ? folder : "/", NULL);
	const char *best = real ? real : folder;

	return arena_strndup(&c->arena, best, strlen(best));
}

static void reader_done(struct reader *r)
{
	array_done(&r->names);
}

int kubeconfig_add_text(struct kubeconfig *c, const char *text, size_t n, const char *path,
			struct error *err)
{
	static const struct yaml_limits limits = { .max_bytes = KUBECONFIG_MAX_BYTES };
	AUTO(str_done) struct str json = STR_INIT;
	AUTO(reader_done) struct reader r = { .config = c, .folder = folder_of(c, path) };
	AUTO(intern_done) struct intern keys = { 0 };
	AUTO(decoder_done) struct decoder d;

	decoder_init(&d, &keys);
	d.owner = &r;
	if (yaml_to_json(text, n, &limits, &json, err) < 0)
		return error_wrap(err, "%s", path);
	const struct slice all = { json.s, json.n };
	decoder_start(&d, all);
	if (decoder_end(&d, decode_object(&d, root_fields, &r), all, err) < 0)
		return error_wrap(err, "%s", path);
	if (!c->current_context)
		c->current_context = r.current_context;
	return 0;
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
