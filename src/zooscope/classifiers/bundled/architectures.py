"""Small members of timm's families for 32x32 colour images, one function per architecture.

Every function returns an untrained network of 0.1 to 0.75 million parameters with `num_classes` outputs. Depths and
widths are small; the components (stem, normalisation, activation, attention, pooling) are those of the full-size family.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

from timm.models._efficientnet_builder import decode_arch_def, round_channels
from timm.models.byobnet import ByoBlockCfg, ByobNet, ByoModelCfg
from timm.models.convnext import ConvNeXt
from timm.models.efficientnet import EfficientNet
from timm.models.mlp_mixer import MlpMixer
from timm.models.swin_transformer import SwinTransformer
from timm.models.visformer import Visformer
from timm.models.vision_transformer import VisionTransformer
from torch import nn

INPUT_SIZE: Final = 32


def resnet(num_classes: int) -> nn.Module:
    """ResNet: basic blocks, 3x3 stem, batch norm, ReLU."""
    stages = tuple(ByoBlockCfg(type="basic", d=1, c=width, s=stride) for width, stride in ((32, 1), (64, 2), (128, 2)))
    config = ByoModelCfg(blocks=stages, stem_type="3x3", stem_pool="", stem_chs=32)
    return ByobNet(config, num_classes=num_classes)


def resnext_gn(num_classes: int) -> nn.Module:
    """ResNeXt: grouped bottlenecks, 3x3 stem, group norm, ReLU."""
    stages = tuple(
        ByoBlockCfg(type="bottle", d=2, c=width, s=stride, br=0.5, gs=8) for width, stride in ((64, 1), (128, 2), (192, 2))
    )
    config = ByoModelCfg(blocks=stages, stem_type="3x3", stem_pool="", stem_chs=32, norm_layer="groupnorm")
    return ByobNet(config, num_classes=num_classes)


def convnext(num_classes: int) -> nn.Module:
    """ConvNeXt: 2x2 patch stem, depthwise 7x7 convolutions, layer norm, GELU."""
    return ConvNeXt(num_classes=num_classes, depths=(2, 2, 1, 1), dims=(48, 96, 128, 160), patch_size=2, ls_init_value=1.0)


def efficientnet(num_classes: int) -> nn.Module:
    """EfficientNet (from architecture search): inverted residuals, depthwise, squeeze-and-excitation, batch norm, SiLU."""
    stages = [
        ["ds_r1_k3_s1_e1_c16_se0.25"],
        ["ir_r1_k3_s1_e3_c24_se0.25"],
        ["ir_r2_k5_s2_e4_c40_se0.25"],
        ["ir_r2_k3_s2_e4_c64_se0.25"],
    ]
    return EfficientNet(
        decode_arch_def(stages),
        num_classes=num_classes,
        num_features=192,
        stem_size=24,
        act_layer=nn.SiLU,
        round_chs_fn=partial(round_channels, multiplier=1.0),
    )


def vit(num_classes: int) -> nn.Module:
    """ViT: 4x4 patches, one resolution, class token, layer norm, GELU."""
    return VisionTransformer(
        img_size=INPUT_SIZE, patch_size=4, num_classes=num_classes, embed_dim=96, depth=4, num_heads=3, mlp_ratio=2
    )


def swin(num_classes: int) -> nn.Module:
    """Swin: 2x2 patches, windows of 4x4 tokens, a shrinking grid, mean pooling, layer norm, GELU."""
    return SwinTransformer(
        img_size=INPUT_SIZE,
        patch_size=2,
        num_classes=num_classes,
        embed_dim=32,
        depths=(1, 2, 1),
        num_heads=(1, 2, 4),
        window_size=4,
        mlp_ratio=2,
        drop_path_rate=0,
    )


def visformer(num_classes: int) -> nn.Module:
    """Visformer: convolutions (3x3, in 8 groups), then attention, on one grid; convolutional stem, batch norm, GELU."""
    return Visformer(
        img_size=INPUT_SIZE,
        patch_size=8,
        num_classes=num_classes,
        init_channels=24,
        embed_dim=96,
        depth=(2, 1, 1),
        num_heads=3,
        mlp_ratio=2,
        group=8,
        attn_stage="011",
        spatial_conv="100",
        norm_layer=nn.BatchNorm2d,
        embed_norm=nn.BatchNorm2d,
        conv_init=True,
    )


def mixer(num_classes: int) -> nn.Module:
    """MLP-Mixer: 4x4 patches, layer norm, GELU."""
    return MlpMixer(num_classes=num_classes, img_size=INPUT_SIZE, patch_size=4, num_blocks=4, embed_dim=128, mlp_ratio=(0.5, 2))


ARCHITECTURES: Final[dict[str, Callable[[int], nn.Module]]] = {
    build.__name__: build for build in (resnet, resnext_gn, convnext, efficientnet, vit, swin, visformer, mixer)
}
