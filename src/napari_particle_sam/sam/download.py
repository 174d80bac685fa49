"""Fetch a known model once, verified, with progress; or take it from a local file."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import BadModelError
from napari_particle_sam.base.events import Event, Progress
from napari_particle_sam.base.files import atomic_path
from napari_particle_sam.sam.registry import SPECS, ModelSpec, weights_path
from napari_particle_sam.sam.weights import sha256_of

BLOCK = 2**20


def download(spec: ModelSpec, token: CancelToken, url: str | None = None) -> Generator[Event, None, Path]:
    """Download a model's weights into the cache unless they are there.

    Parameters
    ----------
    spec : ModelSpec
        A model that is not bundled.
    token : CancelToken
        Stops the download; nothing is left of it.
    url : str, optional
        Another address to fetch the same file from.

    Yields
    ------
    Progress
        In bytes.

    Returns
    -------
    Path
        The verified file.

    Raises
    ------
    BadModelError
        If the address cannot be reached or the file's sha256 is wrong.
    """
    target = weights_path(spec)
    if target.exists():
        return target
    address = url or spec.url
    with atomic_path(target) as part:
        yield from _fetch(address, part, spec.bytes, token)
        _verify(spec, part, address)
    return target


def import_file(spec: ModelSpec, source: Path) -> Path:
    """Copy a known model's file that the user already has into the cache, verified."""
    target = weights_path(spec)
    if not source.is_file():
        raise BadModelError(f"{source} does not exist; check the path.")
    with atomic_path(target) as part:
        _copy(source, part)
        _verify(spec, part, str(source))
    return target


def _copy(source: Path, part: Path) -> None:
    try:
        file = source.open("rb")
    except OSError as error:
        raise BadModelError(f"{source} cannot be read ({error.strerror}); check its permissions.") from error
    with file, part.open("wb") as out:
        while block := file.read(BLOCK):
            out.write(block)
        out.flush()
        os.fsync(out.fileno())


def _fetch(address: str, part: Path, total: int, token: CancelToken) -> Generator[Event, None, None]:
    import requests

    try:
        with requests.get(address, stream=True, timeout=30) as answer, part.open("wb") as out:
            answer.raise_for_status()
            done = 0
            for block in answer.iter_content(BLOCK):
                token.check()
                out.write(block)
                done += len(block)
                yield Progress(done, total, address)
            out.flush()
            os.fsync(out.fileno())
    except requests.RequestException as error:
        raise BadModelError(
            f"{address} cannot be reached; connect to the network, "
            "or download it elsewhere and run `particle-sam models import FILE`."
        ) from error


def _verify(spec: ModelSpec, part: Path, address: str) -> None:
    if sha256_of(part) != spec.sha256:
        raise BadModelError(f"{address} is not the published {spec.name} (sha256 differs); fetch it again.")


def identify(source: Path) -> ModelSpec:
    """Return which published model a file is.

    Raises
    ------
    BadModelError
        If it is missing or none of them.
    """
    if not source.is_file():
        raise BadModelError(f"{source} does not exist; check the path.")
    digest = sha256_of(source)
    for spec in SPECS.values():
        if spec.sha256 == digest:
            return spec
    raise BadModelError(
        f"{source} is no published SAM checkpoint (sha256 differs); give it to --model as a file instead."
    )
