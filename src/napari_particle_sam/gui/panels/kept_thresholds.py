"""Which thresholds proposing begins with: those kept for a project and model, else the model's own."""

from __future__ import annotations

from pathlib import Path

from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.gui.model.workspace import Workspace
from napari_particle_sam.gui.panels.threshold_box import ThresholdBox
from napari_particle_sam.storage.project.schema import StartEntry
from napari_particle_sam.workflow.reviewing.models import ModelChoice, default_thresholds

#: Project, model and adapter.
Key = tuple[str, str, str]


class KeptThresholds:
    """Moves the sliders to where a model begins; what is kept is kept in the project.

    Parameters
    ----------
    workspace : Workspace
        Whose project is meant.
    box : ThresholdBox
        The sliders.
    """

    def __init__(self, workspace: Workspace, box: ThresholdBox) -> None:
        self._workspace, self._box = workspace, box
        self._begun: Key | None = None

    def keep(self, choice: ModelChoice, thresholds: Thresholds) -> None:
        """Begin with some thresholds whenever a model is used in the project that is open, also tomorrow.

        Raises
        ------
        BadFileError
            If the project cannot be written.
        """
        project = self._workspace.project
        if project is None:
            return
        model, adapter = _stored(project.root, choice)
        others = [e for e in project.content.starts if (e.model, e.adapter) != (model, adapter)]
        project.update(starts=(*others, StartEntry(model=model, adapter=adapter, thresholds=thresholds)))

    def begin(self, choice: ModelChoice) -> None:
        """Move the sliders to where a model begins.

        They stay where they stand for what was found in the opened image, and where they stand for the same
        project and model already and nothing was kept.

        Raises
        ------
        BadModelError
            If nothing was kept and the model's files are missing or damaged.
        """
        key = self._key(choice)
        if self._workspace.candidates is None and (self._kept(choice) is not None or key != self._begun):
            self._box.set_value(self._start(choice))
            self._begun = key

    def of_other_model(self, choice: ModelChoice) -> Thresholds | None:
        """Return where a model begins, None where the sliders stand for what it found in the opened image.

        Raises
        ------
        BadModelError
            As `begin` does.
        """
        now = self._workspace.candidates
        return None if now is None or same_model(now.choice, choice) else self._start(choice)

    def _start(self, choice: ModelChoice) -> Thresholds:
        return self._kept(choice) or default_thresholds(choice)

    def _kept(self, choice: ModelChoice) -> Thresholds | None:
        project = self._workspace.project
        if project is None:
            return None
        wanted = _stored(project.root, choice)
        return next((e.thresholds for e in project.content.starts if (e.model, e.adapter) == wanted), None)

    def _key(self, choice: ModelChoice) -> Key:
        project = self._workspace.project
        return ("" if project is None else str(project.root.resolve()), *_model(choice))


def same_model(one: ModelChoice, other: ModelChoice) -> bool:
    """Whether two choices mean the same model and adapter, on whichever device."""
    return _model(one) == _model(other)


def _stored(root: Path, choice: ModelChoice) -> tuple[str, str]:
    """Return model and adapter as the project has them, which may be moved with its adapters."""
    if choice.adapter is None:
        return choice.name, ""
    folder, root = choice.adapter.resolve(), root.resolve()
    inside = folder.is_relative_to(root)
    return choice.name, (folder.relative_to(root) if inside else folder).as_posix()


def _model(choice: ModelChoice) -> tuple[str, str]:
    return choice.name, "" if choice.adapter is None else str(choice.adapter.resolve())
