"""The image encoder of particle-tiny: trunk, four transformer blocks, a pyramid to stride 8."""

from __future__ import annotations

from segment_anything.modeling.common import LayerNorm2d
from torch import Tensor, nn
from torch.nn import functional

from napari_particle_sam.sam.particle_tiny.blocks import Block
from napari_particle_sam.sam.particle_tiny.trunk import TAPS, Trunk

DIM = 192
HEADS = 6
WINDOWS = (8, 0, 8, 0)
PYRAMID = 128


class ParticleTinyEncoder(nn.Module):
    """Map (B, 3, S, S) to a SAM embedding of (B, out_chans, S / 8, S / 8).

    Parameters
    ----------
    img_size : int
        Side of the square input that the stock ``Sam`` pads to.
    out_chans : int
        Channels of the embedding, 256 for SAM's own decoder.
    """

    def __init__(self, img_size: int = 512, out_chans: int = 256) -> None:
        super().__init__()
        self.img_size = img_size
        self.trunk = Trunk()
        at2, at4, at8, at16, at32 = TAPS.values()
        self.lateral16 = nn.Conv2d(at16, DIM, 1)
        self.lateral32 = nn.Conv2d(at32, DIM, 1)
        self.blocks = nn.ModuleList(Block(DIM, HEADS, window) for window in WINDOWS)
        self.top_down = nn.Conv2d(DIM, PYRAMID, 1)
        self.lateral8 = nn.Conv2d(at8, PYRAMID, 1)
        self.bottom_up2 = nn.Conv2d(at2, 32, 3, stride=2, padding=1)
        self.lateral4 = nn.Conv2d(at4, 32, 1)
        self.bottom_up4 = nn.Conv2d(32, PYRAMID, 3, stride=2, padding=1)
        self.fuse = nn.Conv2d(PYRAMID, PYRAMID, 3, padding=1)
        self.neck = nn.Sequential(
            nn.Conv2d(PYRAMID, out_chans, 1, bias=False),
            LayerNorm2d(out_chans),
            nn.Conv2d(out_chans, out_chans, 3, padding=1, bias=False),
            LayerNorm2d(out_chans),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Encode normalised pixels; height and width divide by 32."""
        at2, at4, at8, at16, at32 = self.trunk(x)
        deep = self.lateral16(at16) + _double(self.lateral32(at32))
        for block in self.blocks:
            deep = block(deep)
        fine = functional.gelu(self.bottom_up2(at2) + self.lateral4(at4))
        merged = self.bottom_up4(fine) + self.lateral8(at8) + _double(self.top_down(deep))
        merged = merged + functional.gelu(self.fuse(functional.gelu(merged)))
        return self.neck(merged)


def _double(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
