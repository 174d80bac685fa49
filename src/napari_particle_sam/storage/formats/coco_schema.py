"""What a COCO file of instance masks may hold; fields of other tools beside it are passed over."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from napari_particle_sam.storage.formats.dataset import LONGEST_KIND, LONGEST_SIDE

MOST_IMAGES = 100_000
MOST_ANNOTATIONS = 2_000_000
MOST_CATEGORIES = 10_000

Id = Annotated[int, Field(ge=0, lt=2**63)]
Side = Annotated[int, Field(gt=0, le=LONGEST_SIDE)]
Coordinate = Annotated[float, Field(ge=-1e6, le=1e6)]
Polygon = Annotated[list[Coordinate], Field(min_length=6)]


class CocoModel(BaseModel):
    """Base of all parts."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class RunLengths(CocoModel):
    """A mask by run lengths, ``size`` being ``[rows, cols]``."""

    size: tuple[Side, Side]
    counts: str | list[Annotated[int, Field(ge=0, lt=2**32)]]


class CocoImage(CocoModel):
    """One image."""

    id: Id
    file_name: Annotated[str, Field(min_length=1, max_length=1000)]
    height: Side
    width: Side


class CocoCategory(CocoModel):
    """One class."""

    id: Id
    name: Annotated[str, Field(min_length=1, max_length=LONGEST_KIND)]


class CocoAnnotation(CocoModel):
    """One instance; its box and area are not read, since its mask says them."""

    id: Id
    image_id: Id
    category_id: Id
    segmentation: RunLengths | list[Polygon]
    iscrowd: Annotated[int, Field(ge=0, le=1)] = 0
    attributes: dict[str, Any] = {}


class CocoFile(CocoModel):
    """The whole file."""

    images: Annotated[list[CocoImage], Field(max_length=MOST_IMAGES)]
    annotations: Annotated[list[CocoAnnotation], Field(max_length=MOST_ANNOTATIONS)]
    categories: Annotated[list[CocoCategory], Field(max_length=MOST_CATEGORIES)]
