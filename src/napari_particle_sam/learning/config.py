"""The settings of a fine-tuning run and its presets."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from napari_particle_sam.base.errors import BadValueError

#: Of a run whose length is given in steps.
STEPS_BETWEEN_VALIDATIONS = 20


class TrainingConfig(BaseModel):
    """Everything that decides a run besides its images."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    preset: str = "standard"
    model: str = Field("particle-tiny", title="Model", description="The base that is trained on.")
    rank: int = Field(16, gt=0, le=2048, title="Rank", description="Rank of the LoRA updates.")
    alpha: float | None = Field(None, gt=0, title="Alpha", description="Scale times rank; the rank if empty.")
    targets: tuple[str, ...] = Field(
        ("attention", "mlp", "conv"),
        title="Layers",
        description="Kinds of layers that get LoRA updates: attention, mlp, conv.",
    )
    learning_rate: float | None = Field(
        None,
        gt=0,
        le=1,
        title="Learning rate",
        description="Highest step of the optimiser, such as 1e-3; what suits the model if empty.",
    )
    weight_decay: float = Field(
        0.01, ge=0, le=1, title="Weight decay", description="How strongly large updates are held back."
    )
    optimizer: Literal["adamw", "adam"] = Field(
        "adamw", title="Optimiser", description="AdamW, or Adam as in the paper."
    )
    minutes: float | None = Field(30.0, gt=0, title="Minutes", description="Time budget.")
    epochs: int = Field(60, gt=0, title="Epochs", description="Most epochs.")
    steps_per_epoch: int | None = Field(
        None, gt=0, title="Steps per epoch", description="From samples per image if empty."
    )
    samples_per_image: int = Field(
        12, gt=0, title="Samples per image", description="Augmented crops of every image per epoch."
    )
    batch_size: int = Field(4, gt=0, le=256, title="Batch", description="Crops per step.")
    crop: int = Field(
        256, ge=64, le=1024, multiple_of=32, title="Crop", description="Side of a crop in pixels."
    )
    img_size: int | None = Field(
        None, gt=0, le=4096, multiple_of=16, description="Input size of a ViT model."
    )
    instances: int = Field(
        6, gt=0, le=64, title="Particles per crop", description="Prompted particles per crop."
    )
    corrections: float = Field(
        0.1, ge=0, le=1, title="Corrections", description="Share of steps with corrective points."
    )
    scale: tuple[float, float] = Field(
        (0.7, 1.5), title="Scale", description="Crops are scaled by a factor between these two."
    )
    patience: int = Field(6, gt=0, title="Patience", description="Epochs without gain before it stops.")
    train_locator: bool = Field(
        True, title="Train the locator", description="Also train the head that finds particles."
    )
    train_iou_head: bool = Field(
        False, title="Train the IoU head", description="Also train the head that rates masks."
    )
    test_fraction: float = Field(
        0.1,
        ge=0,
        le=0.5,
        title="Test share",
        description="Share of the groups that is kept for tests, from 10 groups on.",
    )
    seed: int = Field(0, ge=0, title="Seed", description="Draws the split and all random numbers.")

    @field_validator("scale")
    @classmethod
    def _ascending(cls, scale: tuple[float, float]) -> tuple[float, float]:
        if not 0 < scale[0] <= scale[1]:
            raise ValueError("must be two positive numbers, the lower first")
        return scale

    @property
    def scaled_alpha(self) -> float:
        """Alpha, which is the rank unless it is set."""
        return float(self.rank if self.alpha is None else self.alpha)


PRESETS: dict[str, dict[str, object]] = {
    "quick": {"minutes": 5.0, "epochs": 30, "patience": 5},
    "standard": {"minutes": 30.0, "epochs": 80, "patience": 8},
    # The seed project's settings: 24 augmented samples per image at 512 px, Adam with decay.
    "paper": {
        "rank": 512, "learning_rate": 1e-4, "optimizer": "adam", "weight_decay": 0.01, "batch_size": 8,
        "epochs": 40, "minutes": None, "crop": 512, "samples_per_image": 24, "targets": ("attention",),
        "patience": 40, "train_locator": False,
    },
}  # fmt: skip


def make_config(preset: str, **changes: object) -> TrainingConfig:
    """Return a preset with changes; None leaves a value as the preset has it.

    Raises
    ------
    BadValueError
        If the preset is unknown or a value is out of range; the sentence names it.
    """
    if preset not in PRESETS:
        raise BadValueError(f"preset {preset!r} is unknown; choose one of {', '.join(PRESETS)}.")
    values = PRESETS[preset] | {k: v for k, v in changes.items() if v is not None}
    try:
        return TrainingConfig(preset=preset, **values)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(p) for p in first["loc"]).replace("_", "-")
        raise BadValueError(
            f"{name} = {first['input']!r} cannot be used ({first['msg']}); change it."
        ) from error


def with_steps(config: TrainingConfig, steps: int) -> TrainingConfig:
    """Return the settings with a number of steps instead of a time; it does not stop early."""
    epochs = max(1, round(steps / STEPS_BETWEEN_VALIDATIONS))
    each = -(-steps // epochs)
    return config.model_copy(
        update={"minutes": None, "epochs": epochs, "steps_per_epoch": each, "patience": epochs}
    )


def paper_rank(width: int) -> int:
    """Return the seed project's rank 512 of ViT-B's 768 channels, as a share of another width."""
    return max(1, round(512 * width / 768))
