"""What is simulated: arms, orders, rounds."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.learning.config import TrainingConfig

#: What happens between two rounds, and in words.
ARMS = {
    "finetune": "fine-tuning, images in random order",
    "continued": "fine-tuning that goes on from the last adapter",
    "suggested": "fine-tuning, the least known image next",
    "thresholds": "thresholds tuned only",
    "none": "nothing",
}
#: Arms that train.
LEARNING = ("finetune", "continued", "suggested")


class SimulateSettings(BaseModel):
    """What is simulated.

    Attributes
    ----------
    config : TrainingConfig
        Of every fine-tuning.
    arms : tuple of str
        Keys of `ARMS`.
    orders : int
        Random orders of the images, the same for every arm.
    rounds, per_round : int
        Rounds of an order, and images that are corrected in each.
    held_out : tuple of str
        Stems that are measured after each round and never learned from.
    jitter : float
        Standard deviation in pixels by which clicks miss their place.
    seed : int
        Of orders and jitter.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    config: TrainingConfig
    arms: tuple[str, ...] = ("finetune", "thresholds", "none")
    orders: int = Field(5, ge=1, le=100)
    rounds: int = Field(3, ge=1, le=100)
    per_round: int = Field(2, ge=1, le=100)
    held_out: tuple[str, ...] = Field(min_length=1)
    jitter: float = Field(0.0, ge=0, le=1000)
    seed: int = Field(0, ge=0)

    def check(self, stems: list[str]) -> None:
        """Refuse what the pairs cannot give.

        Raises
        ------
        BadValueError
            If an arm or a stem is unknown, or there are too few images.
        """
        if not self.arms:
            raise BadValueError(f"no arm is named; choose from {', '.join(ARMS)}.")
        for arm in self.arms:
            if arm not in ARMS:
                raise BadValueError(f"arm {arm!r} is unknown; choose from {', '.join(ARMS)}.")
        for stem in self.held_out:
            if stem not in stems:
                raise BadValueError(f"there is no image {stem!r} to hold out; name stems of the pairs.")
        left, needed = len(stems) - len(self.held_out), self.rounds * self.per_round
        if left < needed:
            raise BadValueError(
                f"{self.rounds} rounds of {self.per_round} need {needed} images beside those held out, but "
                f"there are {left}; use fewer rounds or add pairs."
            )
