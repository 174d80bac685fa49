"""Going on from an adapter: its copy in the run's folder, and its tensors in a network that is trained."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from napari_particle_sam.base.errors import BadFileError, BadModelError, BadValueError
from napari_particle_sam.base.files import atomic_path
from napari_particle_sam.learning.config import TrainingConfig
from napari_particle_sam.learning.run_names import START
from napari_particle_sam.sam.adapter_info import INFO, WEIGHTS, AdapterInfo, find_adapter, read_info

TYPE_CHECKING = False
if TYPE_CHECKING:
    from napari_particle_sam.sam.model import SamModel


def copy_start(source: Path | None, run: Path, config: TrainingConfig) -> None:
    """Copy an adapter into a run that is to go on from it; what an earlier, broken attempt left is removed.

    Parameters
    ----------
    source : Path or None
        The adapter's folder or its run; None to begin from the base.
    run : Path
        The new run's folder.
    config : TrainingConfig
        The new run's settings.

    Raises
    ------
    BadModelError
        If there is no adapter.
    BadValueError
        If it was trained with other settings than the new run's.
    BadFileError
        If the run's folder cannot be written.
    """
    try:
        with suppress(FileNotFoundError):
            shutil.rmtree(run / START)
    except OSError as error:
        raise BadFileError(
            f"{run / START} cannot be removed ({error.strerror or error}); choose another folder."
        ) from error
    if source is None:
        return
    folder = find_adapter(source)
    check_settings(read_info(folder), folder, config)
    for name in (WEIGHTS, INFO):
        with atomic_path(run / START / name) as part:
            shutil.copyfile(folder / name, part)


def check_settings(info: AdapterInfo, folder: Path, config: TrainingConfig) -> None:
    """Refuse to go on from an adapter whose tensors another setting has not, or has more of."""
    pairs = {
        "rank": (info.rank, config.rank),
        "alpha": (info.alpha, config.scaled_alpha),
        "train-locator": (info.locator, config.train_locator),
        "train-iou-head": (info.iou_head, config.train_iou_head),
    }
    # What the paper's rank becomes is known with the base's width only.
    other = [name for name, (had, asked) in pairs.items() if had != asked and config.preset != "paper"]
    if other:
        had, asked = pairs[other[0]]
        raise BadValueError(
            f"{folder} was trained with {other[0]} {_word(had)}, not {_word(asked)}; train with the same, "
            "or begin from the base."
        )


def read_start(run: Path) -> AdapterInfo | None:
    """Return what the adapter says that a run goes on from, None where it begins from the base."""
    return read_info(run / START) if (run / START / INFO).is_file() else None


def load_start(model: SamModel, run: Path, info: AdapterInfo, targets: Iterable[str]) -> None:
    """Give a network with LoRA attached the tensors that a run goes on from.

    Parameters
    ----------
    model : SamModel
        The base, LoRA attached; changed in place.
    run : Path
        The run, which holds a copy of the adapter.
    info : AdapterInfo
        What `read_start` returned.
    targets : iterable of str
        Full paths of the layers that the run adapts.

    Raises
    ------
    BadModelError
        If it is damaged, was trained on another base, or adapts other layers.
    """
    from napari_particle_sam.learning.lora import load_trained
    from napari_particle_sam.sam.adapters import check_base, read_tensors

    folder = run / START
    check_base(info, folder, model.fingerprint)
    if sorted(info.targets) != sorted(targets):
        raise BadModelError(
            f"{info.name} adapts other layers than these settings; train the same, or begin from the base."
        )
    try:
        load_trained(model.sam, read_tensors(folder / WEIGHTS), info.locator, info.iou_head)
    except (KeyError, RuntimeError) as error:
        raise BadModelError(f"{folder} has tensors of a wrong shape; begin from another adapter.") from error


def all_learned_from(info: AdapterInfo | None, stems: Iterable[str]) -> list[str]:
    """Return the stems that a run learned from, with those of the adapters that it goes on from."""
    return sorted({*stems, *(info.images if info is not None else ())})


def _word(value: object) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else f"{value:g}"
