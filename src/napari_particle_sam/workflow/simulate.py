"""The simulated annotator: correct, learn, next images; what is left to correct after each round."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.events import Event, Message, Progress
from napari_particle_sam.base.files import read_json, write_json
from napari_particle_sam.evaluation.metrics import pool
from napari_particle_sam.evaluation.robot import Effort
from napari_particle_sam.images.reader import read_micrograph
from napari_particle_sam.learning.outcome import TrainingResult
from napari_particle_sam.learning.run_names import ADAPTER
from napari_particle_sam.learning.samples import TrainingImage
from napari_particle_sam.learning.training_images import read_training_images
from napari_particle_sam.learning.validation import fit_thresholds
from napari_particle_sam.sam.adapter_info import INFO
from napari_particle_sam.sam.loading import load_model
from napari_particle_sam.storage.pairs import Pair, list_pairs, write_pair
from napari_particle_sam.storage.regions import read_regions
from napari_particle_sam.workflow.begun_with import keep_settings
from napari_particle_sam.workflow.finetune import prepare, trained
from napari_particle_sam.workflow.simulating.annotator import Corrected, Learner, correct_image
from napari_particle_sam.workflow.simulating.orders import least_known, random_order
from napari_particle_sam.workflow.simulating.results import (
    Row,
    draw,
    effort_columns,
    held_out_columns,
    verdict,
    write_rows,
)
from napari_particle_sam.workflow.simulating.settings import LEARNING, SimulateSettings

ROWS, FIGURE, SUMMARY = "rounds.csv", "simulate.png", "simulate.json"


@dataclass(frozen=True)
class Simulation:
    """What came of it: one row per arm, order and round, and the verdict in words."""

    rows: tuple[Row, ...]
    verdict: str


def simulate(
    pairs_folder: Path, out: Path, settings: SimulateSettings, token: CancelToken, device: str = "auto"
) -> Generator[Event, None, Simulation]:
    """Let a simulated annotator work through a folder of pairs.

    Every (arm, order, round) is written when it is done; the same call goes on where it was stopped.

    Parameters
    ----------
    pairs_folder : Path
        With images/, masks/ and perhaps regions/; the masks are the truth.
    out : Path
        For corrected pairs, runs, rows and figure.
    settings : SimulateSettings
        What is simulated.
    token : CancelToken
        Stops it.
    device : str
        Where to compute.

    Yields
    ------
    Event
        A message per round, progress, and the events of every training.

    Returns
    -------
    Simulation

    Raises
    ------
    BadValueError
        If the pairs are too few, or the folder holds a simulation with other settings.
    """
    pairs = {pair.stem: pair for pair in list_pairs(pairs_folder)}
    settings.check(list(pairs))
    keep_settings(out, "a simulation", settings, pairs)
    work = _Simulation(pairs, out, settings, token, device)
    base_row = yield from work.base_row()
    rows: list[Row] = []
    cells = [(arm, order) for arm in settings.arms for order in range(settings.orders)]
    for number, (arm, order) in enumerate(cells):
        yield Progress(number, len(cells), f"{arm}, order {order + 1}")
        rows.append(base_row | {"arm": arm, "order": order, "round": 0})
        rows += yield from work.one_order(arm, order, base_row)
        write_rows(rows, out / ROWS)
    words = verdict(rows)
    draw(rows, out / FIGURE)
    write_json(out / SUMMARY, {"verdict": words, "settings": settings.model_dump(mode="json"), "rows": rows})
    yield Message(words)
    return Simulation(tuple(rows), words)


class _Simulation:
    """Pairs, base and settings of one simulation."""

    def __init__(
        self, pairs: dict[str, Pair], out: Path, settings: SimulateSettings, token: CancelToken, device: str
    ) -> None:
        self.pairs, self.out, self.settings, self.token, self.device = pairs, out, settings, token, device
        self.images = {i.stem: i for i in read_training_images(pairs.values())}
        self.free = [stem for stem in pairs if stem not in settings.held_out]
        self.base = self._load(None)

    def base_row(self) -> Generator[Event, None, Row]:
        """Measure the base on the held-out images."""
        path = self.out / "cells" / "base.json"
        if not path.exists():
            yield Message("Measuring the base on the held-out images.")
            write_json(path, self._held_out(self.base) | {"learned_from": 0, "trained": False})
        return _read_row(path)

    def one_order(self, arm: str, order: int, base_row: Row) -> Generator[Event, None, list[Row]]:
        """Go through the rounds of an order and return a row for each."""
        numbers = range(1, self.settings.rounds + 1)
        cells = [self.out / "cells" / f"{arm}-o{order}-r{number}.json" for number in numbers]
        if all(cell.exists() for cell in cells):
            return [_read_row(cell) for cell in cells]
        rows, corrected = [], list[str]()
        stems = random_order(self.free, self.settings.seed, order)
        learner = self.base
        for number, cell in zip(numbers, cells, strict=True):
            chosen = self._next(arm, stems, corrected)
            corrected += chosen
            row = _read_row(cell) if cell.exists() else None
            if row is None:
                done = yield from self._correct(arm, order, learner, chosen)
            learner, learned = yield from self._learn(arm, order, number, corrected)
            if row is None:
                held = base_row if arm == "none" else self._held_out(learner)
                row = held | effort_columns(sum((c.correction.effort for c in done), Effort())) | learned
                row |= {"arm": arm, "order": order, "round": number, "images": " ".join(chosen)}
                write_json(cell, row)
            rows.append(row)
            yield Message(
                f"{arm}, order {order + 1}, round {number}: {row['edits_per_particle']:.2f} edits per "
                f"particle, {row['held_out_edits_per_particle']:.2f} on the held-out images afterwards."
            )
        return rows

    def _next(self, arm: str, stems: list[str], corrected: list[str]) -> list[str]:
        left = [s for s in stems if s not in corrected]
        if arm == "suggested":
            return least_known(self.images, left, corrected, self.settings.per_round)
        return left[: self.settings.per_round]

    def _correct(
        self, arm: str, order: int, learner: Learner, stems: list[str]
    ) -> Generator[Event, None, list[Corrected]]:
        """Correct images and keep them as pairs."""
        done = []
        for stem in stems:
            self.token.check()
            found = self._corrected(learner, stem)
            done.append(found)
            self._write(self._pairs_of(arm, order), stem, found)
            yield Progress(len(done), len(stems), f"correcting {stem}")
        return done

    def _corrected(self, learner: Learner, stem: str) -> Corrected:
        settings = self.settings
        return correct_image(learner, self.images[stem], settings.jitter, settings.seed, self.token)

    def _write(self, folder: Path, stem: str, found: Corrected) -> None:
        pair, labels = self.pairs[stem], found.correction.labels
        regions = None if pair.regions_path is None else read_regions(pair.regions_path, self._shape(stem))
        # A data bar, which lies below the field of view, holds nothing.
        whole = np.pad(labels, ((0, self._shape(stem)[0] - labels.shape[0]), (0, 0)))
        write_pair(folder, stem, pair.image_path, whole, regions)

    def _shape(self, stem: str) -> tuple[int, int]:
        shape = read_micrograph(self.pairs[stem].image_path).shape
        return shape[0], shape[1]

    def _pairs_of(self, arm: str, order: int) -> Path:
        return self.out / "corrected" / f"{arm}-o{order}"

    def _learn(
        self, arm: str, order: int, number: int, corrected: list[str]
    ) -> Generator[Event, None, tuple[Learner, Row]]:
        facts: Row = {"learned_from": len(corrected), "trained": False, "steps": 0}
        if arm in LEARNING:
            result, run = yield from self._train(arm, order, number)
            facts |= {"trained": result.gained, "steps": result.steps}
            return (self._load(run) if result.gained else self.base), facts
        if arm == "thresholds":
            return self._tuned(self._read(arm, order, corrected)), facts
        return self.base, facts

    def _train(
        self, arm: str, order: int, number: int
    ) -> Generator[Event, None, tuple[TrainingResult, Path]]:
        run = self._run(arm, order, number)
        start = self._last_gained(arm, order, number) if arm == "continued" else None
        config = self.settings.config.model_copy(update={"seed": self.settings.config.seed + order})

        def begin() -> None:
            prepare(self._pairs_of(arm, order), run, config, device=self.device, start=start)

        return (yield from trained(run, begin, self.token)), run

    def _run(self, arm: str, order: int, number: int) -> Path:
        return self.out / "runs" / f"{arm}-o{order}-r{number}"

    def _last_gained(self, arm: str, order: int, number: int) -> Path | None:
        earlier = (self._run(arm, order, n) for n in reversed(range(1, number)))
        return next((run for run in earlier if (run / ADAPTER / INFO).is_file()), None)

    def _tuned(self, images: Iterable[TrainingImage]) -> Learner:
        """Return the base with the thresholds that fit the corrected images best."""
        known = list(images)
        found = [self.base.candidates(image, self.token) for image in known]
        thresholds, _ = fit_thresholds(found, known, self.base.model.thresholds)
        return self.base.tuned(thresholds)

    def _read(self, arm: str, order: int, corrected: list[str]) -> list[TrainingImage]:
        pairs = {p.stem: p for p in list_pairs(self._pairs_of(arm, order))}
        return read_training_images(pairs[stem] for stem in corrected)

    def _load(self, run: Path | None) -> Learner:
        model = load_model(
            self.settings.config.model,
            adapter=run,
            device=self.device,
            img_size=self.settings.config.img_size,
        )
        return Learner(model, model.thresholds)

    def _held_out(self, learner: Learner) -> Row:
        """Return what is left to correct on the images that nobody learns from."""
        settings = self.settings
        done = [self._corrected(learner, stem) for stem in settings.held_out]
        effort = sum((c.correction.effort for c in done), Effort())
        default = learner.tuned(self.base.model.thresholds)
        masks = sum(len(set(default.labels(self.images[s], self.token).flat)) - 1 for s in settings.held_out)
        score = pool([c.proposed for c in done])["f1@0.5"]
        return held_out_columns(effort) | {"held_out_f1@0.5": score, "held_out_masks": masks}


def _read_row(path: Path) -> Row:
    """Return a written row; JSON has no NaN, which stands where no particle counts."""
    return {key: float("nan") if value is None else value for key, value in read_json(path).items()}
