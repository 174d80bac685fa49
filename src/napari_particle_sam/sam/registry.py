"""The models one can ask for by name, and where their weights come from."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from platformdirs import user_cache_path

from napari_particle_sam.base.errors import BadModelError

URL_ROOT = "https://dl.fbaipublicfiles.com/segment_anything/"


@dataclass(frozen=True)
class ModelSpec:
    """A model by name.

    Attributes
    ----------
    name : str
        What users type.
    architecture : str
        ``particle-tiny``, ``vit_b``, ``vit_l`` or ``vit_h``.
    file : str
        Name of the weights file.
    sha256 : str
        Of that file; empty for the bundled one, which comes with the package.
    bytes : int
        Its size.
    licence : str
        Of the weights.
    """

    name: str
    architecture: str
    file: str
    sha256: str
    bytes: int
    licence: str

    @property
    def bundled(self) -> bool:
        """Whether the weights are part of the package."""
        return not self.sha256

    @property
    def url(self) -> str:
        """Where the weights are downloaded from."""
        return URL_ROOT + self.file


SPECS = {
    spec.name: spec
    for spec in (
        ModelSpec("particle-tiny", "particle-tiny", "particle-tiny-2.safetensors", "", 0, "Apache-2.0"),
        ModelSpec(
            "vit_b", "vit_b", "sam_vit_b_01ec64.pth",
            "ec2df62732614e57411cdcf32a23ffdf28910380d03139ee0f4fcbe91eb8c912", 375_042_383, "Apache-2.0",
        ),
        ModelSpec(
            "vit_l", "vit_l", "sam_vit_l_0b3195.pth",
            "3adcc4315b642a4d2101128f611684e8734c41232a17c648ed1693702a49a622", 1_249_524_607, "Apache-2.0",
        ),
        ModelSpec(
            "vit_h", "vit_h", "sam_vit_h_4b8939.pth",
            "a7bf3b02f3ebf1267aba913ff637d9a2d5c33d3173bb679e46d9f338c26f262e", 2_564_550_879, "Apache-2.0",
        ),
    )
}  # fmt: skip


def find_spec(name: str) -> ModelSpec:
    """Return a model by name.

    Raises
    ------
    BadModelError
        If there is none.
    """
    if name not in SPECS:
        raise BadModelError(
            f"model {name!r} is unknown; choose one of {', '.join(SPECS)} "
            "or give a .pth or .safetensors file."
        )
    return SPECS[name]


def cache_folder() -> Path:
    """Return the folder of downloaded and imported weights."""
    return user_cache_path("napari-particle-sam") / "models"


def weights_path(spec: ModelSpec) -> Path:
    """Return where a model's weights lie, whether or not they are there."""
    if spec.bundled:
        return Path(str(files("napari_particle_sam") / "sam" / "weights" / spec.file))
    return cache_folder() / spec.file
