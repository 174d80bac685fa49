"""How far every image of the project is, read behind the window."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from qtpy.QtCore import QObject, Signal

from napari_particle_sam.base.errors import ParticleSamError
from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.panels.lazy import LazyReader
from napari_particle_sam.gui.panels.links import hear
from napari_particle_sam.storage.project.generations import count_accepted, read_pointer
from napari_particle_sam.storage.project.names import same_name
from napari_particle_sam.storage.project.project import Project

#: Images whose state is read in one piece.
_CHUNK = 40

State = Literal["new", "started", "done", "lost", "damaged"]
STATE_WORDS: dict[State, str] = {
    "new": "not begun", "started": "begun", "done": "done", "lost": "file is gone", "damaged": "damaged",
}  # fmt: skip


@dataclass(frozen=True)
class ImageState:
    """How far one annotator is with one image.

    Attributes
    ----------
    state : str
        As in `STATE_WORDS`.
    particles, accepted : int
        At the last saving.
    remark : str
        What must be mended; empty where nothing must.
    """

    state: State
    particles: int = 0
    accepted: int = 0
    remark: str = ""

    def words(self) -> str:
        """Return it for a list."""
        if not self.particles:
            return STATE_WORDS[self.state]
        return f"{STATE_WORDS[self.state]}, {self.particles} particle{'' if self.particles == 1 else 's'}"


def read_state(project: Project, key: str, annotator: str) -> ImageState:
    """Return how far an annotator is with an image; no pixel is read."""
    lost = ""
    try:
        project.image_path(key)
    except ParticleSamError as error:
        lost = str(error)
    try:
        folders = project.sessions.annotators(key)
        mine = next((path for name, path in folders.items() if same_name(name, annotator)), None)
        if mine is None:
            return ImageState("lost" if lost else "new", remark=lost)
        pointer = read_pointer(mine)
    except ParticleSamError as error:
        return ImageState("damaged", remark=str(error))
    state: State = "lost" if lost else "done" if pointer.done else "started"
    return ImageState(state, pointer.particles, pointer.accepted, lost)


def _read_all(project: Project, keys: Sequence[str], annotator: str) -> dict[str, ImageState]:
    return {key: read_state(project, key, annotator) for key in keys}


class ImageStates(QObject):
    """The states of all images of a workspace's project, kept up to date.

    Parameters
    ----------
    workspace : Workspace
        Whose project it is.
    parent : QObject, optional
        Its owner.

    Attributes
    ----------
    changed : Signal
        Emits the keys whose state is another one.
    """

    changed = Signal(object)

    def __init__(self, workspace: Workspace, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._reader = LazyReader(self)
        self._reader.made.connect(self._take)
        self._found: dict[str, ImageState] = {}
        self._source: object = None
        self._shown: str | None = None
        hear(workspace.project_changed, self.refresh)
        hear(workspace.image_changed, self._image_changed)
        self.refresh()

    def state(self, key: str) -> ImageState | None:
        """Return the state of an image, None where it was not read yet."""
        return self._found.get(key)

    def keys(self, *states: State) -> list[str]:
        """Return the images that are in one of these states, as far as they were read."""
        return [key for key, found in self._found.items() if found.state in states]

    @property
    def complete(self) -> bool:
        """Whether every image was read."""
        project = self._workspace.project
        return project is None or len(self._found) == len(project.content.images)

    def refresh(self) -> None:
        """Read what is new; everything where the project or the annotator is another one."""
        project, annotator = self._workspace.project, self._workspace.annotator
        source = None if project is None else (project.root, annotator)
        keys = self._workspace.keys()
        if source != self._source:
            self._reader.clear()
            self._found, self._source = {}, source
        self._found = {key: self._found[key] for key in keys if key in self._found}
        self._see_opened()
        self._ask(key for key in keys if key not in self._found)
        self.changed.emit(keys)

    def wait(self, seconds: float = 5.0) -> bool:
        """Wait until everything that was asked for is read; its arrival still needs the event loop."""
        return self._reader.wait(seconds)

    def _image_changed(self) -> None:
        left, opened = self._shown, self._workspace.opened
        self._shown = None if opened is None else opened.key
        if left is not None and left != self._shown:
            self._ask([left])
        self._see_opened()

    def _see_opened(self) -> None:
        """Take the state of the opened image from memory: its journal is not on record yet."""
        opened = self._workspace.opened
        if opened is None or self._source is None:
            return
        self._shown = opened.key
        counts = len(opened.session.instances), count_accepted(opened.session)
        self._found[opened.key] = ImageState("done" if opened.stored.done else "started", *counts)
        self.changed.emit([opened.key])

    def _ask(self, keys: Iterable[str]) -> None:
        project, annotator, source = self._workspace.project, self._workspace.annotator, self._source
        if project is None:
            return
        wanted, reader = list(keys), project.reader()
        chunks = [wanted[start : start + _CHUNK] for start in range(0, len(wanted), _CHUNK)]
        # Backwards, because what is asked for last is read first.
        for chunk in reversed(chunks):
            self._reader.ask((source, tuple(chunk)), partial(_read_all, reader, chunk, annotator))

    def _take(self, name: object, found: dict[str, ImageState] | None) -> None:
        project = self._workspace.project
        if not isinstance(name, tuple) or name[0] != self._source or found is None or project is None:
            return
        opened = self._workspace.opened
        known = {key: state for key, state in found.items() if opened is None or key != opened.key}
        self._found.update(known)
        self.changed.emit(list(known))
