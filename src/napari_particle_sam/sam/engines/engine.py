"""The engines by name, and the seam between them and the rest."""

from __future__ import annotations

from collections.abc import Callable

from napari_particle_sam.annotation.candidates import Candidates
from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.sam.engines.collect import Floors
from napari_particle_sam.sam.engines.guided import collect_guided
from napari_particle_sam.sam.model import Embedding, SamModel

#: Collect candidates from one encoded part of a micrograph of the given shape; particles of a
#: smaller inscribed radius than the last argument, in input pixels, may be left out.
EmbeddingEngine = Callable[[SamModel, Embedding, Floors, tuple[int, int], float], Candidates]

#: Engines that work on embeddings; `reference` works on pictures and stands apart.
EMBEDDING_ENGINES: dict[str, EmbeddingEngine] = {"guided": collect_guided}
ENGINES = ("auto", *EMBEDDING_ENGINES, "reference")


def resolve_engine(name: str, model: SamModel) -> str:
    """Return the engine that will run.

    Parameters
    ----------
    name : str
        One of `ENGINES`; ``auto`` takes ``guided`` where the model has a locator.
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
        return "guided" if model.has_locator else "reference"
    if name == "guided" and not model.has_locator:
        raise BadValueError(
            f"engine 'guided' needs a model with a locator, which {model.name} lacks; use --engine reference."
        )
    return name
