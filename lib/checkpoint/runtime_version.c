/* SPDX-License-Identifier: Apache-2.0 */
#include "checkpoint/runtime_version.h"

#include <stdlib.h>
#include <string.h>

static bool take_part(const char **at, unsigned *ret)
{
	char *end;

	if (**at < '0' || **at > '9')
		return false;
	unsigned long n = strtoul(*at, &end, 10);
	if (end - *at > 6)
		return false;
	*at = end;
	*ret = (unsigned)n;
	return true;
}

bool version_parse(const char *text, struct version *ret)
{
	struct version v = { 0 };

	if (*text == 'v')
		text++;
	if (!take_part(&text, &v.major) || *text++ != '.' || !take_part(&text, &v.minor))
		return false;
	if (*text == '.') {
		text++;
		if (!take_part(&text, &v.patch))
			return false;
	}
	if (*text != '\0' && *text != '+')
		return false;
	*ret = v;
	return true;
}

static bool is_at_least(struct version v, unsigned major, unsigned minor, unsigned patch)
{
	if (v.major != major)
		return v.major > major;
	if (v.minor != minor)
		return v.minor > minor;
	return v.patch >= patch;
}

int containerd_can_restore(const char *text, struct error *err)
{
	struct version v;

	if (!version_parse(text, &v))
		return error_set(err, -ENOTSUP, "containerd %s: version cannot be read", text);
	if (is_at_least(v, 2, 4, 0))
		return error_set(err, -ENOTSUP, "containerd %s: 2.4 and later restore another way",
				 text);
	if (!is_at_least(v, 2, 2, 7) || (v.minor == 3 && !is_at_least(v, 2, 3, 4)))
		return error_set(err, -ENOTSUP,
				 "containerd %s: restoring is safe from 2.2.7 and 2.3.4 on", text);
	return 0;
}

int criu_can_dump(const char *text, struct error *err)
{
	struct version v;

	if (!version_parse(text, &v))
		return error_set(err, -ENOTSUP, "criu %s: version cannot be read", text);
	if (!is_at_least(v, 4, 2, 0))
		return error_set(err, -ENOTSUP, "criu %s: is older than 4.2", text);
	return 0;
}
