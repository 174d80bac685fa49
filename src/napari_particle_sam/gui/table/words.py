"""Plain words for what the annotation calls by short names."""

from __future__ import annotations

from collections.abc import Mapping

STATUS_WORDS: Mapping[str, str] = {
    "unreviewed": "not reviewed",
    "flagged": "flagged",
    "accepted": "accepted",
    "bulk": "accepted in bulk",
}
ORIGIN_WORDS: Mapping[str, str] = {
    "proposed": "proposed",
    "prompted": "prompted",
    "painted": "painted",
    "merged": "merged",
    "split": "split",
    "imported": "imported",
}
COMPLETENESS_WORDS: Mapping[str, str] = {
    "complete": "complete",
    "partly_hidden": "partly hidden",
    "cut_by_frame": "cut by the frame",
    "unclear": "unclear",
}
