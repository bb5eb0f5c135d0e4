# SPDX-License-Identifier: Apache-2.0
"""Whatever is killed, and whenever: in the end one instance runs, and it has lost nothing."""

import contextlib
import os
import pathlib
import random
import re
import signal
import subprocess
import time

from fixture import wait_for


def over(f, pod, move=None, backs=0):
    """Takes the move to its end, by another executor than the one that was killed."""
    if move and move.poll() is None:
        f.end_move(move)
    f.go_on(pod)
    f.check_one(backs=backs)
    f.check_clean()


def after_step(f, step):
    pod = f.start("app", "--mb", 1)
    f.end_move(f.start_move(pod, "node-b", stop=step))
    over(f, pod)


def full_executor_after_promise(f):
    after_step(f, "promise")


def full_executor_after_create(f):
    after_step(f, "create")


def test_executor_after_delete(f):
    after_step(f, "delete source")


def test_executor_of_deployment(f):
    """Between release and binding: the pending pod is found again."""
    pod = f.start_deployment("web")
    for step in ("release", "place", "record"):
        f.end_move(f.start_move(pod, "node-b", stop=step))
    over(f, pod)


def full_executor_of_stateful_set(f):
    """From Sent until the new pod has its node, also while no pod is there: what the target's Node says
    leads on."""
    pod = f.start_stateful_set("db")
    for step in ("keep", "delete source", "place"):
        f.end_move(f.start_move(pod, "node-b", stop=step))
    over(f, pod)


def full_stateful_set_starts_afresh(f):
    """The target has no such checkpoint: the program starts again where it was."""
    pod = f.start_stateful_set("db")
    key, node = "mckube.io/migrate-arrivals", f.nodes[1].name
    while not f.note("node", node, key):  # a helper that waits too long goes back
        f.end_move(f.start_move(pod, "node-b", stop="delete source"))
    text = re.sub('"id":"[a-z0-9]*"', f'"id":"{"z" * 32}"', f.note("node", node, key))
    f.kubectl("annotate", "--overwrite", "node", node, f"{key}={text}")
    out, code = f.go_on(pod)
    assert code == 1 and "ImagePull" in out, out  # ErrImagePull, ImagePullBackOff
    f.check_one(starts=2, backs=1)
    f.check_clean()
    assert f.pod(pod)["spec"]["nodeName"] == "node-a"


def full_stateful_set_returns(f):
    """No executor goes on with it: the helper of the source does not wait for ever."""
    pod = f.start_stateful_set("db")
    f.end_move(f.start_move(pod, "node-b", stop="keep"))
    f.wait_lines()
    assert f.state(pod) == "Resumed"
    over(f, pod)
    assert f.pod(pod)["spec"]["nodeName"] == "node-a"


def first_process(word, seconds=60):
    """The pid of the first process that has it among its arguments; a loader may be what runs it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                if word in (pathlib.Path("/proc") / pid / "cmdline").read_text().split("\0"):
                    return int(pid)
    raise AssertionError(f"no {word} within {seconds} s")


def checkpoint_hangs(f, find_criu):
    """CRIU stands still for longer than a source may: it is ended, and the source goes on."""
    pod = f.start("app", "--mb", 100)
    move = f.start_move(pod, "node-b")
    criu = find_criu(pod)
    os.kill(criu, signal.SIGSTOP)
    out, code = f.end_move(move)
    assert code == 1 and "checkpoint container c" in out, out
    assert not pathlib.Path(f"/proc/{criu}").exists(), "CRIU is still there"
    f.check_one()
    f.check_clean()
    pod = f.pod(pod)
    assert pod["spec"]["nodeName"] == "node-a" and pod["status"]["containerStatuses"][0]["restartCount"] == 0


def full_exec_while_paused(f):
    """A probe that is run in the container does not end it, however long it stands still; a session in it
    ends with the source."""
    spec = f.spec("--mb", 100, nodeName="node-a")
    spec["containers"][0]["livenessProbe"] = {"exec": {"command": ["/count", "--nothing"]}, "periodSeconds": 1,
                                              "failureThreshold": 1, "timeoutSeconds": 1}
    f.create({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "app"}, "spec": spec})
    f.wait_lines()
    session = subprocess.Popen(["kubectl", "exec", "app", "--", "/count", "--step-ms", "1000"],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert session.stdout.readline() == b"start\n"
    move = f.start_move("app", "node-b")
    criu = first_process("swrk")
    os.kill(criu, signal.SIGSTOP)
    time.sleep(5)
    os.kill(criu, signal.SIGCONT)
    out, code = f.end_move(move)
    assert code == 0, out
    f.check_one()
    f.check_clean()
    assert session.wait(60) == 137
    [pod] = f.pods()
    assert pod["status"]["containerStatuses"][0]["restartCount"] == 0 and pod["spec"]["nodeName"] == "node-b"


def full_checkpoint_hangs_at_its_start(f):
    checkpoint_hangs(f, lambda pod: first_process("swrk"))


def full_checkpoint_hangs_in_its_midst(f):
    """It has seized the program's threads."""
    def tracer(pod):
        for tid in f.program_threads(pod):
            with contextlib.suppress(OSError):
                pid = re.search(r"^TracerPid:\t(\d+)$", pathlib.Path(f"/proc/{tid}/status").read_text(), re.M)[1]
                if int(pid):
                    return int(pid)
        return None
    checkpoint_hangs(f, lambda pod: wait_for(lambda: tracer(pod), "nothing is seized", 60))


