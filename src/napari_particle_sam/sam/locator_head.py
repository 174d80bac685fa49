"""The dense head on a SAM embedding whose centres are the prompts of the `guided` engine."""

from __future__ import annotations

from segment_anything.modeling.common import LayerNorm2d
from torch import Tensor, nn

#: What each output channel of the head is.
FOREGROUND, BOUNDARY, DISTANCE, OFFSET_ROW, OFFSET_COL = range(5)
CHANNELS = 5
#: Offsets are learned in this many input pixels, so that they are of the order of one.
OFFSET_UNIT = 32.0
UPSCALE = 4


class LocatorHead(nn.Module):
    """Predict foreground, boundary, distance to the edge and offset to the centre.

    Parameters
    ----------
    channels : int
        Channels of the embedding.
    """

    def __init__(self, channels: int = 256, hidden: int = 96) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, hidden, 3, padding=1),
            LayerNorm2d(hidden),
            nn.GELU(),
            nn.Conv2d(hidden, hidden, 3, padding=1),
            nn.GELU(),
            nn.Conv2d(hidden, CHANNELS * UPSCALE**2, 1),
            nn.PixelShuffle(UPSCALE),
        )

    def forward(self, embedding: Tensor) -> Tensor:
        """Map an embedding (B, C, h, w) to maps (B, 5, 4h, 4w); the first two are logits."""
        return self.layers(embedding)
