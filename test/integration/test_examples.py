# SPDX-License-Identifier: Apache-2.0
"""The examples of `help` that need a server, through kubectl. The others
are run by test/cli/help.t."""

import re
import signal
import subprocess

OFFLINE = {"replay", "policies", "version", "completion", "help", "crd", "manifests"}
EXAMPLES = re.compile(r"^Examples:\n(.*?)^(?:[A-Z][a-z ]*options|Options|Usage):$", re.M | re.S)


def examples(c, command):
    text = EXAMPLES.search(c.mckube("help", command).out + "\nUsage:\n")
    text = text[1].replace("\\\n", "") if text else ""
    return [line.strip() for line in text.splitlines() if line.startswith("  kubectl")]


def needs_server(command, example):
    return "| kubectl" in example or not ("--snapshot" in example or command in OFFLINE)


def commands(c):
    listed = c.mckube("help").out.split("Commands:\n")[1].split("\n\n")[0]
    return re.findall(r"^  ([a-z]+) ", listed, re.M)


def test_examples_of_help(c):
    c.nodes("e-1")
    c.create(*c.pair("steering", 200000))
    ran = []
    for command in commands(c):
        for example in filter(lambda e, c=command: needs_server(c, e), examples(c, command)):
            line = example.replace("/var/lib/prometheus/node-exporter", str(c.folder))
            # Nothing is installed that could become ready.
            line = line.replace("--wait --timeout 5m", "--wait --timeout 1s || test $? -eq 1")
            if command == "watch" and "--once" not in line:
                watch_until_a_pass(c, line)
            elif line.endswith(" --watch"):
                watch_until_interrupted(c, line)
            else:
                c.run("sh", "-ec", line)
            ran.append(command)
    c.wait(lambda: c.kubectl("get", "mckubes", "-n", c.ns, check=False).code == 0)
    assert {"plan", "apply", "watch", "doctor", "crd", "manifests"} <= set(ran), ran
    assert (c.folder / "mckube.prom").read_text().startswith("# ")


def watch_until_interrupted(c, line):
    """It follows the pods until SIGINT."""
    with subprocess.Popen(["sh", "-c", "exec " + line], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline().startswith("NAME"), line
        child.send_signal(signal.SIGINT)
    assert child.returncode in (0, 128 + signal.SIGINT), f"{line}: {child.returncode}"


def watch_until_a_pass(c, line):
    """It ends at SIGINT with code 0."""
    c.create(*c.pair("braking", 200000))
    log = c.folder / "watch.log"
    with open(log, "w", encoding="utf-8") as err, subprocess.Popen(
            ["sh", "-c", "exec " + line], stdout=subprocess.DEVNULL, stderr=err) as child:
        c.wait(lambda: f"Bind Pod {c.ns}/braking" in log.read_text())
        child.send_signal(signal.SIGINT)
    c.kubectl("delete", "mckube,pod", "braking", "-n", c.ns, "--wait=false", "--grace-period=0", "--force")
    c.mckube("apply")
    assert child.returncode == 0, f"{line}: {child.returncode}: {log.read_text()}"
