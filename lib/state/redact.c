/* SPDX-License-Identifier: Apache-2.0 */
#include "state/redact.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/intern.h"
#include "base/json.h"
#include "base/sha256.h"
#include "objects/quantity.h"
#include "state/redact_rules.h"

/* The sources are read twice: once to learn all texts, so that their order is known, and once to
 * write. */
struct redact {
	const char *key;
	struct intern words;
	uint32_t *ranks; /* by id, from 1; NULL during the first reading */
	int digits;
	const char *pod; /* name of the object at hand */
	struct list_out list;
};

static void redact_done(struct redact *r)
{
	intern_done(&r->words);
	free(r->ranks);
	list_out_done(&r->list);
}

/* Pseudonyms. */

enum { HASH_DIGITS = 8, SHORT_NUMBER = 5 };

/* A text that can be the name of an object stays one; one that cannot, must not become one. */
static char joint(const char *word)
{
	return word[strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789-.")] ? '_' : '-';
}

static cJSON *pseudonym(struct redact *r, const char *word)
{
	struct sha256 h = SHA256_INIT;
	char hex[SHA256_HEX];
	str_id id = intern_cstr(&r->words, word);

	if (!r->ranks || !*word)
		return cJSON_CreateString(word);
	sha256_add(&h, r->key, strlen(r->key) + 1);
	sha256_add(&h, word, strlen(word));
	sha256_finish_hex(&h, hex);
	AUTO_FREE char *text = xasprintf("x%0*u%c%.*s", r->digits, r->ranks[id], joint(word),
					 (int)HASH_DIGITS, hex);
	return cJSON_CreateString(text);
}

struct word {
	const char *text;
	str_id id;
};

static int by_text(const void *a, const void *b)
{
	const struct word *x = a, *y = b;

	return strcmp(x->text, y->text);
}

static void rank_words(struct redact *r)
{
	uint32_t n = r->words.n;
	AUTO_FREE struct word *words = xcalloc(n + 1, sizeof(*words));

	r->ranks = xcalloc(n + 1, sizeof(*r->ranks));
	for (str_id id = 0; id < n; id++)
		words[id] = (struct word){ intern_str(&r->words, id), id };
	qsort(words, n, sizeof(*words), by_text);
	for (uint32_t i = 0; i < n; i++)
		r->ranks[words[i].id] = i;
	r->digits = snprintf(NULL, 0, "%u", n);
}

/* Values, each made from the original; NULL where nothing is to be said. */

static cJSON *redact(struct redact *r, const struct redact_rule *rule, const cJSON *from);

static cJSON *keep(const cJSON *from)
{
	return cJSON_Duplicate(from, true);
}

/* What is of another type than it should be stays so, for it is a problem of the original too. */
static cJSON *keep_type(const cJSON *from)
{
	if (cJSON_IsObject(from))
		return cJSON_CreateObject();
	if (cJSON_IsNumber(from) && fabs(from->valuedouble) > UINT32_MAX)
		return cJSON_CreateNumber(copysign(UINT32_MAX, from->valuedouble));
	return cJSON_IsString(from) ? cJSON_CreateString("redacted") : keep(from);
}

static cJSON *redact_scalar(struct redact *r, const struct redact_rule *rule, const cJSON *from)
{
	(void)r;
	(void)rule;
	return keep_type(from);
}

static cJSON *redact_form(struct redact *r, const struct redact_rule *rule, const cJSON *from)
{
	const char *text = json_text(from);

	(void)r;
	return text && member_fits(rule->form, text) ? keep(from) : keep_type(from);
}

static cJSON *redact_enum(struct redact *r, const struct redact_rule *rule, const cJSON *from)
{
	const char *text = json_text(from);

	(void)r;
	(void)rule;
	return text && redact_is_enum(text) ? keep(from) : keep_type(from);
}

/* "7", "v1", "policy/v1beta1". */
static bool is_version(const char *text)
{
	static const char digits[] = "0123456789";
	const char *slash = strchr(text, '/');

	if (slash)
		text = slash + 1;
	text += *text == 'v';
	if (!*text || !strchr(digits, *text))
		return false;
	text += strspn(text, digits);
	if (strncmp(text, "alpha", 5) == 0)
		text += 5;
	else if (strncmp(text, "beta", 4) == 0)
		text += 4;
	return !text[strspn(text, digits)];
}

static cJSON *redact_version(struct redact *r, const struct redact_rule *rule, const cJSON *from)
{
	const char *text = json_text(from);

	(void)r;
	(void)rule;
	return text && is_version(text) ? keep(from) : keep_type(from);
}

static cJSON *redact_quantity(struct redact *r, const struct redact_rule *rule, const cJSON *from)
{
	const char *text = json_text(from);
	int64_t ignored;

	(void)r;
	(void)rule;
	return text && quantity_value(slice_of(text), &ignored) == 0 ? keep(from) : keep_type(from);
}

static cJSON *redact_word(struct redact *r, const struct redact_rule *rule, const cJSON *from)
{
	(void)rule;
	return json_text(from) ? pseudonym(r, json_text(from)) : keep_type(from);
}

static cJSON *redact_key(struct redact *r, const struct redact_rule *rule, const cJSON *from)
{
	const char *text = json_text(from);

	return text && redact_is_public_key(text) ? keep(from) : redact_word(r, rule, from);
}

/* A number too short to identify: no date, account or telephone. */
static bool is_short_number(const char *text)
{
	const char *digits = text + (*text == '-');
	size_t n = strlen(digits);

	return n >= 1 && n <= SHORT_NUMBER && digits[strspn(digits, "0123456789")] == '\0';
}

static bool is_plain_value(const char *text)
{
	return !*text || strcasecmp(text, "true") == 0 || strcasecmp(text, "false") == 0 ||
	       is_short_number(text);
}

/* The zones of a volume are one value, joined by "__": each keeps its own pseudonym. */
static cJSON *redact_zones(struct redact *r, const char *text)
{
	AUTO(str_done) struct str out = STR_INIT;

	for (const char *end; (end = strstr(text, "__")); text = end + 2) {
		AUTO_FREE char *zone = xstrndup(text, (size_t)(end - text));
		AUTO_JSON cJSON *word = pseudonym(r, zone);

		str_addf(&out, "%s__", json_text(word));
	}
	AUTO_JSON cJSON *last = pseudonym(r, text);
	str_add(&out, json_text(last));
	return cJSON_CreateString(out.s);
}

static cJSON *join(struct redact *r, const char *before, const char *word)
{
	AUTO_JSON cJSON *last = pseudonym(r, word);
	AUTO_FREE char *text = xasprintf("%s%s", before, json_text(last));

	return cJSON_CreateString(text);
}

static cJSON *redact_pair(struct redact *r, const struct redact_rule *rule, const cJSON *from)
{
	const char *text = json_text(from);
	const char *slash = text ? strrchr(text, '/') : NULL;

	if (!slash)
		return redact_word(r, rule, from);
	AUTO_FREE char *first = xstrndup(text, (size_t)(slash - text));
	AUTO_JSON cJSON *word = pseudonym(r, first);
	AUTO_FREE char *before = xasprintf("%s/", json_text(word));
	return join(r, before, slash + 1);
}

/* "app=FIFO,logger=RR": the names get pseudonyms, as those of the containers. */
static cJSON *redact_named(struct redact *r, const struct redact_rule *rule, const cJSON *from)
{
	AUTO(str_done) struct str out = STR_INIT;

	for (const char *at = json_text(from), *end; at; at = *end ? end + 1 : NULL) {
		end = at + strcspn(at, ",");
		const char *equal = memchr(at, '=', (size_t)(end - at));
		const char *start = equal ? equal + 1 : at;
		AUTO_FREE char *value = xstrndup(start, (size_t)(end - start));

		if (!member_fits(rule->form, value))
			return keep_type(from);
		if (equal) {
			AUTO_FREE char *name = xstrndup(at, (size_t)(equal - at));
			AUTO_JSON cJSON *word = pseudonym(r, name);

			str_addf(&out, "%s=", json_text(word));
		}
		str_addf(&out, "%s%s", value, *end ? "," : "");
	}
	return json_text(from) ? cJSON_CreateString(out.s ? out.s : "") : keep_type(from);
}

static cJSON *redact_value(struct redact *r, const struct redact_rule *rule, const cJSON *from)
{
	const char *text = json_text(from);

	if (text && strstr(text, "__"))
		return redact_zones(r, text);
	if (text && strncmp(text, MIGRATING_HASH, strlen(MIGRATING_HASH)) == 0)
		return join(r, MIGRATING_HASH, text + strlen(MIGRATING_HASH));
	return text && (is_plain_value(text) || redact_is_public_value(text))
		       ? keep(from)
		       : redact_word(r, rule, from);
}

static cJSON *redact_address(struct redact *r, const struct redact_rule *rule, const cJSON *from)
{
	const char *text = json_text(from);
	bool is_any = text && (strcmp(text, "0.0.0.0") == 0 || strcmp(text, "::") == 0);

	return is_any ? keep(from) : redact_word(r, rule, from);
}

static cJSON *redact_present(struct redact *r, const struct redact_rule *rule, const cJSON *from)
{
	(void)r;
	(void)rule;
	return cJSON_IsNull(from) ? NULL : cJSON_CreateString("redacted");
}

static void add(cJSON *to, const char *key, cJSON *value)
{
	if (value)
		cJSON_AddItemToObject(to, key, value);
}

static const struct redact_rule *find_rule(const struct redact_rule *rules, const char *key)
{
	for (; rules->key; rules++)
		if (strcmp(rules->key, key) == 0)
			return rules;
	return NULL;
}

/* The values of this label are names of objects, which have pseudonyms, "low" too. */
static enum redaction value_of_key(const char *key, enum redaction how)
{
	bool names_object = key && strcmp(key, KCLOUD_OPTIMIZER_LABEL) == 0;

	return names_object && how == REDACT_VALUE ? REDACT_WORD : how;
}

static cJSON *redact_object(struct redact *r, const struct redact_rule *rule, const cJSON *from)
{
	const char *key = json_text(json_get(from, "key")); /* of a requirement */
	const cJSON *item;
	cJSON *to;

	if (!cJSON_IsObject(from))
		return keep_type(from);
	to = cJSON_CreateObject();
	cJSON_ArrayForEach(item, from) {
		const struct redact_rule *found = find_rule(rule->members, item->string);

		if (!found)
			continue;
		struct redact_rule member = *found;
		member.how = value_of_key(key, member.how);
		add(to, item->string, redact(r, &member, item));
	}
	return to;
}

/* A map whose keys are given away by what they are called. */
static cJSON *redact_map(struct redact *r, const cJSON *from, bool (*is_public)(const char *key),
			 enum redaction value)
{
	const cJSON *item;
	cJSON *to;

	if (!cJSON_IsObject(from))
		return keep_type(from);
	to = cJSON_CreateObject();
	cJSON_ArrayForEach(item, from) {
		const struct redact_rule rule = { .how = value_of_key(item->string, value) };
		AUTO_JSON cJSON *key = is_public(item->string) ? cJSON_CreateString(item->string)
							       : pseudonym(r, item->string);

		add(to, json_text(key), redact(r, &rule, item));
	}
	return to;
}

static cJSON *redact_labels(struct redact *r, const struct redact_rule *rule, const cJSON *from)
{
	(void)rule;
	return redact_map(r, from, redact_is_public_key, REDACT_VALUE);
}

static cJSON *redact_amounts(struct redact *r, const struct redact_rule *rule, const cJSON *from)
{
	(void)rule;
	return redact_map(r, from, redact_is_public_resource, REDACT_QUANTITY);
}

/* Types that keep a pod from its node, whatever else they say. */
static const char *in_tree_type(const cJSON *volume)
{
	static const char *const types[] = { "awsElasticBlockStore", "gcePersistentDisk", "iscsi",
					     "rbd" };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (cJSON_IsObject(json_get(volume, types[i])))
			return types[i];
	return NULL;
}

/* The claim of a generic ephemeral volume is named after pod and volume: a pseudonym of the whole
 * is written as an ordinary claim, which a plan reads the same way. */
static cJSON *redact_volume(struct redact *r, const struct redact_rule *rule, const cJSON *from)
{
	const cJSON *claim = json_path(from, "persistentVolumeClaim.claimName");
	const char *name = json_text(json_get(from, "name"));
	const char *in_tree = in_tree_type(from);
	AUTO_FREE char *generic = xasprintf("%s-%s", r->pod, name ? name : "");
	cJSON *to;

	(void)rule;
	if (!in_tree && !json_text(claim) && !cJSON_IsObject(json_get(from, "ephemeral")))
		return NULL;
	to = cJSON_CreateObject();
	if (in_tree) {
		cJSON_AddObjectToObject(to, in_tree);
		return to;
	}
	cJSON_AddItemToObject(cJSON_AddObjectToObject(to, "persistentVolumeClaim"), "claimName",
			      pseudonym(r, json_text(claim) ? json_text(claim) : generic));
	return to;
}

static cJSON *redact_lease(struct redact *r, const struct redact_rule *rule, const cJSON *from)
{
	static const char prefix[] = HELPER_LEASE_PREFIX;
	const char *text = json_text(from);

	if (!text || strncmp(text, prefix, sizeof(prefix) - 1) != 0)
		return redact_word(r, rule, from);
	AUTO_JSON cJSON *node = pseudonym(r, text + sizeof(prefix) - 1);
	AUTO_FREE char *name = xasprintf("%s%s", prefix, json_text(node));
	return cJSON_CreateString(name);
}

static cJSON *(*const redactions[])(struct redact *r, const struct redact_rule *rule,
				    const cJSON *from) = {
	[REDACT_SCALAR] = redact_scalar,     [REDACT_FORM] = redact_form,
	[REDACT_ENUM] = redact_enum,	     [REDACT_VERSION] = redact_version,
	[REDACT_QUANTITY] = redact_quantity, [REDACT_WORD] = redact_word,
	[REDACT_KEY] = redact_key,	     [REDACT_VALUE] = redact_value,
	[REDACT_ADDRESS] = redact_address,   [REDACT_PRESENT] = redact_present,
	[REDACT_PAIR] = redact_pair,	     [REDACT_NAMED] = redact_named,
	[REDACT_OBJECT] = redact_object,     [REDACT_LABELS] = redact_labels,
	[REDACT_AMOUNTS] = redact_amounts,   [REDACT_VOLUME] = redact_volume,
	[REDACT_LEASE] = redact_lease,
};

static cJSON *redact(struct redact *r, const struct redact_rule *rule, const cJSON *from)
{
	if (!cJSON_IsArray(from))
		return redactions[rule->how](r, rule, from);

	cJSON *to = cJSON_CreateArray(), *one;
	const cJSON *item;
	cJSON_ArrayForEach(item, from) {
		one = redact(r, rule, item);
		if (one)
			cJSON_AddItemToArray(to, one);
	}
	return to;
}

/* Objects. */

/* What has no namespace is in "default", which has become something else. */
static void fill_namespace(struct redact *r, cJSON *object)
{
	cJSON *metadata = cJSON_GetObjectItemCaseSensitive(object, "metadata");

	if (metadata && !json_text(json_get(metadata, "namespace")))
		cJSON_AddItemToObject(metadata, "namespace", pseudonym(r, "default"));
}

static int take_object(const struct object_text *object, void *arg, struct error *err)
{
	struct redact *r = arg;
	AUTO_JSON cJSON *from = NULL, *to = NULL;

	if (json_parse(object->json.s, object->json.n, &from, err) < 0)
		return err->code;

	const char *kind = json_text(json_get(from, "kind"));
	const char *version = json_text(json_get(from, "apiVersion"));
	const struct redact_kind *k = kind && version ? redact_kind(kind, version) : NULL;
	if (!k)
		return 0;

	const struct redact_rule whole = { .how = REDACT_OBJECT, .members = k->rules };
	r->pod = json_text(json_path(from, "metadata.name"));
	if (!r->pod)
		return 0;
	to = redact_object(r, &whole, from);
	if (k->is_namespaced)
		fill_namespace(r, to);
	if (!r->ranks)
		return 0;
	AUTO_FREE char *text = cJSON_PrintUnformatted(to);
	return list_out_add(&r->list, slice_of(text), err);
}

static int read_all(struct redact *r, const struct source *sources, size_t n, struct error *err)
{
	for (size_t i = 0; i < n; i++)
		if (objects_read(&sources[i], take_object, r, err) < 0)
			return err->code;
	return 0;
}

int redact_files(const struct source *sources, size_t n, const char *key, int64_t taken_at,
		 enum list_format format, FILE *out, struct error *err)
{
	AUTO(redact_done) struct redact r = { .key = key, .list.text = STR_INIT };

	if (read_all(&r, sources, n, err) < 0)
		return err->code;
	rank_words(&r);
	list_out_begin_taken(&r.list, out, format, "redacted", taken_at);
	if (read_all(&r, sources, n, err) < 0)
		return err->code;
	list_out_end(&r.list);
	return 0;
}
