"""Splitting particles along a drawn line, or at their necks with a preview."""

from __future__ import annotations

from typing import Any

from napari_particle_sam.annotation.actions import Action, Group, Split
from napari_particle_sam.annotation.history import Change
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.annotation.splitting import split_automatically
from napari_particle_sam.gui.tools.latest import LatestThread
from napari_particle_sam.gui.tools.select import select_at
from napari_particle_sam.gui.tools.tool import Desk, Path, Tool

Parts = dict[int, list[Mask]]


class SplitTool(Tool):
    """A drawn line splits at once; pressed again, the key shows a split at the necks.

    Parameters
    ----------
    desk : Desk
        What it works with.
    """

    name = "split"
    words = "Draw a line across a particle. {key} again splits the selected ones at their necks. Esc ends."

    def __init__(self, desk: Desk, key: Any = lambda: "S") -> None:
        super().__init__(desk)
        self._key = key
        self._parts: Parts = {}
        self._count: int | None = None
        self._session: AnnotationSession | None = None
        self._thread = LatestThread()
        self._thread.done.connect(self._show)
        self._thread.failed.connect(desk.workspace.said.emit)

    def begin(self) -> None:
        """Wait for a line."""
        self.desk.hint(self.words.format(key=self._key()))

    def end(self) -> None:
        """Drop the preview."""
        self.reject()
        super().end()

    def click(self, at: tuple[float, float], modifiers: frozenset[str]) -> None:
        """Select, so that there is something to split at its necks."""
        self.reject()
        select_at(self.desk, at, modifiers)

    def drawn(self, path: Path, modifiers: frozenset[str]) -> None:
        """Split along the line."""
        self.reject()
        self.desk.sketch.clear()
        self.desk.commands.split_line(path)

    def again(self) -> None:
        """Show a split at the necks; each further time with one part more."""
        session, ids = self.desk.session, self.desk.workspace.selection.ids
        if session is None or not ids:
            self.desk.workspace.said.emit("Nothing is selected; click a particle first, or draw a line.")
            return
        if self._parts:
            self._count = max(len(parts) for parts in self._parts.values()) + 1
        masks = {i: session.instances[i].mask for i in ids}
        count = self._count
        self._watch(session)
        self.desk.hint("Looking for necks…")
        self._thread.ask(lambda: {i: split_automatically(mask, count) for i, mask in masks.items()})

    def keep(self) -> None:
        """Split as shown, all in one step."""
        splits = tuple(Split(i, tuple(parts)) for i, parts in self._parts.items())
        self.reject()
        if splits:
            action: Action = splits[0] if len(splits) == 1 else Group(splits)
            self.desk.commands.apply(action)

    def reject(self) -> bool:
        """Drop the preview."""
        shown = bool(self._parts) or self._thread.busy
        self._thread.clear()
        self._parts, self._count = {}, None
        self._watch(None)
        if shown:
            self.desk.canvas.clear_preview()
            self.begin()
        return shown

    def _show(self, found: Parts) -> None:
        parts = {i: masks for i, masks in found.items() if len(masks) > 1}
        if not parts:
            self.reject()
            self.desk.workspace.said.emit("No neck was found; draw a line across the particle.")
            return
        most = max(len(masks) for masks in parts.values())
        finest = self._count is not None and most < self._count
        self._parts = parts
        self.desk.canvas.show_preview([mask for masks in parts.values() for mask in masks])
        more = "there are no more necks" if finest else f"{self._key()} shows one part more"
        self.desk.hint(f"{most} parts: Enter splits, Esc rejects, {more}.")

    def _watch(self, session: AnnotationSession | None) -> None:
        """Drop the preview when what it shows is changed by something else."""
        if session is self._session:
            return
        if self._session is not None:
            self._session.changed.disconnect(self._changed, missing_ok=True)
        self._session = session
        if session is not None:
            session.changed.connect(self._changed)

    def _changed(self, change: Change) -> None:
        if {*change.removed, *change.modified} & {*self._parts} or self._thread.busy:
            self.reject()
