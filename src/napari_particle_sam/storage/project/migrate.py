"""From the text of any ``project.json`` to the present schema."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from pathlib import Path
from typing import Any

from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.storage.project.names import is_absolute, is_plain_relative, safe_name
from napari_particle_sam.storage.project.schema import SCHEMA_VERSION


def migrate(content: Any, path: Path) -> tuple[dict[str, Any], int]:
    """Bring the content of a ``project.json`` to the present version.

    Parameters
    ----------
    content : object
        The parsed JSON, of any version.
    path : Path
        Where it comes from, for messages.

    Returns
    -------
    dict, int
        The content as the present schema wants it, not yet validated, and the version it came with.

    Raises
    ------
    BadFileError
        If it is no project, or of a newer version than this code knows.
    """
    version = content.get("schema_version") if isinstance(content, dict) else None
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise BadFileError(f"{path} is no project file (it has no schema_version); restore it from a copy.")
    if version > SCHEMA_VERSION:
        raise BadFileError(
            f"{path} was written by a newer napari-particle-sam (project version {version}, this one knows "
            f"{SCHEMA_VERSION}); update the program."
        )
    for step in range(version, SCHEMA_VERSION):
        try:
            content = _STEPS[step](content)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise BadFileError(
                f"{path} is damaged and cannot be brought to version {step + 1}; restore it from a copy."
            ) from error
    return content, version


def _from_1(old: dict[str, Any]) -> dict[str, Any]:
    """Version 1 had no classes, rounds and adapters, and images without key, storage and size."""
    new = {k: v for k, v in old.items() if k not in ("description", "images")}
    images = [_image_from_1(image) for image in old["images"]]
    return new | {"schema_version": 2, "instance_is": old.get("description", ""), "images": images}


def _image_from_1(old: dict[str, Any]) -> dict[str, Any]:
    # Version 1 wrote paths as the system did.
    path = old["file"] if is_absolute(old["file"]) else old["file"].replace("\\", "/")
    rows, cols = old["shape"]
    return {
        "key": safe_name(posixpath.splitext(posixpath.basename(path.replace("\\", "/")))[0]),
        "path": path,
        "storage": "copied" if is_plain_relative(path) else "referenced",
        "sha256": old["sha256"],
        "rows": rows,
        "cols": cols,
    }


def _from_2(old: dict[str, Any]) -> dict[str, Any]:
    """Version 2 had neither pixel sizes nor data bars; without them, both are read from the file."""
    return old | {"schema_version": 3}


def _from_3(old: dict[str, Any]) -> dict[str, Any]:
    """Version 3 kept no thresholds; without them, every model begins with its own."""
    return old | {"schema_version": 4}


#: From the version of the key to the next.
_STEPS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _from_1, 2: _from_2, 3: _from_3}
