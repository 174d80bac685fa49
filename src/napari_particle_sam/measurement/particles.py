"""One row per particle of a label map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_particle_sam.annotation.regions import RegionMap
from napari_particle_sam.measurement.columns import COLUMNS
from napari_particle_sam.measurement.shape import Shape, measure_shape

__all__ = ["COLUMNS", "Known", "Particle", "measure_particles", "particle_row", "particle_rows"]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known about a particle beside its pixels.

    Attributes
    ----------
    predicted_iou, stability : float or None
        The model's scores; None where no model drew the outline.
    status, completeness, kind : str
        As in `annotation.instances.Instance`; empty where unknown.
    """

    predicted_iou: float | None = None
    stability: float | None = None
    status: str = ""
    completeness: str = ""
    kind: str = "particle"


@dataclass(frozen=True, slots=True)
class Particle:
    """A particle of a label map, measured in pixels.

    Attributes
    ----------
    label : int
        Its value in the label map.
    box : tuple of int
        ``(top, left, bottom, right)``, the last two exclusive.
    shape : Shape
        Size and shape.
    mean_grey : float or None
        Mean of the micrograph's stored grey values.
    touches_frame : bool
        Whether a pixel lies on the edge of the field of view.
    cut : bool
        Whether the particle may go on where it was not seen: at the frame, beside what was not reviewed, or
        because an annotator called it cut.
    reviewed_share : float
        Share of its pixels in the reviewed region.
    known : Known
        The rest.
    """

    label: int
    box: tuple[int, int, int, int]
    shape: Shape
    mean_grey: float | None
    touches_frame: bool
    cut: bool
    reviewed_share: float
    known: Known

    @property
    def extent(self) -> tuple[int, int]:
        """``(rows, cols)`` of the bounding box."""
        top, left, bottom, right = self.box
        return bottom - top, right - left

    @property
    def completeness(self) -> str:
        """What the annotator said; else cut or complete, as the pixels show."""
        said = self.known.completeness
        if said and said != "complete":
            return said
        return "cut_by_frame" if self.cut else "complete"


def measure_particles(
    labels: NDArray[np.integer],
    field_rows: int | None = None,
    grey: NDArray[np.integer] | None = None,
    regions: RegionMap | None = None,
    known: Mapping[int, Known] | None = None,
) -> list[Particle]:
    """Measure every particle of a label map, each on its own crop.

    Parameters
    ----------
    labels : ndarray of int and shape (rows, cols)
        0 = background.
    field_rows : int, optional
        Rows of the field of view, whose lower edge is a frame too; all rows by default.
    grey : ndarray of shape (rows, cols), optional
        The micrograph's grey values.
    regions : RegionMap, optional
        What was reviewed; the field of view by default.
    known : mapping of int to Known, optional
        Scores and the annotator's judgement by label.

    Returns
    -------
    list of Particle
        By ascending label.
    """
    scene = _Scene(labels, field_rows or labels.shape[0], grey, regions)
    boxes = ndimage.find_objects(labels)
    return [
        scene.particle(label, box, (known or {}).get(label, Known()))
        for label, box in enumerate(boxes, start=1)
        if box is not None
    ]


def particle_row(particle: Particle, pixel_nm: float | None = None) -> dict[str, Any]:
    """Return a particle as a row with the keys `COLUMNS`; micrometres stay empty without a pixel size."""
    shape, known, um = particle.shape, particle.known, None if pixel_nm is None else pixel_nm / 1000
    row: dict[str, Any] = {
        "label": particle.label, "kind": known.kind, "status": known.status,
        "completeness": particle.completeness,
        "touches_frame": particle.touches_frame, "cut": particle.cut,
        "centroid_row": round(particle.box[0] + shape.centroid[0], 2),
        "centroid_col": round(particle.box[1] + shape.centroid[1], 2),
        "height_px": particle.extent[0], "width_px": particle.extent[1],
        "area_px": shape.area,
        "aspect_ratio": round(shape.aspect_ratio, 4), "ellipse_ratio": round(shape.ellipse_ratio, 4),
        "circularity": round(shape.circularity, 4), "solidity": round(shape.solidity, 4),
        "orientation_deg": round(shape.orientation, 2),
        "mean_grey": None if particle.mean_grey is None else round(particle.mean_grey, 2),
        "area_um2": None if um is None else _digits(shape.area * um**2),
        "predicted_iou": known.predicted_iou, "stability": known.stability,
    }  # fmt: skip
    for name in ("ecd", "feret_max", "feret_min", "perimeter"):
        length = getattr(shape, name)
        row[f"{name}_px"] = round(length, 3)
        row[f"{name}_um"] = None if um is None else _digits(length * um)
    return row


def particle_rows(
    labels: NDArray[np.integer],
    pixel_nm: float | None = None,
    scores: Mapping[int, tuple[float, float]] | None = None,
    field_rows: int | None = None,
    grey: NDArray[np.integer] | None = None,
) -> list[dict[str, Any]]:
    """Measure every particle and return the table of one image.

    Parameters
    ----------
    labels : ndarray of int and shape (rows, cols)
        0 = background.
    pixel_nm : float, optional
        Pixel size in nanometres; columns in micrometres stay empty without it.
    scores : mapping, optional
        Predicted IoU and stability score by label.
    field_rows : int, optional
        Rows of the field of view, whose lower edge is a frame too.
    grey : ndarray of shape (rows, cols), optional
        The micrograph's grey values.

    Returns
    -------
    list of dict
        One per label, keys `COLUMNS`; what they mean stands in `columns.COLUMN_DOCS`.
    """
    known = {label: Known(*pair) for label, pair in (scores or {}).items()}
    found = measure_particles(labels, field_rows, grey, known=known)
    return [particle_row(particle, pixel_nm) for particle in found]


class _Scene:
    """A label map with what lies around its particles."""

    def __init__(
        self,
        labels: NDArray[np.integer],
        field_rows: int,
        grey: NDArray[np.integer] | None,
        regions: RegionMap | None,
    ) -> None:
        self._labels, self._grey = labels, grey
        self._frame = field_rows, labels.shape[1]
        self._reviewed = None if regions is None else regions.reviewed
        # The test of evaluation/scores.py: beside what was not reviewed, a particle may go on.
        self._inner = None
        if self._reviewed is not None:
            self._inner = ndimage.binary_erosion(self._reviewed, np.ones((3, 3)))

    def particle(self, label: int, window: tuple[slice, slice], known: Known) -> Particle:
        crop = self._labels[window] == label
        top, left, bottom, right = window[0].start, window[1].start, window[0].stop, window[1].stop
        at_frame = top == 0 or left == 0 or bottom >= self._frame[0] or right >= self._frame[1]
        beside_unknown = self._inner is not None and not bool(self._inner[window][crop].all())
        share = 1.0 if self._reviewed is None else float(self._reviewed[window][crop].mean())
        return Particle(
            label=label,
            box=(top, left, bottom, right),
            shape=measure_shape(crop),
            mean_grey=None if self._grey is None else float(self._grey[window][crop].mean()),
            touches_frame=at_frame,
            cut=at_frame or beside_unknown or known.completeness == "cut_by_frame",
            reviewed_share=share,
            known=known,
        )


def _digits(value: float) -> float:
    """Round to seven significant digits: far finer than any pixel size is known."""
    return float(f"{value:.7g}")
