"""Attention maps of timm's networks, small and with random weights, and the networks that have no such maps."""

from collections.abc import Callable
from typing import Any

import pytest
import timm
import torch
import torchvision
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention, softmax
from transformers.models.vit import ViTConfig, ViTForImageClassification

import zooscope
from tests.specimens import classifier_of
from zooscope.attacks.attention import TokenLayout, compute_attention, probe_token_layout, record_attention
from zooscope.classifiers.classifier import Classifier
from zooscope.errors import ClassifierError

SMALL = ViTConfig(image_size=64, hidden_size=48, num_hidden_layers=1, num_attention_heads=3, intermediate_size=48)
NARROW = {"embed_dim": 48, "num_heads": 3, "depth": 2}


def make(name: str, size: int | tuple[int, int], **options: Any) -> Classifier:  # noqa: ANN401  (what timm takes)
    """One of timm's architectures with five classes, small and with random weights."""
    height, width = (size, size) if isinstance(size, int) else size
    torch.manual_seed(0)
    return classifier_of(name, timm.create_model(name, num_classes=5, **options), num_classes=5, size=(height, width))


def _transformer(name: str, size: int | tuple[int, int], **options: Any) -> Classifier:  # noqa: ANN401  (as above)
    return make(name, size, img_size=size, **NARROW | options)


TRANSFORMERS: dict[str, tuple[Callable[[], Classifier], TokenLayout]] = {
    "ViT": (
        lambda: make("vit_tiny_patch16_224", 224, depth=3),
        TokenLayout(num_blocks=3, num_prefix_tokens=1, rows=14, columns=14, patch_size=(16, 16)),
    ),
    "distilled DeiT": (
        lambda: _transformer("deit_tiny_distilled_patch16_224", 64),
        TokenLayout(num_blocks=2, num_prefix_tokens=2, rows=4, columns=4, patch_size=(16, 16)),
    ),
    "four registers": (
        lambda: _transformer("vit_small_patch14_reg4_dinov2", 42, depth=4),
        TokenLayout(num_blocks=4, num_prefix_tokens=5, rows=3, columns=3, patch_size=(14, 14)),
    ),
    "no class token, oblong": (
        lambda: _transformer("vit_tiny_patch16_224", (32, 64), class_token=False, global_pool="avg", patch_size=(8, 16)),
        TokenLayout(num_blocks=2, num_prefix_tokens=0, rows=4, columns=4, patch_size=(8, 16)),
    ),
    "as many tokens as channels per head": (
        lambda: _transformer("vit_tiny_patch16_224", 64, class_token=False, global_pool="avg"),
        TokenLayout(num_blocks=2, num_prefix_tokens=0, rows=4, columns=4, patch_size=(16, 16)),
    ),
    "attention pooling": (
        lambda: _transformer("vit_base_patch16_siglip_224", 64),
        TokenLayout(num_blocks=2, num_prefix_tokens=0, rows=4, columns=4, patch_size=(16, 16)),
    ),
    "any size": (
        lambda: make("vit_tiny_patch16_224", 48, img_size=64, dynamic_img_size=True, **NARROW),
        TokenLayout(num_blocks=2, num_prefix_tokens=1, rows=3, columns=3, patch_size=(16, 16)),
    ),
    "EVA-02": (
        lambda: _transformer("eva02_tiny_patch14_224", 56),
        TokenLayout(num_blocks=2, num_prefix_tokens=1, rows=4, columns=4, patch_size=(14, 14)),
    ),
    "rotary positions and a register": (
        lambda: _transformer("vit_base_patch16_rope_reg1_gap_256", 64),
        TokenLayout(num_blocks=2, num_prefix_tokens=1, rows=4, columns=4, patch_size=(16, 16)),
    ),
    "BEiT": (
        lambda: _transformer("beit_base_patch16_224", 64),
        TokenLayout(num_blocks=2, num_prefix_tokens=1, rows=4, columns=4, patch_size=(16, 16)),
    ),
    "relative positions": (
        lambda: _transformer("vit_relpos_small_patch16_224", 64),
        TokenLayout(num_blocks=2, num_prefix_tokens=0, rows=4, columns=4, patch_size=(16, 16)),
    ),
    "convolutional stem": (
        lambda: _transformer("vit_tiny_r_s16_p8_224", 64),
        TokenLayout(num_blocks=2, num_prefix_tokens=1, rows=2, columns=2, patch_size=(32, 32)),
    ),
}
OTHERS: dict[str, tuple[Callable[[], Classifier], str]] = {
    "Swin": (
        lambda: make("swin_tiny_patch4_window7_224", 64, img_size=64, depths=(1, 1), embed_dim=24, num_heads=(1, 2), window_size=4),
        "windows or other parts",
    ),
    "MaxViT": (
        lambda: make("maxvit_tiny_tf_224", 64, img_size=64, depths=(1, 1), embed_dim=(32, 32), stem_width=16),
        "windows or other parts",
    ),
    "Twins": (lambda: make("twins_svt_small", 224, depths=(1, 1, 1, 1)), "windows or other parts"),
    "TNT": (lambda: make("tnt_s_legacy_patch16_224", 224, depth=1), "windows or other parts"),
    "XCiT": (lambda: make("xcit_nano_12_p16_224", 64, img_size=64, depth=1), "among channels"),
    "EdgeNeXt": (lambda: make("edgenext_xx_small", 64), "among channels"),
    "CaiT": (lambda: make("cait_xxs24_224", 64, img_size=64, depth=1), "class-attention blocks"),
    "PVT": (lambda: make("pvt_v2_b0", 64), r"pooled patches \(it has fewer keys than queries\)"),
    "PiT": (lambda: make("pit_ti_224", 224), "different numbers of tokens"),
    "ConViT": (lambda: make("convit_tiny", 64, img_size=64, depth=2, local_up_to_layer=1), "its class token joins late"),
    "CoAtNet": (
        lambda: make("coatnet_0_224", 64, img_size=64, depths=(1, 1, 1, 1), embed_dim=(16, 32, 32, 64), stem_width=16),
        "different numbers of tokens",
    ),
    "Visformer": (lambda: zooscope.load_classifier("bundled:visformer"), r"no patch grid .* \(it is a hybrid"),
    "talking heads": (lambda: classifier_of("talking", _TalkingHeads(), num_classes=5, size=(64, 64)), "don't sum to 1"),
    "no grid": (lambda: classifier_of("hidden", _WithoutGrid(), num_classes=5, size=(48, 48)), "no patch grid that accounts"),
    "padded": (
        lambda: make("vit_tiny_patch16_224", 60, img_size=64, dynamic_img_size=True, dynamic_img_pad=True, **NARROW),
        "no patch grid that accounts",
    ),
    "LeViT": (lambda: make("levit_128s", 224), r"the attention of this one \(Attention\) doesn't show its weights"),
    "torchvision's ViT": (
        lambda: classifier_of(
            "torchvision",
            torchvision.models.VisionTransformer(64, 16, 1, 3, 48, 96, num_classes=5),
            num_classes=5,
            size=(64, 64),
        ),
        r"\(MultiheadAttention\) doesn't show its weights",
    ),
    "Hugging Face's ViT": (
        lambda: classifier_of("huggingface", ViTForImageClassification(SMALL), num_classes=2, size=(64, 64)),
        r"\(ViTAttention\) doesn't show its weights",
    ),
    "ResNet": (lambda: make("resnet18", 64), r"no attention \(it is a CNN or an MLP"),
    "MLP-Mixer": (lambda: zooscope.load_classifier("bundled:mixer"), r"no attention \(it is a CNN or an MLP"),
}

