"""What may stand in a zip file that comes from elsewhere."""

from __future__ import annotations

import stat
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from zipfile import ZipFile, ZipInfo

from napari_particle_sam.base.errors import BadFileError, ParticleSamError
from napari_particle_sam.storage.formats.dataset import shown
from napari_particle_sam.storage.project.names import is_plain_relative

_CHUNK = 2**20
_ENCRYPTED = 1


@dataclass(frozen=True)
class Limits:
    """What an archive may hold.

    Attributes
    ----------
    entries : int
        Files and folders.
    total : int
        Bytes of all files unpacked.
    ratio : int
        Unpacked bytes per packed byte, of any one file.
    """

    entries: int = 100_000
    total: int = 2**36
    ratio: int = 200


@contextmanager
def opened(path: Path) -> Iterator[ZipFile]:
    """Open a zip file for reading; whatever its bytes lead to becomes one sentence."""
    try:
        with ZipFile(path) as archive:
            yield archive
    except ParticleSamError:
        raise
    except OSError as error:
        raise BadFileError(f"{path} cannot be read ({error.strerror or error}); check the path.") from error
    except zipfile.BadZipFile as error:
        raise BadFileError(
            f"{path} is no zip file, damaged or cut short; copy or export it again."
        ) from error
    except Exception as error:  # zipfile and zlib raise whatever damaged bytes lead them to
        raise BadFileError(f"{path} is a damaged zip file; copy or export it again.") from error


def check_members(members: Sequence[ZipInfo], limits: Limits, path: Path) -> None:
    """Refuse what is too much or cannot be unpacked.

    Raises
    ------
    BadFileError
        If there are too many entries or bytes, or one is encrypted, of an uncommon compression, compressed
        beyond belief, or neither file nor folder.
    """
    if len(members) > limits.entries:
        raise BadFileError(f"{path} has {len(members)} entries and may have {limits.entries}; split it.")
    total = sum(member.file_size for member in members)
    if total > limits.total:
        raise BadFileError(f"{path} would unpack to {total} bytes, more than {limits.total}; split it.")
    for member in members:
        problem = _problem(member, limits)
        if problem:
            raise BadFileError(
                f"{path} has the entry {shown(member.filename)}, which {problem}; pack it again."
            )


def check_names(members: Sequence[ZipInfo], path: Path) -> None:
    """Refuse names that would leave the folder, or would be one file on some system.

    Raises
    ------
    BadFileError
        If a name is absolute, climbs, has a drive, a backslash or a NUL, or is there twice where case does
        not count, or is both file and folder.
    """
    named: set[str] = set()
    files: dict[str, str] = {}
    parents: set[str] = set()
    for member in members:
        name = member.orig_filename
        plain = name.removesuffix("/")
        if not is_plain_relative(plain) or len(plain) > 1000:
            raise BadFileError(f"{path} has the entry {shown(name)}, which is no plain path; pack it again.")
        key = unicodedata.normalize("NFC", plain).casefold()
        if key in named:
            raise BadFileError(f"{path} has the entry {shown(name)} twice; pack it again.")
        named.add(key)
        parents |= {parent.as_posix() for parent in PurePosixPath(key).parents}
        if plain == name:
            files[key] = name
    for key in files.keys() & parents:
        raise BadFileError(
            f"{path} has the entry {shown(files[key])} as a file and as a folder; pack it again."
        )


def copied(archive: ZipFile, member: ZipInfo, path: Path) -> Iterator[bytes]:
    """Yield the bytes of a member in pieces, and never more than it announced.

    Raises
    ------
    BadFileError
        If it holds another number of bytes.
    """
    count = 0
    with archive.open(member) as source:
        while chunk := source.read(_CHUNK):
            count += len(chunk)
            if count > member.file_size:
                break
            yield chunk
    if count != member.file_size:
        raise BadFileError(
            f"{path} has the entry {shown(member.filename)} with another size than it says; pack it again."
        )


def _problem(member: ZipInfo, limits: Limits) -> str:
    kind = stat.S_IFMT(member.external_attr >> 16)
    if member.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if kind and not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):
        return "is a link or a device"
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "is compressed in an uncommon way"
    if member.file_size > limits.ratio * max(member.compress_size, 1):
        return f"is compressed by more than {limits.ratio} to 1"
    return ""
