"""What keys and buttons do to the opened image; a refusal is a sentence, never an error."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from napari_particle_sam.annotation.actions import (
    Accept,
    Action,
    AddMasks,
    Classify,
    Group,
    MarkRegion,
    Merge,
    Remove,
    SetCompleteness,
    SetNote,
    SetStatus,
    Split,
)  # fmt: skip
from napari_particle_sam.annotation.cleaning import fill_holes, smooth
from napari_particle_sam.annotation.history import Change
from napari_particle_sam.annotation.instances import Completeness
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.annotation.suspects import Suspect
from napari_particle_sam.base.errors import ParticleSamError
from napari_particle_sam.gui.model.edits import reshape_action, split_action
from napari_particle_sam.gui.model.regions import finish_region
from napari_particle_sam.gui.model.tour import Tour
from napari_particle_sam.gui.model.workspace import Workspace

#: Radius of smoothing, in pixels.
SMOOTHING = 2
NOTHING_SELECTED = "Nothing is selected; click a particle first."


class Commands:
    """Carries out what the annotator asks for.

    Parameters
    ----------
    workspace : Workspace
        Whose opened image and selection are meant.

    Attributes
    ----------
    suspect_changed : psygnal.Signal
        Emits the `Suspect` that is to be looked at, or None.
    """

    suspect_changed = Signal(object)

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._tour = Tour(workspace)

    @property
    def session(self) -> AnnotationSession | None:
        """The opened image's annotation."""
        return self.workspace.opened.session if self.workspace.opened is not None else None

    def apply(self, action: Action) -> Change | None:
        """Carry out one action; None where it was refused, and why was said."""
        if self.session is None:
            self.workspace.said.emit("No image is open; open one first.")
            return None
        try:
            return self.session.apply(action)
        except ParticleSamError as error:
            self.workspace.said.emit(str(error))
            return None

    def undo(self) -> Change | None:
        """Take the last step back."""
        return self._walk("undo")

    def redo(self) -> Change | None:
        """Do again what was undone last."""
        return self._walk("redo")

    def delete(self) -> Change | None:
        """Delete the selected instances."""
        return self._on_selection(Remove)

    def merge(self) -> Change | None:
        """Make one instance of the selected ones; it stays selected."""
        ids = self.workspace.selection.ids
        change = self._on_selection(Merge)
        if change is not None:
            self.workspace.selection.set(ids[:1])
        return change

    def accept(self) -> Change | None:
        """Accept the selected instances."""
        return self._on_selection(Accept)

    def flag(self) -> Change | None:
        """Flag the selected instances for a second look; flagged ones become unreviewed."""
        return self._on_selection(lambda ids: SetStatus(ids, self._turned("status", "flagged", "unreviewed")))

    def partly_hidden(self) -> Change | None:
        """Say that something hides a part of the selected particles, or take that back."""
        return self._complete_or("partly_hidden")

    def unclear(self) -> Change | None:
        """Say that the outlines of the selected particles are unclear, or take that back."""
        return self._complete_or("unclear")

    def classify(self, number: int) -> Change | None:
        """Give the selected instances the class of a number, from 1, of the project's list."""
        project = self.workspace.project
        classes = project.content.classes if project is not None else ()
        if not 1 <= number <= len(classes):
            self.workspace.said.emit(
                f"The project has no class {number}; its classes are {', '.join(classes)}."
            )
            return None
        return self._on_selection(lambda ids: Classify(ids, classes[number - 1]))

    def set_note(self, label: int, note: str) -> Change | None:
        """Write a note on an instance."""
        return self.apply(SetNote(label, note))

    def smooth(self) -> Change | None:
        """Smooth the outlines of the selected instances."""
        return self._redraw(lambda mask, shape: smooth(mask, SMOOTHING, shape), "Nothing was left to smooth.")

    def fill_holes(self) -> Change | None:
        """Fill the holes of the selected instances."""
        return self._redraw(lambda mask, shape: fill_holes(mask), "There are no holes to fill.")

    def split_line(self, path: NDArray[np.floating]) -> Change | None:
        """Split along a drawn line: the selected instances that it crosses, else all that it crosses.

        Parameters
        ----------
        path : ndarray of float and shape (N, 2)
            ``(row, col)`` in the image.
        """
        session = self.session
        if session is None:
            return self.apply(Group(()))
        action = split_action(session, self.workspace.selection.ids, path)
        if action is None:
            self.workspace.said.emit(
                "The line divides no particle; draw it from one side right to the other."
            )
            return None
        return self.apply(action)

    def split_parts(self, label: int, parts: Sequence[Mask]) -> Change | None:
        """Split an instance into given parts."""
        return self.apply(Split(label, tuple(parts)))

    def add_mask(
        self, mask: Mask, scores: tuple[float | None, float | None] = (None, None), replace: bool = False
    ) -> Change | None:
        """Add a prompted instance and select it; it takes free pixels only, unless `replace`."""
        change = self.apply(AddMasks((mask,), "prompted", (scores,), replace))
        if change is None:
            return None
        if not change.added:
            self.workspace.said.emit("Other particles hold all of its pixels; delete or split them first.")
        self.workspace.selection.set(change.added)
        return change

    def mark_region(self, mask: Mask, value: int) -> Change | None:
        """Mark pixels as 0 unknown, 1 reviewed or 2 to be ignored."""
        return self.apply(MarkRegion(mask, value))

    def region_done(self) -> Change | None:
        """Accept the rest of the region in bulk and declare its unlabelled pixels background."""
        session = self.session
        if session is None:
            return self.apply(Group(()))
        region = self.workspace.region
        action, words = finish_region(session, region)
        change = None if action is None else self.apply(action)
        if action is None or change is not None:
            self.workspace.said.emit(words)
        if change is not None and region is not None:
            self.workspace.set_region(None)
        return change

    def next_suspect(self) -> Suspect | None:
        """Go to what is most likely wrong and was not looked at in this round yet."""
        if self.session is None:
            return None
        suspect, words = self._tour.next()
        if words:
            self.workspace.said.emit(words)
        if suspect is not None:
            self.workspace.selection.set(() if suspect.label is None else (suspect.label,))
        self.suspect_changed.emit(suspect)
        return suspect

    def _walk(self, word: str) -> Change | None:
        if self.session is None:
            return None
        change: Change = getattr(self.session, word)()
        if change.empty:
            self.workspace.said.emit(f"There is nothing to {word}.")
        return change

    def _on_selection(self, action: Callable[[tuple[int, ...]], Action]) -> Change | None:
        ids = self.workspace.selection.ids
        if not ids:
            self.workspace.said.emit(NOTHING_SELECTED)
            return None
        return self.apply(action(ids))

    def _complete_or(self, value: Completeness) -> Change | None:
        return self._on_selection(
            lambda ids: SetCompleteness(ids, self._turned("completeness", value, "complete"))
        )

    def _turned(self, name: str, value: str, other: str) -> str:
        """Return `value`, or `other` where all selected instances have it already."""
        assert self.session is not None
        chosen = (self.session.instances[i] for i in self.workspace.selection.ids)
        return other if all(getattr(instance, name) == value for instance in chosen) else value

    def _redraw(self, change: Callable[[Mask, tuple[int, int]], Mask], idle: str) -> Change | None:
        session = self.session
        if session is None or not self.workspace.selection.ids:
            self.workspace.said.emit(NOTHING_SELECTED)
            return None
        action = reshape_action(session, self.workspace.selection.ids, change)
        if action is None:
            self.workspace.said.emit(idle)
            return None
        return self.apply(action)