every_transformer = pytest.mark.parametrize(("build", "layout"), TRANSFORMERS.values(), ids=TRANSFORMERS)


class _TalkingHeads(nn.Module):
    """A ViT whose attention weights are doubled after the softmax."""

    def __init__(self) -> None:
        super().__init__()
        self.network = make("vit_tiny_patch16_224", 64, img_size=64, **NARROW).network
        for block in self.network.blocks:  # type: ignore[union-attr]
            block.attn.register_module("attn_drop", _Doubled())

    def forward(self, pixels: Tensor) -> Tensor:
        logits: Tensor = self.network(pixels)
        return logits


class _Doubled(nn.Module):
    p = 0.0

    def forward(self, attention: Tensor) -> Tensor:
        return 2 * attention


class _WithoutGrid(nn.Module):
    """A ViT that doesn't describe its tokens."""

    def __init__(self) -> None:
        super().__init__()
        network: Any = make("vit_tiny_patch16_224", 48, img_size=48, **NARROW).network
        self.embed, self.blocks, self.head = network.patch_embed, network.blocks, network.head

    def forward(self, pixels: Tensor) -> Tensor:
        logits: Tensor = self.head(self.blocks(self.embed(pixels)).mean(1))
        return logits


def pixels_for(classifier: Classifier, count: int = 3) -> Tensor:
    return torch.rand((count, 3, *classifier.transform.size), generator=torch.Generator().manual_seed(0))


@every_transformer
def test_the_tokens_of_a_transformer_are_found(build: Callable[[], Classifier], layout: TokenLayout) -> None:
    assert probe_token_layout(build(), attack="PatchFool") == layout


@every_transformer
def test_maps_are_attention_weights_and_give_the_logits_of_fused_attention(
    build: Callable[[], Classifier], layout: TokenLayout
) -> None:
    classifier = build()
    pixels = pixels_for(classifier)
    fused = classifier.logits(pixels)
    logits, maps = compute_attention(classifier, pixels)
    assert [tuple(each.shape[2:]) for each in maps] == [(layout.num_tokens, layout.num_tokens)] * layout.num_blocks
    for each in maps:
        torch.testing.assert_close(each.sum(-1), torch.ones(each.shape[:-1]))
        assert each.min() >= 0
    torch.testing.assert_close(logits, fused)
    assert torch.equal(classifier.logits(pixels), fused)


