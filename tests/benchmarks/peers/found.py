"""Other programs that sync: installed in a folder outside of the project, started, measured."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

HERE: Final = Path(__file__).parent
POUCHDB: Final = ("pouchdb@9", "express-pouchdb@4", "pouchdb-adapter-leveldb@9", "express@4")
ANKI: Final = "anki"
WAIT_S: Final = 30.0
INSTALL_S: Final = 300.0
MEASURE_S: Final = 600.0


def measured(folder: Path | None, sizes: Mapping[str, object]) -> dict[str, dict[str, list[float]]]:
    """What each peer takes for the steps, in seconds; without those that are not there."""
    if folder is None:
        print("PouchDB and Anki are left out: --peers FOLDER says where they are, or are to be installed")
        return {}
    results: dict[str, dict[str, list[float]]] = {}
    peers: tuple[tuple[str, Callable[[Path, Mapping[str, object]], dict[str, list[float]]]], ...] = (
        ("PouchDB", _pouchdb),
        ("Anki", _anki),
    )
    for name, measure in peers:
        try:
            results[name] = measure(folder.resolve(), sizes)
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            print(f"{name} is left out: {error}")
    return results


def _pouchdb(folder: Path, sizes: Mapping[str, object]) -> dict[str, list[float]]:
    place = folder / "pouchdb"
    node, npm = _program("node"), _program("npm")
    if not (place / "node_modules" / "express-pouchdb").is_dir():
        place.mkdir(parents=True, exist_ok=True)
        (place / "package.json").write_text('{"private": true}', encoding="utf-8")
        _install([npm, "install", "--no-audit", "--no-fund", *POUCHDB], place)
    script = [node, str(HERE / "pouchdb_sync.js")]
    environment = {**os.environ, "NODE_PATH": str(place / "node_modules")}
    with tempfile.TemporaryDirectory() as work:
        port = _free_port()
        with _running([*script, "serve", work, str(port)], environment, Path(work), port):
            return _measure([*script, "measure", work, str(port), json.dumps(sizes)], environment, Path(work))


def _anki(folder: Path, sizes: Mapping[str, object]) -> dict[str, list[float]]:
    place = folder / "anki"
    python = place / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not python.exists():
        _install([sys.executable, "-m", "venv", str(place)], folder.parent)
        _install([str(python), "-m", "pip", "install", "-q", ANKI], folder)
    with tempfile.TemporaryDirectory() as work:
        port, server = _free_port(), Path(work) / "server"
        server.mkdir()
        environment = {
            **os.environ, "SYNC_BASE": str(server), "SYNC_HOST": "127.0.0.1", "SYNC_PORT": str(port),
            "SYNC_USER1": "bench:bench",
        }  # fmt: skip
        with _running([str(python), "-m", "anki.syncserver"], environment, Path(work), port):
            script = [str(python), str(HERE / "anki_sync.py"), work, f"http://127.0.0.1:{port}/", json.dumps(sizes)]
            return _measure(script, dict(os.environ), Path(work))


def _program(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise RuntimeError(f"{name} is not installed")
    return path


def _install(argv: Sequence[str], place: Path) -> None:
    said = subprocess.run(argv, cwd=place, capture_output=True, encoding="utf-8", timeout=INSTALL_S, check=False)
    if said.returncode:
        raise RuntimeError(f"it cannot be installed: {(said.stderr or said.stdout).strip()[-200:]}")


def _measure(argv: Sequence[str], environment: Mapping[str, str], place: Path) -> dict[str, list[float]]:
    said = subprocess.run(
        argv, cwd=place, env=environment, capture_output=True, encoding="utf-8", timeout=MEASURE_S, check=False
    )
    if said.returncode:
        raise RuntimeError(said.stderr.strip()[-400:])
    return msgspec.json.decode(said.stdout.splitlines()[-1], type=dict[str, list[float]])


@contextmanager
def _running(argv: Sequence[str], environment: Mapping[str, str], place: Path, port: int) -> Iterator[None]:
    with (place / "server.log").open("wb") as log:
        process = subprocess.Popen(argv, cwd=place, env=environment, stdout=log, stderr=log)
        try:
            until = time.monotonic() + WAIT_S
            while not _listens(port):
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"its server does not start: {(place / 'server.log').read_text()[-200:]}")
                time.sleep(0.05)
            yield
        finally:
            process.kill()
            process.wait(WAIT_S)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
