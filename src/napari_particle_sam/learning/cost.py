"""What a training will cost, from one timed step on this machine; nothing here needs torch."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.learning.config import TrainingConfig
from napari_particle_sam.learning.plan import Seconds, first_plan
from napari_particle_sam.learning.run_status import words_for

#: A step on a slow machine's processor takes a minute; the largest ViT several.
LIMIT = 1800.0


@dataclass(frozen=True)
class Cost:
    """What a training will cost.

    Attributes
    ----------
    images : int
        To train on.
    steps : int
        Planned.
    minutes : float
        Until its end at the latest; early stopping may end it before.
    seconds_per_step : float
        Timed.
    memory_mb : float or None
        At most; None where the system does not tell.
    """

    images: int
    steps: int
    minutes: float
    seconds_per_step: float
    memory_mb: float | None

    @property
    def sentence(self) -> str:
        """The cost in words."""
        memory = "" if self.memory_mb is None else f" and {max(0.1, self.memory_mb / 1024):.1f} GB of memory"
        many = "image" if self.images == 1 else "images"
        return (
            f"{self.images} {many}, {self.steps} steps of {self.seconds_per_step:.1f} s: "
            f"{words_for(60 * self.minutes)}{memory}, or less if nothing is gained any more."
        )


def estimate(
    images: int, validation: int, config: TrainingConfig, device: str = "auto", threads: int | None = None
) -> Cost:
    """Time a step in a process of its own and reckon what the whole will take.

    Parameters
    ----------
    images, validation : int
        To train on, and to validate on.
    config : TrainingConfig
        Settings.
    device : str
        Where to compute.
    threads : int, optional
        Most threads of the processor.

    Returns
    -------
    Cost
        For this machine as busy as it is now, with images of about 1024 x 768 px.

    Raises
    ------
    BadValueError
        If the model cannot be loaded or not even one crop fits into memory.
    """
    found = _measured(config, device, threads)
    seconds = Seconds(found["step"] or 0.0, validation * (found["validation"] or 0.0))
    plan = first_plan(config, images, seconds, seconds.validation)
    steps = plan.steps(0)
    whole = seconds.validation + steps * seconds.step + -(-steps // plan.steps_per_epoch) * seconds.validation
    return Cost(images, steps, whole / 60, seconds.step, found["memory"])


def _measured(config: TrainingConfig, device: str, threads: int | None) -> dict[str, float | None]:
    question = json.dumps({"config": config.model_dump(mode="json"), "device": device, "threads": threads})
    command = [sys.executable, "-m", "napari_particle_sam.learning.timing"]
    hidden = {"creationflags": subprocess.CREATE_NO_WINDOW} if sys.platform == "win32" else {}
    try:
        done = subprocess.run(
            command, input=question, capture_output=True, encoding="utf-8", timeout=LIMIT, **hidden
        )
        answer = json.loads(done.stdout.strip().splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
        raise BadValueError(
            f"a step of {config.model} could not be timed ({type(error).__name__}); start without it."
        ) from error
    if "error" in answer:
        raise BadValueError(answer["error"])
    return {key: answer[key] for key in ("step", "validation", "memory")}
