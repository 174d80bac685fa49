"""How the truth of each image began, and whom that favours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import ValidationError

from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.base.files import read_json
from napari_particle_sam.sam.adapter_info import AdapterInfo
from napari_particle_sam.storage.project.provenance import Beginning
from napari_particle_sam.workflow.comparing.result import ADAPTED, BASE, WARNING

#: What the export of a project writes beside its pairs.
INDEX = "annotation.json"
UNKNOWN = "unknown"


def read_beginnings(folder: Path, stems: Iterable[str]) -> dict[str, Beginning | None]:
    """Return what each image's annotation began with, as the export of a project wrote it.

    Parameters
    ----------
    folder : Path
        The folder of pairs.
    stems : iterable of str
        The images.

    Returns
    -------
    dict
        None where nothing, or nothing readable, is recorded.
    """
    images: object = None
    if (folder / INDEX).is_file():
        try:
            content = read_json(folder / INDEX)
        except BadFileError:
            # The pairs are whole without it; that nothing is known is said with the verdict.
            content = None
        images = content.get("images") if isinstance(content, dict) else None
    known = images if isinstance(images, dict) else {}
    return {stem: _beginning(known.get(stem)) for stem in stems}


def _beginning(facts: object) -> Beginning | None:
    if not isinstance(facts, dict) or "beginning" not in facts:
        return None
    try:
        return Beginning.model_validate(facts["beginning"])
    except ValidationError:
        return None


def in_words(beginning: Beginning | None) -> str:
    """Return a beginning in words, such as ``from proposals of particle-tiny``."""
    if beginning is None:
        return UNKNOWN
    if beginning.kind == "blank":
        return "drawn by hand"
    if beginning.kind == "imported":
        return "from imported labels"
    with_adapter = f" with adapter {beginning.adapter}" if beginning.adapter else ""
    return f"from proposals of {beginning.model}{with_adapter}"


def favoured(beginning: Beginning | None, info: AdapterInfo, folder: Path) -> str | None:
    """Return which compared model's proposals the truth began from.

    Parameters
    ----------
    beginning : Beginning or None
        Of one image.
    info : AdapterInfo
        What the compared adapter says of itself.
    folder : Path
        Where it lies; sessions name an adapter by its name or folder.

    Returns
    -------
    str or None
        ``base``, ``adapted``, or None where it was neither or is not known.
    """
    if beginning is None or beginning.kind != "model":
        return None
    if beginning.fingerprint is not None:
        same_base = beginning.fingerprint == info.base_fingerprint
    else:
        same_base = beginning.model in (info.base, Path(info.base).name)
    if not same_base:
        return None
    if not beginning.adapter:
        return BASE
    names = {info.name, folder.name, str(folder), folder.as_posix()}
    return ADAPTED if beginning.adapter in names else None


def bias_notes(beginnings: Mapping[str, Beginning | None], info: AdapterInfo, folder: Path) -> list[str]:
    """Return a warning per compared model whose proposals a truth began from."""
    by_model: dict[str, list[str]] = {}
    for stem, beginning in beginnings.items():
        who = favoured(beginning, info, folder)
        if who is not None:
            by_model.setdefault(who, []).append(stem)
    return [_bias_note(who, by_model[who]) for who in (BASE, ADAPTED) if who in by_model]


def _bias_note(who: str, stems: list[str]) -> str:
    return (
        f"{WARNING}the truth of {some(stems)} began from proposals of the {who} model, which favours it; "
        "draw some images by hand to compare on."
    )


def some(stems: list[str], most: int = 5) -> str:
    """Return stems for a sentence, at most so many of them."""
    more = f" and {len(stems) - most} more" if len(stems) > most else ""
    return ", ".join(stems[:most]) + more
