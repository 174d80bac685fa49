"""Reading foreign files whole, but never more than is sane."""

from __future__ import annotations

from pathlib import Path

from napari_particle_sam.base.errors import BadFileError


def read_bytes(path: Path, limit: int) -> bytes:
    """Read a file of at most `limit` bytes.

    Raises
    ------
    BadFileError
        If it is missing, no file, too large or cannot be read.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise BadFileError(f"{path} cannot be read ({error.strerror or error}); check the path.") from error
    if len(content) > limit:
        raise BadFileError(f"{path} is larger than {limit >> 10} kB; split it.")
    return content


def read_text(path: Path, limit: int) -> str:
    """Read a UTF-8 file of at most `limit` bytes, with or without a byte-order mark.

    Raises
    ------
    BadFileError
        As `read_bytes`, and if it is no UTF-8 text.
    """
    try:
        return read_bytes(path, limit).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadFileError(f"{path} is no UTF-8 text; save it as UTF-8.") from error
