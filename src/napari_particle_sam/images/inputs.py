"""From what a user names to the list of image files."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from napari_particle_sam.base.errors import BadFileError, BadValueError

#: What counts as an image in a folder or a pattern.
IMAGE_SUFFIXES = (".tif", ".tiff", ".png", ".jpg", ".jpeg", ".bmp")

#: The end of the label files that we write beside images.
LABELS_ENDING = ".labels.tif"


def expand_inputs(
    paths: Iterable[Path | str], recursive: bool = False, keep_tree: bool = False
) -> list[Path]:
    """List the image files that files, folders and patterns stand for.

    Parameters
    ----------
    paths : iterable of Path or str
        Files of any suffix; folders and patterns (``*``, ``?``, ``[...]``, ``**``), of which
        only image suffixes count. Our own ``*.labels.tif`` are left out everywhere.
    recursive : bool
        Look into the folders of folders too.
    keep_tree : bool
        Whether outputs will lie in a tree like the inputs', so that equal stems in two folders
        do no harm.

    Returns
    -------
    list of Path
        Each file once, in natural order: ``2.tif`` before ``10.tif``.

    Raises
    ------
    BadFileError
        If a path does not exist, or nothing is found.
    BadValueError
        If two files would have the same output.
    """
    named = list(paths)
    found = {
        file.resolve(): file for path in named for file in _expand(path, recursive) if not _is_ours(file)
    }
    if not found:
        names = ", ".join(str(path) for path in named[:3]) or "nothing"
        raise BadFileError(f"No image was found in {names}; give files or folders with tif, png, jpg or bmp.")
    files = sorted(found.values(), key=natural_key)
    _check_stems(files, keep_tree)
    return files


def natural_key(path: Path | str) -> tuple[object, ...]:
    """Return a sort key by which numbers in names count as numbers."""
    text = path.as_posix() if isinstance(path, Path) else path
    pieces = re.split(r"(\d+)", text.casefold())
    return (*(int(p) if i % 2 else p for i, p in enumerate(pieces)), text)


def is_image_name(path: Path) -> bool:
    """Return whether a file found in a folder counts as an image by its name."""
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")


def _expand(path: Path | str, recursive: bool) -> Iterator[Path]:
    path = Path(path)
    if path.is_dir():
        inside = path.rglob("*") if recursive else path.iterdir()
        yield from (file for file in inside if is_image_name(file) and file.is_file())
    elif path.exists():
        yield path
    elif glob.has_magic(str(path)):
        for name in glob.glob(str(path), recursive=True):
            if Path(name).is_dir():
                yield from _expand(name, recursive)
            elif is_image_name(Path(name)):
                yield Path(name)
    else:
        raise BadFileError(f"{path} does not exist; check the path.")


def _is_ours(path: Path) -> bool:
    return path.name.lower().endswith(LABELS_ENDING)


def _check_stems(files: list[Path], keep_tree: bool) -> None:
    first: dict[tuple[object, str], Path] = {}
    for file in files:
        # Windows and macOS do not tell X from x.
        key = (file.resolve().parent if keep_tree else None, file.stem.casefold())
        other = first.setdefault(key, file)
        if other is not file:
            mend = "rename one" if other.parent == file.parent else "rename one, or keep the folder tree"
            raise BadValueError(f"{other} and {file} would have the same output; {mend}.")
