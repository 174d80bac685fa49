"""Fine-tune a model on a folder of pairs."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from pathlib import Path

from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import BadFileError, BadValueError
from napari_particle_sam.base.events import Event
from napari_particle_sam.base.files import read_json
from napari_particle_sam.learning.config import TrainingConfig
from napari_particle_sam.learning.job import train_run
from napari_particle_sam.learning.launch import RunRequest, prepare_run
from napari_particle_sam.learning.outcome import TrainingResult
from napari_particle_sam.learning.run_names import CANCEL, JOB, PAUSE, RESULT
from napari_particle_sam.sam.adapter_info import find_adapter, read_info
from napari_particle_sam.storage.pairs import list_pairs
from napari_particle_sam.storage.splits import Split, read_groups, split_by_group


def finetune(
    pairs_folder: Path,
    out: Path,
    config: TrainingConfig,
    token: CancelToken,
    groups_csv: Path | None = None,
    val: list[str] | None = None,
    device: str = "auto",
) -> Generator[Event, None, TrainingResult]:
    """Train an adapter for a model on all pairs of a folder.

    Parameters
    ----------
    pairs_folder : Path
        With images/, masks/ and, where something is not reviewed, regions/ of equal stems.
    out : Path
        The run's folder; the pairs are copied into it.
    config : TrainingConfig
        Settings.
    token : CancelToken
        Stops the run; `resume` goes on with it.
    groups_csv : Path, optional
        Columns stem and group; images of one group stay on one side of the split.
    val : list of str, optional
        Stems to validate on instead of a drawn group.
    device : str
        Where to compute.

    Yields
    ------
    Event
        What the run does.

    Returns
    -------
    TrainingResult
        How it ended.
    """
    prepare(pairs_folder, out, config, groups_csv, val, device)
    return (yield from train_run(out, token))


def prepare(
    pairs_folder: Path,
    out: Path,
    config: TrainingConfig,
    groups_csv: Path | None = None,
    val: list[str] | None = None,
    device: str = "auto",
    trackers: tuple[str, ...] = (),
    start: Path | None = None,
) -> None:
    """Make a run's folder complete, its split drawn; `resume` or `launch.start_run` begins it.

    With `start`, the folder of an adapter or its run, it goes on from that adapter.
    """
    stems = [pair.stem for pair in list_pairs(pairs_folder)]
    learned = read_info(find_adapter(start)).images if start is not None else []
    split = _split(stems, config, groups_csv, val, learned)
    prepare_run(out, RunRequest(pairs_folder, config, split, device, trackers=trackers, start=start))


def prepare_of(pairs_folder: Path, out: Path, config: TrainingConfig, stems: list[str], device: str) -> None:
    """Make a run's folder complete with some of the pairs."""
    prepare_run(out, RunRequest(pairs_folder, config, _split(stems, config, None, None), device))


def resume(run: Path, token: CancelToken) -> Generator[Event, None, TrainingResult]:
    """Begin a prepared run, or go on with one that was stopped, killed or paused.

    Raises
    ------
    BadFileError
        If the folder holds no run.
    """
    if not (run / JOB).is_file():
        raise BadFileError(f"{run} holds no run to go on with; leave --resume out.")
    for name in (CANCEL, PAUSE):
        (run / name).unlink(missing_ok=True)
    return (yield from train_run(run, token))


def trained(
    run: Path, begin: Callable[[], None], token: CancelToken
) -> Generator[Event, None, TrainingResult]:
    """Return how a run ended, going on with it where it was stopped, or beginning it.

    Parameters
    ----------
    run : Path
        The run's folder.
    begin : callable
        Makes the folder complete; called where there is none yet.
    token : CancelToken
        Stops the run.

    Yields
    ------
    Event
        What the run does.

    Returns
    -------
    TrainingResult
        How it ended.
    """
    if (run / RESULT).exists():
        return TrainingResult(**read_json(run / RESULT))
    if not (run / JOB).exists():
        begin()
    return (yield from resume(run, token))


def _split(
    stems: list[str],
    config: TrainingConfig,
    groups_csv: Path | None,
    val: list[str] | None,
    learned: Iterable[str] = (),
) -> Split:
    known = read_groups(groups_csv) if groups_csv is not None else {}
    unknown = [s for s in val or () if s not in stems]
    if unknown:
        raise BadValueError(f"--val names {unknown[0]}, which is not among the pairs; check the stem.")
    groups = {stem: known.get(stem, stem) for stem in stems}
    return split_by_group(groups, config.seed, val, config.test_fraction, learned)
