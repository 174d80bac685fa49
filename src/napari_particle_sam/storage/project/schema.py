"""What stands in ``project.json``."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator, model_validator

from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.images.calibration import LARGEST_NM, SMALLEST_NM
from napari_particle_sam.storage.project.names import is_absolute, is_plain_relative, safe_name, same_name

#: Version of ``project.json`` that this code writes.
SCHEMA_VERSION: Final = 4
DEFAULT_CLASS = "particle"
#: How a pixel size came to be known if nothing else is said.
TYPED: Final = "typed"
_MOST_PIXELS = 2**28

Unit = Literal["whole", "part"]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Sentence = Annotated[str, Field(max_length=2000)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Stored(BaseModel):
    """Base of everything that a project keeps in JSON: frozen, and unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ImageEntry(Stored):
    """One image of a project.

    Attributes
    ----------
    key : str
        Its name in the project, and the name of the folder of its sessions; mostly the file's stem.
    path : str
        POSIX path relative to the project. Only a referenced image may have ``..`` in it or be absolute.
    storage : str
        ``copied`` into the project, or ``referenced`` where it lies.
    sha256 : str
        Of the file's bytes when it was added.
    size : int
        Of the file in bytes; 0 where it is not known.
    rows, cols : int
        Of the whole file in pixels.
    group : str
        Specimen or paper; images of one group stay on one side of a split. Empty for the image itself.
    pixel_size_nm : float or None
        Side of a pixel in nanometres as a person gave it; None where what the file says holds.
    pixel_size_source : str
        A few words on how it was given, such as ``typed`` or ``drawn along the scale bar``.
    databar_rows : int or None
        Rows of the data bar at the lower edge as a person gave them, 0 for none; None: look for it.
    """

    key: Name
    path: Annotated[str, Field(min_length=1, max_length=4000)]
    storage: Literal["copied", "referenced"] = "copied"
    sha256: Sha256
    size: Annotated[int, Field(ge=0)] = 0
    rows: int = Field(ge=1, le=_MOST_PIXELS)
    cols: int = Field(ge=1, le=_MOST_PIXELS)
    group: Annotated[str, Field(max_length=200)] = ""
    pixel_size_nm: Annotated[float, Field(ge=SMALLEST_NM, le=LARGEST_NM)] | None = None
    pixel_size_source: Annotated[str, Field(min_length=1, max_length=200)] = TYPED
    databar_rows: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _check(self) -> ImageEntry:
        if self.rows * self.cols > _MOST_PIXELS:
            raise ValueError(f"{self.rows} x {self.cols} pixels are too many")
        if safe_name(self.key) != self.key:
            raise ValueError(f"'{self.key}' cannot be a folder")
        if self.storage == "copied" and not is_plain_relative(self.path):
            raise ValueError(f"'{self.path}' leaves the project")
        if not self.path.isprintable() or "\\" in self.path and not is_absolute(self.path):
            raise ValueError(f"'{self.path}' is no POSIX path")
        if self.databar_rows is not None and self.databar_rows >= self.rows:
            raise ValueError(f"a data bar of {self.databar_rows} rows leaves nothing of {self.rows} rows")
        return self

    @property
    def shape(self) -> tuple[int, int]:
        """``(rows, cols)``."""
        return self.rows, self.cols


class BaseEntry(Stored):
    """The base model that a project first trained on, and so always trains on."""

    name: Name
    fingerprint: Sha256


class AdapterEntry(Stored):
    """An adapter of a project: name, folder relative to the project, and the base it belongs to."""

    name: Name
    path: Annotated[str, Field(min_length=1, max_length=4000)]
    base_fingerprint: Sha256
    created: AwareDatetime

    @field_validator("path")
    @classmethod
    def _check_path(cls, path: str) -> str:
        if not is_plain_relative(path):
            raise ValueError(f"'{path}' leaves the project")
        return path


class RoundEntry(Stored):
    """One turn of proposing, correcting and training.

    Attributes
    ----------
    number : int
        From 1.
    images : tuple of str
        Keys of the images corrected in it.
    edits : dict of str to int
        Number of actions by kind.
    active_seconds : float
        Of annotation.
    metrics : dict of str to float
        As `evaluation` names them.
    adapter : str or None
        Name of the adapter that came out.
    """

    number: int = Field(ge=1)
    images: tuple[Name, ...] = ()
    edits: dict[str, int] = {}
    active_seconds: Annotated[float, Field(ge=0)] = 0.0
    metrics: dict[str, float] = {}
    adapter: Name | None = None


class StartEntry(Stored):
    """Thresholds that proposing begins with, tuned for one model on an image of the project.

    Attributes
    ----------
    model : str
        A name of the registry, or a path to a weights file.
    adapter : str
        POSIX path of the adapter's folder, relative to the project where it lies in it; empty for none. It is
        compared only, never opened.
    thresholds : Thresholds
        The thresholds.
    """

    model: Annotated[str, Field(min_length=1, max_length=4000)]
    adapter: Annotated[str, Field(max_length=4000)] = ""
    thresholds: Thresholds


class ProjectFile(Stored):
    """The content of ``project.json``.

    Attributes
    ----------
    schema_version : int
        Always `SCHEMA_VERSION`; older files are migrated before they come here.
    created : datetime
        With its time zone.
    unit : str
        What is counted: ``whole`` particles or the ``part`` s they are made of.
    instance_is : str
        The annotator's words after "one instance is".
    classes : tuple of str
        Names an instance may have.
    images : tuple of ImageEntry
        In the order in which they were added.
    rounds, adapters, base
        What training left.
    starts : tuple of StartEntry
        What proposing begins with, one entry per model and adapter.
    """

    schema_version: Literal[4] = SCHEMA_VERSION
    created: AwareDatetime
    unit: Unit = "whole"
    instance_is: Sentence = ""
    classes: tuple[Name, ...] = (DEFAULT_CLASS,)
    images: Annotated[tuple[ImageEntry, ...], Field(max_length=100_000)] = ()
    rounds: tuple[RoundEntry, ...] = ()
    adapters: tuple[AdapterEntry, ...] = ()
    base: BaseEntry | None = None
    starts: Annotated[tuple[StartEntry, ...], Field(max_length=1000)] = ()

    @model_validator(mode="after")
    def _check(self) -> ProjectFile:
        if not self.classes or len(set(self.classes)) != len(self.classes):
            raise ValueError("the classes are empty or there twice")
        _check_unique([image.key for image in self.images], "image")
        _check_unique([adapter.name for adapter in self.adapters], "adapter")
        if len({(start.model, start.adapter) for start in self.starts}) != len(self.starts):
            raise ValueError("one model's thresholds are there twice")
        return self

    def image(self, key: str) -> ImageEntry | None:
        """Return the image of a key, upper and lower case being one, or None."""
        exact = next((image for image in self.images if image.key == key), None)
        return exact or next((image for image in self.images if same_name(image.key, key)), None)


def _check_unique(names: list[str], what: str) -> None:
    if len({name.casefold() for name in names}) != len(names):
        raise ValueError(f"one {what} is there twice")
