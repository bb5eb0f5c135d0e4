/* SPDX-License-Identifier: Apache-2.0 */
#include "node/container.h"

#include <errno.h>

#include "test/unit/node/fake_tree.h"
#include "test/unit/test.h"

#define UID   "0a1b2c3d-0001-4444-8888-123456789abc"
#define UID_  "0a1b2c3d_0001_4444_8888_123456789abc"
#define ID    "4f5e6d7c8b9a0f1e2d3c4b5a69788796a5b4c3d2e1f00112233445566778899a"
#define BURST "kubepods-burstable"

static const struct layout {
	const char *path;
	enum pod_qos qos;
} layouts[] = {
	{ "kubepods/pod" UID "/" ID, QOS_GUARANTEED },
	{ "/kubepods/burstable/pod" UID "/" ID, QOS_BURSTABLE },
	{ "kubepods/besteffort/pod" UID "/crio-" ID, QOS_BEST_EFFORT },
	{ "kubelet/kubepods/burstable/pod" UID "/" ID, QOS_BURSTABLE },
	{ "kubepods.slice/kubepods-pod" UID_ ".slice/cri-containerd-" ID ".scope", QOS_GUARANTEED },
	{ "kubepods.slice/" BURST ".slice/" BURST "-pod" UID_ ".slice/docker-" ID ".scope",
	  QOS_BURSTABLE },
	{ "kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" UID_ ".slice/crio-" ID
	  ".scope",
	  QOS_BEST_EFFORT },
	{ "kubelet.slice/kubelet-kubepods.slice/kubelet-" BURST ".slice/kubelet-" BURST "-pod" UID_
	  ".slice/cri-containerd-" ID ".scope",
	  QOS_BURSTABLE },
	{ "kubepods/pod" UID "/" ID "/init.scope", QOS_GUARANTEED },
};

TEST(every_layout_is_understood)
{
	for (size_t i = 0; i < ARRAY_LEN(layouts); i++) {
		struct container_path p;

		assert_true(container_parse(layouts[i].path, &p));
		assert_string_equal(p.pod_uid, UID);
		assert_string_equal(p.id, ID);
		assert_int_equal(p.qos, layouts[i].qos);
		const char *end = strstr(layouts[i].path, ID);
		assert_true(p.container_len >= (size_t)(end - layouts[i].path) + strlen(ID));
		assert_true(p.pod_len < p.container_len && p.root_len < p.pod_len);
	}
}

TEST(pod_folder_has_no_container)
{
	struct container_path p;

	assert_true(container_parse("kubepods/burstable/pod" UID, &p));
	assert_string_equal(p.id, "");
	assert_int_equal(p.container_len, 0);
}

TEST(other_folders_are_not_containers)
{
	static const char *const others[] = {
		"",
		"/",
		"system.slice/ssh.service",
		"kubepods",
		"kubepods/burstable",
		"kubepods.slice/kubepods-burstable.slice",
		"kubepods/pod",
		"kubepods/pod../x",
		"kubepods/pod" UID "/crio-conmon-" ID,
		"kubepods/pod" UID "/crio-conmon-" ID ".scope",
		"kubepods/pod" UID "/systemd.scope",
		"kubepods/pod" UID "/a b",
		"mykubepods/pod" UID "/" ID,
	};
	struct container_path p;

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_false(container_parse(others[i], &p));
}

TEST(ids_cannot_leave_their_folder)
{
	static const char *const bad[] = {
		"", "..", "../../x", "a/b", "containerd://", "x/../y", "a.b\n", "docker://a%2f"
	};
	char id[CONTAINER_ID_MAX + 1];
	struct error err;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(container_id(bad[i], id, &err), -EINVAL);
	assert_int_equal(container_id("containerd://" ID, id, &err), 0);
	assert_string_equal(id, ID);
	assert_int_equal(container_id(ID, id, &err), 0);
}

