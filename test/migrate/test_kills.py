# SPDX-License-Identifier: Apache-2.0
"""Whatever is killed, and whenever: in the end one instance runs, and it has lost nothing."""

import random
import time

from fixture import HELPER, wait_for


def over(f, pod, move=None):
    """Takes the move to its end, by another executor than the one that was killed."""
    if move and move.poll() is None:
        f.end_move(move)
    if f.pod(pod):
        f.go_on(pod)
    f.check_one()
    f.check_clean()


def after_step(f, step):
    pod = f.start("app", "--mb", 1)
    f.end_move(f.start_move(pod, "node-b", stop=step))
    over(f, pod)


def test_executor_after_promise(f):
    after_step(f, "promise")


def test_executor_after_create(f):
    after_step(f, "create")


def test_executor_after_delete(f):
    after_step(f, "delete source")


def test_executor_of_deployment(f):
    """Between release and binding: the pending pod is found again."""
    pod = f.start_deployment("web")
    for step in ("release", "place", "record"):
        f.end_move(f.start_move(pod, "node-b", stop=step))
    over(f, pod)


def helper_in(f, index, state):
    """Kills a node's helper once the source is in that state, and starts it again."""
    pod = f.start("app", "--mb", 30)
    move = f.start_move(pod, "node-b")
    wait_for(lambda: f.state(pod) in (state, "Sent", ""), f"not {state}")
    f.kill_helper(f.nodes[index])
    f.start_helper(f.nodes[index])
    over(f, pod, move)


def test_source_helper_waiting(f):
    helper_in(f, 0, "Waiting")


def test_source_helper_paused(f):
    helper_in(f, 0, "Paused")


def test_source_helper_sent(f):
    helper_in(f, 0, "Sent")


def test_target_helper_paused(f):
    helper_in(f, 1, "Paused")


def test_target_helper_sent(f):
    helper_in(f, 1, "Sent")


def test_deadline(f):
    """The target's network fails after the pause: the source resumes by itself."""
    pod = f.start("app", "--mb", 200)
    move = f.start_move(pod, "node-b")
    wait_for(lambda: f.state(pod) in ("Paused", "Sent"), "not paused")
    f.nodes[1].set_network(False)
    try:
        if f.state(pod) != "Sent":
            wait_for(lambda: f.state(pod) in ("Resumed", "Sent", ""), "source is not resumed", 40)
    finally:
        f.nodes[1].set_network(True)
    over(f, pod, move)


def full_random(f):
    """A hundred kills at random: executor or helper, either side, any moment."""
    rng = random.Random(1)
    pod, to = f.start("app", "--mb", 5), "node-b"
    for i in range(100):
        move = f.start_move(pod, to)
        time.sleep(rng.uniform(0, 2.5))
        victim = rng.choice(["executor", 0, 1])
        if victim == "executor":
            move.kill()
        else:
            f.kill_helper(f.nodes[victim])
            f.start_helper(f.nodes[victim])
        over(f, pod, move)
        meta = f.pods()[0]
        pod = meta["metadata"]["name"]
        to = "node-a" if meta["spec"]["nodeName"] == "node-b" else "node-b"
