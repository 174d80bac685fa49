"""A benchmark as text that a person reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_LINES: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("images", "images", str),
    ("true", "true particles", str),
    ("particles", "particles in the label maps", str),
    ("masks", "masks by SAM's own filters", str),
    ("encode_s", "encode (s)", "{:.2f}".format),
    ("decode_s", "decode (s)", "{:.2f}".format),
    ("post_s", "post, label map included (s)", "{:.2f}".format),
    ("labels_s", "  label map alone (s)", "{:.2f}".format),
    ("total_s", "total (s)", "{:.2f}".format),
    ("ratio", "times faster than reference", "{:.2f}".format),
    ("ratio_without_encode", "  without encoding", "{:.2f}".format),
    ("slower_than_exact", "images slower than exact", str),
    ("peak_mib", "peak extra memory (MiB)", "{:.0f}".format),
    ("found_in_reference", "its masks that reference has", "{:.2%}".format),
    ("reference_found", "reference's masks that it has", "{:.2%}".format),
    ("f1@0.5", "F1 at IoU 0.5", "{:.4f}".format),
    ("f1@0.5_mean", "F1 at IoU 0.5, mean over images", "{:.4f}".format),
)


def bench_table(engines: Mapping[str, Mapping[str, Any]]) -> str:
    """Return an aligned table with one column per engine and one line per quantity that is known.

    Parameters
    ----------
    engines : mapping of str to mapping of str to value
        What `rows.totals` returned.
    """
    grid = [["", *engines]]
    for key, name, show in _LINES:
        if any(key in totals for totals in engines.values()):
            grid.append([name, *(show(t[key]) if key in t else "-" for t in engines.values())])
    widths = [max(map(len, column)) for column in zip(*grid, strict=True)]
    lines = []
    for first, *rest in grid:
        cells = [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        lines.append("  ".join([first.ljust(widths[0]), *cells]).rstrip())
    return "\n".join(lines)
