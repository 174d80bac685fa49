"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Model = Annotated[
    str, typer.Option(help="particle-tiny, vit_b, vit_l, vit_h, or a .pth or .safetensors file.")
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
Out = Annotated[Path, typer.Option(help="Folder for the results.", show_default=False)]
Pairs = Annotated[
    Path, typer.Option(help="Folder with images/, masks/ and regions/ of equal stems.", show_default=False)
]
Regions = Annotated[
    Path | None,
    typer.Option(help="Folder of region maps STEM.png: 0 unknown, 1 reviewed, 2 ignore."),
]
Json = Annotated[
    str | None, typer.Option("--json", help="Write the result as JSON to a file, or - for stdout.")
]
Trust = Annotated[bool, typer.Option(help="Read a .pth file of unknown origin (tensors only).")]


def write_result(target: str | None, value: object) -> None:
    """Write a result as JSON to a file or to stdout, or nowhere."""
    if target is None:
        return
    from napari_particle_sam.base.files import json_text, write_text

    if target == "-":
        typer.echo(json_text(value))
    else:
        write_text(Path(target), json_text(value) + "\n")


def databar_rows(text: str, choice: str) -> int:
    """Return the rows of a data bar as typed: ``none`` or a whole number.

    Raises
    ------
    BadValueError
        If it is neither; the sentence offers `choice`.
    """
    from napari_particle_sam.base.errors import BadValueError

    if text == "none":
        return 0
    if not (text.isascii() and text.isdecimal()):
        raise BadValueError(f"--databar {text} is no number of rows; give {choice}.")
    return int(text)
