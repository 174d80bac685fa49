"""Segment a batch of micrographs into label maps and particle tables."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Generator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from napari_particle_sam import __version__
from napari_particle_sam.annotation.thresholds import Thresholds
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import BadFileError, BadValueError, CancelledError, ParticleSamError
from napari_particle_sam.base.events import Event, Message, Progress
from napari_particle_sam.base.files import write_csv, write_json
from napari_particle_sam.images.micrograph import Micrograph
from napari_particle_sam.images.pixel_size import PixelSize
from napari_particle_sam.measurement.particles import COLUMNS, particle_rows
from napari_particle_sam.sam.engines.search import Floors
from napari_particle_sam.sam.generate import GenerateSettings
from napari_particle_sam.sam.model import SamModel
from napari_particle_sam.storage.labels import write_labels
from napari_particle_sam.storage.regions import REGION_SUFFIX
from napari_particle_sam.workflow.collecting import CandidateCache
from napari_particle_sam.workflow.propose import Proposed, propose_labels
from napari_particle_sam.workflow.segment_reading import choose_pixel_size, read_field


@dataclass(frozen=True)
class SegmentSettings:
    """How a batch is segmented.

    Attributes
    ----------
    generate : GenerateSettings
        How candidates are collected.
    thresholds : Thresholds
        How they are filtered.
    databar : int, optional
        Rows of the data bar at the bottom; None looks for one in every image that has no region map.
    pixel_size : PixelSize, optional
        Of every image; it goes before what files say.
    page : int, optional
        Page of every file, counted from 1; the first by default.
    skip_existing : bool
        Whether images whose labels are there are left alone.
    root : Path, optional
        Keep the folders below it in the output.
    regions : Path, optional
        Folder of region maps: `STEM.png`, in subfolders where `root` is given. Nothing is proposed where they
        say ignore; rows at the lower edge that are ignored as a whole are the data bar. Images without a
        map are segmented as a whole, but for burnt-in letters and scale bars that are found.
    cache : CandidateCache, optional
        Where candidates are kept, so that other thresholds need no network and a killed job goes on.
    """

    generate: GenerateSettings
    thresholds: Thresholds
    databar: int | None = None
    pixel_size: PixelSize | None = None
    skip_existing: bool = False
    root: Path | None = None
    regions: Path | None = None
    page: int | None = None
    cache: CandidateCache | None = None


@dataclass
class SegmentReport:
    """What a batch did; the content of `run.json`."""

    command: list[str]
    versions: dict[str, str]
    model: dict[str, Any]
    settings: dict[str, Any]
    images: list[dict[str, Any]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    failures: list[dict[str, str]] = field(default_factory=list)


def segment_batch(
    model: SamModel, inputs: list[Path], out: Path, settings: SegmentSettings, token: CancelToken
) -> Generator[Event, None, SegmentReport]:
    """Segment images one by one; a bad one is reported and the rest still done.

    Parameters
    ----------
    model : SamModel
        The model.
    inputs : list of Path
        Image files with different stems.
    out : Path
        Folder for `STEM.labels.tif`, `STEM.particles.csv` and `run.json`.
    settings : SegmentSettings
        How to segment.
    token : CancelToken
        Stops between two passes; what is finished stays.

    Yields
    ------
    Event
        A progress per image, a message per failure.

    Returns
    -------
    SegmentReport
        Also written as `run.json`.

    Raises
    ------
    BadFileError
        If the output cannot be written, or none of the images has a region map where a folder is given.
    """
    _check_regions(inputs, settings)
    report = _new_report(model, settings)
    _check_writable(out)
    for done, path in enumerate(inputs):
        yield Progress(done, len(inputs), path.name)
        target = _target(path, out, settings)
        if settings.skip_existing and target.with_name(path.stem + ".labels.tif").exists():
            report.skipped.append(path.as_posix())
            continue
        try:
            report.images.append((yield from _segment_one(model, path, target, settings, token)))
        except CancelledError:
            write_json(out / "run.json", vars(report))
            raise
        except ParticleSamError as error:
            report.failures.append({"image": path.as_posix(), "error": str(error)})
            yield Message(str(error))
    yield Progress(len(inputs), len(inputs), "done")
    write_json(out / "run.json", vars(report))
    return report


def _new_report(model: SamModel, settings: SegmentSettings) -> SegmentReport:
    import torch

    versions = {"napari-particle-sam": __version__, "torch": torch.__version__}
    versions |= {"python": platform.python_version(), "platform": platform.platform()}
    identity = {
        "name": model.name, "fingerprint": model.fingerprint, "adapter": model.adapter,
        "device": str(model.sam.device), "img_size": model.img_size,
    }  # fmt: skip
    generate = {k: v for k, v in vars(settings.generate).items() if k not in ("thresholds", "floors")}
    plain = {
        **generate, "floors": asdict(settings.generate.floors),
        "databar": "auto" if settings.databar is None else settings.databar, "page": settings.page,
        "thresholds": settings.thresholds.model_dump(),
        "regions": None if settings.regions is None else settings.regions.as_posix(),
        "pixel_size": None if settings.pixel_size is None else asdict(settings.pixel_size),
    }  # fmt: skip
    return SegmentReport(sys.argv, versions, identity, plain)


def _check_writable(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe = out / ".write-test"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise BadFileError(f"{out} cannot be written ({error.strerror}); choose another --out.") from error


def _check_regions(inputs: list[Path], settings: SegmentSettings) -> None:
    if settings.regions is not None and not any(_regions_path(p, settings) for p in inputs):
        raise BadFileError(
            f"{settings.regions} has no region map {inputs[0].stem}{REGION_SUFFIX} or of another image; "
            "check --regions."
        )


def _regions_path(path: Path, settings: SegmentSettings) -> Path | None:
    if settings.regions is None:
        return None
    found = _target(path, settings.regions, settings).with_name(path.stem + REGION_SUFFIX)
    return found if found.is_file() else None


def _target(path: Path, out: Path, settings: SegmentSettings) -> Path:
    if settings.root is None:
        return out / path.name
    return out / path.resolve().relative_to(settings.root.resolve())


def _segment_one(
    model: SamModel, path: Path, target: Path, settings: SegmentSettings, token: CancelToken
) -> Generator[Event, None, dict[str, Any]]:
    began = time.perf_counter()
    known = _regions_path(path, settings)
    micrograph, regions, found = read_field(path, settings.databar, settings.page, known)
    pixel, remarks = choose_pixel_size(micrograph, settings.pixel_size)
    for remark in remarks:
        yield Message(f"{path.name}: {remark}")
    read = time.perf_counter()
    proposed = yield from propose_labels(
        model, micrograph, settings.generate, settings.thresholds, token, regions, settings.cache
    )
    finished = time.perf_counter()
    write_labels(target.with_name(path.stem + ".labels.tif"), proposed.labels)
    nm = None if pixel is None else pixel.nm
    rows = particle_rows(proposed.labels, nm, proposed.scores(), micrograph.field_rows, micrograph.pixels)
    write_csv(target.with_name(path.stem + ".particles.csv"), rows, COLUMNS)
    seconds = {"read": read - began, **proposed.seconds, "write": time.perf_counter() - finished}
    entry = _image_entry(micrograph, proposed, pixel, seconds)
    maps = None if known is None else known.as_posix()
    return entry | found | {"regions": maps, "remarks": remarks}


def _image_entry(
    micrograph: Micrograph, proposed: Proposed, pixel: PixelSize | None, seconds: dict[str, float]
) -> dict[str, Any]:
    return {
        "image": Path(micrograph.path).as_posix(),
        "sha256": micrograph.sha256,
        "shape": micrograph.shape,
        "field_rows": micrograph.field_rows,
        "pixel_size": None if pixel is None else asdict(pixel),
        "particles": len(proposed.proposals),
        "network_passes": len(proposed.candidates.frames),
        "candidates": len(proposed.candidates),
        "from_cache": proposed.from_cache,
        "seconds": {k: round(v, 4) for k, v in seconds.items()} | {"total": round(sum(seconds.values()), 4)},
    }


def split_settings(
    model: SamModel, engine: str, values: dict[str, Any]
) -> tuple[GenerateSettings, Thresholds]:
    """Sort plain values into settings of the generator and thresholds, with the model's defaults.

    Raises
    ------
    BadValueError
        If a value is out of range; the sentence names it.
    """
    own = ("points_per_side", "crop_layers", "crop_downscale")
    changes = {k: v for k, v in values.items() if k not in own}
    try:
        thresholds = Thresholds.model_validate(model.thresholds.model_dump() | changes)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).replace("_", "-")
        raise BadValueError(
            f"--{name} {first['input']} cannot be used ({first['msg']}); change it."
        ) from error
    floors = Floors(pred_iou=min(Floors().pred_iou, thresholds.pred_iou))
    generate = GenerateSettings(
        engine, floors, thresholds=thresholds, **{k: v for k, v in values.items() if k in own}
    )
    return generate, thresholds
