# SPDX-License-Identifier: Apache-2.0
"""The examples of `help` that need a server, as somebody would type them, through kubectl. The others
are run by test/cli/help.t."""

import re
import signal
import subprocess
import time

OFFLINE = {"policies", "version", "completion", "help", "crd", "manifests"}
EXAMPLES = re.compile(r"^Examples:\n(.*?)^(?:[A-Z][a-z ]*options|Options|Usage):$", re.M | re.S)


def examples(w, command):
    text = EXAMPLES.search(w.mckube("help", command).out + "\nUsage:\n")
    text = text[1].replace("\\\n", "") if text else ""
    return [line.strip() for line in text.splitlines() if line.startswith("  kubectl")]


def needs_server(command, example):
    return "| kubectl" in example or not ("--snapshot" in example or command in OFFLINE)


def commands(w):
    listed = w.mckube("help").out.split("Commands:\n")[1].split("\n\n")[0]
    return re.findall(r"^  ([a-z]+) ", listed, re.M)


def test_examples_of_help(w):
    w.nodes("e-1")
    w.create(*w.pair("steering", 200000))
    ran = []
    for command in commands(w):
        for example in filter(lambda e, c=command: needs_server(c, e), examples(w, command)):
            line = example.replace("/var/lib/prometheus/node-exporter", str(w.folder))
            if command == "watch" and "--once" not in line:
                watch_for_a_while(line)
            else:
                w.run("sh", "-ec", line)
            ran.append(command)
    assert {"plan", "apply", "watch", "doctor", "crd", "manifests"} <= set(ran), ran
    assert (w.folder / "mckube.prom").read_text().startswith("# ")


def watch_for_a_while(line):
    """An interrupted watch has done what it was asked for."""
    with subprocess.Popen(["sh", "-c", "exec " + line], stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True) as child:
        time.sleep(3)
        child.send_signal(signal.SIGINT)
        text = child.stderr.read()
    assert child.returncode == 0, f"{line}: {child.returncode}: {text}"
