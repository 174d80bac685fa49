"""`job.json`: what a run is to do, complete before it starts."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.base.files import read_json, write_json
from napari_particle_sam.learning.config import TrainingConfig
from napari_particle_sam.learning.run_names import JOB
from napari_particle_sam.storage.splits import Split


class JobSpec(BaseModel):
    """What a run is to do.

    Attributes
    ----------
    created : datetime
        When it was asked for.
    config : TrainingConfig
        Settings.
    train, val, test : tuple of str
        Stems of the pairs by side of the split.
    split_note : str
        What the split can and cannot say.
    device : str
        Where to compute.
    threads : int or None
        Most threads of the processor; torch's choice if None.
    note : str
        The user's words.
    trackers : tuple of str
        Who is told beside the event log.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    schema_version: Literal[1] = 1
    created: AwareDatetime
    config: TrainingConfig
    train: tuple[str, ...]
    val: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    split_note: str = ""
    device: str = "auto"
    threads: int | None = Field(None, ge=1)
    note: str = ""
    trackers: tuple[str, ...] = ()

    @property
    def split(self) -> Split:
        """The sides as a `Split`."""
        return Split(self.train, self.val, self.test, self.split_note)


def write_job(run: Path, spec: JobSpec) -> None:
    """Write `job.json`."""
    write_json(run / JOB, spec.model_dump(mode="json"))


def read_job(run: Path) -> JobSpec:
    """Read `job.json`.

    Raises
    ------
    BadFileError
        If it is missing or no such file.
    """
    try:
        return JobSpec.model_validate(read_json(run / JOB))
    except ValidationError as error:
        where = ".".join(str(p) for p in error.errors()[0]["loc"])
        raise BadFileError(f"{run / JOB} is no job (at {where}); start the training again.") from error
