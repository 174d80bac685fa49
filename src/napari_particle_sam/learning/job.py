"""The process that trains: `python -m napari_particle_sam.learning.job RUN`.

It lives as long as it holds the lock of the run's folder, and hears others through files in it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

from napari_particle_sam.base.cancel import CancelToken
from napari_particle_sam.base.errors import BadFileError, CancelledError, ParticleSamError
from napari_particle_sam.base.events import Event, Message
from napari_particle_sam.base.files import write_json
from napari_particle_sam.learning.job_spec import JobSpec, read_job
from napari_particle_sam.learning.run_lock import hold_run
from napari_particle_sam.learning.run_names import FAILURE, PAIRS, RESULT, STARTING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from napari_particle_sam.learning.outcome import TrainingResult

#: Of the other processes' share of the processor; only where nobody else asks for it, this one gets it all.
NICE = 10


def train_run(run: Path, token: CancelToken) -> Generator[Event, None, TrainingResult]:
    """Train as `job.json` of a prepared run says, or go on with it; the run's lock is held meanwhile.

    Parameters
    ----------
    run : Path
        The folder, as `launch.prepare_run` made it.
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

    Raises
    ------
    CancelledError
        If it was asked to stop or to pause.
    ParticleSamError
        If it cannot be trained; the sentence is also written to `failure.json`.
    """
    if (run / RESULT).exists():
        raise BadFileError(f"{run} holds a finished run; train in another folder.")
    with hold_run(run):
        (run / STARTING).unlink(missing_ok=True)
        (run / FAILURE).unlink(missing_ok=True)
        try:
            return (yield from _train(run, read_job(run), token))
        except CancelledError:
            raise
        except Exception as error:
            _keep_failure(run, error)
            raise


def main(arguments: list[str]) -> int:
    """Run the process and return its exit code."""
    if len(arguments) != 1:
        print("usage: python -m napari_particle_sam.learning.job RUN", file=sys.stderr)
        return 2
    _lower_priority()
    job = train_run(Path(arguments[0]), CancelToken())
    try:
        for event in job:
            if isinstance(event, Message):
                print(event.text, flush=True)
    except CancelledError as stopped:
        print(stopped, flush=True)
    except ParticleSamError as error:
        print(error, file=sys.stderr, flush=True)
        return 1
    return 0


def _train(run: Path, spec: JobSpec, token: CancelToken) -> Generator[Event, None, TrainingResult]:
    # Not before the lock is held: torch alone takes seconds to load.
    import torch

    from napari_particle_sam.base.allocator import keep_freed_memory
    from napari_particle_sam.learning.run import FineTuning
    from napari_particle_sam.learning.run_setup import config_for
    from napari_particle_sam.learning.trackers import Trackers
    from napari_particle_sam.learning.training_images import read_training_images
    from napari_particle_sam.sam.loading import load_model
    from napari_particle_sam.storage.pairs import list_pairs

    keep_freed_memory()
    if spec.threads is not None:
        torch.set_num_threads(spec.threads)
    yield Message(
        f"{len(spec.train)} images to train on, {len(spec.val)} to validate. {spec.split_note}".strip()
    )
    pairs = {pair.stem: pair for pair in list_pairs(run / PAIRS)}
    model = load_model(spec.config.model, device=spec.device, img_size=spec.config.img_size)
    train = read_training_images(pairs[s] for s in spec.train)
    val = read_training_images(pairs[s] for s in spec.val)
    unknown = [image.stem for image in val if not image.judges]
    if unknown:
        yield Message(f"Not validated on, since nothing of them is reviewed: {', '.join(unknown)}.")
    config, note = config_for(model, spec.config)
    if note:
        yield Message(note)
    judged = [image for image in val if image.judges]
    trackers = Trackers(spec.trackers, run, config.model_dump(mode="json"))
    try:
        job = FineTuning(model, train, judged, config, run, trackers.tell).run(token)
        result = yield from job
    finally:
        trackers.close()
    yield from trackers.complaints
    return result


def _keep_failure(run: Path, error: Exception) -> None:
    known = isinstance(error, ParticleSamError)
    sentence = str(error) if known else f"{type(error).__name__}: {error}; see {run / 'job.log'}."
    # A full disk may be what it failed of.
    with suppress(ParticleSamError):
        write_json(run / FAILURE, {"sentence": sentence})


def _lower_priority() -> None:
    if hasattr(os, "nice"):
        with suppress(OSError):
            os.nice(NICE)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
