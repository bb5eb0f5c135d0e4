/* SPDX-License-Identifier: Apache-2.0 */
#include "node/reserved.h"

#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "base/file.h"
#include "base/json.h"
#include "base/yaml.h"

enum { CONFIG_MAX = 1 << 20 };

static int parse(const char *what, const char *text, struct cpuset *ret, struct error *err)
{
	if (*text && cpuset_parse(text, strlen(text), ret, NULL) < 0)
		return error_set(err, -EINVAL, "%s: '%.60s' is not a list of CPUs such as 0-1",
				 what, text);
	return 0;
}

static int read_config(const char *path, struct cpuset *ret, struct error *err)
{
	AUTO(str_done) struct str text = STR_INIT_MAX(CONFIG_MAX);
	AUTO(str_done) struct str json = STR_INIT;
	AUTO_JSON cJSON *config = NULL;

	if (file_read(path, &text, err) < 0) {
		bool is_absent = err->code == -ENOENT || err->code == -EACCES;

		return is_absent ? 0 : err->code;
	}
	if (yaml_to_json(text.s, text.n, NULL, &json, err) < 0 ||
	    json_parse(json.s, json.n, &config, err) < 0)
		return error_wrap(err, "%s", path);
	const char *cpus = json_text(json_get(config, "reservedSystemCPUs"));
	if (!cpus)
		return 0;
	return parse("reservedSystemCPUs", cpus, ret, err) < 0 ? error_wrap(err, "%s", path) : 0;
}

int reserved_cpus(const char *given, const char *kubelet_config, struct cpuset *ret,
		  struct error *err)
{
	/* A configuration that is not there is no error, and leaves no message. */
	struct error own = ERROR_INIT;

	*ret = (struct cpuset){ 0 };
	int r = given ? parse("--reserved-cpus", given, ret, &own)
		      : read_config(kubelet_config, ret, &own);
	return r < 0 ? error_set(err, r, "%s", own.msg) : 0;
}
