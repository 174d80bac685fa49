"""The engines by name, and the seam between them and the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.sam.engines.adaptive import collect_adaptive
from napari_particle_sam.sam.engines.collect import Found
from napari_particle_sam.sam.engines.exact import collect_exact
from napari_particle_sam.sam.engines.guided import collect_guided
from napari_particle_sam.sam.engines.search import Search
from napari_particle_sam.sam.model import Embedding, SamModel

#: Collect candidates from one encoded part of a micrograph, batch by batch.
EmbeddingEngine = Callable[[SamModel, Embedding, Search], Iterator[Found]]

#: Engines that work on embeddings; `reference` works on pictures and stands apart.
EMBEDDING_ENGINES: dict[str, EmbeddingEngine] = {
    "guided": collect_guided,
    "adaptive": collect_adaptive,
    "exact": collect_exact,
}
ENGINES = ("auto", *EMBEDDING_ENGINES, "reference")
#: Engines that look closer in tiles where particles are small; the others in SAM's crop layers.
TILING_ENGINES = ("guided",)


def resolve_engine(name: str, model: SamModel) -> str:
    """Return the engine that will run.

    Parameters
    ----------
    name : str
        One of `ENGINES`; ``auto`` takes ``guided`` where the model has a locator, else ``adaptive``.
    model : SamModel
        The model that will run it.

    Returns
    -------
    str
        ``reference`` or a key of `EMBEDDING_ENGINES`.

    Raises
    ------
    BadValueError
        If the engine is unknown, or needs a locator that the model lacks.
    """
    if name not in ENGINES:
        raise BadValueError(f"engine {name!r} is unknown; choose one of {', '.join(ENGINES)}.")
    if name == "auto":
        return "guided" if model.has_locator else "adaptive"
    if name == "guided" and not model.has_locator:
        raise BadValueError(
            f"engine 'guided' needs a model with a locator, which {model.name} lacks; use --engine adaptive."
        )
    return name
