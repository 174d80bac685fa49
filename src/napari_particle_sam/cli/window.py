"""`particle-sam open`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def open_window(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="A project, a folder of images, or images.", show_default=False),
    ] = None,
    blind: Annotated[
        bool, typer.Option(help="Hide names and refuse proposals, to annotate test images.")
    ] = False,
) -> None:
    """Open napari with the Particle SAM dock."""
    import subprocess
    import sys
    from importlib.util import find_spec

    from napari_particle_sam.base.errors import BadFileError, BadValueError

    missing = [name for name in ("napari", "qtpy") if find_spec(name) is None]
    if missing:
        raise BadValueError(
            f"The window needs {' and '.join(missing)}; run: pip install 'napari-particle-sam[pyqt6]'."
        )
    for path in paths or []:
        if not path.exists():
            raise BadFileError(f"{path} does not exist; check the path.")
    # A process of its own: the command line knows neither Qt nor napari.
    words = [*(["--blind"] if blind else []), "--", *map(str, paths or [])]
    command = [sys.executable, "-m", "napari_particle_sam.gui", *words]
    raise typer.Exit(subprocess.run(command, check=False).returncode)
