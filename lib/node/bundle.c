/* SPDX-License-Identifier: Apache-2.0 */
#include "node/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "node/sysfs.h"

enum { FILE_MAX = 4 << 20 };

static const char cri_name[] = "io.kubernetes.cri.container-name";
static const char kubernetes_name[] = "io.kubernetes.container.name";

static const struct {
	const char *folder, *file; /* FOLDER/ID/FILE */
	const char *object, *key;  /* the map that holds the name */
} runtimes[] = {
	{ "/run/containerd/io.containerd.runtime.v2.task/k8s.io", "config.json", "annotations",
	  cri_name },
	{ "/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io", "config.json", "annotations",
	  cri_name },
	{ "/run/containers/storage/overlay-containers", "userdata/config.json", "annotations",
	  kubernetes_name },
	{ "/var/lib/containers/storage/overlay-containers", "userdata/config.json", "annotations",
	  kubernetes_name },
	{ "/var/lib/docker/containers", "config.v2.json", "Config.Labels", kubernetes_name },
};

/* cri-o and dockershim call a sandbox POD; containerd gives it no name. */
static bool take_name(const char *path, const char *object, const char *key,
		      char ret[BUNDLE_NAME_MAX])
{
	AUTO(str_done) struct str text = STR_INIT_MAX(FILE_MAX);
	AUTO_JSON cJSON *json = NULL;

	if (file_read(path, &text, NULL) < 0 || json_parse(text.s, text.n, &json, NULL) < 0)
		return false;
	const char *name = json_text(json_get(json_path(json, object), key));
	if (!name || strcmp(name, "POD") == 0 || strlen(name) >= BUNDLE_NAME_MAX)
		return false;
	memcpy(ret, name, strlen(name) + 1);
	return true;
}

int bundle_name(const char *root, const char *extra, const char *id, char ret[BUNDLE_NAME_MAX],
		struct error *err)
{
	char path[PATH_MAX];

	if (extra) {
		snprintf(path, sizeof(path), "%s/%s/config.json", extra, id);
		if (take_name(path, "annotations", cri_name, ret))
			return 0;
	}
	for (size_t i = 0; i < sizeof(runtimes) / sizeof(runtimes[0]); i++) {
		snprintf(path, sizeof(path), "%s%s/%s/%s", root, runtimes[i].folder, id,
			 runtimes[i].file);
		if (take_name(path, runtimes[i].object, runtimes[i].key, ret))
			return 0;
	}
	return error_set(err, -ENOENT, "container %s: name not found in any runtime's files", id);
}
