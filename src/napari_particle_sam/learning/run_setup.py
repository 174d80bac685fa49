"""A base made ready to be trained, as its architecture and its device need it."""

from __future__ import annotations

import torch

from napari_particle_sam.learning.config import TrainingConfig, paper_rank
from napari_particle_sam.learning.lora import attach_lora, rank_note
from napari_particle_sam.learning.memory import recompute_blocks
from napari_particle_sam.sam.model import SamModel

PAPER_RANK = 512
#: Highest learning rate of LoRA updates where none is asked for; on SAM's own encoders none was measured.
TINY_RATE, VIT_RATE = 1e-2, 1e-3
#: The locator's whole tensors are trained, which bear less than low-rank updates that begin at zero.
LOCATOR_RATE = 1e-3


def config_for(model: SamModel, config: TrainingConfig) -> tuple[TrainingConfig, str | None]:
    """Return the settings as they hold for a model, and a sentence where one was changed.

    An empty learning rate becomes the model's; the paper's rank the same share of the model's width.
    """
    config = config.model_copy(update={"learning_rate": learning_rate_for(model, config)})
    width = int(model.sam.image_encoder.blocks[0].attn.qkv.in_features)
    rank = paper_rank(width)
    if config.preset != "paper" or config.rank != PAPER_RANK or rank == PAPER_RANK:
        return config, None
    note = f"Preset paper: rank {rank} here is the same share of {width} channels as 512 of ViT-B's 768."
    return config.model_copy(update={"rank": rank}), note


def learning_rate_for(model: SamModel, config: TrainingConfig) -> float:
    """Return the highest learning rate: the settings', or the one that suits the model."""
    if config.learning_rate is not None:
        return config.learning_rate
    return VIT_RATE if is_plain_vit(model) else TINY_RATE


def usable_groups(model: SamModel, config: TrainingConfig) -> tuple[str, ...]:
    """Return the LoRA target groups, without convolutions where the encoder is a plain ViT."""
    if is_plain_vit(model):
        return tuple(g for g in config.targets if g != "conv") or ("attention",)
    return config.targets


def is_plain_vit(model: SamModel) -> bool:
    """Return whether the encoder is SAM's own, which takes its full input only."""
    return hasattr(model.sam.image_encoder, "pos_embed")


def attach_for_training(model: SamModel, config: TrainingConfig, targets: list[str]) -> str | None:
    """Add LoRA, the same for the same seed, and let a large encoder forget its activations.

    Returns
    -------
    str or None
        A sentence where the rank is higher than it needs to be.
    """
    note = rank_note(model.sam, config.rank, targets)
    # What LoRA begins with is drawn from torch's own stream.
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        attach_lora(
            model.sam, config.rank, config.scaled_alpha, targets, config.train_locator, config.train_iou_head
        )
    if model.sam.device.type == "cuda" or is_plain_vit(model):
        recompute_blocks(model.sam)
    return note


def first_micro_batch(model: SamModel) -> int | None:
    """Return how many crops go through the network at once, None for all of a batch.

    On a processor a plain ViT, whose crops are its whole input, is as fast with one as with several.
    """
    return 1 if is_plain_vit(model) and model.sam.device.type == "cpu" else None
