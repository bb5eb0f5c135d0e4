/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/heartbeat.h"

#include <time.h>

#include "agent/use_report.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/json_out.h"
#include "base/log.h"
#include "base/names.h"
#include "base/timer.h"
#include "kube/micro_time.h"

enum { TIMEOUT_MS = 5000 };

static const char default_namespace[] = "mckube-system";

void heartbeat_lease(struct str *out, const char *ns, const char *name, const char *node_name,
		     const char *use, const char *now)
{
	AUTO(json_out_done) struct json_out o = { .out = out, .is_compact = true };

	json_out_object(&o);
	json_out_member(&o, "apiVersion", kube_leases.api_version);
	json_out_member(&o, "kind", kube_leases.kind);
	json_out_key(&o, "metadata");
	json_out_object(&o);
	json_out_member(&o, "name", name);
	json_out_member(&o, "namespace", ns);
	json_out_key(&o, "labels");
	json_out_object(&o);
	json_out_member(&o, HELPER_LABEL_KEY, HELPER_LABEL_VALUE);
	json_out_end(&o);
	json_out_key(&o, "annotations");
	json_out_object(&o);
	json_out_member(&o, HELPER_USE, use);
	json_out_end(&o);
	json_out_end(&o);
	json_out_key(&o, "spec");
	json_out_object(&o);
	json_out_member(&o, "holderIdentity", node_name);
	json_out_member_int(&o, "leaseDurationSeconds", HEARTBEAT_DURATION_S);
	json_out_member(&o, "renewTime", now);
	json_out_end(&o);
	json_out_end(&o);
}

static int renew(struct kube *k, const char *ns, const char *node_name, struct engine *e,
		 struct error *err)
{
	AUTO(kube_request_done) struct kube_request request = { 0 };
	AUTO_FREE char *name = xasprintf("%s%s", HELPER_LEASE_PREFIX, node_name);
	AUTO(str_done) struct str json = STR_INIT;
	AUTO(str_done) struct str use = STR_INIT;
	const struct kube_ref ref = { &kube_leases, ns, name, NULL, NULL };
	char now[MICRO_TIME_TEXT];

	use_report(e, time(NULL), clock_ns(), &use);
	heartbeat_lease(&json, ns, name, node_name, use.s, micro_time_now(now));
	kube_apply(&request, k, &ref, NULL, (struct slice){ json.s, json.n }, true);
	request.call.timeout_ms = TIMEOUT_MS;
	return kube_do(k, &request, err);
}

int heartbeat_step(struct heartbeat *h, struct kube *k, const char *ns, const char *node_name,
		   struct engine *e, bool is_healthy)
{
	struct error err = ERROR_INIT;
	int64_t now = clock_ms();

	if (h->due_ms > now)
		return timer_left(h->due_ms, now, HEARTBEAT_INTERVAL_MS);
	h->due_ms = now + HEARTBEAT_INTERVAL_MS;
	if (!is_healthy)
		return HEARTBEAT_INTERVAL_MS;
	bool has_failed = renew(k, ns ? ns : default_namespace, node_name, e, &err) < 0;
	if (has_failed && !h->has_failed)
		log_warning("heartbeat: %s", err.msg);
	h->has_failed = has_failed;
	return HEARTBEAT_INTERVAL_MS;
}
