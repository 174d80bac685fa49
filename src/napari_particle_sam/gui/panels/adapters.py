"""The adapters of a project and where they come from; nothing here needs torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from napari_particle_sam.base.errors import ParticleSamError
from napari_particle_sam.learning.run_names import ADAPTER
from napari_particle_sam.learning.run_status import RUNS
from napari_particle_sam.sam.adapter_info import INFO, WEIGHTS, AdapterInfo, read_info

#: The metric of the list.
TOLD = "f1@0.5"


@dataclass(frozen=True)
class Lineage:
    """Where an adapter comes from.

    Attributes
    ----------
    folder : Path
        The adapter's.
    name, base : str
        Its own, and of the model it was trained on.
    created : datetime
        When it was written, local time.
    images, validated : int
        That it was trained and validated on.
    before, after : float or None
        Validation f1@0.5 of the base and of the adapter; None without validation.
    words : str
        All of it in sentences.
    """

    folder: Path
    name: str
    base: str
    created: datetime
    images: int
    validated: int
    before: float | None
    after: float | None
    words: str

    @property
    def change(self) -> str:
        """The metric before and after."""
        if self.before is None or self.after is None:
            return "not validated"
        return f"{self.before:.3f} → {self.after:.3f}"


def list_adapters(root: Path) -> list[Lineage]:
    """Return the adapters of a project's runs, newest first; those that are damaged are left out."""
    try:
        folders = [path.parent for path in (root / RUNS).glob(f"*/{ADAPTER}/{INFO}")]
    except OSError:
        return []
    found = [lineage for folder in folders if (lineage := read_lineage(folder)) is not None]
    return sorted(found, key=lambda lineage: (lineage.created, lineage.name), reverse=True)


def read_lineage(folder: Path) -> Lineage | None:
    """Return where an adapter comes from; None where its files are damaged."""
    try:
        info = read_info(folder)
        created = datetime.fromtimestamp((folder / INFO).stat().st_mtime)
    except (ParticleSamError, OSError):
        return None
    if not (folder / WEIGHTS).is_file():
        return None
    before, after = (_metric(info.metrics, when) for when in ("before", "after"))
    return Lineage(
        folder, info.name, info.base, created, len(info.images), len(info.validation_images), before, after,
        _words(info, created),
    )  # fmt: skip


def _metric(metrics: Mapping[str, Any], when: str) -> float | None:
    values = metrics.get(when)
    value = values.get(TOLD) if isinstance(values, dict) else None
    return float(value) if isinstance(value, (int, float)) else None


def _words(info: AdapterInfo, created: datetime) -> str:
    validated = ", ".join(info.validation_images) or "nothing"
    going_on = f", going on from {info.started_from}" if info.started_from else ""
    return (
        f"{info.name}, trained on {info.base} (rank {info.rank}){going_on} until {created:%Y-%m-%d %H:%M}. "
        f"Trained on {', '.join(info.images) or 'nothing'}; validated on {validated}."
    )
