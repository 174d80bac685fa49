"""The names of the files in a run's folder; nothing here needs torch."""

from __future__ import annotations

#: What to do: written before the process starts, never changed afterwards.
JOB, PAIRS = "job.json", "pairs"
#: Held by the process as long as it lives.
LOCK = "run.lock"
#: Asks of others, looked at before every step; no signals, which Windows has not.
CANCEL, PAUSE = "cancel", "pause"
#: Written by the one who starts the process, removed by the process once it holds the lock.
STARTING = "starting.json"
CONFIG, IMAGES, PLAN, CHECKPOINT = "config.json", "images.json", "plan.json", "checkpoint.safetensors"
EVENTS, CURVES_CSV, CURVES_PNG = "events.jsonl", "curves.csv", "curves.png"
PREDICTIONS, ADAPTER = "predictions", "adapter"
#: A copy of the adapter that a run goes on from.
START = "start"
RESULT, FAILURE = "result.json", "failure.json"
#: The process's own words; read where it failed before it could say why.
LOG = "job.log"
EVENTS_SCHEMA = 1
