"""Atomic writing and bounded reading of files."""

from __future__ import annotations

import csv
import json
import math
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from napari_particle_sam.base.errors import BadFileError

#: Larger JSON files are refused before they are parsed.
JSON_LIMIT = 512 * 2**20


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Give a path beside `target` to write to, and put it in its place at the end.

    Parameters
    ----------
    target : Path
        The file to make or replace; its folder is made if it is missing.

    Yields
    ------
    Path
        A temporary path in the same folder. Nothing is left of it if writing fails.

    Raises
    ------
    BadFileError
        If the folder cannot be written to.
    """
    target = Path(target)
    temporary = target.with_name(f".{uuid.uuid4().hex[:8]}-{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, target)
    except OSError as error:
        raise BadFileError(
            f"{target} cannot be written ({error.strerror or error}); "
            "choose a folder with write permission and free space."
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON, atomically; NaN and infinities become null."""
    write_text(path, json_text(value) + "\n")


def json_text(value: Any) -> str:
    """Return a value as indented JSON; NaN and infinities become null."""
    return json.dumps(_finite(value), indent=1, ensure_ascii=False)


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Write rows as CSV, atomically, with text that a spreadsheet would run made harmless."""
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        for row in rows:
            writer.writerow({key: _plain_cell(value) for key, value in row.items()})


def read_json(path: Path) -> Any:
    """Read JSON of bounded size.

    Raises
    ------
    BadFileError
        If the file is missing, too large or no JSON.
    """
    try:
        if Path(path).stat().st_size > JSON_LIMIT:
            raise BadFileError(f"{path} is larger than {JSON_LIMIT >> 20} MB; split it.")
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise BadFileError(f"{path} cannot be read ({error.strerror}); check the path.") from error
    except (ValueError, RecursionError) as error:
        raise BadFileError(f"{path} is no valid JSON; restore it or export it again.") from error


def _plain_cell(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return value


def _finite(value: Any) -> Any:
    if hasattr(value, "item") and not isinstance(value, (str, bytes)):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    return value.as_posix() if isinstance(value, Path) else value
