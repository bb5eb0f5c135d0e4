# SPDX-License-Identifier: Apache-2.0
"""The core scheduler must allow what plans do for cost and power; real time is not asked about."""

import http.server
import json
import os
import time

from test_economy import SHARED, optimizer, pinned_to, priced, worker
from test_migrate import serve
from test_scaling import condition
from test_watch import node_of, promtool, watching

YES = b'{"allowed":true}'
NO = b'{"allowed":false,"reason":"not now"}'


class Core:
    """Answers with `status` and `body`, which may change; `asked` are (path, Authorization, plan)."""

    def __init__(self, body=YES, status=200, hangs=False):
        self.asked, self.body, self.status, self.hangs, core = [], body, status, hangs, self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                plan = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                core.asked.append((self.path, self.headers["Authorization"], plan))
                if core.hangs:
                    time.sleep(30)
                    return
                self.send_response(core.status)
                self.send_header("Content-Length", str(len(core.body)))
                self.end_headers()
                self.wfile.write(core.body)

            def log_message(self, *args):
                pass

        self.server, self.url = serve(Handler)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def environment(url):
    return {**os.environ, "CORE_SCHEDULER_URL": url, "CORE_SCHEDULER_TOKEN": "s3"}


def waiting(c):
    """A pod of an optimizer, and one that asks for real time."""
    priced(c, **SHARED)
    c.create(optimizer("web"), worker("w1", "web"), *c.pair("rt", 300000))


def test_core_scheduler_forbids_unless_it_says_yes(c):
    """It denies, lies, hangs, is away: the pod stays where it is and the results say why; the real-time pod
    is placed all the same. The optimizer's condition and an Event say it, too."""
    waiting(c)
    with Core() as gone:
        pass
    servers = [(Core(NO), "denied by the core scheduler: not now"), (Core(b'{"allowed":"true"}'), "no boolean 'allowed'"),
               (Core(b"<html>"), "the answer is no JSON"), (Core(YES, status=500), "status 500"),
               (Core(hangs=True), "gave no valid answer"), (gone, "the core scheduler gave no valid answer")]
    for core, why in servers:
        done = c.mckube("apply", env=environment(core.url), check=False)
        assert done.code == 4 and "Skipped: denied" in done.out and why in done.out, done
        assert pinned_to(c, "w1") is None and node_of(c, "rt"), done
        assert len(core.asked) <= 1, "a plan is asked about once"
        if core is not gone:
            core.__exit__()
    path, token, plan = servers[0][0].asked[0]
    assert (path, token, plan["kind"]) == ("/api/v1/plan", "Bearer s3", "Plan"), plan
    assert {"Bind"} <= {a["kind"] for a in plan["spec"]["actions"]}, plan
    assert condition(c, "web", "Progressing") == "PlanRefused"
    c.wait(lambda: any(e["reason"] == "PlanRefused" and e["regarding"]["name"] == "web"
                       for e in c.get("events.events.k8s.io")))
    config = c.folder / f"{c.ns}-open.json"
    config.write_text(json.dumps({"apiVersion": "mckube.io/v1alpha1", "kind": "Configuration",
                                  "coreScheduler": {"failOpen": True}}))
    done = c.mckube("apply", f"--config={config}", env=environment(gone.url))
    assert pinned_to(c, "w1"), done
    assert condition(c, "web", "Progressing") == "ActionsPending", (done, c.get("wo", "web")["status"])


def test_what_is_not_for_cost_is_not_asked_about(c):
    """Neither are plans that are only shown, or tried on the server."""
    priced(c, **SHARED)
    c.create(*c.pair("rt", 300000))
    with Core(NO) as core:
        c.mckube("apply", env=environment(core.url))
        assert node_of(c, "rt") and not core.asked
        c.create(optimizer("web"), worker("w1", "web"))
        for args in ("plan",), ("apply", "--dry-run=server"):
            c.mckube(*args, env=environment(core.url))
        assert not core.asked


def test_plan_asks_the_core_scheduler_where_that_is_wanted(c):
    """A warning says what would be refused; nothing is written. It is asked about cost and power alone."""
    waiting(c)
    with Core(NO) as no, Core(YES) as yes:
        done = c.mckube("plan", "--ask-policy", env=environment(no.url))
        assert "PlanRefused" in done.out and "denied by the core scheduler: not now" in done.out, done
        assert [(path, token) for path, token, _ in no.asked] == [("/api/v1/plan", "Bearer s3")]
        done = c.mckube("plan", "--ask-policy", f"--core-scheduler={yes.url}", env=environment(no.url))
        assert "PlanRefused" not in done.out and len(yes.asked) == len(no.asked) == 1, done
        c.kubectl("delete", "wo", "web", "-n", c.ns)
        done = c.mckube("plan", "--ask-policy", env=environment(no.url))
        assert "PlanRefused" not in done.out and len(no.asked) == 1, done
    assert c.mckube("plan", f"--core-scheduler={no.url}", check=False).code != 0
    assert pinned_to(c, "w1") is None and node_of(c, "rt") is None


def test_watch_asks_again_and_counts(c):
    """Refused until it is allowed, then done: the metrics of KCloud say so, and what the status says."""
    priced(c, **SHARED)
    c.create(optimizer("web"), worker("w1", "web"))
    labels = f'{{namespace="{c.ns}",name="web"'
    passes = f"kcloud_workload_optimizations_total{labels},result="
    with Core(NO) as core, watching(c, "watch", "--interval=1s", f"--core-scheduler={core.url}") as watcher:
        c.wait(lambda: watcher.metric(f'{passes}"refused"') >= 2)
        assert pinned_to(c, "w1") is None
        core.body = YES
        c.wait(lambda: pinned_to(c, "w1") == "b")
        c.wait(lambda: watcher.metric(f'{passes}"done"') >= 1)
        c.wait(lambda: watcher.metric(f"kcloud_workloadoptimizer_current_cost{labels}") == 0.015901)
        text = watcher.get("/metrics")
        promtool(text)
        for name in ("kcloud_optimization_score", "kcloud_workloadoptimizer_current_power",
                     "kcloud_power_savings_watts"):
            assert f"{name}{labels}}}" in text, text
        # The dearer node was as empty; from now on a pod saves 1,800 dollars an hour, half a dollar a second.
        assert watcher.metric(f"kcloud_cost_savings_total{labels}") == 0
        c.kubectl("annotate", "pod", "w1", "-n", c.ns, "kcloud.io/baseline-cost-per-hour=1800", "--overwrite")
        c.wait(lambda: watcher.metric(f"kcloud_cost_savings_total{labels}") > 0.5)
