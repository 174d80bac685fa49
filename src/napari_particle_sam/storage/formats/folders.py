"""Making a folder of files at once or not at all."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_particle_sam.base.errors import BadFileError


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Give a folder beside `target` to fill, and put it in its place at the end.

    Parameters
    ----------
    target : Path
        The folder to make. It may exist if it is empty.

    Yields
    ------
    Path
        A temporary folder beside it. Nothing is left of it if filling fails.

    Raises
    ------
    BadFileError
        If there is something in the target, or it cannot be written.
    """
    target = Path(target)
    temporary = target.with_name(f".{uuid.uuid4().hex[:8]}-{target.name}.part")
    try:
        if target.is_symlink() or target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise BadFileError(f"{target} holds something already; name a new or empty folder.")
        temporary.mkdir(parents=True)
        yield temporary
        if target.is_dir():
            target.rmdir()
        os.replace(temporary, target)
    except OSError as error:
        raise BadFileError(
            f"{target} cannot be written ({error.strerror or error}); "
            "choose a folder with write permission and free space."
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
