"""What napari does with a project folder or a folder of pairs that is dropped on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from napari_particle_sam.base.errors import ParticleSamError
from napari_particle_sam.images.pixel_size import PixelSize
from napari_particle_sam.storage.pairs import list_pairs, load_pair
from napari_particle_sam.storage.project.layout import PROJECT_FILE
from napari_particle_sam.storage.project.project import Project

#: ``(data, attributes, layer type)``, as napari's plugin engine takes it.
LayerData = tuple[Any, ...]
Reader = Callable[[Any], list[LayerData]]

#: What npe2 takes for "read, but there is no layer to add".
NO_LAYER: list[LayerData] = [(None,)]
#: More images than this are not all loaded at once; the rest is said to be left out.
MOST_IMAGES = 20


def get_project_reader(path: Any) -> Reader | None:
    """Return a reader for a project folder, None for anything else."""
    folder = _one_folder(path)
    return None if folder is None or not (folder / PROJECT_FILE).is_file() else read_project


def get_pairs_reader(path: Any) -> Reader | None:
    """Return a reader for a folder with ``images/`` and ``masks/``, None for anything else."""
    folder = _one_folder(path)
    wanted = () if folder is None else (folder / "images", folder / "masks")
    return read_pairs if wanted and all(part.is_dir() for part in wanted) else None


def read_project(path: Any) -> list[LayerData]:
    """Open a project in the dock; without a viewer, return its images and labels.

    Parameters
    ----------
    path : str or Path
        The project folder.

    Returns
    -------
    list of tuple
        npe2's sign for no layer, because the dock adds its own; else an image and a labels layer per image.
    """
    import napari

    viewer = napari.current_viewer()
    if viewer is None:
        return _project_layers(Path(str(path)))
    from napari_particle_sam.gui.menu import show_dock

    show_dock(viewer).open_folder(Path(str(path)))
    return NO_LAYER


def read_pairs(path: Any) -> list[LayerData]:
    """Return an image and a labels layer per pair, the first visible and the others hidden.

    Parameters
    ----------
    path : str or Path
        The folder of pairs.
    """
    layers: list[LayerData] = []
    for pair in list_pairs(Path(str(path)))[:MOST_IMAGES]:
        loaded = load_pair(pair)
        layers += _layers(pair.stem, loaded.micrograph.pixels, loaded.labels, None, not layers)
    return layers


def _project_layers(folder: Path) -> list[LayerData]:
    layers: list[LayerData] = []
    with Project.open(folder, writing=False) as project:
        for entry in project.content.images[:MOST_IMAGES]:
            micrograph = project.read_image(entry.key)
            for name in project.sessions.annotators(entry.key):
                try:
                    labels = project.sessions.view(entry.key, name).session.labels
                except ParticleSamError:
                    continue
                layers += _layers(entry.key, micrograph.pixels, labels, micrograph.pixel_size, not layers)
    return layers


def _layers(name: str, pixels: Any, labels: Any, size: PixelSize | None, visible: bool) -> list[LayerData]:
    place: dict[str, Any] = {"visible": visible}
    if size is not None:
        place |= {"scale": (size.nm / 1000,) * 2, "units": ("um", "um")}
    return [
        (pixels, {"name": name, "colormap": "gray", **place}, "image"),
        (labels.copy(), {"name": f"{name} particles", "opacity": 0.5, **place}, "labels"),
    ]


def _one_folder(path: Any) -> Path | None:
    if isinstance(path, (list, tuple)):
        path = path[0] if len(path) == 1 else ""
    folder = Path(str(path))
    return folder if str(path) and folder.is_dir() else None