def full_container_is_killed_while_paused(f):
    """A signal waits until the source runs again; where the target has its memory it never does."""
    pod = f.start("app", "--mb", 30)
    move = f.start_move(pod, "node-b")
    wait_for(lambda: f.state(pod) in ("Paused", "Sent", "Restored"), "not paused")
    for tid in f.program_threads(pod):
        os.kill(tid, signal.SIGKILL)
    f.end_move(move)
    f.go_on(pod)
    f.check_one(backs=1)
    f.check_clean()


def helper_in(f, index, state, start=None):
    """Kills a node's helper once the source is in that state, and starts it again."""
    pod = (start or f.start)("app", "--mb", 30)
    move = f.start_move(pod, "node-b")
    wait_for(lambda: f.state(pod) in (state, "Sent", "Restored", ""), f"not {state}")
    f.kill_helper(f.nodes[index])
    f.start_helper(f.nodes[index])
    over(f, pod, move)


def full_source_helper_waiting(f):
    helper_in(f, 0, "Waiting")


def test_source_helper_paused(f):
    helper_in(f, 0, "Paused")


def test_source_helper_sent(f):
    helper_in(f, 0, "Sent")


def full_target_helper_paused(f):
    helper_in(f, 1, "Paused")


def test_target_helper_sent(f):
    helper_in(f, 1, "Sent")


def full_stateful_set_source_helper(f):
    helper_in(f, 0, "Sent", f.start_stateful_set)


def full_stateful_set_target_helper(f):
    helper_in(f, 1, "Sent", f.start_stateful_set)


def called_off(f, is_back):
    """A move whose checkpoint the target has, and which is called off while the target's helper is away, or
    after it came back without knowing what its predecessor did."""
    target = f.nodes[1]
    pod = f.start_stateful_set("db")
    while True:
        f.end_move(f.start_move(pod, target.name, stop="promise"))
        wait_for(lambda: f.note("pod", pod, "mckube.io/migrate-ready") == "Pulled" or f.state(pod) == "Resumed",
                 "not pulled", 60)
        f.kill_helper(target)
        if f.checkpoint_images(target):
            break
        f.start_helper(target)  # too late: the source has gone back
        f.go_on(pod)
    if is_back:
        f.start_helper(target)
    f.kubectl("annotate", "pod", pod, "mckube.io/migrate-cancel=by the test")
    wait_for(lambda: f.state(pod) == "Resumed", "not resumed")
    f.go_on(pod)
    if not is_back:
        assert f.checkpoint_images(target)
        f.start_helper(target)
    f.check_one()
    f.check_clean()


def test_called_off_without_target_helper(f):
    called_off(f, False)


def full_called_off_after_target_helper(f):
    called_off(f, True)


def full_both_helpers_away(f):
    """Both pods are deleted meanwhile: what is left is found at the start."""
    pod = f.start("app", "--mb", 5)
    f.end_move(f.start_move(pod, "node-b", stop="create"))
    wait_for(lambda: f.state(pod) in ("Sent", "Resumed"), "not sent", 60)
    for node in f.nodes:
        f.kill_helper(node)
    f.kubectl("delete", "pod", "--all", "--now", "--wait=false")
    for node in f.nodes:
        f.start_helper(node)
    wait_for(lambda: not f.pods(), "pods stay", 60)
    f.check_clean()


