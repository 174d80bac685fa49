"""The columns of the table of instances: what they show, and what they sort by."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from napari_particle_sam.annotation.instances import Instance
from napari_particle_sam.gui.table.words import COMPLETENESS_WORDS, ORIGIN_WORDS, STATUS_WORDS

#: A number or text, None where nothing is known.
Value = float | str | None


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes
    ----------
    name : str
        By which the program knows it.
    title : str
        In the header, with the unit.
    tooltip : str
        In plain words.
    value : callable
        Takes an instance and the side of a pixel in micrometres, None where that is not known.
    digits : str
        Format of numbers.
    words : mapping of str to str
        What is shown for each text, which are sorted in this order; empty for any text.
    editable : bool
        Whether it can be changed in the table.
    """

    name: str
    title: str
    tooltip: str
    value: Callable[[Instance, float | None], Value]
    digits: str = ""
    words: Mapping[str, str] = field(default_factory=dict)
    editable: bool = False

    def text(self, value: Value) -> str:
        """Return what is read in the table."""
        if value is None:
            return ""
        return self.words.get(value, value) if isinstance(value, str) else format(value, self.digits)

    def sort_key(self, value: Value) -> Value:
        """Return what orders the rows; the same type for all rows."""
        if value is None:
            return -math.inf
        if not isinstance(value, str):
            return value
        return list(self.words).index(value) if value in self.words else value.casefold()


def _area(instance: Instance, side: float | None) -> float | None:
    return None if side is None else instance.mask.area * side**2


def _ecd(instance: Instance, side: float | None) -> float:
    """Equivalent circular diameter ``sqrt(4 A / pi)``."""
    return math.sqrt(4 * instance.mask.area / math.pi) * (1.0 if side is None else side)


def columns(known: bool) -> tuple[Column, ...]:
    """Return the columns from left to right.

    Parameters
    ----------
    known : bool
        Whether the pixel size is known; without it, diameters are in pixels.
    """
    unit = "µm" if known else "px"
    return (
        Column("index", "No.", "Its number, the value in the label image.", lambda i, _: i.id, "d"),
        Column("area_px", "Area (px)", "Area in pixels.", lambda i, _: i.mask.area, "d"),
        Column("area_um2", "Area (µm²)", "Area in square micrometres; needs the pixel size.", _area, ".4g"),
        Column(
            "ecd", f"ECD ({unit})",
            "Equivalent circular diameter: that of the disc with the same area"
            + ("." if known else "; in pixels, because the pixel size is not known."),
            _ecd, ".4g",
        ),
        Column(
            "predicted_iou", "Pred. IoU", "The model's own guess how well the outline fits, 0 to 1.",
            lambda i, _: i.predicted_iou, ".3f",
        ),
        Column(
            "stability", "Stability", "How little the outline moves with the mask threshold, 0 to 1.",
            lambda i, _: i.stability, ".3f",
        ),
        Column("origin", "Origin", "How the outline came about.", lambda i, _: i.origin, "", ORIGIN_WORDS),
        Column(
            "status", "Status", "How far the review has come. Double-click to change.",
            lambda i, _: i.status, "", STATUS_WORDS, True,
        ),
        Column(
            "completeness", "Shown", "Whether the whole particle is to be seen. Double-click to change.",
            lambda i, _: i.completeness, "", COMPLETENESS_WORDS, True,
        ),
        Column(
            "kind", "Class", "One of the project's classes. Double-click to change.",
            lambda i, _: i.kind, editable=True,
        ),
        Column("note", "Note", "Your own words. Double-click to write.", lambda i, _: i.note, editable=True),
    )  # fmt: skip
