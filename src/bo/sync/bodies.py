"""Bodies of requests and answers: read within bounds of size and time, checked, unpacked, packed.

What is too large is refused while it is read: never more than the limit is held, packed or unpacked, whatever the
headers say. Nothing is handed on before the whole body is there and is what its digest says.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import gzip
import zlib
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from bo.core.kernel.errors import BoError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

BODY_SECONDS: Final = 120.0  # for the whole of a body
PAUSE_SECONDS: Final = 20.0  # without a single byte
LINGER_SECONDS: Final = 1.0
PACKED_LEAST: Final = 1024


class TooLarge(BoError):
    """More than this server takes in one request."""

    code = "too_large"


class TooSlow(BoError):
    """The body did not arrive in time; nothing of it was used."""

    code = "too_slow"
    retryable = True


class DigestMismatch(BoError):
    """The body is not what was sent; nothing of it was used."""

    code = "digest_mismatch"
    retryable = True


class BadEncoding(BoError):
    """A packed body that cannot be unpacked."""

    code = "bad_encoding"


class UnknownEncoding(BoError):
    """Packed in a way that is not understood here."""

    code = "unknown_encoding"


async def read(request: Request, most: int) -> bytes:
    """The body of a request, unpacked. Raises TooLarge, TooSlow, DigestMismatch, BadEncoding, UnknownEncoding, and
    Starlette's ClientDisconnect where the connection ends first."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        raise UnknownEncoding("a body packed as {encoding} is not understood", hint="gzip is.", encoding=encoding[:40])
    wanted = _wanted_digest(request.headers.get("content-digest", ""))
    stream = request.stream()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _read(stream, most, wanted, unpack=encoding == "gzip", declared=_declared(request))
    except TimeoutError:
        raise _slow() from None
    except TooLarge:
        await _linger(stream, most)
        raise
    finally:
        await stream.aclose()


async def _read(stream: AsyncIterator[bytes], most: int, wanted: bytes | None, *, unpack: bool, declared: int) -> bytes:
    if declared > most:
        raise _large(most)
    packed, hashed, taken = 0, sha256(), bytearray()
    inflater = Inflater(most) if unpack else None
    while True:
        try:
            async with asyncio.timeout(PAUSE_SECONDS):
                part = await anext(stream, b"")
        except TimeoutError:
            raise _slow() from None
        if not part:
            break
        packed += len(part)
        if packed > most:
            raise _large(most)
        if wanted is not None:
            hashed.update(part)
        taken += inflater.feed(part) if inflater is not None else part
    if wanted is not None and hashed.digest() != wanted:
        raise DigestMismatch("the body is not what was sent", hint="Send it again.")
    if inflater is not None:
        inflater.end()
    return bytes(taken)


class Inflater:
    """Unpacks gzip piece by piece, and stops at `most` bytes."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.made = 0
        self._inside = zlib.decompressobj(16 + zlib.MAX_WBITS)

    def feed(self, part: bytes) -> bytes:
        """What a piece unpacks to. Raises TooLarge and BadEncoding."""
        try:
            made = self._inside.decompress(part, self.most - self.made + 1)
        except zlib.error:
            raise BadEncoding("the body is not gzip") from None
        self.made += len(made)
        if self.made > self.most:
            raise _large(self.most)
        if self._inside.unused_data:
            raise BadEncoding("there is something after the end of the packed body")
        return made

    def end(self) -> None:
        """Raises BadEncoding where the body was cut."""
        if not self._inside.eof:
            raise BadEncoding("the packed body ends too early", hint="Send it again.")


def _wanted_digest(header: str) -> bytes | None:
    """The SHA-256 that the sender says the body has as it travels; None where they say nothing. Raises
    DigestMismatch for one that cannot be read."""
    for item in header.split(","):
        name, _equals, value = item.strip().partition("=")
        if name.lower() != "sha-256":
            continue
        try:
            digest = base64.b64decode(value.strip(":"), validate=True)
        except (binascii.Error, ValueError):
            digest = b""
        if len(digest) != sha256().digest_size or not (value.startswith(":") and value.endswith(":")):
            raise DigestMismatch("the body's digest cannot be read", hint="Content-Digest: sha-256=:base64:")
        return digest
    return None


def _declared(request: Request) -> int:
    text = request.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


async def _linger(stream: AsyncIterator[bytes], most: int) -> None:
    """Let a body that is somewhat too large arrive and forget it, so that the answer is read and not a broken
    connection."""
    seen = 0
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            async for part in stream:
                seen += len(part)
                if seen > 2 * most:
                    return
    except TimeoutError:
        return


def _large(most: int) -> TooLarge:
    return TooLarge("the body is larger than {most} bytes", hint="Send it in smaller parts.", most=most)


def _slow() -> TooSlow:
    return TooSlow("the body did not arrive in time", hint="Send it again.")


def pack(body: bytes) -> bytes:
    """A body as gzip, quickly."""
    return gzip.compress(body, 1, mtime=0)


def takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding header allows gzip."""
    for item in accepted.lower().split(","):
        name, _semicolon, rest = item.strip().partition(";")
        if name.strip() in ("gzip", "*"):
            weight = rest.strip().removeprefix("q=").strip()
            return weight not in ("0", "0.0", "0.00", "0.000")
    return False
