# SPDX-License-Identifier: Apache-2.0
"""A distribution's kernel with cgroup v2 alone and without RT groups, booted in qemu: what `check`
says of it, and the helper with the bandwidth cap: a budget, an overrun that BPF sees, leaving. Which
kernel that is says test/vm/kernel_image."""
import json
import os
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, HERE + "/../vm"]
import vm
from node import skip

LIMIT_S = 240
NODE = os.environ.get("MCKUBE_NODE", "build/cmd/mckube-node/mckube-node")
PODS = """
kind: Pod
metadata:
  name: brake
  annotations:
    mckube.io/rt-period: "100000"
    mckube.io/rt-runtime-low: "20000"
    mckube.io/rt-runtime-hi: "50000"
    mckube.io/rt-core: "1"
    mckube.io/rt-enforcement: raise
    mckube.io/criticality: High
spec:
  containers:
  - { name: app, cgroup: kubepods/poda/a1 }
"""
INIT = vm.START + """
group=/sys/fs/cgroup/kubepods/poda/a1
mkdir -p $group
for folder in /sys/fs/cgroup /sys/fs/cgroup/kubepods /sys/fs/cgroup/kubepods/poda; do
	echo "+cpu +cpuset" >$folder/cgroup.subtree_control
done

# await SECONDS NAME VALUE: until cpu.max says so.
await() {
	i=0
	while [ "$(cat $group/cpu.max)" != "$3" ] && [ $i -lt $(($1 * 10)) ]; do
		sleep 0.1
		i=$((i + 1))
	done
	echo "@$2 $(cat $group/cpu.max)"
}

echo "@check $(mckube-node check -o json | tr -d '\\n')"
mckube-node run --backend cap-v2 --static /pods.yaml --dwell 60s 2>/run/log &
helper=$!
# C_low and the headroom of a pod at raise.
await 20 budget "20500 100000"
echo "@cpus $(cat $group/cpuset.cpus)"
(echo 0 >$group/cgroup.procs; exec yes >/dev/null) &
await 20 overrun "50000 100000"
kill $helper
wait $helper
echo "@code $?"
await 5 left "max 100000"
sed 's/^/@log /' /run/log
poweroff -f
"""


def main():
    if vm.missing():
        skip("needs qemu-system-x86_64 and busybox (static)")
    if not os.path.exists(NODE):
        skip(f"{NODE} is not built")
    with tempfile.TemporaryDirectory(prefix="mckube-boot-") as folder:
        try:
            vmlinuz = vm.kernel()
        except vm.NoKernel as e:
            skip(str(e))
        image = vm.make_image(folder, {"mckube-node": NODE}, {"init": INIT, "pods.yaml": PODS})
        text, said = vm.boot(image, vmlinuz, LIMIT_S)
    check = json.loads(said.get("check", "{}"))
    checks = {
        "the kernel has cgroup v2 alone": check.get("cgroups") == "v2",
        "and no RT groups": not check["features"]["rtGroupsV1"]["present"] if check else False,
        "the cap is written": said.get("budget") == "20500 100000",
        "the container is pinned": said.get("cpus") == "1",
        "BPF sees its overrun, which raises it": said.get("overrun") == "50000 100000" and
        "overruns from bpf" in text,
        "the helper ends well": said.get("code") == "0",
        "and gives back what it found": said.get("left") == "max 100000",
    }
    for what, is_good in checks.items():
        print(("ok " if is_good else "not ok ") + what)
    if not all(checks.values()):
        print(text, file=sys.stderr)
        sys.exit(1)


main()
