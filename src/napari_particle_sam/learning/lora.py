"""LoRA on the image encoder through peft, by full module paths."""

from __future__ import annotations

import re
from collections.abc import Iterator

from segment_anything.modeling import Sam
from torch import Tensor, nn

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.sam.locator_head import LocatorHead

#: Full-path patterns of each target group; bare names would also hit the decoder.
TARGET_GROUPS = {
    "attention": r"image_encoder\.blocks\.\d+\.attn\.(qkv|proj)",
    "mlp": r"image_encoder\.blocks\.\d+\.mlp\.lin[12]",
    "conv": r"image_encoder\.(trunk\.blocks\.\d+\.(expand|project)|lateral\d+|top_down|neck\.0)",
}


def find_targets(sam: Sam, groups: tuple[str, ...]) -> list[str]:
    """Return the full paths of the layers that LoRA adapts.

    Parameters
    ----------
    sam : Sam
        The base.
    groups : tuple of str
        Keys of `TARGET_GROUPS`.

    Returns
    -------
    list of str
        Linear layers and 1x1 convolutions without groups, in the model's order.

    Raises
    ------
    BadValueError
        If a group is unknown or nothing matches.
    """
    unknown = [g for g in groups if g not in TARGET_GROUPS]
    if unknown or not groups:
        raise BadValueError(f"LoRA targets {groups} are unknown; choose from {', '.join(TARGET_GROUPS)}.")
    pattern = re.compile("|".join(f"(?:{TARGET_GROUPS[g]})" for g in groups))
    found = [
        n for n, m in sam.named_modules() if pattern.fullmatch(n) and isinstance(m, (nn.Linear, nn.Conv2d))
    ]
    if not found:
        raise BadValueError(f"LoRA targets {groups} match no layer of this model; choose 'attention'.")
    return found


def attach_lora(sam: Sam, rank: int, alpha: float, targets: list[str], locator: bool, iou_head: bool) -> None:
    """Freeze the model, add LoRA to the targets, and free what is trained along.

    Parameters
    ----------
    sam : Sam
        The base, changed in place.
    rank : int
        Rank of every update.
    alpha : float
        The update is scaled by ``alpha / rank``.
    targets : list of str
        Full module paths.
    locator : bool
        Whether the locator head is trained along; made where the base has none.
    iou_head : bool
        Whether the IoU head is trained along.
    """
    from peft import LoraConfig, inject_adapter_in_model

    pattern = "|".join(re.escape(t) for t in targets)
    config = LoraConfig(
        r=rank, lora_alpha=alpha, lora_dropout=0.0, bias="none", target_modules=f"(?:{pattern})"
    )
    sam.requires_grad_(False)
    inject_adapter_in_model(config, sam)
    if locator:
        if getattr(sam, "locator", None) is None:
            sam.locator = LocatorHead(sam.prompt_encoder.embed_dim).to(sam.device)
        sam.locator.requires_grad_(True)
    if iou_head:
        sam.mask_decoder.iou_prediction_head.requires_grad_(True)


def trained_tensors(sam: Sam, locator: bool, iou_head: bool) -> dict[str, Tensor]:
    """Return copies of what was trained, named as `merge_adapter` reads them."""
    out = {name: weight.detach().clone() for name, weight in _factors(sam)}
    if locator:
        out |= {f"locator.{k}": v.detach().clone() for k, v in sam.locator.state_dict().items()}
    if iou_head:
        head = sam.mask_decoder.iou_prediction_head
        out |= {f"iou_prediction_head.{k}": v.detach().clone() for k, v in head.state_dict().items()}
    return out


def load_trained(sam: Sam, tensors: dict[str, Tensor], locator: bool, iou_head: bool) -> None:
    """Put what `trained_tensors` returned back into a model with the same layers adapted.

    Raises
    ------
    KeyError
        If a tensor is missing.
    RuntimeError
        If a shape does not fit.
    """
    for name, weight in _factors(sam):
        weight.data.copy_(tensors[name].view_as(weight))
    if locator:
        sam.locator.load_state_dict(_under("locator.", tensors))
    if iou_head:
        sam.mask_decoder.iou_prediction_head.load_state_dict(_under("iou_prediction_head.", tensors))


def _factors(sam: Sam) -> Iterator[tuple[str, Tensor]]:
    """Yield the weights that peft added, by the names of `merge_adapter`, A before B."""
    for name, module in sam.named_modules():
        if hasattr(module, "lora_A") and "default" in module.lora_A:
            for part in ("lora_A", "lora_B"):
                yield f"{name}.{part}", getattr(module, part)["default"].weight


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def rank_note(sam: Sam, rank: int, targets: list[str]) -> str | None:
    """Return a sentence where the rank exceeds the smaller side of every target, else None."""
    modules = dict(sam.named_modules())
    sides = [min(modules[t].weight.flatten(1).shape) for t in targets]
    if rank <= max(sides):
        return None
    return f"Rank {rank} is no more expressive than rank {max(sides)} here."
