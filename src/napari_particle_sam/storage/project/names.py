"""Names of files and folders that every file system takes, and relative paths that stay in a project."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from pathlib import Path, PurePosixPath, PureWindowsPath

from napari_particle_sam.base.errors import BadFileError, BadValueError

#: Longest name in UTF-8 bytes; file systems take 255, and a suffix must fit as well.
NAME_LIMIT = 100
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)


def safe_name(text: str) -> str:
    """Return a name that Windows, macOS and Linux take as a file or folder.

    What had to be changed ends in a hash of the text, so that two texts never share a name unless
    they differ in case only, which Windows and macOS do not tell apart.

    Raises
    ------
    BadValueError
        If the text is empty.
    """
    plain = unicodedata.normalize("NFC", text).strip()
    if not plain:
        raise BadValueError("A name is empty; give one with at least one letter.")
    name = _FORBIDDEN.sub("_", plain).strip(". ")
    if name == plain and len(_bytes(name)) <= NAME_LIMIT and not _RESERVED.fullmatch(name):
        return name
    digest = hashlib.sha256(_bytes(plain.casefold())).hexdigest()[:6]
    begin = _bytes(name)[: NAME_LIMIT - 8].decode("utf-8", "ignore").strip(". ")
    return f"_{begin}-{digest}"


def same_name(name: str, other: str) -> bool:
    """Return whether two names are one file where case and composition of letters do not count."""
    first, second = (unicodedata.normalize("NFC", n).casefold() for n in (name, other))
    return first == second


def is_plain_relative(path: str) -> bool:
    """Return whether a text is a relative POSIX path without ``..``, drive or backslash."""
    parts = path.split("/")
    return (
        not _FORBIDDEN.search(path.replace("/", ""))
        and all(part not in ("", ".", "..") and part[-1] not in ". " for part in parts)
        and not any(_RESERVED.fullmatch(part) for part in parts)
    )


def is_absolute(path: str) -> bool:
    """Return whether a path is absolute on any system."""
    return PurePosixPath(path).is_absolute() or PureWindowsPath(path).drive != ""


def inside(root: Path, relative: str) -> Path:
    """Return the path of a file in a folder.

    Raises
    ------
    BadFileError
        If the path, its links followed, leaves the folder.
    """
    path = root / relative
    if not is_plain_relative(relative) or not path.resolve().is_relative_to(root.resolve()):
        raise BadFileError(f"{path} lies outside of {root}; move it into the folder and correct the path.")
    return path


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
