# SPDX-License-Identifier: Apache-2.0
"""A page in headless Chromium, by the DevTools protocol over a pair of pipes."""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import time

LIMIT_S = 120  # of anything; a loaded machine is slow
OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
           "--disable-background-networking", "--disable-component-update", "--disable-sync",
           "--remote-debugging-pipe"]
# What Input.dispatchKeyEvent wants beside the key.
CODES = {"Escape": 27, "Enter": 13, "Tab": 9}


class Browser:
    def __init__(self, folder):
        to_read, self.write_end = (fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10) for fd in os.pipe())
        self.read_end, to_write = (fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10) for fd in os.pipe())

        def as_3_and_4():
            os.dup2(to_read, 3)
            os.dup2(to_write, 4)

        self.log = open(folder / "chromium.log", "w+b")
        self.process = subprocess.Popen(
            ["chromium", *OPTIONS, f"--user-data-dir={folder}/profile", "about:blank"], pass_fds=(3, 4),
            preexec_fn=as_3_and_4, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8"})
        os.close(to_read)
        os.close(to_write)
        self.buffer, self.last, self.session, self.said = b"", 0, None, []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def receive(self, end):
        """The next message; one at a time, each ends with a NUL."""
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.read_end], [], [], max(0, end - time.monotonic()))
            piece = os.read(self.read_end, 1 << 20) if ready else b""
            if not piece:
                self.log.seek(0)
                raise RuntimeError(f"chromium says nothing more: {self.log.read()[-2000:].decode(errors='replace')}")
            self.buffer += piece
        text, self.buffer = self.buffer.split(b"\0", 1)
        message = json.loads(text)
        if message.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled"):
            self.said.append(message["params"])
        return message

    def call(self, method, **params):
        self.last += 1
        message = {"id": self.last, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write_end, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + LIMIT_S
        while True:
            answer = self.receive(end)
            if answer.get("id") == self.last:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def open(self, path):
        self.said.clear()
        self.call("Page.navigate", url=f"file://{path}")
        end = time.monotonic() + LIMIT_S
        while self.js("document.readyState + location.pathname") != f"complete{path}":
            assert time.monotonic() < end, f"{path} does not load"
            time.sleep(0.02)

    def js(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def wait(self, condition):
        """Until it is true: events are delivered after what caused them."""
        end = time.monotonic() + LIMIT_S
        while not self.js(condition):
            assert time.monotonic() < end, condition
            time.sleep(0.02)

    def press(self, key):
        more = {"windowsVirtualKeyCode": CODES[key], "code": key} if key in CODES else {"text": key}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **more)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def type(self, text):
        self.call("Input.insertText", text=text)

    def size(self, width, height, scale=1):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale,
                  mobile=width < 600)

    def media(self, kind="", **features):
        self.call("Emulation.setEmulatedMedia", media=kind,
                  features=[{"name": name.replace("_", "-"), "value": value} for name, value in features.items()])

    def picture(self, path):
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def pdf(self):
        return base64.b64decode(self.call("Page.printToPDF", printBackground=False)["data"])

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.read_end)
        os.close(self.write_end)
        self.log.close()


def is_there():
    return shutil.which("chromium") is not None
