"""A headless browser for tests of pages, told what to do by the DevTools protocol through two pipes.

Chromium reads commands from descriptor 3 and answers on 4 (--remote-debugging-pipe), JSON that ends in a zero
byte each, so that neither a port nor a library is needed.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 60  # seconds for an answer, or for what a page is to become


def found() -> str | None:
    """The path of a browser, if there is one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One page of a browser, which is closed at the end of the block."""

    def __init__(self, folder: Path) -> None:
        self._number, self._left = 0, b""
        self.problems: list[str] = []  # exceptions, and what the console says of errors
        self._start(folder)
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    _session: str | None = None

    def _start(self, folder: Path) -> None:
        path = found()
        assert path is not None
        (commands, self._out), (self._in, answers) = os.pipe(), os.pipe()
        high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (commands, answers)]  # not 3 or 4
        quiet = os.open(os.devnull, os.O_RDWR)
        actions = [(os.POSIX_SPAWN_DUP2, end, place) for end, place in zip(high, (3, 4), strict=True)]
        actions += [(os.POSIX_SPAWN_DUP2, quiet, place) for place in (1, 2)]
        words = [path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        words += ["--remote-debugging-pipe", f"--user-data-dir={folder}", "--no-first-run", "about:blank"]
        self._process = os.posix_spawn(path, words, os.environ, file_actions=actions)
        for end in (commands, answers, quiet, *high):
            os.close(end)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The result of a command of the protocol."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._out, data) :]
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]

    def _read(self) -> dict[str, Any]:
        """The next message; what happened in the page is noted on the way."""
        until = time.monotonic() + PATIENCE
        while b"\0" not in self._left:
            ready, _, _ = select.select([self._in], [], [], until - time.monotonic())
            assert ready, "the browser does not answer"
            part = os.read(self._in, 2**20)
            assert part, "the browser has gone"
            self._left += part
        message, _, self._left = self._left.partition(b"\0")
        found = json.loads(message)
        self._note(found.get("method"), found.get("params", {}))
        return found

    def _note(self, event: str | None, told: dict[str, Any]) -> None:
        if event == "Runtime.exceptionThrown":
            self.problems.append(json.dumps(told["exceptionDetails"]))
        if event == "Log.entryAdded" and told["entry"]["level"] == "error":
            self.problems.append(told["entry"]["text"])

    def open(self, path: Path, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """Open a file at a size of the window in CSS pixels, for one who prefers light or dark."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.size(width, height)
        self.call("Page.navigate", url=path.resolve().as_uri())
        self.until("document.readyState === 'complete'")

    def size(self, width: int, height: int) -> None:
        """Give the window another size; a narrow one is that of a phone, with touch."""
        phone = width < 500
        device = {"width": width, "height": height, "deviceScaleFactor": 1 + phone, "mobile": phone}
        self.call("Emulation.setDeviceMetricsOverride", **device)
        self.call("Emulation.setTouchEmulationEnabled", enabled=phone)

    def value(self, expression: str) -> Any:
        """What an expression of JavaScript is, or comes to if it is a promise."""
        how = {"awaitPromise": True, "returnByValue": True, "userGesture": True}
        made = self.call("Runtime.evaluate", expression=expression, **how)
        assert "exceptionDetails" not in made, made["exceptionDetails"]
        return made["result"].get("value")

    def until(self, expression: str) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + PATIENCE
        while not self.value(expression):
            assert time.monotonic() < end, f"never true: {expression}"
            time.sleep(0.02)

    def place(self, selector: str, across: float = 0.5, down: float = 0.5) -> tuple[float, float]:
        """A point of an element, shares from its left and top, in the window; it is scrolled into view."""
        left, top, width, height = self.value(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            "e.scrollIntoView({block: 'center', behavior: 'instant'}); const b = e.getBoundingClientRect();"
            "return [b.left, b.top, b.width, b.height]; })()"
        )
        return left + across * width, top + down * height

    def mouse(self, kind: str, point: tuple[float, float], held: bool = False) -> None:
        """A mouse event: "Pressed", "Moved" or "Released"."""
        x, y = point
        button = {"button": "left", "buttons": int(held), "clickCount": 1} if held or kind != "Moved" else {}
        self.call("Input.dispatchMouseEvent", type=f"mouse{kind}", x=x, y=y, **button)

    def click(self, selector: str, across: float = 0.5, down: float = 0.5) -> None:
        """A click of the left button."""
        point = self.place(selector, across, down)
        self.mouse("Pressed", point, held=True)
        self.mouse("Released", point)

    def drag(self, selector: str, start: float, end: float, steps: int = 4) -> None:
        """A drag from left to right through an element, shares of its width."""
        point = self.place(selector, start)
        last = self.place(selector, end)
        self.mouse("Pressed", point, held=True)
        for step in range(1, steps + 1):
            share = step / steps
            between = tuple(a + share * (b - a) for a, b in zip(point, last, strict=True))
            self.mouse("Moved", (between[0], between[1]), held=True)
        self.mouse("Released", last)

    def tap(self, selector: str, across: float = 0.5, down: float = 0.5) -> None:
        """A tap of a finger."""
        x, y = self.place(selector, across, down)
        self.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
        self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def key(self, name: str) -> None:
        """A key, such as "ArrowRight" or "Tab", pressed and released where the focus is."""
        number = {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Tab": 9, "Enter": 13}
        what = {"key": name, "code": name, "windowsVirtualKeyCode": number[name]}
        what |= {"text": "\r"} if name == "Enter" else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", **what)
        self.call("Input.dispatchKeyEvent", type="keyUp", **{k: v for k, v in what.items() if k != "text"})

    def screenshot(self, path: Path, whole: bool = False) -> None:
        """The window, or the whole page, as a PNG."""
        data = self.call("Page.captureScreenshot", captureBeyondViewport=whole)["data"]
        path.write_bytes(base64.b64decode(data))

    def close(self) -> None:
        """End the browser."""
        with contextlib.suppress(OSError):
            os.close(self._out)  # it ends where no one can command it any more
        until = time.monotonic() + 10
        while not os.waitpid(self._process, os.WNOHANG)[0]:
            if time.monotonic() > until:
                os.kill(self._process, signal.SIGKILL)
                os.waitpid(self._process, 0)
                break
            time.sleep(0.02)
        os.close(self._in)


@contextlib.contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """A browser for the block, which keeps what it must in a folder."""
    opened = Browser(folder)
    try:
        yield opened
    finally:
        opened.close()
