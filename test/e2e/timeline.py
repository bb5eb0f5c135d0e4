# SPDX-License-Identifier: Apache-2.0
"""What becomes true when: in the kernel's files, looked at all the time, and in the API, watched."""

import threading
import time


class Timeline:
    """Notes the time (of time.time()) at which each condition came true first.

    `files`: name -> function without arguments, about files; `objects`: name -> (path of a list in
    the API, function of an object in it). Watching starts with `with` and ends when all have come
    true, or at its end after `seconds`; the body of the `with` begins when all lists are watched."""

    def __init__(self, fixture, files, objects, seconds=15):
        self.fixture, self.seen = fixture, {}
        self.deadline = time.time() + seconds
        paths = {path for path, _ in objects.values()}
        self.watched = threading.Semaphore(0), len(paths)
        self.threads = [threading.Thread(target=self._look, args=(dict(files),), daemon=True)]
        for path in paths:
            wanted = {n: holds for n, (p, holds) in objects.items() if p == path}
            self.threads.append(threading.Thread(target=self._follow, args=(path, wanted),
                                                 daemon=True))

    def __enter__(self):
        for t in self.threads:
            t.start()
        semaphore, n = self.watched
        for _ in range(n):
            assert semaphore.acquire(timeout=10), "a watch did not begin"
        return self

    def __exit__(self, *_):
        for t in self.threads:
            t.join(max(0, self.deadline - time.time()))

    def _take(self, conditions, *args):
        now = time.time()
        for name in [n for n, holds in conditions.items() if holds(*args)]:
            self.seen[name] = now
            del conditions[name]

    def _look(self, conditions):
        while conditions and time.time() < self.deadline:
            self._take(conditions)
            time.sleep(0.0001)

    def _follow(self, path, conditions):
        seconds = int(self.deadline - time.time()) + 1
        watch = self.fixture.api.follow(f"{path}?watch=1&timeoutSeconds={seconds}")
        self.watched[0].release()
        for o in watch:
            self._take(conditions, o)
            if not conditions:
                return

    def print(self, title, start):
        print(f"# {title}")
        for name, at in sorted(self.seen.items(), key=lambda pair: pair[1]):
            print(f"#   {(at - start) * 1e6:>+12,.0f} us  {name}", flush=True)
