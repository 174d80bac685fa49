"""What a session held at one moment, for a thread: it must not look at one that changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import cast

import numpy as np
from numpy.typing import NDArray

from napari_particle_sam.annotation.instances import Instance
from napari_particle_sam.annotation.masks import Mask
from napari_particle_sam.annotation.regions import RegionMap
from napari_particle_sam.annotation.session import AnnotationSession


@dataclass(frozen=True, eq=False)
class _Copy:
    shape: tuple[int, int]
    instances: Mapping[int, Instance]
    labels: NDArray[np.uint16]
    regions: RegionMap
    suppressed: tuple[Mask, ...]


def copy_session(session: AnnotationSession) -> AnnotationSession:
    """Return what can be read of a session, without history; instances and masks never change and are shared.

    Parameters
    ----------
    session : AnnotationSession
        To be called in the thread that changes it.

    Returns
    -------
    AnnotationSession
        To be read only: it has neither `apply` nor signals.
    """
    copy = _Copy(
        session.shape,
        MappingProxyType(dict(session.instances)),
        session.labels.copy(),
        RegionMap(session.regions.values.copy()),
        session.suppressed,
    )
    return cast(AnnotationSession, copy)
