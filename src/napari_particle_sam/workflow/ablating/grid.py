"""Which settings an ablation tries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from pydantic import BaseModel, ConfigDict, Field

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.learning.config import TrainingConfig, make_config, with_steps

#: Which values of a setting are tried; the base's own stands where a setting is not varied.
VARIED = ("rank", "learning_rate", "targets", "train_iou_head")


class AblationSettings(BaseModel):
    """What an ablation tries.

    Attributes
    ----------
    config : TrainingConfig
        What stands where nothing is varied.
    ranks, learning_rates, targets, iou_head : tuple
        Values to try; one that is empty leaves the setting alone.
    seeds : tuple of int
        Every variant is trained with each.
    steps : int
        Of every run: the same work for all.
    held_out : tuple of str
        Stems that are scored and never learned from.
    whole_grid : bool
        Every combination, instead of one setting at a time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    config: TrainingConfig
    ranks: tuple[int, ...] = ()
    learning_rates: tuple[float, ...] = ()
    targets: tuple[tuple[str, ...], ...] = ()
    iou_head: tuple[bool, ...] = ()
    seeds: tuple[int, ...] = Field((0, 1, 2), min_length=1)
    steps: int = Field(120, ge=1)
    held_out: tuple[str, ...] = Field(min_length=1)
    whole_grid: bool = False

    def check(self, stems: list[str]) -> None:
        """Refuse what the pairs cannot give."""
        unknown = [stem for stem in self.held_out if stem not in stems]
        if unknown:
            raise BadValueError(f"there is no image {unknown[0]!r} to hold out; name stems of the pairs.")
        if len(stems) <= len(self.held_out):
            raise BadValueError("all images are held out; leave some to train on.")
        for variant in variants(self):
            # A copy of a config is not checked, and a bad value would show after hours.
            make_config(self.config.preset, **dict(variant.changes))


@dataclass(frozen=True)
class Variant:
    """One choice of settings.

    Attributes
    ----------
    changes : tuple of (str, value)
        What differs from the base's settings, by name of a field of `TrainingConfig`.
    """

    changes: tuple[tuple[str, object], ...]

    @property
    def name(self) -> str:
        """For files and tables: ``rank 16, learning rate 0.001``."""
        return ", ".join(f"{key.replace('_', ' ')} {_short(value)}" for key, value in self.changes)

    @property
    def slug(self) -> str:
        """For folders on every system."""
        return self.name.replace(", ", "_").replace(" ", "-").replace("+", "-")

    def config(self, settings: AblationSettings, seed: int) -> TrainingConfig:
        """Return the settings of a run."""
        config = with_steps(settings.config, settings.steps)
        return config.model_copy(update=dict(self.changes) | {"seed": seed, "test_fraction": 0.0})


def variants(settings: AblationSettings) -> list[Variant]:
    """Return what is tried, each once; without any values the settings as they are."""
    values = {
        "rank": settings.ranks, "learning_rate": settings.learning_rates, "targets": settings.targets,
        "train_iou_head": settings.iou_head,
    }  # fmt: skip
    chosen = {key: tried for key, tried in values.items() if tried}
    found = _whole(chosen) if settings.whole_grid else _one_at_a_time(chosen, settings.config)
    return list(dict.fromkeys(found))


def _whole(values: dict[str, tuple[object, ...]]) -> Iterator[Variant]:
    for combination in product(*values.values()):
        yield Variant(tuple(zip(values, combination, strict=True)))


def _one_at_a_time(values: dict[str, tuple[object, ...]], config: TrainingConfig) -> Iterator[Variant]:
    # Where one is changed the others stand at their own, so that the base appears once; a value that is
    # left to the model has no number to stand at.
    own = {key: getattr(config, key) for key in values if getattr(config, key) is not None}
    if own or not values:
        yield Variant(tuple(own.items()))
    for key, tried in values.items():
        for value in tried:
            changed = own | {key: value}
            yield Variant(tuple((name, changed[name]) for name in values if name in changed))


def _short(value: object) -> str:
    if isinstance(value, tuple):
        return "+".join(str(v) for v in value)
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else f"{value:g}"
