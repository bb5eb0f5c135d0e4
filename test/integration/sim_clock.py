# SPDX-License-Identifier: Apache-2.0
"""An hour of one client's wall clock in a minute: it stands still but for the steps that a test makes."""

import bisect
import calendar
import json
import os
import re
import time

from proxy import Proxy

STAMP = re.compile(rb'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)((?:\.\d+)?Z)"')
FORMAT = "%Y-%m-%dT%H:%M:%S"
DAY, HALF_AN_HOUR, TWO_HOURS = 86400, 1800, 7200
DAYS_AHEAD = 40


def stamp(at):
    """As objects have it."""
    return time.strftime(FORMAT, time.gmtime(at)) + "Z"


def seconds(text):
    """The reverse."""
    return calendar.timegm(time.strptime(text[:19], FORMAT))


class SimClock:
    """`now` is what the client's wall clock says (test/http/clock.c, preloaded); it begins half an hour before a
    midnight of UTC, more than a month ahead. So a time, be it the beginning of its day or its month, tells which
    of the two clocks it is of."""

    def __init__(self, library, folder):
        self.began = int(time.time())
        self.now = (self.began // DAY + DAYS_AHEAD) * DAY - HALF_AN_HOUR
        self.real, self.simulated = [self.began - DAY], [self.now]
        self.file = os.open(folder / "clock", os.O_RDWR | os.O_CREAT, 0o600)
        self._write()
        self.env = {"LD_PRELOAD": str(library), "MCKUBE_CLOCK": f"at:{folder / 'clock'}"}
        self.known, self.latest = {}, 0

    def _write(self):
        os.pwrite(self.file, b"%012d\n" % self.now, 0)

    def step(self, seconds_more):
        """Waits until the last second that was mapped is over, so that all of it is of one simulated time."""
        while int(time.time()) <= self.latest:
            time.sleep(0.02)
        self.now += seconds_more
        self.real.append(int(time.time()))
        self.simulated.append(self.now)
        self._write()

    def _map(self, found):
        text, rest = found.groups()
        if text not in self.known:
            at = seconds(text.decode())
            if not self.began - TWO_HOURS <= at <= time.time() + 1:
                return found.group()
            self.latest = max(self.latest, at)
            self.known[text] = stamp(self.simulated[bisect.bisect_right(self.real, at) - 1])[:-1].encode()
        return b'"%s%s"' % (self.known[text], rest)

    def map(self, text):
        """The API server's times, as the client would have them from a server with its own clock."""
        return STAMP.sub(self._map, text)


class SimProxy(Proxy):
    """An API server with the clock of the client. `metrics_version` is that of the last list of metrics."""

    def __init__(self, api, folder, clock):
        self.clock, self.metrics_version = clock, None
        super().__init__(api, folder)
        self.seen, self.kill_at = {"before": 0, "after": 0}, None
        self.has_client.set()

    def pass_on(self, method, path, headers, body):
        plain = {k: v for k, v in headers.items() if k.lower() != "accept-encoding"}
        answer = super().pass_on(method, path, plain, body)
        if "/metrics.k8s.io/" in path and answer[0] == 200:
            self.metrics_version = int(json.loads(answer[2])["metadata"]["resourceVersion"])
        return answer

    def changed(self, reply):
        return self.clock.map(reply)
