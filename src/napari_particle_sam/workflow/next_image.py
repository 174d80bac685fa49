"""Which image to correct next, and why: where most is to be gained for the next training.

An image gains by what the model is unsure of in it, and by looking unlike what is labelled already.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import ParticleSamError
from napari_particle_sam.base.events import Event, Progress
from napari_particle_sam.base.jobs import run_job
from napari_particle_sam.images.inputs import natural_key
from napari_particle_sam.learning.job_spec import read_job
from napari_particle_sam.learning.run_status import list_runs
from napari_particle_sam.storage.project.project import Project
from napari_particle_sam.storage.project.rounds import work_of
from napari_particle_sam.workflow.image_doubt import Doubt, doubt_of
from napari_particle_sam.workflow.image_looks import Looks, differences, distance, looks_of, middle, typical

#: Of a larger project so many images are looked at, evenly spread.
MOST_IMAGES = 200
#: From this share on, uncertain proposals are the reason that is given.
TOLD_SHARE = 0.1
#: From this distance on, an image is called unlike another.
UNLIKE = 0.5
_WORDS = {
    "brightness": ("brighter", "darker"),
    "contrast": ("of higher contrast", "of lower contrast"),
    "grain": ("grainier", "smoother"),
}


@dataclass(frozen=True)
class Suggestion:
    """An image to correct next.

    Attributes
    ----------
    key : str
        Its name in the project.
    gain : float
        Expected, 0 to 1; only its order among images means something.
    reason : str
        Why this one, to go on after "because": lower case, no full stop.
    """

    key: str
    gain: float
    reason: str


@dataclass(frozen=True, eq=False)
class _Image:
    key: str
    looks: Looks
    doubt: Doubt


def suggest_next(
    project: Project,
    token: CancelToken | None = None,
    annotator: str | None = None,
    exclude: Collection[str] = (),
) -> Suggestion | None:
    """Return the image from which the next training is expected to gain most; see `suggesting`."""
    return run_job(suggesting(project, token or CancelToken(), annotator, exclude))


def suggesting(
    project: Project, token: CancelToken, annotator: str | None = None, exclude: Collection[str] = ()
) -> Generator[Event, None, Suggestion | None]:
    """Look for the image from which the next training is expected to gain most.

    The gain is the mean of two numbers between 0 and 1: the share of its proposals that are uncertain
    (predicted IoU near the threshold, or suspect), and ``1 - exp(-d)``, where d is its distance to the
    nearest labelled image in grey values, spatial frequencies and sizes of particles. Where it has no
    proposals yet, the mean share of the others stands for its own. As long as nothing is labelled, the image
    most like all others comes first.

    Parameters
    ----------
    project : Project
        For reading at least; a job beside the window uses ``project.reader()``.
    token : CancelToken
        Looked at before every image.
    annotator : str, optional
        Whose proposals are meant.
    exclude : collection of str
        Keys that are not to be suggested, such as test images. Images that are done are never, nor those that
        a training of the project tests on, nor others of their groups.

    Yields
    ------
    Event
        A `Progress` per image.

    Returns
    -------
    Suggestion or None
        None where no image is left.
    """
    banned = {key.casefold() for key in exclude} | _tested(project)
    keys = sorted((image.key for image in project.content.images), key=natural_key)
    works = []
    for key in keys:
        token.check()
        works.append(work_of(project, key))
    labelled_keys = [work.key for work in works if work.done or work.effort.total]
    free = [work for work in works if not work.done and work.key.casefold() not in banned]
    fresh = [work.key for work in free if not work.effort.total]
    if not fresh:
        return _begun([work.key for work in free])
    images = yield from _look(project, _spread(fresh), _spread(labelled_keys), token, annotator)
    return _best([images[key] for key in fresh if key in images], [
        images[key] for key in labelled_keys if key in images
    ])  # fmt: skip


def _begun(keys: Sequence[str]) -> Suggestion | None:
    if not keys:
        return None
    return Suggestion(keys[0], 0.0, "you have begun to correct it, and it is not declared done yet")


def _look(
    project: Project, fresh: Sequence[str], labelled: Sequence[str], token: CancelToken, annotator: str | None
) -> Generator[Event, None, dict[str, _Image]]:
    """Look at some images; those that are lost or damaged are left out."""
    found = {}
    for done, key in enumerate(every := [*fresh, *labelled]):
        token.check()
        yield Progress(done, len(every), key)
        doubt = Doubt()
        with suppress(ParticleSamError):
            doubt = doubt_of(project, key, annotator)
        with suppress(ParticleSamError, OSError):
            found[key] = _Image(key, replace(looks_of(project, key), size=typical(doubt.diameters)), doubt)
    return found


def _best(fresh: Sequence[_Image], labelled: Sequence[_Image]) -> Suggestion | None:
    if not fresh:
        return None
    shares = [image.doubt.share for image in fresh if image.doubt.share is not None]
    usual = float(np.mean(shares)) if shares else 0.0
    far = _distances(fresh, labelled)
    news = {key: 1 - math.exp(-d) if labelled else math.exp(-d) for key, d in far.items()}

    def gain(image: _Image) -> float:
        share = image.doubt.share
        return (news[image.key] + (usual if share is None else share)) / 2

    # The first of equals, so that the suggestion does not jump.
    best = max(fresh, key=gain)
    return Suggestion(best.key, gain(best), _reason(best, fresh, labelled, far[best.key]))


def _distances(fresh: Sequence[_Image], labelled: Sequence[_Image]) -> Mapping[str, float]:
    """Return the distance to the nearest labelled image, or to the middle of all where none is."""
    if labelled:
        return {a.key: min(distance(a.looks, b.looks) for b in labelled) for a in fresh}
    centre = middle(image.looks for image in fresh)
    return {image.key: distance(image.looks, centre) for image in fresh}


def _reason(best: _Image, fresh: Sequence[_Image], labelled: Sequence[_Image], far: float) -> str:
    reasons = []
    if labelled and far >= UNLIKE:
        reasons.append(_unlike(best, labelled))
    if (best.doubt.share or 0.0) >= TOLD_SHARE:
        number, every = best.doubt.uncertain, best.doubt.proposals
        reasons.append(
            f"{number} of its {_count(every, 'proposal')} {'is' if number == 1 else 'are'} uncertain"
        )
    if reasons:
        return "; ".join(reasons)
    if not labelled:
        rest = f"it is the most typical of {len(fresh)} images" if len(fresh) > 1 else "it is the only image"
        return f"{rest}, and none is corrected yet"
    if len(fresh) == 1:
        return "it is the only image that is left"
    return "the images left look much like the corrected ones, and this differs most"


def _unlike(best: _Image, labelled: Sequence[_Image]) -> str:
    """Say how an image differs from the labelled ones on the whole."""
    apart = differences(best.looks, middle(image.looks for image in labelled))
    told = []
    for name, value in sorted(apart.items(), key=lambda item: -abs(item[1])):
        if abs(value) >= UNLIKE and name in _WORDS:
            told.append(_WORDS[name][value < 0])
        elif abs(value) >= UNLIKE and name == "size":
            told.append(_size_words(best, labelled))
    words = f": {', '.join(told[:2])}" if told else " in texture"
    them = "the image" if len(labelled) == 1 else f"the {len(labelled)} images"
    return f"unlike {them} you have corrected{words}"


def _size_words(best: _Image, labelled: Sequence[_Image]) -> str:
    usual = middle(image.looks for image in labelled).size
    assert best.looks.size is not None and usual is not None
    ratio = math.exp(best.looks.size - usual)
    times, word = (ratio, "large") if ratio > 1 else (1 / ratio, "small")
    factor = "twice" if 1.75 <= times < 2.25 else f"{times:.1f} times"
    return f"particles about {factor} as {word}"


def _tested(project: Project) -> set[str]:
    """Return the images on which trainings of the project test, and all others of their groups."""
    stems: set[str] = set()
    for run in list_runs(project.root):
        with suppress(ParticleSamError):
            stems.update(stem.casefold() for stem in read_job(run).test)
    images = project.content.images
    groups = {image.group for image in images if image.group and image.key.casefold() in stems}
    return stems | {image.key.casefold() for image in images if image.group in groups}


def _spread(keys: Sequence[str]) -> list[str]:
    if len(keys) <= MOST_IMAGES:
        return list(keys)
    places = np.linspace(0, len(keys) - 1, MOST_IMAGES).round().astype(int)
    return [keys[place] for place in places]


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
