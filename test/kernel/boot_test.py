# SPDX-License-Identifier: Apache-2.0
"""A distribution's kernel with cgroup v2 alone and without RT groups, booted in qemu: what `check`
says of it, and the helper with the bandwidth cap: a budget, an overrun that BPF sees, leaving. Which
kernel that is says kernel_image."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(__file__))
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
# Every answer is a line "@name value".
INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs run /run
mount -t cgroup2 cgroup /sys/fs/cgroup
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


def kernel():
    done = subprocess.run([os.path.dirname(os.path.abspath(__file__)) + "/kernel_image"],
                          stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        skip(done.stdout.strip() or "kernel_image failed")
    return done.stdout.strip()


def libraries(program):
    out = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return re.findall(r"(/\S+) \(0x", out)


def make_image(folder, program):
    root = folder + "/root"
    for name in ("bin", "proc", "sys", "dev", "run"):
        os.makedirs(f"{root}/{name}")
    shutil.copy(shutil.which("busybox"), root + "/bin/busybox")
    shutil.copy(program, root + "/bin/mckube-node")
    for library in libraries(program):
        os.makedirs(root + os.path.dirname(library), exist_ok=True)
        shutil.copy(library, root + library)
    for name, text in (("init", INIT), ("pods.yaml", PODS)):
        with open(f"{root}/{name}", "w") as f:
            f.write(text)
    os.chmod(root + "/init", 0o755)
    names = subprocess.run(["find", "."], cwd=root, capture_output=True, check=True).stdout
    with open(folder + "/image", "wb") as f:
        subprocess.run(["busybox", "cpio", "-o", "-H", "newc"], cwd=root, input=names, stdout=f,
                       stderr=subprocess.DEVNULL, check=True)
    return folder + "/image"


def boot(image):
    """Emulated: KVM inside a virtual machine may hang without a word."""
    start, vmlinuz = time.monotonic(), kernel()
    qemu = subprocess.Popen(
        ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "512",
         "-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio", "-kernel", vmlinuz,
         "-initrd", image, "-append", "console=ttyS0 quiet panic=-1 mitigations=off nokaslr"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    try:
        text = qemu.communicate(timeout=LIMIT_S)[0]
    except subprocess.TimeoutExpired:
        qemu.kill()
        text = qemu.communicate()[0]
    text = text.decode(errors="replace")
    print(f"# {os.path.basename(vmlinuz)}: {time.monotonic() - start:.1f} s")
    return text, dict(re.findall(r"@(\w+) (.*?)\r?$", text, re.MULTILINE))


def main():
    if not shutil.which("qemu-system-x86_64") or not shutil.which("busybox"):
        skip("needs qemu-system-x86_64 and busybox (static)")
    if not os.path.exists(NODE):
        skip(f"{NODE} is not built")
    with tempfile.TemporaryDirectory(prefix="mckube-boot-") as folder:
        text, said = boot(make_image(folder, NODE))
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
