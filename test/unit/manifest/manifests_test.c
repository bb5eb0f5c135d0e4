/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest/manifests.h"

#include <string.h>

#include "base/array.h"
#include "base/auto.h"
#include "manifest/values.h"
#include "test/unit/test.h"

static const struct manifest_options options = { .ns = "mckube-system", .version = "1.2.3" };

static void render(const char *assignment, const struct manifest_options *o, struct str *out)
{
	AUTO_JSON cJSON *v = values_new();
	struct error err = ERROR_INIT;

	if (assignment)
		assert_int_equal(values_set(v, assignment, &err), 0);
	assert_int_equal(manifests_render(v, o, out, &err), 0);
}

static void assert_has(const char *assignment, const char *text, bool has)
{
	AUTO(str_done) struct str out = STR_INIT;

	render(assignment, &options, &out);
	if (!!strstr(out.s, text) != has)
		fail_msg("%s: '%s' is %s", assignment, text, has ? "missing" : "there");
}

TEST(what_no_value_changes_keeps_its_comments)
{
	AUTO(str_done) struct str out = STR_INIT, changed = STR_INIT;

	render(NULL, &options, &out);
	assert_non_null(strstr(out.s, "image: mckube:v1.2.3\n"));
	assert_non_null(strstr(out.s, "image: mckube-node:v1.2.3\n"));
	assert_non_null(strstr(out.s, "# The node helper on every node."));
	render("node.extraArgs=[\"--poll\"]", &options, &changed);
	assert_null(strstr(changed.s, "# The node helper on every node."));
	assert_non_null(strstr(changed.s, "# Plans and executes whenever"));
	assert_non_null(strstr(changed.s, "- --poll\n"));
}

TEST(values_choose_the_files)
{
	assert_has(NULL, "kind: CronJob", false);
	assert_has("cron=true", "kind: CronJob", true);
	assert_has("cron=true", "kind: Deployment", false);
	assert_has("cron=true", "kind: PodDisruptionBudget", false);
	assert_has("monitoring.rules.enabled=true", "alert: MckubeNoLeader", true);
	assert_has("crds.install=false", "kind: CustomResourceDefinition", false);
	assert_has("admission.mutating.version=v1beta1",
		   "admissionregistration.k8s.io/v1beta1\nkind: MutatingAdmissionPolicy\n", true);
}

TEST(folders_are_those_of_the_runtime)
{
	assert_has("runtime=k0s", "path: /var/lib/k0s/kubelet/seccomp", true);
	assert_has("runtime=k0s",
		   "mountPath: /host/run/k0s/containerd/io.containerd.runtime.v2.task", true);
	assert_has("bundles=/b", "mountPath: /host/b\n", true);
}

TEST(options_take_precedence_over_values)
{
	AUTO(str_done) struct str out = STR_INIT;
	struct manifest_options o = options;

	o.image = "r.example/m:1";
	o.ns = "elsewhere";
	render("image.tag=2", &o, &out);
	assert_non_null(strstr(out.s, "image: r.example/m:1\n"));
	assert_null(strstr(out.s, "mckube-system"));
}

TEST(names_that_yaml_would_read_otherwise_are_refused)
{
	static const char *const assignments[] = {
		"bundles=/a b",
		"kubeletRoot=/a: b",
		"image.repository=a\nb",
		"image.digest={}",
		"fullnameOverride=a\"b",
		"runtime=",
		"admission.mutating.version=",
	};
	struct manifest_options o = options;

	for (size_t i = 0; i < ARRAY_LEN(assignments); i++) {
		AUTO(str_done) struct str out = STR_INIT;
		AUTO_JSON cJSON *v = values_new();
		struct error err = ERROR_INIT;

		assert_int_equal(values_set(v, assignments[i], &err), 0);
		assert_int_equal(manifests_render(v, &o, &out, &err), -EINVAL);
	}
}