TEST(containers_are_found_in_every_layout)
{
	for (size_t i = 0; i < ARRAY_LEN(layouts); i++) {
		struct fake_tree t;
		struct kernel k = { 0 };
		struct container_path p;
		char file[512], found[PATH_MAX];
		struct error err;

		fake_tree_init(&t);
		snprintf(k.cpu, sizeof(k.cpu), "%s", t.root);
		snprintf(file, sizeof(file), "%s/tasks", layouts[i].path);
		fake_file(&t, file, "");
		fake_file(&t, "kubepods/podother/ffff/tasks", "");
		assert_int_equal(container_find(&k, UID, ID, found, &err), 0);
		assert_true(container_parse(found, &p));
		assert_string_equal(p.id, ID);
		assert_int_equal(container_find(&k, NULL, ID, found, &err), 0);
		assert_int_equal(container_find(&k, "other", ID, found, &err), -ENOENT);
		fake_tree_done(&t);
	}
}

TEST(process_tells_its_container)
{
	struct fake_tree t;
	struct kernel k = { .cpu = "/x" };
	char path[PATH_MAX], root[80];
	uint64_t start;
	struct error err;

	fake_tree_init(&t);
	snprintf(root, sizeof(root), "%s", t.root);
	struct kernel_roots roots = { root, root, root };
	fake_file(&t, "7/stat",
		  "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20\n");
	fake_file(&t, "7/cgroup",
		  "5:memory:/x\n3:cpuset,cpu:/kubepods/pod" UID "/" ID "/sub\n0::/\n");
	assert_int_equal(container_of_pid(&roots, &k, 7, path, &start, &err), 0);
	assert_string_equal(path, "kubepods/pod" UID "/" ID);
	assert_int_equal(start, 4711);
	assert_true(pid_is_same(&roots, 7, 4711));
	assert_false(pid_is_same(&roots, 7, 4712));
	assert_false(pid_is_same(&roots, 8, 4711));

	fake_file(&t, "7/cgroup", "0::/user.slice/app\n");
	assert_int_equal(container_of_pid(&roots, &k, 7, path, &start, &err), 0);
	assert_string_equal(path, "user.slice/app");
	fake_file(&t, "7/cgroup", "0::/../other\n");
	assert_int_equal(container_of_pid(&roots, &k, 7, path, &start, &err), -ENOENT);
	fake_tree_done(&t);
}

/* The kubelet has the systemd driver, the runtime has not: one folder for pod and container. */
TEST(name_that_is_nearly_joined_leaves_no_trace)
{
	struct container_path p;

	assert_true(container_parse(
		"kubepods-burstable-pod" UID_ ".slice:docker:a.b/kubepods/pod" UID "/" ID, &p));
	assert_int_equal(p.qos, QOS_GUARANTEED);
	assert_string_equal(p.id, ID);
}

TEST(joined_name_of_pod_and_container_is_understood)
{
	static const struct layout joined[] = {
		{ "system.slice/containerd.service/" BURST "-pod" UID_ ".slice:cri-containerd:" ID,
		  QOS_BURSTABLE },
		{ "a/kubepods-pod" UID_ ".slice:cri-containerd:" ID, QOS_GUARANTEED },
		{ "kubepods-besteffort-pod" UID_ ".slice:docker:" ID, QOS_BEST_EFFORT },
	};
	static const char *const others[] = {
		"a/kubepods-pod" UID_ ".slice:cri-containerd:../x",
		"a/kubepods-pod" UID_ ".slice:" ID,
		("a/other.slice:cri-containerd:" ID),
		"a/pod0kubepods::x",
	};
	struct container_path p;

	for (size_t i = 0; i < ARRAY_LEN(joined); i++) {
		struct fake_tree t;
		struct kernel k = { 0 };
		char file[512], found[PATH_MAX];

		assert_true(container_parse(joined[i].path, &p));
		assert_string_equal(p.pod_uid, UID);
		assert_string_equal(p.id, ID);
		assert_int_equal(p.qos, joined[i].qos);
		assert_int_equal(p.container_len, strlen(joined[i].path));
		fake_tree_init(&t);
		snprintf(k.cpu, sizeof(k.cpu), "%s", t.root);
		snprintf(file, sizeof(file), "%s/tasks", joined[i].path);
		fake_file(&t, file, "");
		assert_int_equal(container_find(&k, UID, ID, found, NULL), 0);
		assert_string_equal(found, joined[i].path);
		fake_tree_done(&t);
	}
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_false(container_parse(others[i], &p));
}
