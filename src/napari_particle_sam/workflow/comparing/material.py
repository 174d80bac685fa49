"""What a comparison works on: the images that judge, their groups, and both models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_particle_sam.base.errors import BadFileError, BadValueError
from napari_particle_sam.learning.samples import TrainingImage
from napari_particle_sam.learning.training_images import read_training_images
from napari_particle_sam.sam.adapter_info import AdapterInfo, find_adapter, read_info
from napari_particle_sam.sam.loading import load_model
from napari_particle_sam.storage.pairs import Pair, list_pairs
from napari_particle_sam.storage.project.provenance import Beginning
from napari_particle_sam.storage.splits import read_groups
from napari_particle_sam.workflow.comparing.beginnings import read_beginnings
from napari_particle_sam.workflow.comparing.result import ADAPTED, BASE
from napari_particle_sam.workflow.comparing.scoring import Contestant

#: Groups of the images, beside the pairs.
GROUPS = "groups.csv"


@dataclass(frozen=True, eq=False)
class Material:
    """What is compared on.

    Attributes
    ----------
    folder : Path
        The adapter's folder.
    info : AdapterInfo
        What it says of itself.
    images : list of TrainingImage
        Those that the adapter did not train on and of which a part is reviewed.
    groups : list of str
        Group of each of them.
    left_out : list of str
        Stems that it trained on.
    unknown : list of str
        Stems of which nothing is reviewed.
    shared : list of str
        Stems of compared images whose group it trained on.
    beginnings : dict of str to Beginning or None
        How their truth began.
    """

    folder: Path
    info: AdapterInfo
    images: list[TrainingImage]
    groups: list[str]
    left_out: list[str]
    unknown: list[str]
    shared: list[str]
    beginnings: dict[str, Beginning | None]

    @property
    def stems(self) -> list[str]:
        """Of the images."""
        return [image.stem for image in self.images]

    @property
    def chose(self) -> list[str]:
        """Stems of images that also chose the checkpoint."""
        return [stem for stem in self.stems if stem in self.info.validation_images]


def gather(pairs_folder: Path, adapter: Path, groups: Sequence[str] | None) -> Material:
    """Read what a comparison works on.

    Parameters
    ----------
    pairs_folder : Path
        The pairs; their ``groups.csv``, where there is one, says what belongs together.
    adapter : Path
        The adapter's folder or its run.
    groups : sequence of str, optional
        Group of every compared image, instead of ``groups.csv``.

    Returns
    -------
    Material
        Images, groups and where they come from.

    Raises
    ------
    BadFileError
        If every image was trained on, or nothing of the others is reviewed.
    BadValueError
        If the groups are not as many as the images.
    """
    folder = find_adapter(adapter)
    info, pairs = read_info(folder), list_pairs(pairs_folder)
    held = [pair for pair in pairs if pair.stem not in info.images]
    if not held:
        raise BadFileError(
            f"the adapter trained on every image of {pairs_folder}; give others to compare on."
        )
    images, unknown = _judging(held)
    stems = [image.stem for image in images]
    table = read_groups(pairs_folder / GROUPS) if (pairs_folder / GROUPS).is_file() else {}
    named = [table.get(stem, stem) for stem in stems] if groups is None else [str(g) for g in groups]
    if len(named) != len(stems):
        raise BadValueError(f"{len(named)} groups were given for {len(stems)} images; name one for each.")
    trained = {table[stem] for stem in info.images if stem in table}
    shared = [stem for stem, group in zip(stems, named, strict=True) if group in trained]
    left_out = [pair.stem for pair in pairs if pair.stem in info.images]
    beginnings = read_beginnings(pairs_folder, stems)
    return Material(folder, info, images, named, left_out, unknown, shared, beginnings)


def contestants(material: Material, model: str | None, device: str) -> list[Contestant]:
    """Load base and adapted model, the base at the input size that the adapter was trained at."""
    info = material.info
    name = model or info.base
    base = load_model(name, device=device, img_size=info.img_size if info.base.startswith("vit") else None)
    adapted = load_model(name, material.folder, device)
    # An adapter of an earlier base knows nothing of the thresholds that suit today's.
    fitted = info.base_thresholds if base.fingerprint == info.base_fingerprint else None
    return [
        Contestant(BASE, base, base.thresholds, fitted or base.thresholds),
        Contestant(ADAPTED, adapted, base.thresholds, info.thresholds),
    ]


def _judging(pairs: list[Pair]) -> tuple[list[TrainingImage], list[str]]:
    """Return the images of which a part is reviewed, and the stems of the others."""
    images = read_training_images(pairs)
    unknown = [image.stem for image in images if not image.judges]
    if len(unknown) == len(images):
        raise BadFileError(
            f"{pairs[0].regions_path} and the region maps beside it mark nothing as reviewed; review a part."
        )
    return [image for image in images if image.judges], unknown
