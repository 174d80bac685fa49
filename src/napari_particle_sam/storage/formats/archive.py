"""A folder, such as a project or pairs, as one zip file, and back."""

from __future__ import annotations

import shutil
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from zipfile import ZipFile, ZipInfo

from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.base.files import atomic_path
from napari_particle_sam.storage.formats.archive_members import (
    Limits,
    check_members,
    check_names,
    copied,
    opened,
)
from napari_particle_sam.storage.formats.dataset import shown
from napari_particle_sam.storage.formats.folders import new_folder
from napari_particle_sam.storage.project.names import is_plain_relative

#: What is text is compressed; images are compressed already.
_TEXT = (".json", ".jsonl", ".csv", ".txt", ".md", ".html", ".yaml", ".yml", ".log")
_CHUNK = 2**20


def pack_folder(folder: Path, target: Path, token: CancelToken | None = None) -> Path:
    """Write the files and folders of a folder to a zip file, atomically.

    Names that begin with a dot (locks, half-written files) stay out. The result passes the checks of
    `unpack_archive`.

    Parameters
    ----------
    folder : Path
        What to pack; paths in the archive are relative to it.
    target : Path
        The zip file to make or replace.
    token : CancelToken, optional
        Stops between two files.

    Returns
    -------
    Path
        The target.

    Raises
    ------
    BadFileError
        If the folder is missing, holds a link or a name that some system cannot have, or a file cannot be
        read or written.
    """
    folder, target = Path(folder), Path(target)
    if not folder.is_dir():
        raise BadFileError(f"{folder} is no folder; name one to pack.")
    members = [(path, _member(path, folder)) for path in _contents(folder) if not _same(path, target)]
    check_names([member for _, member in members], folder)
    with atomic_path(target) as temporary, ZipFile(temporary, "w") as archive:
        for path, member in members:
            if token is not None:
                token.check()
            _add(archive, path, member)
    return target


def unpack_archive(
    path: Path, target: Path, limits: Limits | None = None, token: CancelToken | None = None
) -> Path:
    """Unpack a zip file into a new folder: all of it, or nothing.

    Parameters
    ----------
    path : Path
        The zip file; it is not trusted.
    target : Path
        The folder to make; it may exist if it is empty.
    limits : Limits, optional
        What it may hold.
    token : CancelToken, optional
        Stops between two pieces of 1 MB.

    Returns
    -------
    Path
        The target.

    Raises
    ------
    BadFileError
        If it is no zip file, breaks a rule of `archive_members`, is damaged, or does not fit on the disk.
    """
    path, target = Path(path), Path(target)
    with opened(path) as archive:
        members = archive.infolist()
        check_members(members, limits or Limits(), path)
        check_names(members, path)
        _check_space(members, target)
        with new_folder(target) as folder:
            for member in members:
                _extract(archive, member, folder, path, token)
    return target


def _contents(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_symlink():
            raise BadFileError(f"{path} is a link; put the file itself in its place.")
        yield path
        if path.is_dir():
            yield from _contents(path)


def _same(path: Path, target: Path) -> bool:
    return target.exists() and path.samefile(target)


def _member(path: Path, folder: Path) -> ZipInfo:
    name = path.relative_to(folder).as_posix()
    if not is_plain_relative(name):
        raise BadFileError(f"{path} has a name that not every system can have; rename {shown(path.name)}.")
    return ZipInfo.from_file(path, name, strict_timestamps=False)


def _add(archive: ZipFile, path: Path, member: ZipInfo) -> None:
    if member.is_dir():
        archive.writestr(member, b"")
        return
    try:
        source = path.open("rb")
    except OSError as error:
        raise BadFileError(f"{path} cannot be read ({error.strerror or error}); check it.") from error
    with source:
        worth_it = path.suffix.lower() in _TEXT and _shrinks(source)
        member.compress_type = zipfile.ZIP_DEFLATED if worth_it else zipfile.ZIP_STORED
        source.seek(0)
        with archive.open(member, "w", force_zip64=True) as sink:
            shutil.copyfileobj(source, sink, _CHUNK)


def _shrinks(source: BinaryIO) -> bool:
    """Return whether a file does not shrink so much that it would look like a bomb."""
    packer, packed, size = zlib.compressobj(), 0, 0
    while chunk := source.read(_CHUNK):
        size += len(chunk)
        packed += len(packer.compress(chunk))
    return size < (packed + len(packer.flush())) * Limits().ratio / 2


def _check_space(members: list[ZipInfo], target: Path) -> None:
    parent = next((place for place in target.absolute().parents if place.is_dir()), None)
    needed = sum(member.file_size for member in members)
    if parent is not None and shutil.disk_usage(parent).free < needed:
        raise BadFileError(f"{target} needs {needed} bytes and the disk has fewer; make room.")


def _extract(archive: ZipFile, member: ZipInfo, folder: Path, path: Path, token: CancelToken | None) -> None:
    place = folder / member.orig_filename
    if member.is_dir():
        place.mkdir(parents=True, exist_ok=True)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("xb") as file:
        for chunk in copied(archive, member, path):
            if token is not None:
                token.check()
            file.write(chunk)
