"""A headless Chromium driven over its pipe, by nothing but the standard library.

`--remote-debugging-pipe` takes commands of the DevTools protocol as JSON on descriptor 3 and answers on
descriptor 4, each ended by a NUL.
"""

import base64
import contextlib
import itertools
import json
import os
import pathlib
import select
import shutil
import subprocess
import sys
import tempfile
import time

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# Whatever numbers the pipes have here, the program takes commands from 3 and answers on 4.
START = """import fcntl, os, sys
for number, end in enumerate([fcntl.fcntl(int(word), fcntl.F_DUPFD, 10) for word in sys.argv[1:3]], 3):
    os.dup2(end, number)
os.execv(sys.argv[3], sys.argv[3:])"""
PATIENCE = 60.0  # seconds for an answer, on a machine that does much else


def program():
    """The path of a Chromium on this machine, or ""."""
    return next(filter(None, map(shutil.which, NAMES)), "")


class Browser:
    """One page of a Chromium that was started for it.

    Fields:
      requests: addresses that were asked for since `open`. errors: what the page's script threw or logged.
    """

    def __init__(self, process, write, read):
        self._process, self._write, self._read = process, write, read
        self._numbers, self._rest, self._answers = itertools.count(1), b"", {}
        self._session = ""
        self.requests, self.errors = [], []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method, **params):
        """The result of a command of the protocol."""
        number = next(self._numbers)
        session = {"sessionId": self._session} if self._session else {}
        message = json.dumps({"id": number, "method": method, "params": params, **session})
        os.write(self._write, message.encode() + b"\0") if len(message) < 60000 else self._long(message)
        until = time.monotonic() + PATIENCE
        while number not in self._answers:
            self._listen(until)
        answer = self._answers.pop(number)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def open(self, address, size=(1440, 1000), dark=False):
        """Opens an address, and waits until the page is drawn; milliseconds from its start to then."""
        self.call("Emulation.setDeviceMetricsOverride", width=size[0], height=size[1], deviceScaleFactor=1,
                  mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.requests.clear()
        self.errors.clear()
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=address)
        until = time.monotonic() + PATIENCE
        while self.js("document.readyState") != "complete" or self.js("location.href") == "about:blank":
            if time.monotonic() > until:
                raise TimeoutError(f"{address} is not complete")
            time.sleep(0.02)
        return self.js("performance.getEntriesByType('navigation')[0].loadEventEnd")

    def js(self, expression):
        """The value of an expression in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']['exception'].get('description')}")
        return answer["result"].get("value")

    def click(self, selector):
        """Clicks in the middle of an element, as a mouse does."""
        x, y = self.middle(selector)
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def point(self, selector):
        """Moves the mouse over an element."""
        x, y = self.middle(selector)
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def middle(self, selector):
        """The middle of an element, in pixels, scrolled into sight."""
        where = self.js(f"(() => {{ const node = document.querySelector({json.dumps(selector)}); "
                        "if (!node) return null; node.scrollIntoView({block: 'center'}); "
                        "const box = node.getBoundingClientRect(); "
                        "return [box.x + box.width / 2, box.y + box.height / 2]; })()")
        if where is None:
            raise LookupError(f"the page has no {selector}")
        return where

    def press(self, key):
        """Presses and releases a key, such as "k" or "ArrowDown"."""
        text = {"text": key} if len(key) == 1 else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def texts(self, selector):
        """The text of every element that a selector means."""
        return self.each(selector, "node.textContent")

    def each(self, selector, expression):
        """The value of an expression of `node` for every element that a selector means."""
        return self.js(f"[...document.querySelectorAll({json.dumps(selector)})].map((node) => {expression})")

    def screenshot(self, path):
        """Writes what is seen, whole, as a PNG."""
        height = self.js("document.documentElement.scrollHeight")
        width = self.js("innerWidth")
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True,
                         clip={"x": 0, "y": 0, "width": width, "height": height, "scale": 1})
        pathlib.Path(path).write_bytes(base64.b64decode(shot["data"]))

    def _long(self, message):
        data = message.encode() + b"\0"
        while data:
            data = data[os.write(self._write, data):]

    def _listen(self, until):
        if not select.select([self._read], [], [], max(0.0, until - time.monotonic()))[0]:
            raise TimeoutError(f"Chromium has not answered for {PATIENCE:.0f} s")
        chunk = os.read(self._read, 1 << 20)
        if not chunk:
            raise EOFError("Chromium has ended")
        *messages, self._rest = (self._rest + chunk).split(b"\0")
        for message in map(json.loads, messages):
            if "id" in message:
                self._answers[message["id"]] = message
            else:
                self._note(message["method"], message["params"])

    def _note(self, method, params):
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.errors.append(str(params["exceptionDetails"].get("exception", {}).get("description")))
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
            self.errors.append(str([arg.get("value") for arg in params["args"]]))
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.errors.append(params["entry"]["text"])


@contextlib.contextmanager
def browser(path):
    """A Browser of the Chromium at `path`, which ends with the block."""
    to_chromium, write = os.pipe()
    read, from_chromium = os.pipe()
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [sys.executable, "-S", "-c", START, str(to_chromium), str(from_chromium), path, "--headless",
             "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--disable-background-networking", "--no-first-run", f"--user-data-dir={profile}"],
            pass_fds=(to_chromium, from_chromium), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(to_chromium)
        os.close(from_chromium)
        try:
            yield Browser(process, write, read)
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            os.close(write)
            os.close(read)
