"""Collect candidates over a whole micrograph, in tiles where its particles are small."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.candidates import Candidates, join_candidates
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.base.events import CandidatesFound, Event, Progress
from napari_particle_sam.base.stages import StageTimes
from napari_particle_sam.sam.engines.collect import join_batches
from napari_particle_sam.sam.engines.engine import EMBEDDING_ENGINES, TILING_ENGINES, resolve_engine
from napari_particle_sam.sam.engines.reference import collect_reference
from napari_particle_sam.sam.engines.search import Floors, Search
from napari_particle_sam.sam.model import Embedding, SamModel, encode
from napari_particle_sam.sam.passes import (
    TilePlan,
    Window,
    crop_windows,
    least_radius,
    off_crop_edges,
    off_seams,
    only_large,
    plan_passes,
)

#: Steps of progress per network pass.
STEPS = 100


@dataclass(frozen=True)
class GenerateSettings:
    """How candidates are collected.

    Attributes
    ----------
    engine : str
        ``auto``, ``guided``, ``adaptive``, ``exact`` or ``reference``.
    floors : Floors
        Collection floors.
    tiles : bool
        Whether small particles get a closer look; `guided` only.
    points_per_side : int
        Of the grid; the finest one of `adaptive`, and that of the gaps of `guided`.
    crop_layers, crop_downscale : int
        SAM's crops and how much coarser their grids are; not of `guided`.
    thresholds : Thresholds
        Filters that `reference` applies while it collects. The others measure by the model's own
        thresholds which masks they are confident of, so that candidates do not depend on these.
    autocast : bool
        Whether CUDA decodes in half precision.
    """

    engine: str = "auto"
    floors: Floors = field(default_factory=Floors)
    tiles: bool = True
    points_per_side: int = 32
    crop_layers: int = 0
    crop_downscale: int = 1
    thresholds: Thresholds = field(default_factory=Thresholds)
    autocast: bool = False


class KeptPasses(Protocol):
    """What finished tiles of an interrupted job gave."""

    def get(self, number: int) -> Candidates | None:
        """Return a tile's candidates, None where it is not finished."""
        ...

    def put(self, number: int, candidates: Candidates) -> object:
        """Keep a tile's candidates."""
        ...


def generate(
    model: SamModel,
    picture: NDArray[np.uint8],
    settings: GenerateSettings,
    token: CancelToken,
    field_rows: int | None = None,
    times: StageTimes | None = None,
    kept: KeptPasses | None = None,
    found_every: float | None = None,
) -> Generator[Event, None, Candidates]:
    """Collect the candidates of one micrograph.

    Parameters
    ----------
    model : SamModel
        The model.
    picture : ndarray of uint8 and shape (rows, cols)
        The normalised micrograph.
    settings : GenerateSettings
        How to collect.
    token : CancelToken
        Stops the job between two batches of prompts.
    field_rows : int, optional
        Rows of the field of view; what lies below is not looked at.
    times : StageTimes, optional
        Where the seconds of the stages ``encode``, ``decode`` and ``post`` are counted.
    kept : KeptPasses, optional
        Finished tiles of the same job, to go on from.
    found_every : float, optional
        Seconds after which `CandidatesFound` tells again what was collected so far; never where None, and
        never of ``reference``. What it holds need not stay: the result alone counts.

    Yields
    ------
    Event
        Progress, `STEPS` per network pass, and `CandidatesFound` where asked for.

    Returns
    -------
    Candidates
        In the micrograph's own coordinates.

    Raises
    ------
    BadValueError
        If the field of view is too narrow, or the engine does not fit the model.
    CancelledError
        If the token was cancelled.
    """
    seen = picture[:field_rows]
    _check_shape(seen.shape, model.img_size)
    engine = resolve_engine(settings.engine, model)
    job = _Job(model, seen, settings, token, times or StageTimes(), engine, found_every)
    if engine == "reference":
        yield Progress(0, 1, "reference")
        found = collect_reference(
            model, seen, settings.thresholds, settings.points_per_side,
            settings.crop_layers, settings.crop_downscale, job.times,
        )  # fmt: skip
    elif engine in TILING_ENGINES:
        found = yield from job.in_tiles(kept)
    else:
        found = yield from job.in_crops()
    return replace(found, shape=picture.shape, field_rows=field_rows)


