"""What the tokens of a vision transformer attend to, and where on the image its patches are."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from zooscope.classifiers.classifier import Classifier
from zooscope.classifiers.probe import make_probe_pixels
from zooscope.errors import ClassifierError, first_line

NUM_IMAGES: Final = 2  # with one image, a batch of windows could not be distinguished from a batch of images
SUM_TO_ONE: Final = 1e-2  # enough for half precision
_FUSED: Final = "fused_attn"
_DROPOUT: Final = "attn_drop"
_NUM_AXES: Final = 4


class Attention(NamedTuple):
    """What one forward pass gives.

    Attributes:
        logits: as `Classifier.logits` gives them.
        maps: attention after the softmax, one map per block in the order in which they run, differentiable with respect to the
            pixels.
    """

    logits: Float[Tensor, "batch cls"]
    maps: tuple[Float[Tensor, "batch heads queries keys"], ...]


@dataclass(frozen=True, kw_only=True)
class TokenLayout:
    """Where the patches of an image are among a network's tokens and in its pixels.

    Attributes:
        num_blocks: attention maps per forward pass.
        num_prefix_tokens: tokens before those of the patches: class, distillation and register tokens.
        rows: patches in a column of the image.
        columns: patches in a row of the image.
        patch_size: height and width of a patch, in pixels.

    Example:
        >>> layout = TokenLayout(num_blocks=4, num_prefix_tokens=1, rows=2, columns=2, patch_size=(1, 2))
        >>> layout.num_patches
        4
        >>> layout.make_mask(torch.tensor([[1], [2]])).int().squeeze(1).tolist()
        [[[0, 0, 1, 1], [0, 0, 0, 0]], [[0, 0, 0, 0], [1, 1, 0, 0]]]
    """

    num_blocks: int
    num_prefix_tokens: int
    rows: int
    columns: int
    patch_size: tuple[int, int]

    @property
    def num_patches(self) -> int:
        """How many patches an image has; they are counted from 0, row by row."""
        return self.rows * self.columns

    @property
    def num_tokens(self) -> int:
        """The prefix tokens, then one per patch."""
        return self.num_prefix_tokens + self.num_patches

    def make_mask(self, patches: Tensor) -> Tensor:
        """Which pixels belong to the patches.

        Args:
            patches: indices of shape (batch, chosen).

        Returns:
            Booleans of shape (batch, 1, height, width).
        """
        cells = torch.zeros((len(patches), self.num_patches), dtype=torch.bool, device=patches.device).scatter(
            1, patches, value=True
        )
        height, width = self.patch_size
        return cells.view(-1, 1, self.rows, self.columns).repeat_interleave(height, 2).repeat_interleave(width, 3)


@contextmanager
def record_attention(network: nn.Module) -> Iterator[list[Tensor]]:
    """Gives a list to which every forward pass inside the `with` block appends its attention maps, with their graph.

    Fused attention never computes a map, so it is off inside the block: `fused_attn` is False on each module that has it. When the
    block ends, also by an error, each has its former value again. The maps are what goes through modules called `attn_drop`, as
    timm's networks have them.

    Example:
        >>> import zooscope
        >>> vit = zooscope.load_classifier("bundled:vit")
        >>> with record_attention(vit.network) as maps:
        ...     logits = vit.logits(torch.rand(2, 3, 32, 32))
        >>> [tuple(each.shape) for each in maps]
        [(2, 3, 65, 65), (2, 3, 65, 65), (2, 3, 65, 65), (2, 3, 65, 65)]

    Args:
        network: in eval mode, where dropout changes nothing.
    """
    maps: list[Tensor] = []

    def record(_module: nn.Module, _inputs: Any, output: Tensor) -> None:  # noqa: ANN401  (whatever the module takes)
        maps.append(output)

    modules: list[Any] = [module for module in network.modules() if hasattr(module, _FUSED)]
    fused = [module.fused_attn for module in modules]
    hooks = [module.register_forward_hook(record) for module in _find_dropouts(network).values()]
    try:
        for module in modules:
            module.fused_attn = False
        yield maps
    finally:
        for hook in hooks:
            hook.remove()
        for module, value in zip(modules, fused, strict=True):
            module.fused_attn = value


def compute_attention(classifier: Classifier, pixels: Float[Tensor, "batch channel height width"]) -> Attention:
    """The logits of a classifier and its attention maps, from one forward pass without fused attention.

    Example:
        >>> import zooscope
        >>> logits, maps = compute_attention(zooscope.load_classifier("bundled:vit"), torch.rand(2, 3, 32, 32))
        >>> bool(torch.allclose(maps[0].sum(-1), torch.ones(())))
        True

    Args:
        classifier: any; without modules called `attn_drop` there are no maps.
        pixels: in [0, 1], as the classifier takes them.
    """
    with record_attention(classifier.network) as maps:
        logits = classifier.logits(pixels)
    return Attention(logits, tuple(maps))


def find_token_layout(classifier: Classifier, maps: Sequence[Tensor], *, num_images: int, attack: str) -> TokenLayout:
    """The tokens of a network in which every token attends to every token of the whole image.

    Decided by the maps: in every block they must have the shape (batch, heads, tokens, tokens), where the tokens are the network's
    prefix tokens and one per cell of its patch grid, and each query's weights must sum to 1.

    Args:
        classifier: whose maps these are.
        maps: of `compute_attention`.
        num_images: how many images were in that pass.
        attack: the name of the attack that needs them, for the message.

    Raises:
        ClassifierError: the network attends to something else (channels, windows, pooled keys, ...); the message says to what.
    """
    layout = _read_token_layout(classifier, num_blocks=len(maps))
    if layout is not None and maps and all(_is_whole(each, num_images, layout.num_tokens) for each in maps):
        return layout
    msg = (
        f"{classifier.name}: {attack} needs a vision transformer in which each patch attends to all patches of the image, but "
        f"{_describe_other_attention(classifier.network, maps, num_images)}; leave it out, or let it be a target only."
    )
    raise ClassifierError(msg)


def probe_token_layout(classifier: Classifier, *, attack: str) -> TokenLayout:
    """The tokens of a network, found with two probe images; see `find_token_layout`.

    Example:
        >>> import zooscope
        >>> probe_token_layout(zooscope.load_classifier("bundled:vit"), attack="PatchFool")
        TokenLayout(num_blocks=4, num_prefix_tokens=1, rows=8, columns=8, patch_size=(4, 4))

    Raises:
        ClassifierError: the network has no such patches, or fails without fused attention.
    """
    pixels = make_probe_pixels(classifier, NUM_IMAGES)
    try:
        with torch.no_grad():
            _, maps = compute_attention(classifier, pixels)
    except ClassifierError:
        raise
    except Exception as error:  # each network has its own way to stumble
        msg = (
            f"{classifier.name} fails when its attention is computed without fused kernels ({first_line(error)}), so {attack} "
            "can't attack it; leave it out, or let it be a target only."
        )
        raise ClassifierError(msg) from error
    return find_token_layout(classifier, maps, num_images=NUM_IMAGES, attack=attack)


def _find_dropouts(network: nn.Module) -> dict[str, nn.Module]:
    """The modules through which attention maps go, by name."""
    return {name: module for name, module in network.named_modules() if name.rpartition(".")[2] == _DROPOUT}


def _read_token_layout(classifier: Classifier, *, num_blocks: int) -> TokenLayout | None:
    """The tokens as the network describes them; None if it doesn't, or if its patches don't tile the image."""
    for module in classifier.network.modules():
        embedding: Any = getattr(module, "patch_embed", None)
        num_prefix_tokens = getattr(module, "num_prefix_tokens", None)
        if isinstance(num_prefix_tokens, int) and hasattr(embedding, "feat_ratio"):
            (height, width), (patch_height, patch_width) = classifier.transform.size, embedding.feat_ratio(as_scalar=False)
            if height % patch_height or width % patch_width:
                return None
            return TokenLayout(
                num_blocks=num_blocks,
                num_prefix_tokens=num_prefix_tokens,
                rows=height // patch_height,
                columns=width // patch_width,
                patch_size=(patch_height, patch_width),
            )
    return None


def _is_whole(attention: Tensor, num_images: int, num_tokens: int) -> bool:
    """Whether a map has every token of the whole image as a query and as a key."""
    has_shape = (
        attention.ndim == _NUM_AXES and len(attention) == num_images and tuple(attention.shape[2:]) == (num_tokens, num_tokens)
    )
    return has_shape and _sums_to_one(attention)


def _sums_to_one(attention: Tensor) -> bool:
    sums = attention.detach().float().sum(-1)
    return not bool(((sums - 1).abs() > SUM_TO_ONE).any())  # NaN is for others to refuse


def _describe_other_attention(network: nn.Module, maps: Sequence[Tensor], num_images: int) -> str:
    """What the network has in place of attention among all tokens of the image."""
    if not maps:
        return _describe_hidden_attention(network)
    queries, keys = ([each.shape[axis] for each in maps] for axis in (-2, -1))
    several = [key for query, key in zip(queries, keys, strict=True) if query > 1]
    kinds = {
        "this one attends within windows or other parts of the image": any(
            each.ndim != _NUM_AXES or len(each) != num_images for each in maps
        ),
        "this one attends to pooled patches (it has fewer keys than queries)": any(
            key != query != 1 for query, key in zip(queries, keys, strict=True)
        ),
        "this one attends among channels (cross-covariance attention)": set(several) <= _find_head_widths(network),
        "this one has class-attention blocks, in which nothing but the class token attends to patches": 1 in queries,
        "this one has blocks with different numbers of tokens (it is a hybrid or hierarchical, or its class token joins late)": (
            len(set(keys)) > 1
        ),
        "this one mixes its attention after the softmax, so that the weights of a token don't sum to 1": (
            not all(map(_sums_to_one, maps))
        ),
    }
    otherwise = "this one has no patch grid that accounts for its tokens (it is a hybrid, or keeps its patches otherwise than timm)"
    return next((kind for kind, is_this in kinds.items() if is_this), otherwise)


def _find_head_widths(network: nn.Module) -> set[int]:
    """How many channels the heads of attention have: channels attend to each other in maps of that width."""
    widths = set()
    for name in _find_dropouts(network):
        holder: Any = network.get_submodule(name.rpartition(".")[0])
        layer, num_heads = getattr(holder, "qkv", None), getattr(holder, "num_heads", None)
        if isinstance(layer, nn.Linear) and isinstance(num_heads, int):
            widths.add(layer.in_features // num_heads)
    return widths


def _describe_hidden_attention(network: nn.Module) -> str:
    kinds = [type(module).__name__ for module in network.modules()]
    attention = next((kind for kind in kinds if "attention" in kind.lower() or "attn" in kind.lower()), None)
    if attention is None:
        return "this one shows no attention (it is a CNN or an MLP, or a graph without modules of attention)"
    return f"the attention of this one ({attention}) doesn't show its weights (timm's does, in modules called attn_drop)"