def full_network_fails_after_sent(f):
    """The target runs it unseen: the source stays paused, however long that takes."""
    pod = f.start("app", "--mb", 5)
    move = f.start_move(pod, "node-b")
    wait_for(lambda: f.state(pod) in ("Sent", "Resumed", ""), "not sent", 60)
    f.nodes[1].set_network(False)
    try:
        sent = f.state(pod) == "Sent"
        time.sleep(20)
        assert not sent or f.state(pod) in ("Sent", ""), f.state(pod)
    finally:
        f.nodes[1].set_network(True)
    over(f, pod, move)


def full_api_server_away(f):
    """The source's helper resumes it by itself."""
    pod = f.start("app", "--mb", 100)
    move = f.start_move(pod, "node-b")
    wait_for(lambda: f.state(pod) in ("Paused", "Sent", "Resumed", ""), "not paused", 60)
    f.cluster.stop("pair-relay")
    try:
        time.sleep(25)
    finally:
        f.cluster.start("pair-relay")
    over(f, pod, move)


def full_source_deleted_meanwhile(f):
    """That ends the move: no broken pod stays on the target."""
    pod = f.start("app", "--mb", 100)
    move = f.start_move(pod, "node-b")
    wait_for(lambda: f.state(pod) in ("Paused", "Sent", "Resumed", ""), "not paused", 60)
    f.kubectl("delete", "pod", pod, "--now", "--wait=false")
    f.end_move(move)
    wait_for(lambda: all(p["status"]["phase"] == "Running" for p in f.pods()), "a broken pod stays", 60)
    f.check_clean()


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


def kill_program(name):
    def kill(f, node, move):
        node.stop(name, signal.SIGKILL)
        node.restart(name)
    return kill


def kill_helper(f, node, move):
    f.kill_helper(node)
    f.start_helper(node)


def cut_network(f, node, move):
    node.set_network(False)
    time.sleep(4)
    node.set_network(True)


VICTIMS = {"executor": lambda f, node, move: move.kill(), "helper": kill_helper,
           "kubelet": kill_program("kubelet"), "containerd": kill_program("containerd"), "network": cut_network}


def one_kill(f, rng, pod, to, done):
    """What it was. A containerd takes a container with it that it has restored a moment ago, and the source
    goes on from the checkpoint; and one that it finds paused when it starts again is lost for it ("unexpected
    task status"), and its kubelet starts the program again."""
    what, node = rng.choice(list(VICTIMS)), rng.choice(f.nodes)
    after = rng.uniform(0, 2.5)
    move = f.start_move(pod, to)
    time.sleep(after)
    said = f.state(pod)
    VICTIMS[what](f, node, move)
    try:
        over(f, pod, move, done.get("containerd", 0) + (what == "containerd"))
    except AssertionError as e:
        raise AssertionError(f"{what} of {node.name} after {after:.2f} s, {said or 'done'}: {e}") from e
    return what


def full_random(f):
    """A hundred kills at random: executor, helper, kubelet, containerd, or the network away for a while, on
    either side, at any moment; of a bare pod, a Deployment's and a StatefulSet's."""
    n = int(os.environ.get("KILLS", "100"))
    random_kills(f, f.start("app", "--mb", 5), n - n // 3 * 2)


def full_random_deployment(f):
    random_kills(f, f.start_deployment("web", "--mb", 5))


def full_random_stateful_set(f):
    random_kills(f, f.start_stateful_set("db", "--mb", 5))


def random_kills(f, pod, n=None):
    rng = random.Random(int(os.environ.get("SEED", "1")))
    to, done = "node-b", {}
    for i in range(n or int(os.environ.get("KILLS", "100")) // 3):
        what = one_kill(f, rng, pod, to, done)
        done[what] = done.get(what, 0) + 1
        meta = f.pods()[0]
        pod = meta["metadata"]["name"]
        to = "node-a" if meta["spec"]["nodeName"] == "node-b" else "node-b"
        print(f"# {i + 1} kills: {done}", flush=True) if i % 10 == 9 else None
