"""How a classifier is trained, as data; nothing here needs torch.

A recipe is a tree of sections, each a frozen dataclass that refuses values outside their range. Every setting has a dotted name,
such as `optimizer.learning_rate`, by which files, grids and cards call it.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from typing import Any, Final

from zooscope.arguments import check_arguments
from zooscope.errors import InvalidValueError

PRECISIONS: Final = ("float32", "bf16", "fp16")
SCHEDULES: Final = ("cosine", "step", "constant")
CROPS: Final = ("none", "shift", "resized")
SIDES: Final = ("input", "features")
IN_FILES: Final = {"network.start": "network.from"}  # Python can't call a field so
_NO_NAME: Final = re.compile(r'[/\\:*?"<>|]+')


@check_arguments
@dataclass(frozen=True, kw_only=True)
class NetworkSettings:
    """Which network is trained.

    Attributes:
        architecture: a name of timm's, or `bundled:NAME`, of `zooscope.classifiers.bundled.architectures`; its first weights are
            random.
        start: the address of a classifier to fine-tune, in place of an architecture (`from` in a file); where it has other
            classes, its last layer is made anew.
        options: keywords of timm's for the architecture, such as `drop_path_rate`.
        size: side of the square images, in pixels; the architecture's own if 0.
        mean: taken out of the pixels, per channel, in [0, 1] units; the architecture's own if empty.
        std: what the pixels are then divided by; likewise.
        interpolation: how images are resized for it; the architecture's own if empty.
        crop: the share of the resized side that is kept when it is tested; the architecture's own if 0.
    """

    architecture: str = ""
    start: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    size: int = 0
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    interpolation: str = ""
    crop: float = 0.0

    def __post_init__(self) -> None:
        """Refuses a network without a name, or with two."""
        if bool(self.architecture) == bool(self.start):
            msg = "a recipe names its network once: network.architecture = NAME, from random weights, or network.from = ADDRESS."
            raise InvalidValueError(msg)
        if self.start and self.options:
            msg = f"network.options are for an architecture; {self.start} is built already."
            raise InvalidValueError(msg)
        _require(self.size >= 0, "network.size", "a number of pixels", self.size)
        for name, values in (("mean", self.mean), ("std", self.std)):
            _require(len(values) in {0, 3}, f"network.{name}", "three numbers", values)
        _require(0 <= self.crop <= 1, "network.crop", "in (0, 1]", self.crop)


@check_arguments
@dataclass(frozen=True, kw_only=True)
class ImageSettings:
    """What it is trained and tested on.

    Attributes:
        train: the address of the images to train on.
        held_out: the address of the images to test on; empty for a share of `train`.
        held_out_share: the share of `train` that is tested on and left out of training, where `held_out` is empty.
        count: how many images to train on, a stratified sample; all if 0.
        held_out_count: how many to test on; all if 0.
        seed: of these samples; the same for all networks of a sweep.
    """

    train: str = ""
    held_out: str = ""
    held_out_share: float = 0.1
    count: int = 0
    held_out_count: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuses shares and counts outside their range."""
        _require(0 < self.held_out_share < 1, "images.held_out_share", "between 0 and 1", self.held_out_share)
        _require(self.count >= 0, "images.count", "a number of images", self.count)
        _require(self.held_out_count >= 0, "images.held_out_count", "a number of images", self.held_out_count)


@check_arguments
@dataclass(frozen=True, kw_only=True)
class OptimizerSettings:
    """What changes the weights.

    Attributes:
        name: one of timm's optimisers, such as sgd, adamw, lamb, muon.
        learning_rate: the highest of the schedule.
        weight_decay: not applied to biases and norms, as in timm.
        momentum: of SGD and its kin.
        layer_decay: each layer's learning rate as a share of the next one's, for fine-tuning; 1 for the same.
        clip_norm: gradients are scaled down to this norm; 0 for never.
    """

    name: str = "adamw"
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    momentum: float = 0.9
    layer_decay: float = 1.0
    clip_norm: float = 0.0

    def __post_init__(self) -> None:
        """Refuses rates outside their range."""
        _require(self.learning_rate > 0, "optimizer.learning_rate", "positive", self.learning_rate)
        _require(self.weight_decay >= 0, "optimizer.weight_decay", "at least 0", self.weight_decay)
        _require(0 <= self.momentum < 1, "optimizer.momentum", "in [0, 1)", self.momentum)
        _require(0 < self.layer_decay <= 1, "optimizer.layer_decay", "in (0, 1]", self.layer_decay)
        _require(self.clip_norm >= 0, "optimizer.clip_norm", "at least 0", self.clip_norm)


