"""The convolutional trunk of particle-tiny: EfficientNet-Lite0 without its classifier."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

#: (repeats, kernel, stride, expansion, output channels) of every stage; Tan & Le 2019, "lite" variant.
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
#: Index of the last block at strides 2, 4, 8, 16 and 32, and the channels there.
TAPS = {0: 16, 2: 24, 4: 40, 10: 112, 15: 320}


def _frozen_norm(channels: int) -> nn.BatchNorm2d:
    norm = nn.BatchNorm2d(channels, eps=1e-3)
    for parameter in norm.parameters():
        parameter.requires_grad_(False)
    return norm


class SamePadConv2d(nn.Conv2d):
    """A convolution padded as TensorFlow's ``SAME`` pads even-sized inputs (more on the far side)."""

    def forward(self, x: Tensor) -> Tensor:
        """Convolve ``x`` of shape (B, C, H, W)."""
        total = self.kernel_size[0] - self.stride[0]
        if total > 0:
            near = total // 2
            x = functional.pad(x, (near, total - near, near, total - near))
        return self._conv_forward(x, self.weight, self.bias)


def _depthwise(channels: int, kernel: int, stride: int) -> nn.Conv2d:
    if stride == 1:
        return nn.Conv2d(channels, channels, kernel, padding=kernel // 2, groups=channels, bias=False)
    return SamePadConv2d(channels, channels, kernel, stride, groups=channels, bias=False)


class InvertedResidual(nn.Module):
    """Expand, filter depthwise, project; with a shortcut where the shape is kept."""

    def __init__(self, inside: int, outside: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        middle = inside * expansion
        self.expand = nn.Conv2d(inside, middle, 1, bias=False) if expansion != 1 else None
        self.expand_norm = _frozen_norm(middle) if expansion != 1 else None
        self.depthwise = _depthwise(middle, kernel, stride)
        self.depthwise_norm = _frozen_norm(middle)
        self.project = nn.Conv2d(middle, outside, 1, bias=False)
        self.project_norm = _frozen_norm(outside)
        self.shortcut = stride == 1 and inside == outside

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inside, H, W) to (B, outside, H / stride, W / stride)."""
        y = x
        if self.expand is not None and self.expand_norm is not None:
            y = functional.relu6(self.expand_norm(self.expand(y)))
        y = functional.relu6(self.depthwise_norm(self.depthwise(y)))
        y = self.project_norm(self.project(y))
        return x + y if self.shortcut else y


class Trunk(nn.Module):
    """EfficientNet-Lite0 that returns its features at strides 2, 4, 8, 16 and 32."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = SamePadConv2d(3, 32, 3, 2, bias=False)
        self.stem_norm = _frozen_norm(32)
        self.blocks = nn.ModuleList(_blocks(32))

    def train(self, mode: bool = True) -> Trunk:
        """Set the mode of everything but batch norm, whose ImageNet statistics stay."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return five feature maps of ``x`` (B, 3, H, W), finest first; H and W divide by 32."""
        x = functional.relu6(self.stem_norm(self.stem(x)))
        taps: list[torch.Tensor] = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in TAPS:
                taps.append(x)
        return taps


def _blocks(inside: int) -> list[InvertedResidual]:
    blocks = []
    for repeats, kernel, stride, expansion, outside in STAGES:
        for repeat in range(repeats):
            blocks.append(InvertedResidual(inside, outside, kernel, stride if repeat == 0 else 1, expansion))
            inside = outside
    return blocks
