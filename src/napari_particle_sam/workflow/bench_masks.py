"""Run engines in turn on the same images: seconds, memory, agreement, quality."""

from __future__ import annotations

import platform
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from napari_particle_sam import __version__
from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import BadValueError
from napari_particle_sam.base.events import Event, Message, Progress
from napari_particle_sam.base.files import write_csv, write_json
from napari_particle_sam.evaluation.agreement import SAME_IOU, Agreement, agree
from napari_particle_sam.evaluation.scores import ImageScore, score_image
from napari_particle_sam.sam.engines.engine import resolve_engine
from napari_particle_sam.sam.engines.search import Floors
from napari_particle_sam.sam.generate import GenerateSettings
from napari_particle_sam.sam.model import SamModel
from napari_particle_sam.workflow.benchmarking.fields import BenchField, find_truths, read_bench_field
from napari_particle_sam.workflow.benchmarking.figure import save_ratio_figure
from napari_particle_sam.workflow.benchmarking.rows import COLUMNS, Row, compare_rows, make_row, totals
from napari_particle_sam.workflow.benchmarking.runs import Run, run_engine, warm_up
from napari_particle_sam.workflow.benchmarking.unmatched import LonelyMask, explain
from napari_particle_sam.workflow.segment import split_settings

#: The engine whose disagreements with the reference are listed one by one.
LISTED = "exact"


@dataclass(frozen=True)
class BenchSettings:
    """What is compared, and how.

    Attributes
    ----------
    engines : tuple of str
        In the order in which they run on each image; all that the model has by default.
    values : dict
        Grid and thresholds by name as in `segment.split_settings`; the model's own by default.
    truth : Path, optional
        Folder of true labels.
    size : tuple of int, optional
        Rows and columns to which every image is resized.
    threads : int, optional
        Of torch.
    agreement_iou : float
        Least IoU of two masks that are the same.
    min_area : int
        Smaller particles do not count for F1, in pixels.
    """

    engines: tuple[str, ...] = ()
    values: dict[str, Any] = field(default_factory=dict)
    truth: Path | None = None
    size: tuple[int, int] | None = None
    threads: int | None = None
    agreement_iou: float = SAME_IOU
    min_area: int = 50


@dataclass
class BenchReport:
    """The content of `bench.json`.

    Attributes
    ----------
    command, versions, model, settings
        What ran.
    images : list of dict
        One row per image and engine, as in `bench.csv`.
    engines : dict of str to dict
        Totals by engine.
    unmatched : list of LonelyMask
        Masks on which `exact` and `reference` do not agree.
    """

    command: list[str]
    versions: dict[str, str]
    model: dict[str, Any]
    settings: dict[str, Any]
    images: list[Row] = field(default_factory=list)
    engines: dict[str, Row] = field(default_factory=dict)
    unmatched: list[LonelyMask] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return vars(self) | {"unmatched": [asdict(mask) for mask in self.unmatched]}


def bench_masks(
    model: SamModel, images: list[Path], settings: BenchSettings, token: CancelToken, out: Path | None = None
) -> Generator[Event, None, BenchReport]:
    """Run every engine on every image, one engine after the other on the same image.

    Every engine collects down to the thresholds and no further, makes the label map, and has run once on a
    tiny picture before anything is timed. Candidates are not kept between runs. Results so far are written
    after every image.

    Parameters
    ----------
    model : SamModel
        The model.
    images : list of Path
        Image files with different stems.
    settings : BenchSettings
        What is compared.
    token : CancelToken
        Stops between two batches of prompts.
    out : Path, optional
        Folder for `bench.json`, `bench.csv` and, where the reference runs, `bench.png`.

    Yields
    ------
    Event
        A progress per run, a message per image and engine.

    Returns
    -------
    BenchReport

    Raises
    ------
    BadFileError
        If an image or its truth cannot be used, or the output cannot be written.
    BadValueError
        If a setting is out of range or an engine does not fit the model.
    """
    plans = plan_engines(model, settings)
    truths = {} if settings.truth is None else find_truths(settings.truth, images)
    with _threads(settings.threads):
        bench = _Bench(model, plans, settings, token)
        _write(bench.report, out)
        bench.warm_up()
        for number, path in enumerate(images):
            shown = read_bench_field(path, truths.get(path), settings.size)
            yield from bench.one_image(shown, number, len(images))
            _write(bench.report, out)
    if out is not None:
        save_ratio_figure(out / "bench.png", bench.report.images)
    return bench.report


