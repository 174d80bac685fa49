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
    from napari_particle_sam.base.errors import BadFileError, BadValueError

    try:
        from napari_particle_sam.gui.window import run_window
    except ImportError as error:
        raise BadValueError(
            f"The window needs napari and Qt ({error}); run: pip install 'napari-particle-sam[pyqt6]'."
        ) from error
    for path in paths or []:
        if not path.exists():
            raise BadFileError(f"{path} does not exist; check the path.")
    run_window(list(paths or []), blind)
