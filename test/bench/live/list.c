/* SPDX-License-Identifier: Apache-2.0 */
/* Lists all pods of a server:
 *
 *	live_list SERVER discard	the bytes only: what libcurl itself costs
 *	live_list SERVER decode		into a cluster, as `plan` does */
#include <stdio.h>
#include <string.h>

#include "kube/list.h"
#include "objects/objects.h"
#include "state/load.h"

static int decode(struct kube_list *l, struct slice text, size_t *ret_used, struct error *err)
{
	const struct object_origin origin = { .file = "pods",
					      .list_kind = l->split.kind.s,
					      .list_version = l->split.api_version.s };

	return loader_item(l->arg, text, &origin, ret_used, err);
}

static int list_decoded(struct kube *k, struct error *err)
{
	struct loader *loader = loader_new();
	struct kube_list list = { .resource = &kube_pods, .take = decode, .arg = loader };
	int r = kube_list_all(k, &list, 1, err);

	printf("%llu\n", (unsigned long long)list.n_items);
	kube_list_done(&list);
	loader_free(loader);
	return r;
}

/* The token of the next page stands in the first bytes of a page. */
struct discard {
	char head[256];
	size_t n;
};

static int drop(struct http_call *call, struct slice bytes, struct error *err)
{
	struct discard *d = call->arg;
	size_t room = sizeof(d->head) - 1 - d->n, n = bytes.n < room ? bytes.n : room;

	(void)err;
	memcpy(d->head + d->n, bytes.s, n);
	d->n += n;
	return 0;
}

static int list_discarded(struct kube *k, struct error *err)
{
	char path[128] = "/api/v1/pods?limit=500";
	int r;

	for (;;) {
		struct discard d = { .n = 0 };
		struct http_call call = { .method = "GET", .path = path, .sink = drop, .arg = &d };

		r = http_do(k->http, &call, err);
		http_call_done(&call);
		d.head[d.n] = '\0';
		const char *token = strstr(d.head, "\"continue\": \"");
		if (r < 0 || !token)
			return r;
		snprintf(path, sizeof(path), "/api/v1/pods?limit=500&continue=%d",
			 atoi(token + strlen("\"continue\": \"")));
	}
}

int main(int argc, char **argv)
{
	const struct kube_environment env = { .home = "", .account_dir = "" };
	const struct kube_overrides flags = { .server = argc > 2 ? argv[1] : "",
					      .disables_compression = true };
	const struct http_options options = { .user_agent = "bench" };
	struct kube_target target = { 0 };
	struct kube k = { .manager = "bench" };
	struct error err = ERROR_INIT;
	int r = kube_target_load(&flags, &env, &target, &err);

	if (r == 0)
		r = http_open(&target, &options, &k.http, &err);
	if (r == 0)
		r = strcmp(argv[2], "decode") == 0 ? list_decoded(&k, &err)
						   : list_discarded(&k, &err);
	if (r < 0)
		fprintf(stderr, "error: %s\n", err.msg);
	http_close(k.http);
	kube_target_done(&target);
	return r < 0;
}
