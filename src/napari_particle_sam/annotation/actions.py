"""What can be done to an annotation session, as plain data that a journal can keep."""

from __future__ import annotations

from dataclasses import dataclass

from napari_particle_sam.annotation.instances import Origin
from napari_particle_sam.annotation.masks import Mask

#: Predicted IoU and stability of one mask.
Scores = tuple[float | None, float | None]


@dataclass(frozen=True, eq=False)
class AddMasks:
    """Add one instance per mask, in this order.

    Attributes
    ----------
    masks : tuple of Mask
        The new outlines. A mask that finds no pixel to take adds nothing.
    origin : Origin
        Where they come from.
    scores : tuple of Scores
        One per mask, or empty.
    replace : bool
        Take pixels from other instances too, rather than free ones only.
    """

    masks: tuple[Mask, ...]
    origin: Origin
    scores: tuple[Scores, ...] = ()
    replace: bool = False


@dataclass(frozen=True)
class Remove:
    """Remove instances."""

    ids: tuple[int, ...]


@dataclass(frozen=True)
class Merge:
    """Make one instance of several, touching or not; the first keeps its id, class and note."""

    ids: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Split:
    """Divide an instance into two or more disjoint parts.

    The first part keeps the id, and with it the pixels that lie in no part: a split neither adds
    nor drops a pixel. Every other part becomes a new instance.
    """

    id: int
    parts: tuple[Mask, ...]


@dataclass(frozen=True, eq=False)
class Reshape:
    """Give an instance another outline.

    Attributes
    ----------
    id : int
        The instance.
    mask : Mask
        The outline wanted; pixels of other instances are left out unless `replace`.
    origin : Origin
        What made the outline: a brush, or further prompts.
    replace : bool
        Take pixels from other instances too.
    """

    id: int
    mask: Mask
    origin: Origin = "painted"
    replace: bool = False


@dataclass(frozen=True)
class Accept:
    """Mark instances as reviewed and right."""

    ids: tuple[int, ...]


Action = AddMasks | Remove | Merge | Split | Reshape | Accept
