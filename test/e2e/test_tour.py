# SPDX-License-Identifier: Apache-2.0
"""The tour of the README, word for word, with this cluster's busybox."""

import os
import re

import node
from node_fixture import TOP


def commands():
    """By their order; comments are for readers."""
    text = (TOP / "README.md").read_text()
    [block] = re.findall(r"<!-- tour -->\n(.*?)<!-- tour -->", text, re.DOTALL)
    return [re.sub(r"\s+#.*", "", line).strip() for line in block.splitlines()
            if line.startswith("    kubectl ")]


def say(c, command):
    return c.run("sh", "-c", command, env={**os.environ, "KUBECONFIG": str(c.folder / "tour")}).out


def levels(c):
    return {m["metadata"]["name"]: m.get("status", {}).get("currentRuntime")
            for m in c.get("mckubes")}


def is_ready(c):
    return all(c["status"] == "True" for m in c.get("mckubes")
               for c in m.get("status", {}).get("conditions", [])
               if c["type"] == "Ready") and set(levels(c).values()) == {"low"}


def tour(c):
    text = (TOP / "test" / "example" / "tour.yaml").read_text()
    (c.folder / "tour.yaml").write_text(text.replace("busybox:1.36", node.BUSYBOX))
    (c.folder / "tour").write_text(c.cluster.kubeconfig.read_text())
    say(c, f"kubectl config set-context --current --namespace={c.ns}")
    steps = [line.replace("test/example/tour.yaml", str(c.folder / "tour.yaml")) for line in commands()]
    create, plan, apply, listing, overrun, again, status, explain, calm, delete, clear = steps
    say(c, create)
    assert "2 to bind" in say(c, plan)
    say(c, apply)
    c.wait_running("brake", "logger")
    c.wait(lambda: is_ready(c), 60)
    assert re.search(r"brake +brake +High +100000 +\d+ +low", say(c, listing))
    say(c, overrun)
    c.wait(lambda: levels(c) == {"brake": "hi", "logger": "floor"})
    assert re.search(r"brake +brake +High +100000 +\d+ +hi", say(c, again))
    shown = say(c, status)
    assert re.search(r"brake High ", shown) and re.search(r"logger Low ", shown), shown
    assert "it overran" in say(c, explain)
    say(c, calm)
    c.wait(lambda: levels(c)["brake"] == "low", 60)
    say(c, delete)
    say(c, clear)
    c.wait(lambda: not c.get("mckubes"))


def test_tour(c):
    tour(c)
