/* SPDX-License-Identifier: Apache-2.0 */

/* A snapshot through all that commands do with one: plan, its forms, plan file and back, status,
 * explain, execution on files, and the plan of what comes out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/json.h"
#include "execute/to_snapshot.h"
#include "output/explain.h"
#include "output/plan_html.h"
#include "output/plan_text.h"
#include "output/status.h"
#include "plan/explain/explain.h"
#include "plan/file/plan_file.h"
#include "plugins/policies.h"
#include "state/load.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

enum { PODS_EXPLAINED = 4, NODES_MAX = 10000 };

static const struct style style = { .has_color = true, .has_utf8 = true, .width = 80 };

static void failed(const char *what, const struct error *err, const char *text)
{
	fprintf(stderr, "%s: %s\n%s\n", what, err->msg, text);
	abort();
}

static int load(const char *path, struct cluster *c, struct error *err)
{
	const struct source source = { .path = path };
	struct loader *l = loader_new();
	int r = loader_files(l, &source, 1, err);

	if (r == 0)
		loader_finish(l, c);
	loader_free(l);
	return r;
}

static void show(const struct cluster *c, const struct plan *p)
{
	const struct plan_view view = { .has_header = true };
	const struct status_view status = { .pod = NONE, .node = NONE };
	const struct settings settings = SETTINGS_DEFAULT;
	AUTO(str_done) struct str out = STR_INIT;
	struct error err;

	plan_text(p, &view, &style, &out);
	plan_names(p, &view, &out);
	plan_totals(p, &style, &out);
	plan_html(c, p, &out);
	if (plan_wide(p, &view, &style, &out, &err) < 0)
		failed("plan -o wide", &err, "");
	for (enum format format = 0; format <= FORMAT_HTML; format++)
		status_render(c, &settings, &status, format, &style, &out, &err);
}

static void explain(const struct cluster *c)
{
	const struct settings settings = SETTINGS_DEFAULT;

	for (pod_id pod = 0; pod < c->pods.n && pod < PODS_EXPLAINED; pod++) {
		AUTO(explanation_done) struct explanation e = { 0 };
		AUTO(str_done) struct str out = STR_INIT;
		struct error err;

		if (explain_pod(c, policies, &settings, pod, &e, &err) < 0)
			failed("explain", &err, "");
		explain_text(&e, NULL, &style, &out);
		str_clear(&out);
		explain_json(&e, NULL, &out);
	}
}

/* What plan --out writes, apply reads, and it is the same plan. */
static void check_round_trip(const struct plan *p)
{
	AUTO(plan_done) struct plan again = { 0 };
	AUTO(str_done) struct str first = STR_INIT, second = STR_INIT;
	struct error err;

	plan_write_json(p, &first);
	if (plan_read_json(first.s, first.n, &again, &err) < 0)
		failed("own plan", &err, first.s);
	plan_write_json(&again, &second);
	if (strcmp(first.s, second.s) != 0)
		failed("own plan", &ERROR_INIT, "another one when it is read");
}

static void check_same(const struct cluster *c, const struct plan *p)
{
	const struct settings settings = SETTINGS_DEFAULT;
	AUTO(plan_done) struct plan again = { 0 };
	struct error err;

	if (plan_make(c, policies, &settings, &again, &err) < 0 || strcmp(p->name, again.name) != 0)
		failed("second plan of the same", &err, "");
}

/* What apply writes can be read and planned again. */
static void execute(const char *path, struct plan *p)
{
	const struct settings settings = SETTINGS_DEFAULT;
	const struct source source = { .path = path };
	AUTO(cluster_done) struct cluster after = { 0 };
	AUTO(plan_done) struct plan next = { 0 };
	AUTO_CLOSE int fd = memfd_create("after", 0);
	AUTO_FILE FILE *out = fdopen(dup(fd), "w");
	char name[32];
	struct error err;

	int r = execute_on_files(p, &source, 1, LIST_YAML, out, &err);
	fflush(out);
	if (r < 0)
		return;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	if (load(name, &after, &err) < 0)
		failed("what apply wrote", &err, "");
	if (plan_make(&after, policies, &settings, &next, &err) < 0)
		failed("plan of what apply wrote", &err, "");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct settings settings = SETTINGS_DEFAULT;
	AUTO(cluster_done) struct cluster c = { 0 };
	AUTO(plan_done) struct plan plan = { 0 };
	AUTO_CLOSE int fd = memfd_create("snapshot", 0);
	char path[32];
	struct error err;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (write(fd, data, n) != (ssize_t)n || load(path, &c, &err) < 0)
		return 0;
	if (plan_make(&c, policies, &settings, &plan, &err) < 0)
		failed("plan", &err, "");
	show(&c, &plan);
	explain(&c);
	check_round_trip(&plan);
	check_same(&c, &plan);
	execute(path, &plan);
	return 0;
}

