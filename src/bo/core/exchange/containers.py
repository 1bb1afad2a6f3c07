"""Where the bytes come from: a path, a pipe, a gz, a bz2, or the one file in a zip.

It owns the open file, and refuses before unpacking what is too large for what it claims to be. Everything a reader
needs twice can be opened twice; a pipe is put by first, in memory or in a nameless temporary file.
"""

from __future__ import annotations

import os
import stat
import struct
import sys
import zlib
from typing import IO, TYPE_CHECKING, Protocol, cast

from bo.core.exchange.source import MIB, Format, Limits, shorten
from bo.core.kernel.errors import BadFile

if TYPE_CHECKING:
    from zipfile import ZipFile, ZipInfo

SPOOL_BYTES = 16 * MIB
COPY_BYTES = 256 << 10
DATA_ENDINGS = (".csv", ".tsv", ".tab", ".txt", ".json", ".jsonl", ".ndjson")
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_OTHER_FILES = (
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"PAR1", "a Parquet file"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"\xfd7zXZ\0", "an xz archive"),
)


class Bytes(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Content:
    """The bytes of a source, openable again and again.

    `inner` is the name that says the format, without .gz or .zip; `workbook` is the format where the bytes are a
    workbook; `unpacked_bytes` is what a workbook claims to unpack to.
    """

    def __init__(self, name: str, file: IO[bytes], limits: Limits) -> None:
        self.name = name
        self.inner = name
        self.packing = ""
        self.workbook: Format | None = None
        self.unpacked_bytes = 0
        self._file = file
        self._limits = limits
        self._archive: ZipFile | None = None
        self._entry: ZipInfo | None = None

    def open(self) -> Bytes:
        """The (unpacked) bytes from the start; one reading at a time."""
        self._file.seek(0)
        if not self.packing:
            return self._file
        try:
            source = self._unpacker()
        except _damage() as error:
            raise BadFile(DAMAGED, hint=FETCH_AGAIN, name=self.name, reason=error) from error
        return _Unpacked(source, self.name, self._limits.unpacked_bytes)

    def size(self) -> int:
        """Bytes as they lie there, packed."""
        return self._file.seek(0, os.SEEK_END)

    def close(self) -> None:
        self._file.close()

    def _unpacker(self) -> Bytes:
        if self.packing == "gz":
            import gzip

            return cast(Bytes, gzip.GzipFile(fileobj=self._file, mode="rb"))
        if self.packing == "bz2":
            import bz2

            return cast(Bytes, bz2.BZ2File(self._file, "rb"))
        assert self._archive is not None
        assert self._entry is not None
        return cast(Bytes, self._archive.open(self._entry))

    def look_inside(self) -> None:
        """Find out by the first bytes whether this is packed, or a workbook.

        Raises BadFile for what is neither text nor one of these.
        """
        self._file.seek(0)
        head = self._file.read(16)
        if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            self._look_into_zip()
        elif head.startswith(OLE):
            self.workbook = "xls"
        elif head.startswith(b"\x1f\x8b"):
            self.packing, self.inner = "gz", _without(self.name, ".gz")
        elif head.startswith(b"BZh"):
            self.packing, self.inner = "bz2", _without(self.name, ".bz2")
        else:
            for magic, what in _OTHER_FILES:
                if head.startswith(magic):
                    raise BadFile("{name} is {what}, not a table", hint=NOT_A_TABLE, name=self.name, what=what)

    def _look_into_zip(self) -> None:
        entries = self._zip_entries()
        names = {entry.filename for entry in entries}
        if "xl/workbook.xml" in names:
            self.workbook = "xlsx"
        elif "xl/workbook.bin" in names:
            self.workbook = "xlsb"
        elif "content.xml" in names:
            self.workbook = "ods"
        if self.workbook:
            self._guard_workbook(entries)
        else:
            self._choose_entry(entries)

    def _zip_entries(self) -> list[ZipInfo]:
        from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

        count, directory_bytes = _zip_directory(self._file)
        if count > self._limits.archive_entries or directory_bytes > self._limits.archive_entries * 512:
            raise BadFile("{name} holds too many files ({count})", hint=NOT_A_TABLE, name=self.name, count=count)
        try:
            self._archive = ZipFile(self._file)
            entries = [entry for entry in self._archive.infolist() if not _is_clutter(entry)]
        except _damage() as error:
            raise BadFile(DAMAGED, hint=FETCH_AGAIN, name=self.name, reason=error) from error
        for entry in entries:
            if entry.flag_bits & 1:
                raise BadFile("{name} is protected by a password", hint="Save it without a password.", name=self.name)
            if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
                raise BadFile("{name} is packed in a rare way", hint="Unpack it first.", name=self.name)
        return entries

    def _guard_workbook(self, entries: list[ZipInfo]) -> None:
        limits = self._limits
        parts = [entry for entry in entries if "/media/" not in entry.filename]
        self.unpacked_bytes = sum(entry.file_size for entry in parts)
        packed = max(1, self.size())
        if self.unpacked_bytes > limits.workbook_bytes:
            raise BadFile(
                "{name} would unpack to {unpacked} MiB; at most {most} MiB are read",
                hint="Save the sheet as CSV, which has no limit.",
                name=self.name,
                unpacked=self.unpacked_bytes // MIB,
                most=limits.workbook_bytes // MIB,
            )
        if self.unpacked_bytes > 16 * MIB and self.unpacked_bytes > packed * limits.workbook_ratio:
            raise BadFile(
                "{name} would unpack to {times} times its size, which no real workbook does",
                hint="Open it in a spreadsheet program and save the sheet as CSV.",
                name=self.name,
                times=self.unpacked_bytes // packed,
            )

    def _choose_entry(self, entries: list[ZipInfo]) -> None:
        names = [entry.filename for entry in entries]
        data = [entry for entry in entries if entry.filename.lower().endswith(DATA_ENDINGS)]
        if len(data) != 1:
            raise BadFile(
                "{name} holds {count} files that could be meant: {names}",
                hint="Unpack it and name the one to read.",
                name=self.name,
                count=len(data),
                names=shorten([entry.filename for entry in data] or names),
            )
        self._entry = data[0]
        self.packing, self.inner = "zip", self._entry.filename


NOT_A_TABLE = "Give a CSV, TSV, JSON, JSONL, XLSX, XLS, ODS or XLSB file."
DAMAGED = "{name} is a damaged archive: {reason}"
FETCH_AGAIN = "Fetch the file again, or unpack it with another program."


class _Unpacked:
    """Unpacked bytes, counted; damage and excess are told in words."""

    def __init__(self, source: Bytes, name: str, most: int) -> None:
        self._source = source
        self._name = name
        self._most = most
        self._count = 0

    def read(self, size: int, /) -> bytes:
        try:
            data = self._source.read(size)
        except _damage() as error:
            raise BadFile(DAMAGED, hint=FETCH_AGAIN, name=self._name, reason=error) from error
        self._count += len(data)
        if self._count > self._most:
            raise BadFile(
                "{name} unpacks to more than {most} MiB",
                hint="Unpack it and split it into smaller files.",
                name=self._name,
                most=self._most // MIB,
            )
        return data


def open_content(path: str | os.PathLike[str], limits: Limits) -> Content:
    """Open a path, or `-` for standard input, and look what it is.

    Raises:
        BadFile: it is missing, a directory, unreadable, damaged, or no kind of table.
    """
    name = os.fspath(path)
    try:
        content = Content(name, _open_file(name, limits), limits)
    except FileNotFoundError as error:
        raise BadFile(
            "{name}: there is no such file", hint="Check the name, or give - to read standard input.", name=name
        ) from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise BadFile(
            "{name} cannot be read: {reason}", hint="Check the name and your rights to it.", name=name, reason=reason
        ) from error
    try:
        content.look_inside()
    except BaseException:
        content.close()
        raise
    return content


def _open_file(name: str, limits: Limits) -> IO[bytes]:
    if name == "-":
        return _put_by(sys.stdin.buffer, name, limits)
    if stat.S_ISDIR(os.stat(name).st_mode):
        raise BadFile("{name} is a directory", hint="Name the file in it that is to be read.", name=name)
    file = open(name, "rb")  # noqa: SIM115  the Content closes it
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    with file:
        return _put_by(file, name, limits)


def _put_by(pipe: IO[bytes], name: str, limits: Limits) -> IO[bytes]:
    import tempfile

    spool = tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES)  # noqa: SIM115  the Content closes it
    while block := pipe.read(COPY_BYTES):
        if spool.tell() + len(block) > limits.unpacked_bytes:
            spool.close()
            raise BadFile(
                "{name} gives more than {most} MiB",
                hint="Split it into smaller parts.",
                name=name,
                most=limits.unpacked_bytes // MIB,
            )
        spool.write(block)
    return cast(IO[bytes], spool)


def _zip_directory(file: IO[bytes]) -> tuple[int, int]:
    """Entries and bytes of a zip's directory, by its end record, before anything of that size is built in memory."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - (64 << 10) - 22))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    record = tail[at : at + 22] if at >= 0 else b""
    if len(record) < 22:
        return 0, 0
    if at >= 76 and tail[at - 20 : at - 16] == b"PK\x06\x07":
        larger = tail[at - 76 : at - 20]
        return int.from_bytes(larger[32:40], "little"), int.from_bytes(larger[40:48], "little")
    return int.from_bytes(record[10:12], "little"), int.from_bytes(record[12:16], "little")


def _damage() -> tuple[type[Exception], ...]:
    """What unpackers raise for damaged data. Asked for only when something was raised: zipfile is slow to load."""
    from zipfile import BadZipFile

    return OSError, EOFError, ValueError, RuntimeError, struct.error, zlib.error, BadZipFile


def _is_clutter(entry: ZipInfo) -> bool:
    last = entry.filename.rsplit("/", 1)[-1]
    return entry.is_dir() or entry.filename.startswith("__MACOSX/") or last.startswith(".")


def _without(name: str, ending: str) -> str:
    return name[: -len(ending)] if name.lower().endswith(ending) else name
