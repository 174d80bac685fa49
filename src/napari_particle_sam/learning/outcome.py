"""How a run ended, and what its adapter says of itself."""

from __future__ import annotations

from dataclasses import dataclass, field

from napari_particle_sam.learning import validation
from napari_particle_sam.learning.config import TrainingConfig
from napari_particle_sam.learning.epoch_choice import Best
from napari_particle_sam.learning.samples import TrainingImage
from napari_particle_sam.learning.warm_start import all_learned_from
from napari_particle_sam.sam.adapters import AdapterInfo
from napari_particle_sam.sam.model import SamModel


@dataclass(frozen=True)
class TrainingResult:
    """How a run ended.

    Attributes
    ----------
    gained : bool
        Whether an adapter was written.
    reason : str
        One sentence.
    before, after : dict
        Validation metrics of the base and of the kept epoch; empty without validation.
    steps : int
        Steps taken.
    seconds : float
        Wall time, pauses left out.
    """

    gained: bool
    reason: str
    before: dict[str, float] = field(default_factory=dict)
    after: dict[str, float] = field(default_factory=dict)
    steps: int = 0
    seconds: float = 0.0


def reason_for(validated: bool, best: Best) -> str:
    """Return how it ended in one sentence."""
    if not validated:
        return "Trained without validation; compare the adapter with the base before you trust it."
    before, after = (found["f1@0.5"] for found in (best.before, best.metrics))
    if best.tensors is None:
        return f"No gain: no epoch beat the base (validation f1@0.5 {before:.3f}); the base is kept."
    if best.began_with is None:
        return f"Validation f1@0.5 {before:.3f} -> {after:.3f}."
    if best.metrics == best.began_with:
        return (
            f"No further gain: no epoch beat the adapter it went on from (validation f1@0.5 {after:.3f}), "
            "which is kept."
        )
    began = best.began_with["f1@0.5"]
    return f"Validation f1@0.5 {before:.3f} (base), {began:.3f} (begun with) -> {after:.3f}."


def adapter_info(
    name: str, model: SamModel, config: TrainingConfig, targets: list[str], best: Best,
    train: list[TrainingImage], val: list[TrainingImage], start: AdapterInfo | None = None,
) -> AdapterInfo:  # fmt: skip
    """Return what the kept epoch's adapter says of itself."""
    return AdapterInfo(
        name=name,
        base=model.name,
        base_fingerprint=model.fingerprint,
        rank=config.rank,
        alpha=config.scaled_alpha,
        targets=targets,
        img_size=model.img_size,
        thresholds=best.thresholds,
        base_thresholds=best.base_thresholds,
        particle_diameter_px=validation.diameter_range(train),
        started_from=start.name if start is not None else "",
        images=all_learned_from(start, [i.stem for i in train]),
        validation_images=[i.stem for i in val],
        metrics={"before": best.before, "after": best.metrics},
        locator=config.train_locator,
        iou_head=config.train_iou_head,
    )
