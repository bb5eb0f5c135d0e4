# SPDX-License-Identifier: Apache-2.0
"""Virtual machines with a distribution's kernel and cgroup v2 alone, for what this machine's kernel
cannot show. The root file system is an image in memory; its init answers with lines "@name value"."""
import os
import re
import shutil
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
# The beginning of an init.
START = """#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs run /run
mount -t cgroup2 cgroup /sys/fs/cgroup
"""


class NoKernel(Exception):
    pass


def missing():
    """The program that is missing, or nothing."""
    return [p for p in ("qemu-system-x86_64", "busybox") if not shutil.which(p)]


def kernel(*suite):
    done = subprocess.run([HERE + "/kernel_image", *suite], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise NoKernel(done.stdout.strip() or "kernel_image failed")
    return done.stdout.strip()


def libraries(program):
    done = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    return re.findall(r"(/\S+) \(0x", done.stdout)


def make_image(folder, programs, texts):
    """An initramfs of busybox, programs with their libraries, and files; `init` among them."""
    root = folder + "/root"
    for name in ("bin", "proc", "sys", "dev", "run"):
        os.makedirs(f"{root}/{name}")
    shutil.copy(shutil.which("busybox"), root + "/bin/busybox")
    for name, program in programs.items():
        shutil.copy(program, f"{root}/bin/{name}")
        for library in libraries(program):
            os.makedirs(root + os.path.dirname(library), exist_ok=True)
            shutil.copy(library, root + library)
    for name, text in texts.items():
        with open(f"{root}/{name}", "w") as f:
            f.write(text)
    os.chmod(root + "/init", 0o755)
    names = subprocess.run(["find", "."], cwd=root, capture_output=True, check=True).stdout
    with open(folder + "/image", "wb") as f:
        subprocess.run(["busybox", "cpio", "-o", "-H", "newc"], cwd=root, input=names, stdout=f,
                       stderr=subprocess.DEVNULL, check=True)
    return folder + "/image"


def boot(image, vmlinuz, limit_s):
    """What it printed, and its answers. Emulated: KVM inside a virtual machine may hang without a
    word."""
    start = time.monotonic()
    qemu = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max,cx16=off", "-smp",
         "2", "-m", "512", "-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio", "-kernel", vmlinuz,
         "-initrd", image, "-append", "console=ttyS0 quiet panic=-1 mitigations=off nokaslr"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    try:
        text = qemu.communicate(timeout=limit_s)[0]
    except subprocess.TimeoutExpired:
        qemu.kill()
        text = qemu.communicate()[0]
    text = text.decode(errors="replace")
    print(f"# {os.path.basename(vmlinuz)}: {time.monotonic() - start:.1f} s", flush=True)
    return text, dict(re.findall(r"@(\w+) (.*?)\r?$", text, re.MULTILINE))
