# SPDX-License-Identifier: Apache-2.0
"""The tour of the README, word for word, with this cluster's busybox."""

import os
import re

import node
from stage import TOP


def commands():
    """By their order; comments are for readers."""
    text = (TOP / "README.md").read_text()
    [block] = re.findall(r"<!-- tour -->\n(.*?)<!-- tour -->", text, re.DOTALL)
    return [re.sub(r"\s+#.*", "", line).strip() for line in block.splitlines()
            if line.startswith("    kubectl ")]


def say(w, command):
    return w.run("sh", "-c", command, env={**os.environ, "KUBECONFIG": str(w.folder / "tour")}).out


def levels(w):
    return {m["metadata"]["name"]: m.get("status", {}).get("currentRuntime")
            for m in w.get("mckubes")}


def is_ready(w):
    return all(c["status"] == "True" for m in w.get("mckubes")
               for c in m.get("status", {}).get("conditions", [])
               if c["type"] == "Ready") and set(levels(w).values()) == {"low"}


def test_tour(w):
    text = (TOP / "test" / "example" / "tour.yaml").read_text()
    (w.folder / "tour.yaml").write_text(text.replace("busybox:1.36", node.BUSYBOX))
    (w.folder / "tour").write_text(w.cluster.kubeconfig.read_text())
    say(w, f"kubectl config set-context --current --namespace={w.ns}")
    steps = [c.replace("test/example/tour.yaml", str(w.folder / "tour.yaml")) for c in commands()]
    create, plan, apply, listing, overrun, again, status, explain, calm, delete, clear = steps
    say(w, create)
    assert "2 to bind" in say(w, plan)
    say(w, apply)
    w.wait_running("brake", "logger")
    w.wait(lambda: is_ready(w), 60)
    assert re.search(r"brake +brake +High +100000 +\d+ +low", say(w, listing))
    say(w, overrun)
    w.wait(lambda: levels(w) == {"brake": "hi", "logger": "low"})
    assert re.search(r"brake +brake +High +100000 +\d+ +hi", say(w, again))
    assert re.search(r"brake High .*logger Low ", say(w, status))
    assert "it overran" in say(w, explain)
    say(w, calm)
    w.wait(lambda: levels(w)["brake"] == "low", 60)
    say(w, delete)
    say(w, clear)
    w.wait(lambda: not w.get("mckubes"))
