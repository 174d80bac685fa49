"""From outlines of a foreign file, which may overlap, to disjoint instances with unique ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from napari_particle_sam.annotation.instances import LARGEST_ID, Instance
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.base.errors import BadFileError
from napari_particle_sam.storage.formats.dataset import plural


@dataclass(frozen=True, eq=False)
class Placed:
    """Disjoint instances, and sentences on what was lost.

    Attributes
    ----------
    instances : tuple of Instance
        By ascending id.
    remarks : tuple of str
        About overlaps, lost particles and changed numbers.
    """

    instances: tuple[Instance, ...]
    remarks: tuple[str, ...] = ()


def place(found: Sequence[Instance], shape: tuple[int, int], name: str, source: Path) -> Placed:
    """Make instances disjoint and number them.

    Where two overlap, the first in the file keeps the pixels and later ones take what is free; one without
    any free pixel is left out. An id that another already has, or 0, is replaced by the smallest free one.

    Parameters
    ----------
    found : sequence of Instance
        In the file's order, masks inside the image; id 0 where the file gives none.
    shape : tuple of int
        ``(rows, cols)`` of the image.
    name : str
        Of the image, for remarks.
    source : Path
        The file, for messages.

    Raises
    ------
    BadFileError
        If there are more than 65,535.
    """
    check_number(len(found), source)
    free, lost = _disjoint(found, shape)
    kept = [instance for instance in free if instance.mask.area]
    numbered, changed = _numbered(kept)
    remarks = []
    if lost:
        remarks.append(f"{name}: {plural(lost, 'pixel')} of overlaps went to the particle that came first.")
    if len(kept) < len(found):
        remarks.append(f"{name}: {plural(len(found) - len(kept), 'particle')} without a free pixel left out.")
    if changed:
        remarks.append(f"{name}: {plural(changed, 'particle')} with a label of another one renumbered.")
    return Placed(tuple(sorted(numbered, key=lambda instance: instance.id)), tuple(remarks))


def check_number(count: int, source: Path) -> None:
    """Refuse more particles in one image than there are labels."""
    if count > LARGEST_ID:
        raise BadFileError(
            f"{source} holds {count} particles in one image but may hold {LARGEST_ID}; cut it."
        )


def _disjoint(found: Iterable[Instance], shape: tuple[int, int]) -> tuple[list[Instance], int]:
    taken = np.zeros(shape, bool)
    free, lost = [], 0
    for instance in found:
        mask = instance.mask
        crop = mask.crop & ~taken[mask.window]
        taken[mask.window] |= crop
        rest = Mask.from_array(crop, mask.top, mask.left)
        lost += mask.area - rest.area
        free.append(replace(instance, mask=rest.owned()))
    return free, lost


def _numbered(instances: list[Instance]) -> tuple[list[Instance], int]:
    wanted: set[int] = set()
    ids = []
    for instance in instances:
        ids.append(0 if instance.id in wanted else instance.id)
        wanted.add(ids[-1])
    spare = iter(sorted(set(range(1, LARGEST_ID + 1)) - wanted) if 0 in wanted else ())
    changed = sum(id_ == 0 and instance.id != 0 for id_, instance in zip(ids, instances, strict=True))
    return [
        replace(instance, id=id_ or next(spare)) for id_, instance in zip(ids, instances, strict=True)
    ], changed