def plan_engines(model: SamModel, settings: BenchSettings) -> dict[str, GenerateSettings]:
    """Return how each engine runs.

    Raises
    ------
    BadValueError
        If an engine is named twice, is unknown or does not fit the model, or a value is out of range.
    """
    own = ("guided",) if model.has_locator else ()
    names = settings.engines or (*own, "adaptive", "exact", "reference")
    if len(set(names)) != len(names):
        raise BadValueError(f"--engine {', '.join(names)} names an engine twice; name each once.")
    if not 0 < settings.agreement_iou <= 1:
        raise BadValueError(f"--agreement-iou {settings.agreement_iou:g} is no IoU; give 0 to 1, above 0.")
    plans = {}
    for name in names:
        plan, thresholds = split_settings(model, resolve_engine(name, model), settings.values)
        floors = Floors(thresholds.pred_iou, thresholds.mask_threshold - thresholds.stability_offset)
        plans[name] = replace(plan, floors=floors)
    return plans


class _Bench:
    """Runs the engines image by image and keeps the numbers, not the masks."""

    def __init__(
        self, model: SamModel, plans: dict[str, GenerateSettings], settings: BenchSettings, token: CancelToken
    ) -> None:
        self._model, self._plans, self._settings, self._token = model, plans, settings, token
        self._agreements: dict[str, list[Agreement]] = {name: [] for name in plans}
        self._scores: dict[str, list[ImageScore]] = {name: [] for name in plans}
        self.report = _new_report(model, plans, settings)

    def warm_up(self) -> None:
        for plan in self._plans.values():
            small = replace(plan, points_per_side=min(plan.points_per_side, 2), crop_layers=0)
            warm_up(self._model, small, self._token)

    def one_image(self, shown: BenchField, number: int, count: int) -> Generator[Event, None, None]:
        runs: dict[str, Run] = {}
        rows: dict[str, Row] = {}
        for step, (name, plan) in enumerate(self._plans.items()):
            done = number * len(self._plans) + step
            yield Progress(done, count * len(self._plans), f"{shown.name}: {name}")
            runs[name] = run_engine(self._model, shown, plan, self._token)
            rows[name] = make_row(shown, name, runs[name], self._score(name, runs[name], shown))
        compare_rows(rows, self._agree(shown, runs))
        self.report.images += rows.values()
        self.report.settings["memory_measured_by"] = next(iter(runs.values())).memory.way
        self.report.engines = totals(self.report.images, self._agreements, self._scores)
        shares = ", ".join(f"{name} {row['total_s']:.2f} s" for name, row in rows.items())
        yield Message(f"{number + 1}/{count} {shown.name}: {shares}")

    def _score(self, name: str, run: Run, shown: BenchField) -> ImageScore | None:
        if shown.truth is None:
            return None
        score = score_image(run.labels, shown.truth, self._settings.min_area)
        self._scores[name].append(score)
        return score

    def _agree(self, shown: BenchField, runs: dict[str, Run]) -> dict[str, Agreement]:
        if "reference" not in runs:
            return {}
        found, wanted = {}, runs["reference"].final
        for name, run in runs.items():
            if name == "reference":
                continue
            found[name] = agree(run.final.masks, wanted.masks, self._settings.agreement_iou)
            self._agreements[name].append(found[name])
            if name == LISTED:
                thresholds = self._plans[name].thresholds
                self.report.unmatched += explain(shown.name, name, found[name], run.final, wanted, thresholds)
        return found


def _new_report(model: SamModel, plans: dict[str, GenerateSettings], settings: BenchSettings) -> BenchReport:
    first = next(iter(plans.values()))
    versions = {"napari-particle-sam": __version__, "torch": torch.__version__}
    versions |= {"python": platform.python_version(), "platform": platform.platform()}
    identity = {
        "name": model.name, "fingerprint": model.fingerprint, "adapter": model.adapter,
        "device": str(model.sam.device), "img_size": model.img_size,
    }  # fmt: skip
    plain = {
        "engines": list(plans), "points_per_side": first.points_per_side, "crop_layers": first.crop_layers,
        "floors": asdict(first.floors), "thresholds": first.thresholds.model_dump(),
        "threads": torch.get_num_threads(), "resized_to": settings.size, "truth": settings.truth,
        "agreement_iou": settings.agreement_iou, "min_area_of_f1": settings.min_area,
    }  # fmt: skip
    return BenchReport(sys.argv, versions, identity, plain)


def _write(report: BenchReport, out: Path | None) -> None:
    if out is not None:
        write_json(out / "bench.json", report.as_json())
        write_csv(out / "bench.csv", report.images, COLUMNS)


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
