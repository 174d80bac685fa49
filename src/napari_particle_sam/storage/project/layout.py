"""Where things lie in a project folder.

::

    project.json                            content, `schema.ProjectFile`
    images/KEY.tif                          copied images
    sessions/KEY/ANNOTATOR/current.json     which generation holds
    sessions/KEY/ANNOTATOR/effort.json      edits and active seconds of the generations that are gone
    sessions/KEY/ANNOTATOR/g000007/         labels.tif, regions.png, instances.json,
                                            history.json, provenance.json, journal.jsonl
    .lock, .lock-holder.json                while a window has it open
"""

from __future__ import annotations

import re
from pathlib import Path

PROJECT_FILE = "project.json"
IMAGES = "images"
SESSIONS = "sessions"
POINTER = "current.json"
LABELS, REGIONS, INSTANCES, HISTORY = "labels.tif", "regions.png", "instances.json", "history.json"
PROVENANCE, JOURNAL = "provenance.json", "journal.jsonl"

_GENERATION = re.compile(r"g(\d{6,9})")


def backup_name(version: int) -> str:
    """Return the name under which a ``project.json`` of an older version is kept."""
    return f"project.v{version}.json"


def session_folder(root: Path, key: str, annotator_folder: str) -> Path:
    """Return the folder of one annotator's session of one image."""
    return root / SESSIONS / key / annotator_folder


def generation_folder(session: Path, generation: int) -> Path:
    """Return the folder of one generation of a session."""
    return session / f"g{generation:06d}"


def generations(session: Path) -> dict[int, Path]:
    """Return every generation that lies in a session's folder, whole or not."""
    found = {}
    for path in session.iterdir():
        match = _GENERATION.fullmatch(path.name)
        if match and path.is_dir():
            found[int(match[1])] = path
    return found
