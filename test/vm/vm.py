# SPDX-License-Identifier: Apache-2.0
"""Virtual machines with a distribution's kernel and cgroup v2 alone, for what this machine's kernel
cannot show. The root file system is an image in memory; its init answers with lines "@name value"."""
import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SUSPENDED_S = 3
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


def make_image(folder, programs, texts, files=()):
    """An initramfs of busybox, programs with their libraries, and files: texts, `init` among them, and
    copies of files by their path."""
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
    for name, path in dict(files).items():
        os.makedirs(os.path.dirname(f"{root}/{name}"), exist_ok=True)
        shutil.copy(path, f"{root}/{name}")
    os.chmod(root + "/init", 0o755)
    names = subprocess.run(["find", "."], cwd=root, capture_output=True, check=True).stdout
    with open(folder + "/image", "wb") as f:
        subprocess.run(["busybox", "cpio", "-o", "-H", "newc"], cwd=root, input=names, stdout=f,
                       stderr=subprocess.DEVNULL, check=True)
    return folder + "/image"


def start(image, vmlinuz, output, memory_mb=512, devices=(), monitor=None):
    """Emulated: KVM inside a virtual machine may hang without a word. monitor: a socket for QMP."""
    if monitor:
        devices = [*devices, "-chardev", f"socket,id=monitor,fd={monitor.fileno()}", "-mon",
                   "chardev=monitor,mode=control"]
    return subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max,cx16=off",
         "-smp", "2", "-m", str(memory_mb), "-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio",
         "-kernel", vmlinuz, "-initrd", image, *devices,
         "-append", "console=ttyS0 quiet panic=-1 mitigations=off nokaslr"],
        stdin=subprocess.DEVNULL, stdout=output, pass_fds=[monitor.fileno()] if monitor else [])


def wake(monitor):
    """Wakes the machine SUSPENDED_S after each time that it is suspended, until it ends."""
    with monitor.makefile("rw") as lines:
        say = lambda command: print(json.dumps({"execute": command}), file=lines, flush=True)
        say("qmp_capabilities")
        for line in lines:
            if json.loads(line).get("event") == "SUSPEND":
                time.sleep(SUSPENDED_S)
                say("system_wakeup")


def answers(text):
    return dict(re.findall(r"@(\w+) (.*?)\r?$", text, re.MULTILINE))


def boot(image, vmlinuz, limit_s):
    """What it printed, and its answers."""
    begin = time.monotonic()
    monitor, its_end = socket.socketpair()
    with monitor, its_end:
        qemu = start(image, vmlinuz, subprocess.PIPE, monitor=its_end)
        its_end.close()
        threading.Thread(target=wake, args=(monitor,), daemon=True).start()
        try:
            text = qemu.communicate(timeout=limit_s)[0]
        except subprocess.TimeoutExpired:
            qemu.kill()
            text = qemu.communicate()[0]
    text = text.decode(errors="replace")
    print(f"# {os.path.basename(vmlinuz)}: {time.monotonic() - begin:.1f} s", flush=True)
    return text, answers(text)
