"""Collect candidates, or take them from where an earlier job kept them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Generator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from platformdirs import user_cache_path

from napari_particle_sam.annotation.candidates import Candidates
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.events import Event, Message
from napari_particle_sam.base.stages import StageTimes
from napari_particle_sam.images.micrograph import Micrograph
from napari_particle_sam.sam.engines.engine import resolve_engine
from napari_particle_sam.sam.generate import GenerateSettings, generate
from napari_particle_sam.sam.model import SamModel
from napari_particle_sam.storage.candidates.passes import PassStore
from napari_particle_sam.storage.candidates.store import CandidateStore, candidate_key

#: Changes whenever equal settings give other candidates than before.
ENGINE_VERSION = 4


def default_cache_folder() -> Path:
    """Return where candidates are kept: ``PARTICLE_SAM_CACHE``, else the user's cache folder."""
    chosen = os.environ.get("PARTICLE_SAM_CACHE")
    return Path(chosen) if chosen else user_cache_path("napari-particle-sam") / "candidates"


@dataclass(frozen=True)
class CandidateCache:
    """Where candidates are kept between jobs.

    Attributes
    ----------
    folder : Path
        Made when the first are kept.
    max_bytes : int
        The least recently used go when all together are larger.
    """

    folder: Path = field(default_factory=default_cache_folder)
    max_bytes: int = 2 * 1024**3


@dataclass(frozen=True)
class Collected:
    """Candidates and how they came.

    Attributes
    ----------
    candidates : Candidates
        Of the whole micrograph.
    from_cache : bool
        Whether no network pass was needed.
    times : StageTimes
        Seconds by stage.
    """

    candidates: Candidates
    from_cache: bool
    times: StageTimes


def collect_candidates(
    model: SamModel,
    micrograph: Micrograph,
    settings: GenerateSettings,
    token: CancelToken,
    cache: CandidateCache | None = None,
) -> Generator[Event, None, Collected]:
    """Return the candidates of a micrograph, kept ones where model and settings are the same.

    Parameters
    ----------
    model : SamModel
        The model.
    micrograph : Micrograph
        The image.
    settings : GenerateSettings
        How to collect.
    token : CancelToken
        Stops the job; tiles that are finished are kept.
    cache : CandidateCache, optional
        Where candidates are looked for and kept.

    Yields
    ------
    Event
        Progress; a message where they cannot be kept.

    Returns
    -------
    Collected
        The candidates.
    """
    times = StageTimes()
    if cache is None:
        found = yield from generate(model, micrograph.picture, settings, token, micrograph.field_rows, times)
        return Collected(found, False, times)
    with times.stage("cache"):
        key = collecting_key(model, micrograph, settings)
        store = CandidateStore(cache.folder, cache.max_bytes)
        kept = store.get(key)
    if kept is not None:
        return Collected(kept, True, times)
    passes = PassStore(cache.folder, key, cache.max_bytes)
    found = yield from generate(
        model, micrograph.picture, settings, token, micrograph.field_rows, times, passes
    )
    with times.stage("cache"):
        stored = store.put(key, found)
        passes.clear()
    if not stored:
        yield Message(f"Candidates could not be kept in {cache.folder}; make room there to save time later.")
    return Collected(found, False, times)


def collecting_key(model: SamModel, micrograph: Micrograph, settings: GenerateSettings) -> str:
    """Return the key of all that candidates depend on.

    What the network sees is part of it, not the file's name: a renamed image keeps its candidates, another
    data bar or normalisation does not.
    """
    engine = resolve_engine(settings.engine, model)
    final = settings.thresholds if engine == "reference" else model.thresholds
    return candidate_key(
        version=ENGINE_VERSION,
        picture=hashlib.sha256(np.ascontiguousarray(micrograph.picture)).hexdigest(),
        shape=list(micrograph.shape),
        field_rows=micrograph.field_rows,
        model=model.fingerprint,
        adapter=model.adapter,
        img_size=model.img_size,
        settings=_plain(settings) | {"engine": engine, "thresholds": final.model_dump()},
    )


def _plain(settings: GenerateSettings) -> dict[str, Any]:
    return {k: v for k, v in vars(settings).items() if k != "floors"} | {"floors": asdict(settings.floors)}
