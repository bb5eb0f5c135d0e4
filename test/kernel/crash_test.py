# SPDX-License-Identifier: Apache-2.0
"""A container that ends and is started again under another id, at random moments: the kernel takes the
budget of the new one at the first try, though the helper has not yet seen that the old one is gone
and the kernel counts it for a while; also where the old cgroup is still there, and where the bundle
has the name of a restored container. How long that takes is printed, not judged: it is the machine's."""
import json
import os
import random
import shutil
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from node import Test

BUDGET, ROUNDS = 5000, 60
PATIENCE_S = 20
PODS = f"""
kind: Pod
metadata:
  name: app
  uid: "0a1b"
  annotations: {{ mckube.io/rt-period: "100000", mckube.io/rt-runtime-low: "{BUDGET}",
                  mckube.io/rt-runtime-hi: "{BUDGET}", mckube.io/criticality: High }}
spec:
  containers: [{{ name: main }}]
"""

t = Test("crash")
bundles = t.dir + "/bundles"


def start(number, name="main"):
    """As a runtime does: the bundle first, then the cgroup."""
    os.makedirs(f"{bundles}/c{number}")
    with open(f"{bundles}/c{number}/config.json", "w") as f:
        json.dump({"annotations": {"io.kubernetes.cri.container-name": name}}, f)
    group = f"kubepods/pod0a1b/c{number}"
    t.make(group)
    return group


def end(group):
    os.rmdir(t.path(group))
    t.groups.remove(group)


def seconds_until_budget(group):
    begin = time.monotonic()
    while t.runtime(group) != BUDGET and time.monotonic() < begin + PATIENCE_S:
        time.sleep(0.0005)
    return time.monotonic() - begin if t.runtime(group) == BUDGET else None


try:
    random.seed(5)
    for group in ("kubepods", "kubepods/pod0a1b"):
        t.make(group)
    with open(t.dir + "/pods.yaml", "w") as f:
        f.write(PODS)
    t.start("--bundle-dir", bundles)
    t.wait("the helper runs", lambda: "overruns from" in t.text())
    group, took = start(0), []
    t.wait("the first container has its budget", lambda: t.runtime(group) == BUDGET)
    for i in range(1, ROUNDS):
        time.sleep(random.uniform(0, 0.1))
        end(group)
        time.sleep(random.choice((0, 0.001, 0.02, 0.3)))
        group = start(i)
        took.append(seconds_until_budget(group))
    slow = sorted(s or PATIENCE_S for s in took)
    print(f"# {len(took)} restarts, budget after {1e3 * slow[len(slow) // 2]:.1f} ms, "
          f"{1e3 * slow[-1]:.1f} ms at most")
    t.check("each new container has its budget", None not in took)
    t.check("at the first try", "RTBudgetRefused" not in t.text())

    second = start(ROUNDS)
    t.check("so has one whose predecessor's cgroup is still there",
            seconds_until_budget(second) is not None)
    end(group)
    end(second)
    restored = start(ROUNDS + 1, "containerd")
    t.check("and a restored one", seconds_until_budget(restored) is not None)
    t.wait("the sum above is that of one container", lambda: t.runtime("kubepods") == 10 * BUDGET, 15)
    t.check("the helper ends well", t.stop() == 0)
    t.check("nothing is left", t.runtime("kubepods") == 0)
finally:
    shutil.rmtree(bundles, ignore_errors=True)
    t.finish()
