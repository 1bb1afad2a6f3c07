"""What the server writes about its work: one JSON object a line, on stderr.

It refuses to repeat what people sent: no bodies, query strings, tokens, names or phones. A fault is told by its kind
and by the places in the code that it went through; its own words stay out, since they may quote a value.
"""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Final

LEVELS: Final = ("debug", "info", "warning", "error")
FRAMES_MOST: Final = 30
CAUSES_MOST: Final = 4
_Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class JsonLines(logging.Formatter):
    """A record as one line of JSON: time, level, logger, message, and what `facts` holds."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, object] = {
            "time": moment.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
        }
        facts = getattr(record, "facts", None)
        if isinstance(facts, Mapping):
            line.update(facts)
        if record.exc_info:
            line["fault"] = described(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def _message(record: logging.LogRecord) -> str:
    """Our own words whole; those of libraries up to their first line, since what follows may quote an error."""
    text = record.getMessage()
    return text if record.name.startswith("bo") else text.partition("\n")[0][:200]


def described(raised: _Raised) -> list[dict[str, object]]:
    """An error and what caused it: the kind of each, and where it came through, innermost last."""
    told: list[dict[str, object]] = []
    error = raised[1]
    while error is not None and len(told) < CAUSES_MOST:
        frames = traceback.extract_tb(error.__traceback__)[-FRAMES_MOST:]
        places = [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]
        told.append({"kind": type(error).__name__, "places": places})
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return told


def _short(path: str) -> str:
    """A file by its package and name: where this machine keeps it is nobody's business."""
    return "/".join(path.replace("\\", "/").split("/")[-3:])


def start(level: str) -> None:
    """Send everything that is logged in this process to stderr, as JSON lines. Libraries speak up for warnings only."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("bo").setLevel(level.upper())


def note(message: str, /, *, level: int = logging.INFO, raised: BaseException | None = None, **facts: object) -> None:
    """Write one line of the server's own."""
    logging.getLogger("bo.server").log(level, message, exc_info=raised, extra={"facts": facts})
