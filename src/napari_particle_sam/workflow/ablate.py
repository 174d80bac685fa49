"""What settings of fine-tuning are worth: variants over seeds, scored on images that none learned from."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import BadModelError, JobError
from napari_particle_sam.base.events import Event, Message, Progress
from napari_particle_sam.base.files import read_json, write_json
from napari_particle_sam.learning.outcome import TrainingResult
from napari_particle_sam.learning.samples import TrainingImage
from napari_particle_sam.learning.training_images import read_training_images
from napari_particle_sam.learning.validation import collect, score
from napari_particle_sam.sam.defaults import find_weights
from napari_particle_sam.sam.loading import load_model
from napari_particle_sam.sam.model import SamModel
from napari_particle_sam.storage.pairs import Pair, list_pairs
from napari_particle_sam.workflow.ablating.grid import AblationSettings, Variant, variants
from napari_particle_sam.workflow.ablating.results import (
    AT_DEFAULT,
    METRICS,
    Row,
    draw,
    summarise,
    write_rows,
    write_table,
)
from napari_particle_sam.workflow.begun_with import keep_settings
from napari_particle_sam.workflow.finetune import prepare_of, trained

ROWS, TABLE, FIGURE, SUMMARY = (
    "ablation.csv", "ablation.md", "ablation.png", "ablation.json",
)  # fmt: skip
BASE = "base"


@dataclass(frozen=True)
class Ablation:
    """What came of it: a row per run, and means over seeds by variant."""

    rows: tuple[Row, ...]
    summary: tuple[Row, ...]


def ablate(
    pairs_folder: Path, out: Path, settings: AblationSettings, token: CancelToken, device: str = "auto"
) -> Generator[Event, None, Ablation]:
    """Train every variant with every seed and score it at its own thresholds on the held-out images.

    Every run is kept; the same call goes on where it was stopped. A model whose weights are not on this
    machine is skipped, and the table says why.

    Parameters
    ----------
    pairs_folder : Path
        With images/ and masks/.
    out : Path
        For runs, table and figure.
    settings : AblationSettings
        What is tried.
    token : CancelToken
        Stops it.
    device : str
        Where to compute.

    Yields
    ------
    Event
        A message per run, progress, and the events of every training.

    Returns
    -------
    Ablation

    Raises
    ------
    BadValueError
        If the pairs do not suffice, or the folder holds an ablation with other settings.
    """
    pairs = {pair.stem: pair for pair in list_pairs(pairs_folder)}
    settings.check(list(pairs))
    keep_settings(out, "an ablation", settings, pairs)
    skipped = _missing(settings.config.model)
    if skipped:
        rows = [
            {"variant": v.name, "seed": s, "note": skipped}
            for v in variants(settings)
            for s in settings.seeds
        ]
        yield Message(skipped)
    else:
        rows = yield from _Runs(pairs_folder, pairs, out, settings, token, device).all()
    summary = summarise(rows)
    write_rows(rows, out / ROWS)
    write_table(summary, out / TABLE)
    draw(rows, out / FIGURE)
    write_json(
        out / SUMMARY, {"settings": settings.model_dump(mode="json"), "summary": summary, "rows": rows}
    )
    return Ablation(tuple(rows), tuple(summary))


class _Runs:
    """The runs of one ablation."""

    def __init__(
        self, folder: Path, pairs: dict[str, Pair], out: Path, settings: AblationSettings,
        token: CancelToken, device: str,
    ) -> None:  # fmt: skip
        self.folder, self.out, self.settings, self.token, self.device = folder, out, settings, token, device
        self.held_out = read_training_images(pairs[stem] for stem in settings.held_out)
        self.stems = [stem for stem in pairs if stem not in settings.held_out]
        self.default = self._load(None).thresholds

    def all(self) -> Generator[Event, None, list[Row]]:
        """Return a row for the base and one for every run."""
        rows = [self._base()]
        tried = [(variant, seed) for variant in variants(self.settings) for seed in self.settings.seeds]
        for number, (variant, seed) in enumerate(tried):
            yield Progress(number, len(tried), variant.name)
            self.token.check()
            row = yield from self._one(variant, seed)
            rows.append(row)
            told = row["note"] if row.get("note") else f"held-out f1@0.5 {row['f1@0.5']:.3f}"
            yield Message(f"{variant.name}, seed {seed}: {told}")
            write_rows(rows, self.out / ROWS)
        return rows

    def _base(self) -> Row:
        path = self.out / "runs" / f"{BASE}.json"
        if not path.exists():
            model = self._load(None)
            write_json(path, {"variant": BASE, "seed": None} | self._scores(model))
        row: Row = read_json(path)
        return row

    def _one(self, variant: Variant, seed: int) -> Generator[Event, None, Row]:
        run = self.out / "runs" / f"{variant.slug}_seed-{seed}"
        kept = run / "scores.json"
        if kept.exists():
            row: Row = read_json(kept)
            return row
        row = {"variant": variant.name, "seed": seed}
        try:
            result = yield from self._trained(run, variant, seed)
        except JobError as error:
            # A rate that is too high is a finding; the other variants must still be tried.
            row |= {"gained": False, "note": f"failed: {error}"}
        else:
            row |= {"gained": result.gained, "steps": result.steps, "seconds": result.seconds}
            # Without a gain the product keeps the base, and so does the table.
            row |= self._scores(self._load(run)) if result.gained else self._measured_base()
        write_json(kept, row)
        return row

    def _trained(self, run: Path, variant: Variant, seed: int) -> Generator[Event, None, TrainingResult]:
        def begin() -> None:
            prepare_of(self.folder, run, variant.config(self.settings, seed), self.stems, self.device)

        return (yield from trained(run, begin, self.token))

    def _measured_base(self) -> Row:
        return {key: value for key, value in self._base().items() if key not in ("variant", "seed")}

    def _scores(self, model: SamModel) -> Row:
        images: list[TrainingImage] = self.held_out
        collected = collect(model, images, self.token)
        own = score(collected, images, model.thresholds)
        default = score(collected, images, self.default)
        return (
            {m: own[m] for m in METRICS}
            | {m: default[m.partition(",")[0]] for m in AT_DEFAULT}
            | {"masks": own["predicted"], "true": own["true"]}
        )

    def _load(self, run: Path | None) -> SamModel:
        config = self.settings.config
        return load_model(config.model, adapter=run, device=self.device, img_size=config.img_size)


def _missing(model: str) -> str | None:
    """Return why a model cannot be tried here, None where it can."""
    try:
        path = find_weights(model)
    except BadModelError as error:
        return f"skipped: {error}"
    return None if path.is_file() else f"skipped: {path} does not exist."