@check_arguments
@dataclass(frozen=True, kw_only=True)
class ScheduleSettings:
    """How the learning rate changes, step by step.

    Attributes:
        name: cosine, step or constant, as timm has them.
        warmup_epochs: how long it rises linearly; may be a fraction.
        warmup_learning_rate: from where.
        warmup_prefix: whether the schedule begins after the warm-up, from its highest rate, not with it, as in timm.
        lowest_learning_rate: where the cosine ends.
        decay_epochs: epochs between steps.
        decay_rate: the factor of each step.
    """

    name: str = "cosine"
    warmup_epochs: float = 0.0
    warmup_learning_rate: float = 1e-6
    warmup_prefix: bool = False
    lowest_learning_rate: float = 0.0
    decay_epochs: float = 30.0
    decay_rate: float = 0.1

    def __post_init__(self) -> None:
        """Refuses unknown schedules."""
        _require(self.name in SCHEDULES, "schedule.name", f"one of {', '.join(SCHEDULES)}", self.name)
        _require(self.warmup_epochs >= 0, "schedule.warmup_epochs", "at least 0", self.warmup_epochs)
        _require(self.decay_epochs > 0, "schedule.decay_epochs", "positive", self.decay_epochs)
        _require(self.decay_rate > 0, "schedule.decay_rate", "positive", self.decay_rate)


@check_arguments
@dataclass(frozen=True, kw_only=True)
class AugmentationSettings:
    """What is done to each image before the network sees it, in this order.

    Attributes:
        crop: `resized` (a random part of the area, see `scale`), `shift` (moved by up to `padding` pixels, borders reflected), or
            `none` (as it is tested).
        padding: of `shift`, in pixels.
        scale: smallest and largest share of the area of `resized`.
        flip: chance of a mirror image.
        rand_augment: timm's spelling of RandAugment, such as `rand-m9-mstd0.5-inc1`; empty for none.
        color_jitter: by how much brightness, contrast and saturation change; 0 for none. As in timm, not beside RandAugment.
        random_erasing: chance that a box is filled with noise (Zhong et al., AAAI 2020).
        cutout: side, in pixels, of a square that is filled with the mean colour, its centre anywhere in the image (DeVries and
            Taylor, 2017); 0 for none.
        repeats: how often an image comes in an epoch, each time augmented anew (Hoffer et al., CVPR 2020); the epoch is no longer.
    """

    crop: str = "resized"
    padding: int = 4
    scale: tuple[float, ...] = (0.08, 1.0)
    flip: float = 0.5
    rand_augment: str = ""
    color_jitter: float = 0.0
    random_erasing: float = 0.0
    cutout: int = 0
    repeats: int = 1

    def __post_init__(self) -> None:
        """Refuses unknown crops and chances outside [0, 1]."""
        _require(self.crop in CROPS, "augmentation.crop", f"one of {', '.join(CROPS)}", self.crop)
        _require(self.padding >= 0, "augmentation.padding", "a number of pixels", self.padding)
        is_range = len(self.scale) == 2 and 0 < self.scale[0] <= self.scale[1] <= 1  # noqa: PLR2004  (two ends)
        _require(is_range, "augmentation.scale", "two shares, such as [0.08, 1.0]", self.scale)
        for name in ("flip", "random_erasing"):
            _require(0 <= getattr(self, name) <= 1, f"augmentation.{name}", "a chance in [0, 1]", getattr(self, name))
        _require(self.color_jitter >= 0, "augmentation.color_jitter", "at least 0", self.color_jitter)
        _require(self.cutout >= 0, "augmentation.cutout", "a number of pixels", self.cutout)
        _require(self.repeats >= 1, "augmentation.repeats", "at least 1", self.repeats)


@check_arguments
@dataclass(frozen=True, kw_only=True)
class MixingSettings:
    """Pairs of images that are mixed within a batch, and their labels with them.

    Attributes:
        mixup: alpha of Mixup's Beta distribution (Zhang et al., ICLR 2018); 0 for none.
        cutmix: alpha of CutMix's (Yun et al., ICCV 2019); 0 for none. With both, each batch takes one of them, by `switch`.
        on: `input`, the images; or `features`, what the network makes of them after a stage that is drawn for each batch, the input
            being one of them: manifold Mixup (Verma et al., ICML 2019) and feature CutMix.
        chance: that a batch is mixed.
        switch: chance of CutMix, where both are on.
    """

    mixup: float = 0.0
    cutmix: float = 0.0
    on: str = "input"
    chance: float = 1.0
    switch: float = 0.5

    def __post_init__(self) -> None:
        """Refuses chances outside [0, 1]."""
        for name in ("mixup", "cutmix"):
            _require(getattr(self, name) >= 0, f"mixing.{name}", "at least 0", getattr(self, name))
        _require(self.on in SIDES, "mixing.on", f"one of {', '.join(SIDES)}", self.on)
        for name in ("chance", "switch"):
            _require(0 <= getattr(self, name) <= 1, f"mixing.{name}", "a chance in [0, 1]", getattr(self, name))

    @property
    def is_on(self) -> bool:
        """Whether anything is mixed."""
        return self.chance > 0 and (self.mixup > 0 or self.cutmix > 0)


