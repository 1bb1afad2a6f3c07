"""`bo serve`: the central stores of all organisations, for devices and programs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bo.cli import exit_codes
from bo.core.kernel.errors import Configuration, UsageError

if TYPE_CHECKING:
    from bo.cli.asked import Asked
    from bo.sync.server import Settings

SIZES: Final = {"": 1, "K": 1 << 10, "M": 1 << 20}
BODY_LEAST: Final = 1_200_000  # what a device may send at once, and its envelope
BODY_MOST: Final = 256 << 20
NEARBY: Final = "127.0.0.1,::1"


def run(asked: Asked) -> int:
    """Serve until TERM or INT. Raises UsageError for a wrong call, Configuration where it cannot begin."""
    try:
        from bo.sync.serving import serve
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("bo"):
            raise
        raise Configuration(
            "what a central store needs is not installed", hint="pip install 'bo-office[server]'"
        ) from None
    serve(settings_of(asked))
    return exit_codes.OK


def settings_of(asked: Asked) -> Settings:
    """How the server is to be run. Raises UsageError."""
    from bo.sync.logs import LEVELS
    from bo.sync.server import Settings

    data, database = place_of(asked)
    host = asked.text("host") or "127.0.0.1"
    certfile = asked.text("certfile")
    if not (certfile or is_loopback(host) or asked.flag("insecure_http")):
        raise UsageError(
            "without TLS everybody on the way to {host} could read passwords and tokens",
            hint="Say --certfile and --keyfile, stay on 127.0.0.1 behind a proxy, or say --insecure-http.",
            host=host,
        )
    level = asked.text("log_level") or "info"
    if level not in LEVELS:
        raise UsageError("there is no log level {value}", hint="One of: {known}.", value=level, known=", ".join(LEVELS))
    return Settings(
        host=host,
        port=port_of(asked.text("port"), 8080),
        data=data,
        database=database,
        workers=asked.whole("workers") or 1,
        body_most=_size(asked.text("max_body") or "4M"),
        log_level=level,
        certfile=certfile,
        keyfile=asked.text("keyfile"),
        forwarded_allow_ips=_proxies(asked),
        metrics_token=_metrics_token(asked.text("metrics_token_file")),
    )


def place_of(asked: Asked) -> tuple[str, str]:
    """Where the organisations are: a folder or a database, one of the two. Raises UsageError."""
    data, database = asked.text("data"), asked.text("database")
    if not (data or database):
        data, database = os.environ.get("BO_DATA", ""), os.environ.get("BO_DATABASE", "")
    if bool(data) == bool(database):
        raise UsageError(
            "where are the organisations?", hint="Say --data DIR or --database URL (BO_DATA, BO_DATABASE), one of them."
        )
    return data, database


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches that address."""
    from ipaddress import ip_address

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.rstrip(".").lower() == "localhost"


def port_of(text: str, usual: int) -> int:
    """A port as it was typed. Raises UsageError."""
    if not text:
        return usual
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise UsageError("--port takes a number up to 65535, not {value}", value=text)
    return int(text)


def _size(text: str) -> int:
    """`4M`, `512K`, or bytes. Raises UsageError."""
    number = text.upper().removesuffix("B")
    unit = number[-1:] if number[-1:] in SIZES else ""
    number = number.removesuffix(unit)
    size = int(number) * SIZES[unit] if number.isascii() and number.isdigit() and len(number) < 12 else 0
    if not BODY_LEAST <= size <= BODY_MOST:
        raise UsageError("--max-body takes a size from 1.2 MB to 256 MB, such as 4M, not {value}", value=text)
    return size


def _proxies(asked: Asked) -> str:
    """The addresses whose word is taken for who asks; blank for none. Raises UsageError."""
    named = asked.text("forwarded_allow_ips")
    if not asked.flag("proxy_headers"):
        if named:
            raise UsageError("--forwarded-allow-ips needs --proxy-headers")
        return ""
    return named or NEARBY


def _metrics_token(file: str) -> str:
    """The token that opens the figures: from a file or the environment, and never from the command line, which every
    program on this machine can read. Raises Configuration."""
    if not file:
        return os.environ.get("BO_METRICS_TOKEN", "").strip()
    try:
        token = Path(file).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Configuration("{file} cannot be read: {reason}", file=file, reason=str(error)) from None
    if not token:
        raise Configuration("there is no token in {file}", file=file)
    return token
