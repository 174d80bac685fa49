"""What can be done to an annotation session, as plain data that a journal can keep."""

from __future__ import annotations

from dataclasses import dataclass

from napari_particle_sam.annotation.instances import Completeness, Origin, Status
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


@dataclass(frozen=True, eq=False)
class Propose:
    """Replace all unreviewed proposals by these; everything else stays and clips them.

    A proposal of a candidate that had an id keeps it. Proposals that overlap a deleted one are
    left out, and so are those of which others hold more than half.

    Attributes
    ----------
    masks : tuple of Mask
        The new proposals; may be empty.
    scores : tuple of Scores
        One per mask, or empty.
    candidates : tuple of int
        Index of each among the collected candidates, or empty.
    run : str
        Identity of the collected candidates, such as a hash of image, model and settings.
    drag : str
        Consecutive proposals with one token, those of one slider drag, become one step.
    """

    masks: tuple[Mask, ...]
    scores: tuple[Scores, ...] = ()
    candidates: tuple[int, ...] = ()
    run: str = ""
    drag: str = ""


@dataclass(frozen=True)
class Remove:
    """Remove instances; proposals among them stay away until this is undone."""

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


@dataclass(frozen=True)
class SetStatus:
    """Say how far the review of instances has come: ``flagged`` for a second look, say."""

    ids: tuple[int, ...]
    status: Status


@dataclass(frozen=True)
class Classify:
    """Give instances a class of the project's list."""

    ids: tuple[int, ...]
    kind: str


@dataclass(frozen=True)
class SetCompleteness:
    """Say whether the masks show whole particles."""

    ids: tuple[int, ...]
    completeness: Completeness


@dataclass(frozen=True)
class SetNote:
    """Write a note on an instance; empty removes it."""

    id: int
    note: str


@dataclass(frozen=True, eq=False)
class MarkRegion:
    """Give pixels a value of the region map: 0 unknown, 1 reviewed, 2 ignore."""

    mask: Mask
    value: int


@dataclass(frozen=True, eq=False)
class Group:
    """Do several actions as one step of the history, all of them or none."""

    actions: tuple[Action, ...]


Action = (
    AddMasks | Propose | Remove | Merge | Split | Reshape
    | Accept | SetStatus | Classify | SetCompleteness | SetNote | MarkRegion | Group
)  # fmt: skip
