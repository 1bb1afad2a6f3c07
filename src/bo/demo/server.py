"""The central store of the demo: `bo serve` as a process beside the story, which no end of the story leaves running."""

from __future__ import annotations

import socket
import subprocess
import time
from contextlib import closing, suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bo.core.kernel.errors import Damaged

if TYPE_CHECKING:
    from bo.demo.stage import Stage

START_SECONDS: Final = 30.0
END_SECONDS: Final = 15.0
ASK_AGAIN_SECONDS: Final = 3.0
ORG: Final = "acme"
LOG: Final = "server.log"


class Server:
    """One `bo serve` at one free port of this machine; it can be stopped and started again."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.port = _free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/{ORG}"

    def start(self, place: str) -> None:
        """Start it, show it, and come back when it answers. Raises Damaged where it does not."""
        line = f"serve --port {self.port} --log-level warning"
        self.stage.type(f"bo {line} &", at=place)
        self.stage.commands += 1
        log = self.stage.team / LOG
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                self.stage.command(line), stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                env=self.stage.environment(at=place), cwd=self.stage.team,
            )  # fmt: skip
        until = time.monotonic() + START_SECONDS
        while not _is_ready(self.port):
            if self.process.poll() is not None or time.monotonic() > until:
                raise _no_answer(log)
            time.sleep(0.05)

    def stop(self) -> None:
        """End it, in order where it ends in time; nothing where it does not run."""
        process, self.process = self.process, None
        if process is None:
            return
        try:
            _end(process)
        finally:
            process.kill()  # too slow, or a second Ctrl-C; no harm to one that has ended
            process.wait()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask more than once: one that is still starting may miss the first signal."""
    until = time.monotonic() + END_SECONDS
    while time.monotonic() < until:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(ASK_AGAIN_SECONDS)
            return


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port: int = listener.getsockname()[1]
        return port


def _is_ready(port: int) -> bool:
    """Whether it answers. Asked past any proxy that the environment names."""
    connection = HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
    try:
        connection.request("GET", "/ready")
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _no_answer(log: Path) -> Damaged:
    return Damaged(
        "the demo went wrong: the central store does not answer\n{log}",
        hint="Please report it.",
        log=log.read_text("utf-8", "replace")[-2000:],
    )
