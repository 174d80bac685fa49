"""Fine-tune a model on a folder of pairs."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.base.events import Event, Message
from napari_particle_sam.learning.config import TrainingConfig, paper_rank
from napari_particle_sam.learning.run import FineTuning, TrainingResult
from napari_particle_sam.sam.loading import load_model
from napari_particle_sam.sam.model import SamModel
from napari_particle_sam.storage.pairs import list_pairs
from napari_particle_sam.storage.splits import Split, read_groups, split_by_group
from napari_particle_sam.workflow.training_images import read_training_images


def finetune(
    pairs_folder: Path,
    out: Path,
    config: TrainingConfig,
    token: CancelToken,
    groups_csv: Path | None = None,
    val: list[str] | None = None,
    device: str = "auto",
) -> Generator[Event, None, TrainingResult]:
    """Train an adapter for a model on all pairs of a folder.

    Parameters
    ----------
    pairs_folder : Path
        With images/, masks/ and, where something is not reviewed, regions/ of equal stems.
    out : Path
        The run's folder.
    config : TrainingConfig
        Settings.
    token : CancelToken
        Stops the run.
    groups_csv : Path, optional
        Columns stem and group; images of one group stay on one side of the split.
    val : list of str, optional
        Stems to validate on instead of a drawn group.
    device : str
        Where to compute.

    Yields
    ------
    Event
        What the run does.

    Returns
    -------
    TrainingResult
        How it ended.
    """
    pairs = {pair.stem: pair for pair in list_pairs(pairs_folder)}
    split = _split(list(pairs), config, groups_csv, val)
    yield Message(
        f"{len(split.train)} images to train on, {len(split.val)} to validate. {split.note}".strip()
    )
    model = load_model(config.model, device=device, img_size=config.img_size)
    if config.preset == "paper" and config.model != "vit_b":
        config, note = _paper_for(model, config)
        yield Message(note)
    train = read_training_images(pairs[s] for s in split.train)
    validation = read_training_images(pairs[s] for s in split.val)
    unknown = [image.stem for image in validation if not image.judges]
    if unknown:
        yield Message(f"Not validated on, since nothing of them is reviewed: {', '.join(unknown)}.")
        validation = [image for image in validation if image.judges]
    run = FineTuning(model, train, validation, config, out)
    return (yield from run.run(token))


def _split(stems: list[str], config: TrainingConfig, groups_csv: Path | None, val: list[str] | None) -> Split:
    known = read_groups(groups_csv) if groups_csv is not None else {}
    unknown = [s for s in val or () if s not in stems]
    if unknown:
        raise BadValueError(f"--val names {unknown[0]}, which is not among the pairs; check the stem.")
    groups = {stem: known.get(stem, stem) for stem in stems}
    return split_by_group(groups, seed=config.seed, val=val, test_fraction=config.test_fraction)


def _paper_for(model: SamModel, config: TrainingConfig) -> tuple[TrainingConfig, str]:
    block = model.sam.image_encoder.blocks[0]
    width = int(block.attn.qkv.in_features)
    rank = paper_rank(width) if config.rank == 512 else config.rank
    note = f"Preset paper: rank {rank} here is the same share of {width} channels as 512 of ViT-B's 768."
    return config.model_copy(update={"rank": rank}), note