def _check_shape(shape: tuple[int, int], img_size: int) -> None:
    if min(shape) * img_size / max(shape) < 1:
        raise BadValueError(f"A field of {shape[0]} x {shape[1]} px is too narrow to segment; crop it.")


class _Job:
    """The passes of one engine over one field of view."""

    def __init__(
        self, model: SamModel, seen: NDArray[np.uint8], settings: GenerateSettings, token: CancelToken,
        times: StageTimes, engine: str, found_every: float | None,
    ) -> None:  # fmt: skip
        self._sofar = _SoFar(found_every)
        self.model, self.seen, self.settings, self.times = model, seen, settings, times
        self._collect = EMBEDDING_ENGINES.get(engine)
        self._search = Search(
            seen.shape, settings.floors, model.thresholds, settings.points_per_side, 0.0,
            settings.autocast, token, times,
        )  # fmt: skip

    def in_tiles(self, kept: KeptPasses | None) -> Generator[Event, None, Candidates]:
        """See the whole image, then tiles where it shows particles too small."""
        shape = self.seen.shape
        whole = self._encode((0, 0, *shape))
        plan = TilePlan([], 0)
        if self.settings.tiles:
            plan = plan_passes(self.model, whole, shape, self._encode)
        passes = 1 + len(plan.windows)
        search = replace(self._search, least_radius=least_radius(self.model, plan, shape))
        parts = []
        for number, window in enumerate([(0, 0, *shape), *plan.windows]):
            part = kept.get(number) if kept is not None else None
            if part is None:
                embedding = self._encode(window) if number else whole
                tile = replace(self._search, own=plan.own(window)) if number else search
                found = yield from self._one_pass(
                    embedding, tile, number, passes, lambda c, n=number: self._worth_keeping(c, n, plan)
                )
                part = self._worth_keeping(found, number, plan)
                if kept is not None and plan.windows:
                    kept.put(number, part)
            parts.append(part)
            self._sofar.finished.append(part)
        return join_candidates(parts)

    def _worth_keeping(self, found: Candidates, number: int, plan: TilePlan) -> Candidates:
        if not plan.windows:
            return found
        return off_seams(found, self.seen.shape) if number else only_large(found, plan.overlap)

    def in_crops(self) -> Generator[Event, None, Candidates]:
        """See the whole image and SAM's crops of it."""
        shape, settings = self.seen.shape, self.settings
        windows = crop_windows(shape, settings.crop_layers)
        parts = []
        for number, (window, layer) in enumerate(windows):
            side = max(1, int(settings.points_per_side / settings.crop_downscale**layer))
            search = replace(self._search, points_per_side=side)
            found = yield from self._one_pass(self._encode(window), search, number, len(windows))
            with self.times.stage("post"):
                parts.append(off_crop_edges(found, search.thresholds, shape))
            self._sofar.finished.append(parts[-1])
        return join_candidates(parts)

    def _encode(self, window: Window) -> Embedding:
        self._search.token.check()
        with self.times.stage("encode"):
            return encode(self.model, self.seen, window)

    def _one_pass(
        self,
        embedding: Embedding,
        search: Search,
        number: int,
        passes: int,
        worth_keeping: Callable[[Candidates], Candidates] = lambda found: found,
    ) -> Generator[Event, None, Candidates]:
        text = "whole image" if number == 0 else "parts"
        yield Progress(STEPS * number, STEPS * passes, text)
        assert self._collect is not None
        parts = []
        for found in self._collect(self.model, embedding, search):
            parts.append(found.candidates)
            yield Progress(int(STEPS * (number + found.share)), STEPS * passes, text)
            if self._sofar.due:
                yield self._sofar.tell(worth_keeping(join_batches(parts, embedding, search)))
        return join_batches(parts, embedding, search)


class _SoFar:
    """Tells now and then what was collected."""

    def __init__(self, every: float | None) -> None:
        self.finished: list[Candidates] = []
        self._every, self._last = every, time.monotonic()

    @property
    def due(self) -> bool:
        """Whether it is time to tell again."""
        return self._every is not None and time.monotonic() - self._last >= self._every

    def tell(self, running: Candidates) -> CandidatesFound:
        """Return all that the finished passes and the running one found."""
        found = join_candidates([*self.finished, running])
        self._last = time.monotonic()
        return CandidatesFound(found)
