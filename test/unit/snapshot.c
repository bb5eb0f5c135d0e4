/* SPDX-License-Identifier: Apache-2.0 */
#include "test/unit/snapshot.h"

#include <stddef.h>
#include <string.h>

#include "test/unit/test.h"

#include "base/yaml.h"
#include "state/load.h"

static int add_document(struct slice json, uint32_t document, uint32_t line, void *arg,
			struct error *err)
{
	(void)document;
	(void)line;
	return loader_object(arg, json, "snapshot", err);
}

struct cluster unread_snapshot_of(const char *yaml)
{
	struct loader *l = loader_new();
	struct error err = ERROR_INIT;
	struct cluster c;

	if (yaml_each(yaml, strlen(yaml), NULL, add_document, l, &err) < 0)
		fail_msg("%s in\n%s", err.msg, yaml);
	loader_finish(l, &c);
	loader_free(l);
	return c;
}

struct cluster snapshot_of(const char *yaml)
{
	struct cluster c = unread_snapshot_of(yaml);

	array_each(p, &c.problems)
		fail_msg("%s: %s in\n%s", cluster_str(&c, p->object), cluster_str(&c, p->message),
			 yaml);
	return c;
}
