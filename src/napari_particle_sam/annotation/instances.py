"""One particle of a micrograph, as the annotator sees it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

from napari_particle_sam.annotation.masks import Mask

Origin = Literal["proposed", "prompted", "painted", "merged", "split", "imported"]
Status = Literal["unreviewed", "accepted", "bulk", "flagged"]
Completeness = Literal["complete", "partly_hidden", "cut_by_frame", "unclear"]

ORIGINS: tuple[Origin, ...] = get_args(Origin)
STATUSES: tuple[Status, ...] = get_args(Status)
COMPLETENESS: tuple[Completeness, ...] = get_args(Completeness)

#: Ids are uint16 label values; 0 is background.
LARGEST_ID = 65535

_DESCRIPTION = frozenset({"status", "completeness", "kind", "note"})


@dataclass(frozen=True, eq=False)
class Instance:
    """One labelled particle.

    Attributes
    ----------
    id : int
        The label value, 1 to 65535.
    mask : Mask
        The visible pixels, disjoint from every other instance of the session.
    origin : Origin
        How the present outline came about.
    predicted_iou, stability : float or None
        The model's scores; None where no model made this outline.
    status : Status
        How far the review has come.
    completeness : Completeness
        Whether the mask shows the whole particle.
    kind : str
        Class name from the project's list.
    note : str
        The annotator's words.
    run : str
        Identity of the collected candidates that a proposal is from.
    candidate : int or None
        Its index among them, by which it keeps its id through every re-filter.
    """

    id: int
    mask: Mask
    origin: Origin
    predicted_iou: float | None = None
    stability: float | None = None
    status: Status = "unreviewed"
    completeness: Completeness = "complete"
    kind: str = "particle"
    note: str = ""
    run: str = ""
    candidate: int | None = None

    @property
    def locked(self) -> bool:
        """Whether filters and new proposals must leave this instance alone."""
        return self.origin != "proposed" or self.status != "unreviewed"

    @cached_property
    def components(self) -> int:
        """Number of 8-connected parts; more than one deserves a look."""
        return len(self.mask.components())

    def described(self, **values: Any) -> Instance:
        """Return this instance with other attributes but the same id and mask.

        As `dataclasses.replace`, which takes 20 times as long for the thousands that one bulk
        acceptance changes; what is known of the mask, such as its components, stays known.
        """
        if not values.keys() <= _DESCRIPTION:
            raise TypeError(f"{sorted(values.keys() - _DESCRIPTION)} describe no instance")
        twin = object.__new__(Instance)
        twin.__dict__.update(self.__dict__, **values)
        return twin

    def equals(self, other: Instance) -> bool:
        """Return whether two instances agree in every attribute and pixel."""
        return self._attributes() == other._attributes() and self.mask.equals(other.mask)

    def _attributes(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "mask"}