@pytest.mark.parametrize(
    ("build", "layout"),
    [row for name, row in TRANSFORMERS.items() if name != "convolutional stem"],  # its convolutions overlap
    ids=[name for name in TRANSFORMERS if name != "convolutional stem"],
)
def test_a_mask_covers_the_pixels_that_its_token_is_made_from(build: Callable[[], Classifier], layout: TokenLayout) -> None:
    classifier = build()
    embed: Any = classifier.network.get_submodule("patch_embed")
    pixels = pixels_for(classifier, 1)
    for patch in {0, 1, layout.columns, layout.num_patches - 1}:
        mask = layout.make_mask(torch.tensor([[patch]]))
        assert mask.shape == (1, 1, *classifier.transform.size)
        changed = embed(torch.where(mask, 1 - pixels, pixels)) - embed(pixels)
        assert changed.flatten(1, -2).abs().sum(-1).nonzero()[:, 1].tolist() == [patch]


def test_maps_are_those_of_the_blocks_in_order() -> None:
    classifier = make("vit_tiny_patch16_224", 64, img_size=64, **NARROW | {"depth": 3})
    blocks: Any = classifier.network.get_submodule("blocks")
    seen: list[Tensor] = []
    hooks = [block.attn.qkv.register_forward_hook(lambda _module, _inputs, output: seen.append(output)) for block in blocks]
    _, maps = compute_attention(classifier, pixels_for(classifier))
    for hook in hooks:
        hook.remove()
    assert len(maps) == len(seen) == 3
    for attention, projected in zip(maps, seen, strict=True):
        queries, keys, values = projected.view(3, 17, 3, 3, 16).permute(2, 0, 3, 1, 4)
        torch.testing.assert_close(attention, softmax(queries @ keys.mT / 4, dim=-1))
        torch.testing.assert_close(attention @ values, scaled_dot_product_attention(queries, keys, values))


def test_maps_are_differentiable_with_respect_to_the_pixels() -> None:
    classifier = make("vit_tiny_patch16_224", 64, img_size=64, **NARROW)
    pixels = pixels_for(classifier).requires_grad_()
    _, maps = compute_attention(classifier, pixels)
    for attention in maps:
        (gradient,) = torch.autograd.grad(attention[:, :, :, 3].log().sum(), pixels, retain_graph=True)
        assert gradient.flatten(1).any(1).all()


@pytest.mark.parametrize("fails", [False, True], ids=["works", "fails"])
def test_fused_attention_is_afterwards_as_it_was(fails: bool) -> None:  # noqa: FBT001  (a parameter)
    network: Any = make("vit_tiny_patch16_224", 64, img_size=64, **NARROW | {"depth": 3}).network
    network.blocks[1].attn.fused_attn = False
    before = [block.attn.fused_attn for block in network.blocks]
    assert before == [True, False, True]
    try:
        with record_attention(network) as maps:
            assert not any(block.attn.fused_attn for block in network.blocks)
            network(torch.rand(1, 3, 60 if fails else 64, 64))
    except AssertionError:
        assert fails
    assert [block.attn.fused_attn for block in network.blocks] == before
    recorded = len(maps)
    network(torch.rand(1, 3, 64, 64))
    assert len(maps) == recorded == (0 if fails else 3)


@pytest.mark.parametrize(("build", "kind"), OTHERS.values(), ids=OTHERS)
def test_a_network_without_attention_among_all_patches_is_refused_by_its_kind(build: Callable[[], Classifier], kind: str) -> None:
    classifier = build()
    message = rf"^{classifier.name}: PatchFool needs a vision transformer in which .*, but .*{kind}.*; leave it out, or .* only\.$"
    with pytest.raises(ClassifierError, match=message):
        probe_token_layout(classifier, attack="PatchFool")


class _OnlyFused(nn.Module):
    """A network that can't do without fused attention."""

    fused_attn = True

    def forward(self, pixels: Tensor) -> Tensor:
        if not self.fused_attn:
            msg = "not implemented"
            raise NotImplementedError(msg)
        return pixels.flatten(1)[:, :2]


def test_a_network_that_fails_without_fused_attention_is_one_sentence() -> None:
    network = _OnlyFused()
    with pytest.raises(
        ClassifierError, match=r"^odd fails when its attention is computed without .* \(not implemented\), so X can't"
    ):
        probe_token_layout(classifier_of("odd", network, num_classes=2, size=(4, 4)), attack="X")
    assert network.fused_attn


def test_an_error_of_the_classifier_stays_as_it_is() -> None:
    network = nn.Flatten()
    with pytest.raises(ClassifierError, match=r"odd: the network must give logits"):
        probe_token_layout(classifier_of("odd", network, num_classes=2, size=(4, 4)), attack="X")