/* Mutations of the tree: bytes alone seldom leave a snapshot. */

struct nodes {
	cJSON *items[NODES_MAX];
	size_t n;
};

static void collect(cJSON *root, struct nodes *to)
{
	for (cJSON *child = root->child; child && to->n < NODES_MAX; child = child->next) {
		to->items[to->n++] = child;
		collect(child, to);
	}
}

static cJSON *strange_value(unsigned pick)
{
	static const char *const texts[] = {
		"",
		"0",
		"-1",
		"100000",
		"9223372036854775808",
		"1e400",
		"0.1m",
		"10E",
		"High",
		"hi",
		"true",
		"a b",
		"0-3",
		"3-1",
		"0,0,99",
		"\x1b[31m",
		"x/y",
		"None",
		"Gt",
		"NotIn",
		"Unknown",
		"../..",
		"2026-11-21T09:00:00Z",
	};
	static const double numbers[] = { 0, -1, 1, 100000, 2147483648.0, 9007199254740992.0, 1.5 };
	size_t n_texts = sizeof(texts) / sizeof(*texts),
	       n_numbers = sizeof(numbers) / sizeof(double);

	if (pick % 8 == 0)
		return cJSON_CreateNull();
	if (pick % 8 == 1)
		return cJSON_CreateObject();
	if (pick % 8 == 2)
		return cJSON_CreateArray();
	if (pick % 8 == 3)
		return cJSON_CreateBool(pick & 8);
	if (pick % 8 == 4)
		return cJSON_CreateNumber(numbers[pick / 8 % n_numbers]);
	return cJSON_CreateString(texts[pick / 8 % n_texts]);
}

/* Takes its place and its key. */
static void replace(cJSON *old, cJSON *parent, cJSON *new)
{
	free(new->string);
	new->string = old->string ? strdup(old->string) : NULL;
	cJSON_ReplaceItemViaPointer(parent, old, new);
}

static cJSON *parent_of(cJSON *root, const cJSON *item)
{
	for (cJSON *child = root->child; child; child = child->next) {
		cJSON *found = child == item ? root : parent_of(child, item);

		if (found)
			return found;
	}
	return NULL;
}

static void mutate_tree(cJSON *root, unsigned random)
{
	struct nodes *nodes = calloc(1, sizeof(*nodes));

	collect(root, nodes);
	if (nodes->n) {
		cJSON *item = nodes->items[random / 4 % nodes->n];
		cJSON *parent = parent_of(root, item);
		cJSON *other = nodes->items[random / 64 % nodes->n];

		if (random % 4 == 0)
			cJSON_Delete(cJSON_DetachItemViaPointer(parent, item));
		else if (random % 4 == 1)
			replace(item, parent, cJSON_Duplicate(other, true));
		else if (random % 4 == 2 && cJSON_IsArray(parent))
			cJSON_AddItemToArray(parent, cJSON_Duplicate(item, true));
		else
			replace(item, parent, strange_value(random / 32));
	}
	free(nodes);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	AUTO_JSON cJSON *root = NULL;
	unsigned random = seed;

	if (seed % 16 == 0 || json_parse((const char *)data, size, &root, NULL) < 0)
		return LLVMFuzzerMutate(data, size, max_size);
	for (unsigned i = 0; i <= seed / 16 % 3; i++) {
		random = random * 1103515245u + 12345u;
		mutate_tree(root, random >> 4);
	}
	AUTO_FREE char *text = cJSON_PrintUnformatted(root);
	size_t n = text ? strlen(text) : 0;
	if (n == 0 || n > max_size)
		return LLVMFuzzerMutate(data, size, max_size);
	memcpy(data, text, n);
	return n;
}
