"""Collecting candidates while someone watches: masks are told as they are found."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_particle_sam.annotation.candidates import Candidates
from napari_particle_sam.annotation.label_map import Proposal, propose
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.events import CandidatesFound, Event
from napari_particle_sam.images.micrograph import Micrograph
from napari_particle_sam.workflow.reviewing.parts import Box, keep_part, place, with_margin

if TYPE_CHECKING:
    from napari_particle_sam.sam.generate import GenerateSettings
    from napari_particle_sam.sam.model import SamModel
    from napari_particle_sam.workflow.collecting import CandidateCache

#: Seconds between two looks at what was found so far ...
FOUND_EVERY = 1.0
#: ... which take at most this share of the time.
FOUND_SHARE = 0.2


@dataclass(frozen=True)
class ProposalsFound(Event):
    """All that would be proposed if the job ended now, in place of earlier events of this kind."""

    proposals: tuple[Proposal, ...]


class ReviewJob:
    """Collects candidates of one image with one model.

    Parameters
    ----------
    model : SamModel
        The model.
    micrograph : Micrograph
        The image.
    how : GenerateSettings
        How to collect.
    thresholds : Thresholds
        With which masks are shown while the job runs.
    token : CancelToken
        Stops the job.
    cache : CandidateCache or None
        Where candidates of the whole image are looked for and kept.
    """

    def __init__(
        self, model: SamModel, micrograph: Micrograph, how: GenerateSettings, thresholds: Thresholds,
        token: CancelToken, cache: CandidateCache | None,
    ) -> None:  # fmt: skip
        from napari_particle_sam.workflow.collecting import collecting_key

        self.model, self.micrograph, self.how, self.token = model, micrograph, how, token
        self.cache, self.thresholds = cache, thresholds
        self.key = collecting_key(model, micrograph, how)

    def whole(self) -> Generator[Event, None, tuple[Candidates, str, bool]]:
        """Return candidates of the whole field, their key, and whether they were kept."""
        from napari_particle_sam.sam.generate import generate
        from napari_particle_sam.storage.candidates.passes import PassStore
        from napari_particle_sam.storage.candidates.store import CandidateStore

        if (known := self.known()) is not None:
            return known, self.key, True
        image, cache = self.micrograph, self.cache
        passes = None if cache is None else PassStore(cache.folder, self.key, cache.max_bytes)
        collecting = generate(
            self.model, image.picture, self.how, self.token, image.field_rows, None, passes, FOUND_EVERY
        )
        found = yield from self._shown(collecting, lambda so_far: so_far)
        if cache is not None and passes is not None:
            CandidateStore(cache.folder, cache.max_bytes).put(self.key, found)
            passes.clear()
        return found, self.key, False

    def known(self) -> Candidates | None:
        """Return candidates of the whole field that an earlier job kept."""
        from napari_particle_sam.storage.candidates.store import CandidateStore

        if self.cache is None:
            return None
        return CandidateStore(self.cache.folder, self.cache.max_bytes).get(self.key)

    def part(self, window: Box) -> Generator[Event, None, tuple[Candidates, str]]:
        """Return candidates of a part of the field, and a key of them."""
        from napari_particle_sam.sam.generate import generate

        image = self.micrograph
        field = (image.field_rows, image.shape[1])
        box = with_margin(window, field)
        seen = np.ascontiguousarray(image.picture[box[0] : box[2], box[1] : box[3]])

        def placed(found: Candidates) -> Candidates:
            whole = place(found, box, image.shape, image.field_rows)
            return keep_part(whole, window, box, field)

        collecting = generate(self.model, seen, self.how, self.token, found_every=FOUND_EVERY)
        found = yield from self._shown(collecting, placed)
        return placed(found), hashlib.sha256(f"{self.key} {window}".encode()).hexdigest()

    def _shown(
        self, job: Generator[Event, None, Candidates], placed: Callable[[Candidates], Candidates]
    ) -> Generator[Event, None, Candidates]:
        """Run a job and tell what its candidates would become."""
        next_time = time.monotonic()
        while True:
            try:
                event = next(job)
            except StopIteration as end:
                found: Candidates = end.value
                return found
            if not isinstance(event, CandidatesFound):
                yield event
            elif time.monotonic() >= next_time:
                begun = time.monotonic()
                proposals = propose(placed(event.candidates), self.thresholds)
                took = time.monotonic() - begun
                next_time = begun + max(FOUND_EVERY, took / FOUND_SHARE)
                yield ProposalsFound(tuple(proposals))
