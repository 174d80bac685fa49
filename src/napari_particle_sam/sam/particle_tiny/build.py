"""Put particle-tiny together from its encoder and SAM's own prompt encoder and mask decoder."""

from __future__ import annotations

from segment_anything.modeling import MaskDecoder, PromptEncoder, Sam, TwoWayTransformer

from napari_particle_sam.sam.locator_head import LocatorHead
from napari_particle_sam.sam.particle_tiny.encoder import ParticleTinyEncoder

IMG_SIZE = 512
STRIDE = 8
EMBED_DIM = 256


def build_particle_tiny() -> Sam:
    """Build particle-tiny with random weights.

    Returns
    -------
    segment_anything.modeling.Sam
        A stock ``Sam`` in evaluation mode whose attribute ``locator`` is its `LocatorHead`.
    """
    sam = Sam(
        image_encoder=ParticleTinyEncoder(IMG_SIZE, EMBED_DIM),
        prompt_encoder=PromptEncoder(
            embed_dim=EMBED_DIM,
            image_embedding_size=(IMG_SIZE // STRIDE, IMG_SIZE // STRIDE),
            input_image_size=(IMG_SIZE, IMG_SIZE),
            mask_in_chans=16,
        ),
        mask_decoder=MaskDecoder(
            num_multimask_outputs=3,
            transformer=TwoWayTransformer(depth=2, embedding_dim=EMBED_DIM, mlp_dim=2048, num_heads=8),
            transformer_dim=EMBED_DIM,
            iou_head_depth=3,
            iou_head_hidden_dim=256,
        ),
    )
    sam.locator = LocatorHead(EMBED_DIM)
    return sam.eval()
