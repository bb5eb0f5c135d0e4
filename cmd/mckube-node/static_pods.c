/* SPDX-License-Identifier: Apache-2.0 */

/* Pods from a file: Pod objects as YAML documents, or a v1 List of them. */
#include "static_pods.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/auto.h"
#include "base/file.h"
#include "base/log.h"
#include "base/yaml.h"
#include "node/sysfs.h"

enum { FILE_MAX = 16 << 20 };

struct reading {
	struct run *run;
	ARRAY(char *) uids; /* that the file holds */
	uint32_t n_bad;
};

static void read_pod(struct reading *reading, const cJSON *pod, uint32_t line)
{
	AUTO_FREE struct assignment *w = xcalloc(1, sizeof(*w));
	struct error err = ERROR_INIT;

	enum assignment_kind kind =
		assignment_read(pod, TRUST_ALL, reading->run->kernel.cpus, w, &err);
	bool is_bad = kind == ASSIGNMENT_INVALID;
	if (kind == ASSIGNMENT_VALID) {
		*array_add(&reading->uids) = xstrdup(w->want.uid);
		is_bad = run_set(reading->run, w, &err) < 0;
	}
	if (is_bad) {
		log_warning("line %u: %s", line, err.msg);
		reading->n_bad++;
	}
	assignment_done(w);
}

static int read_document(struct slice text, uint32_t document, uint32_t line, void *arg,
			 struct error *err)
{
	AUTO_JSON cJSON *json = NULL;
	const cJSON *item;

	(void)document;
	if (json_parse(text.s, text.n, &json, err) < 0)
		return err->code;
	const cJSON *items = json_get(json, "items");
	if (!items)
		read_pod(arg, json, line);
	cJSON_ArrayForEach(item, items)
		read_pod(arg, item, line);
	return 0;
}

static bool holds(const struct reading *reading, const char *uid)
{
	for (size_t i = 0; i < reading->uids.n; i++)
		if (strcmp(reading->uids.items[i], uid) == 0)
			return true;
	return false;
}

static void remove_others(struct reading *reading)
{
	struct engine *e = &reading->run->engine;

	for (size_t i = e->pods.n; i-- > 0;) {
		AUTO_FREE char *uid = xstrdup(e->pods.items[i].uid);

		if (!holds(reading, uid))
			run_forget(reading->run, uid);
	}
}

int static_pods_apply(struct run *r, const char *path, struct error *err)
{
	AUTO(str_done) struct str text = STR_INIT_MAX(FILE_MAX);
	struct reading reading = { .run = r };

	if (file_read(path, &text, err) < 0)
		return err->code;
	int code = yaml_each(text.s, text.n, NULL, read_document, &reading, err);
	if (code == 0) {
		remove_others(&reading);
		engine_return_left(&r->engine, NULL, NULL);
	} else {
		error_wrap(err, "%s", path);
	}
	array_each(uid, &reading.uids)
		free(*uid);
	array_done(&reading.uids);
	return code;
}
