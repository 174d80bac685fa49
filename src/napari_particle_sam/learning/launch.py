"""Prepare a run's folder and start its process; nothing here needs torch."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from napari_particle_sam.base.errors import BadFileError, BadValueError
from napari_particle_sam.base.files import atomic_path, write_json, write_text
from napari_particle_sam.images.inputs import IMAGE_SUFFIXES
from napari_particle_sam.learning.config import TrainingConfig
from napari_particle_sam.learning.job_spec import JobSpec, read_job, write_job
from napari_particle_sam.learning.run_lock import is_held
from napari_particle_sam.learning.run_names import (
    CANCEL,
    FAILURE,
    JOB,
    LOG,
    PAIRS,
    PAUSE,
    RESULT,
    STARTING,
)
from napari_particle_sam.learning.warm_start import copy_start
from napari_particle_sam.storage.pairs import IMAGES, MASKS, REGIONS, Pair, list_pairs
from napari_particle_sam.storage.splits import Split

#: Processes that this one started; kept so that those that end are not left as zombies.
_children: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True)
class RunRequest:
    """What to train on what.

    Attributes
    ----------
    pairs : Path
        Folder of pairs; copied into the run unless it lies there already.
    config : TrainingConfig
        Settings.
    split : Split
        Stems by side.
    device : str
        Where to compute.
    note : str
        The user's words.
    threads : int, optional
        Most threads of the processor.
    trackers : tuple of str
        Who is told beside the event log.
    start : Path, optional
        An adapter to go on from, or its run; copied into the run.
    """

    pairs: Path
    config: TrainingConfig
    split: Split
    device: str = "auto"
    note: str = ""
    threads: int | None = None
    trackers: tuple[str, ...] = ()
    start: Path | None = None


def prepare_run(run: Path, request: RunRequest) -> None:
    """Make a run's folder complete: its pairs, the adapter it goes on from, then `job.json`.

    Raises
    ------
    BadValueError
        If the folder holds a run already, the split names an image that is not there, or the adapter to go on
        from has other settings.
    BadModelError
        If there is no such adapter.
    BadFileError
        If the pairs cannot be read or the folder cannot be written.
    """
    _check_new(run)
    pairs = {pair.stem: pair for pair in list_pairs(request.pairs)}
    split = request.split
    unknown = [s for s in (*split.train, *split.val, *split.test) if s not in pairs]
    if unknown:
        raise BadValueError(f"The split names {unknown[0]}, which {request.pairs} does not hold; check it.")
    copy_start(request.start, run, request.config)
    if run / PAIRS != request.pairs:
        _copy_pairs((pairs[s] for s in (*split.train, *split.val, *split.test)), run / PAIRS)
        _copy_index(request.pairs, run / PAIRS)
    write_job(run, JobSpec(
        created=datetime.now(UTC), config=request.config, train=split.train, val=split.val,
        test=split.test, split_note=split.note, device=request.device, threads=request.threads,
        note=request.note, trackers=request.trackers,
    ))  # fmt: skip


def start_run(run: Path) -> None:
    """Start the process of a prepared, paused, cancelled, failed or killed run; it survives this one.

    Raises
    ------
    BadFileError
        If it was not prepared, is finished, lives already, or cannot be started.
    """
    read_job(run)
    if (run / RESULT).exists():
        raise BadFileError(f"{run} is finished; start a new training.")
    if is_held(run):
        raise BadFileError(f"{run} is being trained in already; wait or cancel it first.")
    for name in (CANCEL, PAUSE, FAILURE):
        (run / name).unlink(missing_ok=True)
    write_json(run / STARTING, {"time": time.time()})
    try:
        _spawn([sys.executable, "-m", "napari_particle_sam.learning.job", str(run.resolve())], run / LOG)
    except OSError as error:
        (run / STARTING).unlink(missing_ok=True)
        raise BadFileError(
            f"{sys.executable} cannot be started ({error.strerror or error}); use `particle-sam train`."
        ) from error


def request_cancel(run: Path) -> None:
    """Ask a run to stop for good after its step; what it kept can still be resumed."""
    write_text(run / CANCEL, "")


def request_pause(run: Path, paused: bool) -> None:
    """Ask a run to keep its state and end, or take that back before it was seen."""
    if paused:
        write_text(run / PAUSE, "")
    else:
        (run / PAUSE).unlink(missing_ok=True)


def _check_new(run: Path) -> None:
    if (run / RESULT).exists():
        raise BadValueError(f"{run} holds a finished run; choose another folder.")
    if (run / JOB).exists():
        raise BadValueError(f"{run} holds a run that is not finished; resume it or choose another folder.")


def _copy_pairs(pairs: Iterable[Pair], target: Path) -> None:
    """Copy files as they are; whatever an earlier, broken attempt left is replaced."""
    try:
        with suppress(FileNotFoundError):
            shutil.rmtree(target)
        for pair in pairs:
            files = {IMAGES: pair.image_path, MASKS: pair.mask_path, REGIONS: pair.regions_path}
            for name, path in files.items():
                if path is not None:
                    (target / name).mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, target / name / path.name)
            _copy_sidecars(pair.image_path, target / IMAGES)
    except OSError as error:
        raise BadFileError(
            f"{target} cannot be written ({error.strerror or error}); choose a folder with free space."
        ) from error


def _copy_index(source: Path, target: Path) -> None:
    """Copy what a comparison reads beside the pairs: groups, and how each truth began."""
    for name in ("groups.csv", "annotation.json"):
        if (source / name).is_file():
            with atomic_path(target / name) as part:
                shutil.copyfile(source / name, part)


def _copy_sidecars(image: Path, target: Path) -> None:
    """Copy what instruments write beside an image; its data bar may be told there."""
    for other in image.parent.iterdir():
        beside = other.name.startswith((f"{image.stem}.", f"{image.stem}-"))
        if beside and other.suffix.lower() not in IMAGE_SUFFIXES and other.is_file():
            shutil.copyfile(other, target / other.name)


def _spawn(command: list[str], log: Path) -> None:
    _children[:] = [child for child in _children if child.poll() is None]
    options: dict[str, object] = {"start_new_session": True}
    if sys.platform == "win32":
        options = {
            "creationflags": subprocess.DETACHED_PROCESS
            | subprocess.CREATE_NEW_PROCESS_GROUP
            | subprocess.BELOW_NORMAL_PRIORITY_CLASS
        }
    with log.open("ab") as words:
        _children.append(subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=words, stderr=subprocess.STDOUT, close_fds=True,
            **options,  # type: ignore[call-overload]
        ))  # fmt: skip
