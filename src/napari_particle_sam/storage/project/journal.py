"""The autosave journal: one checked line of JSON per action."""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any

from napari_particle_sam.base.errors import BadFileError

#: Larger journals are refused before they are read.
JOURNAL_LIMIT = 512 * 2**20

_LINE = re.compile(rb'\{"crc":"([0-9a-f]{8})","body":(\{.*\})\}\n')


@dataclass(frozen=True)
class Line:
    """One line of a journal.

    Attributes
    ----------
    number : int
        From 0, without gaps.
    at : float
        When it was written, in seconds since 1970, UTC.
    entry : dict
        What the session recorded, or ``{"opened": true}`` where a sitting begins.
    """

    number: int
    at: float
    entry: dict[str, Any]


@dataclass(frozen=True)
class JournalContent:
    """What could be read of a journal.

    Attributes
    ----------
    lines : tuple of Line
        All up to the first that is damaged.
    good_bytes : int
        Length of the file up to there.
    torn : bool
        Whether the last line was cut short, as happens when a process dies while it writes.
    lost : int
        Number of lines from a damaged one on, where more than a torn last line is damaged.
    """

    lines: tuple[Line, ...]
    good_bytes: int
    torn: bool = False
    lost: int = 0


def read_journal(path: Path) -> JournalContent:
    """Read a journal as far as it is sound; a missing file is an empty journal.

    Raises
    ------
    BadFileError
        If the file cannot be read or is too large.
    """
    try:
        if path.stat().st_size > JOURNAL_LIMIT:
            raise BadFileError(f"{path} is larger than {JOURNAL_LIMIT >> 20} MB; restore it from a copy.")
        content = path.read_bytes()
    except FileNotFoundError:
        return JournalContent((), 0)
    except OSError as error:
        raise BadFileError(f"{path} cannot be read ({error.strerror or error}); check it.") from error
    return parse_journal(content)


def parse_journal(content: bytes) -> JournalContent:
    """Return what is sound of a journal's bytes."""
    lines: list[Line] = []
    good = 0
    for raw in content.splitlines(keepends=True):
        line = _parse(raw, len(lines))
        if line is None:
            break
        lines.append(line)
        good += len(raw)
    rest = content[good:].splitlines(keepends=True)
    torn = len(rest) == 1 and not rest[0].endswith(b"\n")
    return JournalContent(tuple(lines), good, torn, 0 if torn else len(rest))


def keep_lines(content: JournalContent, count: int) -> JournalContent:
    """Return the first lines of what was read, the rest being cut off."""
    lines = content.lines[:count]
    return JournalContent(lines, sum(len(_format(line)) for line in lines))


class Journal:
    """Appends lines to a journal and waits for the disk after each.

    A line that cannot be written, because the disk is full, say, stays in memory and is tried again with
    the next one; half a line is never left before a whole one.

    Parameters
    ----------
    path : Path
        The file; opened, and made if it is missing, when the first line comes.
    content : JournalContent
        What `read_journal` found there; whatever follows its sound lines is cut off.
    """

    def __init__(self, path: Path, content: JournalContent) -> None:
        self._path = path
        self._waiting: list[bytes] = []
        self._number = len(content.lines)
        self._length = content.good_bytes
        self._file: FileIO | None = None

    @property
    def waiting(self) -> int:
        """Number of lines that are in memory only."""
        return len(self._waiting)

    def append(self, entries: Iterable[tuple[Mapping[str, Any], float]]) -> None:
        """Add entries with their times, and wait until they are on the disk.

        Raises
        ------
        BadFileError
            If the disk does not take them; they then wait in memory.
        """
        for entry, at in entries:
            self._waiting.append(_format(Line(self._number, at, dict(entry))))
            self._number += 1
        self.flush()

    def flush(self) -> None:
        """Write what waits.

        Raises
        ------
        BadFileError
            If the disk does not take it.
        """
        if not self._waiting:
            return
        text = b"".join(self._waiting)
        try:
            self._write(text)
        except OSError as error:
            raise BadFileError(
                f"{self._path} cannot be written ({error.strerror or error}), so the last "
                f"{len(self._waiting)} changes are in memory only; free space on the disk and save."
            ) from error
        self._length += len(text)
        self._waiting.clear()

    def close(self) -> None:
        """Close the file; what waits is not written."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, text: bytes) -> None:
        if self._file is None:
            self._file = _open(self._path, self._length)
        try:
            self._file.seek(self._length)
            rest = memoryview(text)
            while rest:
                rest = rest[self._file.write(rest) :]
            os.fsync(self._file.fileno())
        except OSError:
            self._file.truncate(self._length)
            raise


def _open(path: Path, length: int) -> FileIO:
    """Open a file for writing and cut it to a length."""
    # Not mode "a": what it writes goes behind a torn line wherever cutting did not work.
    file = FileIO(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666), "r+")
    try:
        file.truncate(length)
    except OSError:
        file.close()
        raise
    return file


def plain(value: Any) -> Any:
    """Return a numpy number as one of Python, for `json`; an id may come from an array."""
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"{value!r} cannot be kept in JSON")


def _format(line: Line) -> bytes:
    content = {"n": line.number, "at": round(line.at, 3), "entry": line.entry}
    body = json.dumps(content, separators=(",", ":"), default=plain).encode("ascii")
    return b'{"crc":"%08x","body":%s}\n' % (zlib.crc32(body), body)


def _parse(raw: bytes, number: int) -> Line | None:
    match = _LINE.fullmatch(raw)
    if match is None or int(match[1], 16) != zlib.crc32(match[2]):
        return None
    try:
        body = json.loads(match[2])
        line = Line(body["n"], float(body["at"]), body["entry"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return line if line.number == number and isinstance(line.entry, dict) else None