@check_arguments
@dataclass(frozen=True, kw_only=True)
class LossSettings:
    """What is minimised: cross-entropy.

    Attributes:
        label_smoothing: the share of the truth that is spread over all classes.
        attack: as `measure --attack` takes it, such as `LinfPGD?step_size=4/255&iterations=4&random_start=true`; the network is
            trained on what the attack makes of each image (Madry et al., ICLR 2018); empty for none.
        teacher: the address of a classifier whose predicted class is learned, too (hard distillation, Touvron et al., ICML 2021);
            empty for none.
        teacher_share: the weight of the teacher's class in the loss; that of the label is the rest.
    """

    label_smoothing: float = 0.0
    attack: str = ""
    teacher: str = ""
    teacher_share: float = 0.5

    def __post_init__(self) -> None:
        """Refuses shares outside [0, 1]."""
        _require(0 <= self.label_smoothing < 1, "loss.label_smoothing", "in [0, 1)", self.label_smoothing)
        _require(0 <= self.teacher_share <= 1, "loss.teacher_share", "in [0, 1]", self.teacher_share)


@check_arguments
@dataclass(frozen=True, kw_only=True)
class Recipe:
    """All that decides a trained network.

    Attributes:
        name: what the network is called in its zoo file; its folder is called so, too, but for signs that no folder may have.
        group: the group of settings that it belongs to, for `zooscope strategies`.
        seed: decides first weights, order of images, augmentation and mixing.
        epochs: passes over the images.
        batch_size: images per step, over all devices.
        precision: of the network's passes, `float32`, `bf16` or `fp16`; the weights stay in float32.
        average: decay of the moving average of the weights that is kept in their place (EMA); 0 for none.
        network, images, optimizer, schedule, augmentation, mixing, loss: see there.

    Example:
        >>> recipe = Recipe(name="vit", epochs=3, network=NetworkSettings(architecture="bundled:vit"))
        >>> recipe.settings["optimizer.name"]
        'adamw'
    """

    name: str
    network: NetworkSettings
    group: str = ""
    seed: int = 0
    epochs: int = 10
    batch_size: int = 128
    precision: str = "float32"
    average: float = 0.0
    images: ImageSettings = field(default_factory=ImageSettings)
    optimizer: OptimizerSettings = field(default_factory=OptimizerSettings)
    schedule: ScheduleSettings = field(default_factory=ScheduleSettings)
    augmentation: AugmentationSettings = field(default_factory=AugmentationSettings)
    mixing: MixingSettings = field(default_factory=MixingSettings)
    loss: LossSettings = field(default_factory=LossSettings)

    def __post_init__(self) -> None:
        """Refuses numbers outside their range, names that are no folder's, and settings that contradict each other."""
        _require(self.name.isprintable() and bool(self.folder), "name", "printable text", self.name)
        _require(self.seed >= 0, "seed", "at least 0", self.seed)
        _require(self.epochs >= 1, "epochs", "at least 1", self.epochs)
        _require(self.batch_size >= 1, "batch_size", "at least 1", self.batch_size)
        _require(self.precision in PRECISIONS, "precision", f"one of {', '.join(PRECISIONS)}", self.precision)
        _require(0 <= self.average < 1, "average", "in [0, 1)", self.average)
        if self.schedule.warmup_epochs >= self.epochs:
            msg = f"schedule.warmup_epochs must be less than epochs, {self.epochs}: got {self.schedule.warmup_epochs}."
            raise InvalidValueError(msg)
        if self.mixing.is_on and self.batch_size % 2:
            msg = f"mixing takes pairs of images, so batch_size must be even: got {self.batch_size}."
            raise InvalidValueError(msg)
        if self.mixing.is_on and self.loss.attack:
            msg = f"{self.name}: an attack needs one label per image, and mixing gives two; leave out mixing or loss.attack."
            raise InvalidValueError(msg)
        if self.mixing.is_on and self.mixing.on == "features" and self.loss.teacher:
            msg = f'{self.name}: a teacher sees no mixed features; write mixing.on = "input", or leave out loss.teacher.'
            raise InvalidValueError(msg)

    @property
    def folder(self) -> str:
        """The name of the network's folder.

        >>> Recipe(name="bundled:vit", network=NetworkSettings(architecture="bundled:vit")).folder
        'bundled-vit'
        """
        return _NO_NAME.sub("-", self.name).strip("-. ")

    @property
    def settings(self) -> dict[str, Any]:
        """Every setting by its dotted name in a file, as JSON has them; all that decides the weights, and the name and group."""
        return {IN_FILES.get(name, name): value for name, value in flatten(asdict(self)).items()}


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A tree of sections as dotted names.

    >>> flatten({"seed": 0, "network": {"size": 32, "options": {"depth": 4}}})
    {'seed': 0, 'network.size': 32, 'network.options.depth': 4}
    """
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{name}.")
        else:
            flat[name] = list(value) if isinstance(value, tuple) else value
    return flat


def list_setting_names() -> tuple[str, ...]:
    """The dotted names of all settings but the options of an architecture, which are timm's."""
    names: list[str] = []
    for top in fields(Recipe):
        if is_dataclass(top.type):
            names += [f"{top.name}.{inner.name}" for inner in fields(top.type)]
        else:
            names.append(top.name)
    return tuple(IN_FILES.get(name, name) for name in names)


def _require(is_met: bool, name: str, what: str, value: object) -> None:  # noqa: FBT001  (a condition, read as one)
    if not is_met:
        msg = f"{name} must be {what}: got {value!r}."
        raise InvalidValueError(msg)
