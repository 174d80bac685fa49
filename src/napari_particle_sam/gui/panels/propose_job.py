"""Looking for particles, and tuning on what was corrected, as jobs beside the window."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_particle_sam.annotation.session import AnnotationSession
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.events import Event, Progress
from napari_particle_sam.gui.torch_beside import prepare_torch
from napari_particle_sam.images.micrograph import Micrograph
from napari_particle_sam.learning.run_names import ADAPTER
from napari_particle_sam.storage.project.project import Project
from napari_particle_sam.workflow.reviewing.models import ModelShelf, ProposeSettings
from napari_particle_sam.workflow.reviewing.proposing import ReviewCandidates, propose_for_review

if TYPE_CHECKING:
    from napari_particle_sam.workflow.tuning import Tuned

#: ``(top, left, bottom, right)``, the last two exclusive.
Window = tuple[int, int, int, int]
RUNS, ADAPTER_FILE = "runs", "adapter.json"
#: By name, what the list of models says.
MODELS = {
    "particle-tiny": "particle-tiny (built in)",
    "vit_b": "SAM ViT-B (375 MB)",
    "vit_l": "SAM ViT-L (1.2 GB)",
    "vit_h": "SAM ViT-H (2.6 GB)",
}


def find_particles(
    shelf: ModelShelf,
    settings: ProposeSettings,
    micrograph: Micrograph,
    thresholds: Thresholds,
    token: CancelToken,
    window: Window | None = None,
    previous: ReviewCandidates | None = None,
) -> Generator[Event, None, ReviewCandidates]:
    """Collect candidates as `propose_for_review` does, and leave the window a processor.

    Candidates of whole images are kept in the user's cache.

    Parameters
    ----------
    shelf, settings, micrograph, thresholds, token, window, previous
        See `propose_for_review`.

    Yields
    ------
    Event
        As `propose_for_review` does.

    Returns
    -------
    ReviewCandidates
        What the model saw.
    """
    yield Progress(0, 0, "loading the model")
    prepare_torch()
    # Not before: it imports torch.
    from napari_particle_sam.workflow.collecting import CandidateCache

    return (
        yield from propose_for_review(
            shelf, settings, micrograph, thresholds, token, window, previous, CandidateCache()
        )
    )


def tune_thresholds(
    review: ReviewCandidates, session: AnnotationSession, start: Thresholds, token: CancelToken
) -> Generator[Event, None, Tuned]:
    """Look for the thresholds that agree best with what was reviewed.

    Parameters
    ----------
    review : ReviewCandidates
        What the model saw.
    session : AnnotationSession
        A copy: the window goes on with its own.
    start : Thresholds
        To begin with.
    token : CancelToken
        Stops the search.

    Yields
    ------
    Event
        Progress.

    Returns
    -------
    Tuned
        Thresholds, agreement before and after, and words.
    """
    from napari_particle_sam.workflow.tuning import tune_on_corrections

    job: Generator[Event, None, Any] = tune_on_corrections(
        candidates=review.candidates, session=session, start=start, token=token
    )
    return (yield from job)


def project_adapters(project: Project | None) -> dict[str, str]:
    """Return the adapters that a project lists or that lie among its runs: folder -> words, none first."""
    found = {"": "none: the model as it is"}
    if project is None:
        return found
    for entry in project.content.adapters:
        found[str(project.root / entry.path)] = entry.name
    runs = project.root / RUNS
    for folder in sorted(runs.iterdir(), reverse=True) if runs.is_dir() else []:
        if (folder / ADAPTER / ADAPTER_FILE).is_file():
            found.setdefault(str(folder / ADAPTER), folder.name)
    return found


def same_folder(one: Path | None, other: Path | None) -> bool:
    """Whether two folders, or their absence, are the same."""
    if one is None or other is None:
        return one is other
    return one.absolute() == other.absolute()
