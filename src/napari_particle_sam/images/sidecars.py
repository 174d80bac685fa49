"""Text files that instruments write beside an image."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

#: Larger files are no instrument's header.
SIDECAR_LIMIT = 2**20


def sidecar_texts(path: Path, suffix: str) -> Iterator[tuple[str, str]]:
    """Find the texts that lie beside an image.

    Of ``a.tif`` and ``hdr`` these are ``a.hdr``, ``a.tif.hdr`` and TESCAN's ``a-tif.hdr``, in any
    case of the suffix.

    Parameters
    ----------
    path : Path
        The image.
    suffix : str
        Without the dot.

    Yields
    ------
    name, text : str
        Of each file that is there and not too large.
    """
    stems = (path.stem, path.name, f"{path.stem}-{path.suffix[1:]}")
    seen = set()
    for stem, ending in itertools.product(stems, _cases(suffix)):
        candidate = path.with_name(f"{stem}.{ending}")
        content = _read(candidate)
        # Where case does not matter one file answers to all of these names.
        if content is not None and (stem, content) not in seen:
            seen.add((stem, content))
            yield candidate.name, decode_text(content)


def decode_text(content: bytes) -> str:
    """Decode UTF-8, UTF-16 with or without a byte order mark, else Latin-1; never raises."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    low, high = content[:80:2], content[1:80:2]
    if 2 * max(low.count(0), high.count(0)) > len(low):
        return content.decode("utf-16-be" if low.count(0) > high.count(0) else "utf-16-le", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _cases(suffix: str) -> Iterator[str]:
    return map("".join, itertools.product(*((letter.lower(), letter.upper()) for letter in suffix)))


def _read(path: Path) -> bytes | None:
    try:
        if not path.is_file() or path.stat().st_size > SIDECAR_LIMIT:
            return None
        with path.open("rb") as file:
            return file.read(SIDECAR_LIMIT)
    except (OSError, ValueError):
        return None
