"""Candidates in one safetensors file: no pickle, lossless to the bit, checked before use."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save

from napari_particle_sam.annotation.candidates import Candidates
from napari_particle_sam.base.errors import BadFileError, BadValueError
from napari_particle_sam.base.files import atomic_path
from napari_particle_sam.storage.candidates.checking import check_columns
from napari_particle_sam.storage.candidates.columns import (
    DTYPES,
    FORMAT_VERSION,
    Columns,
    digest_of,
    from_columns,
    to_columns,
)

#: Larger files are neither written nor read.
FILE_LIMIT = 2**31
#: More than names, types and shapes take beside the values.
HEADER_ROOM = 2**16


def write_candidates(path: Path, candidates: Candidates) -> None:
    """Write candidates to a file, atomically.

    Parameters
    ----------
    path : Path
        The file to make or replace.
    candidates : Candidates
        What to write. Logits that have only two values of equal size, as those of finished masks,
        take one bit each.

    Raises
    ------
    BadValueError
        If they hold values that no engine gives (see `encode_candidates`).
    BadFileError
        If the file cannot be written.
    """
    try:
        content = encode_candidates(candidates)
    except ValueError as error:
        raise BadValueError(f"The candidates for {path} cannot be kept ({error}); segment again.") from error
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def read_candidates(path: Path) -> Candidates:
    """Read the candidates that `write_candidates` wrote.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Candidates
        Equal to the bit; indices are ``intp``.

    Raises
    ------
    BadFileError
        If the file is missing, too large, damaged or of another kind or version.
    """
    try:
        content = read_content(path)
    except OSError as error:
        raise BadFileError(f"{path} cannot be read ({error.strerror or error}); check the path.") from error
    try:
        return decode_candidates(content)
    except ValueError as error:
        raise BadFileError(f"{path} holds no candidates ({error}); delete it and segment again.") from error


def encode_candidates(candidates: Candidates) -> bytes:
    """Return candidates as the bytes of a safetensors file.

    Raises
    ------
    ValueError
        If arrays do not fit together, values are not finite, or it is more than `FILE_LIMIT`.
    """
    columns = to_columns(candidates)
    if sum(c.nbytes for c in columns.values()) > FILE_LIMIT - HEADER_ROOM:
        raise ValueError(f"they are larger than {FILE_LIMIT >> 20} MB")
    check_columns(columns)
    digest = np.frombuffer(digest_of(columns), np.uint8)
    return save({**columns, "digest": digest}, {"format": f"napari-particle-sam candidates {FORMAT_VERSION}"})


def decode_candidates(content: bytes) -> Candidates:
    """Return the candidates that `encode_candidates` made bytes of.

    Raises
    ------
    ValueError
        If it made no such bytes. Before all is checked no more is allocated than a few times their
        number, and then at most 32 times (`signs` to float32).
    """
    columns = _columns_in(content)
    digest = columns.pop("digest", None)
    if digest is None or digest.tobytes() != digest_of(columns):
        raise ValueError("its checksum is wrong")
    check_columns(columns)
    return from_columns(columns)


def read_content(path: Path) -> bytes:
    """Return the bytes of a regular file of at most `FILE_LIMIT`.

    Raises
    ------
    OSError
        If there is no such file.
    """
    # A pipe would block as soon as it is opened.
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError("it is no file")
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > FILE_LIMIT:
            raise OSError(f"it is larger than {FILE_LIMIT >> 20} MB")
        return file.read(size)


def _columns_in(content: bytes) -> Columns:
    try:
        parts = deserialize(content)  # type: ignore[no-untyped-call]
    except SafetensorError as error:
        raise ValueError("it is no whole safetensors file") from error
    columns = {}
    for name, part in parts:
        dtype = DTYPES.get(name)
        if dtype is None or part["dtype"] != dtype.safetensors:
            raise ValueError(f"it holds an unknown part {name[:40]!r} of {part['dtype']}")
        columns[name] = np.frombuffer(part["data"], dtype.numpy).reshape(part["shape"])
    return columns
