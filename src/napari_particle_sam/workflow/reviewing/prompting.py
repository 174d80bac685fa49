"""Masks of single particles from clicks and boxes, while one reviews."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.images.micrograph import Micrograph
from napari_particle_sam.workflow.reviewing.models import ModelChoice, ModelShelf

if TYPE_CHECKING:
    from napari_particle_sam.sam.prompter import Prompter

#: ``(row, col, positive)``, in image pixels; fractions are cut off.
Point = tuple[float, float, bool]
#: ``(top, left, bottom, right)``, the last two exclusive.
Box = tuple[float, float, float, float]


class PromptService:
    """Draws one particle at a time in one micrograph; every method may be called from any thread.

    Parameters
    ----------
    shelf : ModelShelf
        Where the model is from.
    choice : ModelChoice
        Which one.
    micrograph : Micrograph
        The image; its data bar is not looked at.
    """

    def __init__(self, shelf: ModelShelf, choice: ModelChoice, micrograph: Micrograph) -> None:
        self.choice, self.micrograph = choice, micrograph
        self._shelf, self._lock = shelf, threading.Lock()
        self._prompter: Prompter | None = None

    @property
    def ready(self) -> bool:
        """Whether `prepare` is done, so that clicks are answered at once."""
        return self._prompter is not None

    def prepare(self) -> None:
        """Load the model and look at the whole image; slow, to be called in a worker. Twice does no harm.

        Raises
        ------
        BadModelError
            If the model cannot be loaded.
        """
        self._ready()

    def look_at(self, row: float, col: float) -> None:
        """Encode the part around a place, such as where the mouse rests, so that a click there is quick."""
        self._ready().look_at((int(row), int(col)))

    def mask(self, points: Sequence[Point], box: Box | None = None) -> tuple[Mask, float]:
        """Draw the particle that clicks and a box ask for.

        Parameters
        ----------
        points : sequence of (row, col, positive)
            In the order of clicking; empty where a box says all. Negative ones that come before the first
            positive one count only beside a box; those outside the field of view do not count.
        box : tuple of float, optional
            ``(top, left, bottom, right)`` in pixels, in any order of its corners.

        Returns
        -------
        mask : Mask
            May be empty where the model sees nothing.
        predicted_iou : float
            The model's own estimate, 0 to 1.

        Raises
        ------
        BadValueError
            If nothing says where the particle is: the sentence tells what to do.
        BadModelError
            If the model cannot be loaded.
        """
        whole = [(int(r // 1), int(c // 1), bool(p)) for r, c, p in points]
        return self._ready().draw(whole, None if box is None else _upright(box))

    def _ready(self) -> Prompter:
        from napari_particle_sam.sam.prompter import Prompter

        with self._lock:
            if self._prompter is None:
                seen = self.micrograph.picture[: self.micrograph.field_rows]
                self._prompter = Prompter(self._shelf.get(self.choice), seen)
            return self._prompter


def _upright(box: Box) -> tuple[int, int, int, int]:
    """Return a box with its first corner first, grown to whole pixels."""
    top, bottom = sorted((box[0], box[2]))
    left, right = sorted((box[1], box[3]))
    return int(top // 1), int(left // 1), int(-(-bottom // 1)), int(-(-right // 1))
