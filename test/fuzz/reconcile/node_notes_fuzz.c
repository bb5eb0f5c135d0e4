/* SPDX-License-Identifier: Apache-2.0 */

/* What helpers write on their nodes and moves are decided by, as any bytes: the values of `keys`,
 * separated by NUL bytes, first those of node a, then those of node b. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/json.h"
#include "base/names.h"
#include "migrate/arrival.h"
#include "output/explain.h"
#include "plan/explain/explain.h"
#include "plugins/policies.h"
#include "reconcile/health_internal.h"
#include "state/load.h"

static const char *const keys[] = {
	NODE_CHECKPOINT,
	NODE_CPU_FLAGS,
	NODE_ARRIVALS,
	NODE_MIGRATE_ADDRESS,
	"mckube.sdv.com/cpu-usage",
};

/* A bare pod, one of a StatefulSet that waits, and one that is on its way; "a" is marked. */
static const char cluster_text[] =
	"{\"apiVersion\":\"v1\",\"kind\":\"List\",\"metadata\":{\"annotations\":{"
	"\"mckube.io/taken-at\":\"2026-11-21T09:00:00Z\"}},\"items\":["
	"{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"a\",\"annotations\":{}},"
	"\"spec\":{\"taints\":[{\"key\":\"mckube.io/pressure\",\"effect\":\"PreferNoSchedule\","
	"\"timeAdded\":\"2026-11-21T08:59:00Z\"}]},"
	"\"status\":{\"allocatable\":{\"cpu\":\"4\",\"memory\":\"8Gi\",\"pods\":\"110\"}}},"
	"{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"b\",\"annotations\":{}},"
	"\"status\":{\"allocatable\":{\"cpu\":\"4\",\"memory\":\"8Gi\",\"pods\":\"110\"}}},"
	"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"namespace\":\"n\",\"name\":\"bare\","
	"\"uid\":\"u1\",\"annotations\":{\"mckube.io/migration\":\"Checkpoint\"}},\"spec\":{"
	"\"nodeName\":\"a\",\"containers\":[{\"name\":\"c\",\"resources\":{\"requests\":{\"cpu\":"
	"\"3900m\"}}}]},\"status\":{\"phase\":\"Running\"}},"
	"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"namespace\":\"n\",\"name\":\"set-0\","
	"\"uid\":\"u2\",\"ownerReferences\":[{\"kind\":\"StatefulSet\",\"name\":\"set\",\"uid\":\"u3\","
	"\"controller\":true}]},\"spec\":{\"schedulerName\":\"mckube\",\"containers\":[{\"name\":"
	"\"c\"}]},\"status\":{\"phase\":\"Pending\"}},"
	"{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"namespace\":\"n\",\"name\":\"going\","
	"\"uid\":\"u4\",\"annotations\":{\"mckube.io/migrate-id\":\"x\",\"mckube.io/migrate-to\":"
	"\"b\"}},\"spec\":{\"nodeName\":\"a\",\"containers\":[{\"name\":\"c\"}]},\"status\":{"
	"\"phase\":\"Running\"}}]}";

/* The next value, which ends with a NUL byte or with the input. */
static char *next_value(const uint8_t **at, const uint8_t *end)
{
	size_t n = strnlen((const char *)*at, (size_t)(end - *at));
	char *value = xstrndup((const char *)*at, n);

	*at += n;
	*at += *at < end;
	return value;
}

static void annotate(cJSON *node, const uint8_t **at, const uint8_t *end)
{
	cJSON *annotations = (cJSON *)json_path(node, "metadata.annotations");

	for (size_t i = 0; i < ARRAY_LEN(keys) && *at < end; i++) {
		AUTO_FREE char *value = next_value(at, end);

		cJSON_AddStringToObject(annotations, keys[i], value);
	}
}

static int load(const cJSON *list, struct cluster *ret, struct error *err)
{
	AUTO_FREE char *text = cJSON_PrintUnformatted(list);
	AUTO_CLOSE int fd = memfd_create("cluster", 0);
	struct loader *l = loader_new();
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	const struct source source = { .path = path };
	int r = write(fd, text, strlen(text)) == (ssize_t)strlen(text)
			? loader_files(l, &source, 1, err)
			: -EIO;
	if (r == 0)
		loader_finish(l, ret);
	loader_free(l);
	return r;
}

static void failed(const char *what, const struct error *err)
{
	fprintf(stderr, "%s: %s\n", what, err->msg);
	abort();
}

static void decide(const struct cluster *c)
{
	struct settings settings = SETTINGS_DEFAULT;
	AUTO(plan_done) struct plan plan = { 0 };
	AUTO(health_done) struct health health = { 0 };
	struct error err;

	settings.migration.enabled = true;
	if (plan_make(c, policies, &settings, &plan, &err) < 0)
		failed("plan", &err);
	for (pod_id pod = 0; pod < c->pods.n; pod++) {
		AUTO(explanation_done) struct explanation e = { 0 };
		AUTO(str_done) struct str out = STR_INIT;

		if (explain_pod(c, policies, &settings, pod, &e, &err) < 0)
			failed("explain", &err);
		explain_text(&e, NULL, &(struct style){ .width = 80 }, &out);
	}
	health_checkpoints(&health, c);
}

/* Moves of the StatefulSet's pod that its target holds. */
static void arrive(const cJSON *node)
{
	AUTO_JSON cJSON *arrivals = arrivals_read(node);
	struct arrival arrival;

	arrival_find(arrivals, "n", "set-0", &arrival);
	arrival_fail(arrivals, "n", "set-0", "why");
	arrival_remove(arrivals, "n", "set-0");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO(cluster_done) struct cluster c = { 0 };
	AUTO_JSON cJSON *list = cJSON_Parse(cluster_text);
	cJSON *nodes = (cJSON *)json_get(list, "items");
	const uint8_t *end = data + n;
	struct error err;

	for (int i = 0; i < 2; i++)
		annotate(cJSON_GetArrayItem(nodes, i), &data, end);
	arrive(cJSON_GetArrayItem(nodes, 1));
	if (load(list, &c, &err) == 0)
		decide(&c);
	return 0;
}
