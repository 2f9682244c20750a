"""What `measure` and `demo` share: a study is made or found again, and measured to the end."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from zooscope.cli.progress import matrix_bar
from zooscope.cli.terminal import INTERRUPTED, tell
from zooscope.errors import InvalidValueError, StudyError

if TYPE_CHECKING:
    from zooscope.attacks import Attack
    from zooscope.engine.executor import Executor
    from zooscope.engine.shelf import Shelf
    from zooscope.images.image_set import ImageSet
    from zooscope.measurements.base import Measurement
    from zooscope.study.study import Study


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What was asked for on the command line; None where nothing was.

    A new study takes the defaults there. Of an existing study only what was asked for is compared.
    """

    classifiers: Sequence[str] | None = None
    images: str | None = None
    classes: Path | None = None
    count: int | None = None
    seed: int | None = None
    attack: str | None = None
    epsilon: float | None = None
    step_size: float | None = None
    iterations: int | None = None
    random_start: bool | None = None
    shard_size: int | None = None
    sources: Sequence[str] | None = None
    precision: str | None = None
    exact: bool | None = None
    compiled: bool | None = None
    trust: bool = False

    @property
    def settings(self) -> dict[str, Any]:
        """How the study is measured, besides its attack; None where nothing was asked for."""
        return {name: getattr(self, name) for name in ("seed", "shard_size", "precision", "exact", "compiled")}

    @property
    def attack_fields(self) -> dict[str, Any]:
        """Fields of the attack that were asked for one by one."""
        settings = {name: getattr(self, name) for name in ("epsilon", "step_size", "iterations", "random_start")}
        return drop_none(**settings)


def choose_attack(text: str | None, fields: dict[str, Any], *, otherwise: "Attack | None" = None) -> "Attack":
    """The attack that was asked for: as a whole, and field by field.

    Args:
        text: its spelling.
        fields: values of some of its fields.
        otherwise: the attack where no text was given; LinfPGD() if left out.

    Raises:
        ZooscopeError: there is no such attack, or it has no such field.
    """
    from zooscope.attacks import LinfPGD, parse_attack
    from zooscope.attacks.registry import change_attack

    attack = parse_attack(text) if text is not None else otherwise or LinfPGD()
    return change_attack(attack, fields)


def split_names(words: Sequence[str] | None) -> list[str] | None:
    """Names or patterns that are separated by spaces or commas; None where nothing was asked for."""
    return None if words is None else [name for word in words for name in word.split(",") if name]


def drop_none(**options: Any) -> dict[str, Any]:  # noqa: ANN401  (options of any type)
    """Those options that are not None, to be passed on where the callee has defaults."""
    return {name: value for name, value in options.items() if value is not None}


def measure_study(
    path: Path,
    wanted: Wanted,
    *,
    also: "Sequence[Measurement] | None" = (),
    part: str | None = None,
    **how: Any,  # noqa: ANN401  (options of any type)
) -> "Study":
    """The study in a folder, made if need be, with everything measured.

    When it fails, what was measured stays, and so does the list of what is to be measured; the record keeps why a classifier was
    refused.

    Args:
        path: the folder.
        wanted: what the study is to be about.
        also: further measurements, as `Study.run` takes them; None forgets those asked for before.
        part: the share to measure, into a study of its own within the folder; everything if None.
        **how: what `Study.run` takes; None where nothing was asked for.

    Raises:
        ZooscopeError: something asked for contradicts the study, can't be had or can't be measured.
        typer.Exit: the user stopped it.
    """
    with matrix_bar() as listen:
        try:
            from zooscope.engine.device import choose_device
            from zooscope.engine.shelf import require_settings
            from zooscope.study.merge import begin_part
            from zooscope.study.study import Study
            from zooscope.study.until import require_whole

            choose_device(how.get("device") or "auto")  # before anything is entered
            require_whole(part, how.get("until"))
            require_settings(batch_size=how.get("batch_size"), memory_budget=how.get("memory_budget"))
            path = path if part is None else begin_part(path, part)
            study = continue_study(path, wanted) if Study.exists(path) else create_study(path, wanted)
            try:
                listen.begin(study)
                study.run(listen=listen, also=also, **drop_none(part=part, **how))
            except BaseException:
                study.close()
                raise
        except KeyboardInterrupt as error:
            stopped = error
        else:
            return study
    tell("Stopped; run the same command again to go on.")
    raise typer.Exit(INTERRUPTED) from stopped


@contextmanager
def open_executor(
    name: str, *, address: str | None, workers: int | None, device: str
) -> "Iterator[Callable[[Shelf], Executor] | None]":
    """What measures; None for this process.

    Raises:
        InvalidValueError: there are options of Ray without Ray, or they can't be used.
        MissingExtraError: Ray is not installed.
    """
    if name != "ray":
        if address is not None or workers is not None:
            msg = "--address and --workers are for Ray; add --executor ray, or leave them out."
            raise InvalidValueError(msg)
        yield None
        return
    from zooscope.engine.ray_cluster import RayCluster

    with RayCluster(address, workers=workers, device=device) as cluster:
        yield cluster


def take_sample(images: "ImageSet", count: int | None, seed: int | None) -> "ImageSet":
    """A stratified sample; all images if no count is given, in an order that spreads the classes evenly."""
    return images.sample(len(images) if count is None else count, seed=seed or 0)


def create_study(path: Path, wanted: Wanted, *, named: Path | None = None) -> "Study":
    """A new study.

    Args:
        path: its folder.
        wanted: what it is to be about.
        named: what the user calls it; the path if left out.

    Raises:
        ZooscopeError: something is not said, or can't be had.
    """
    from zooscope.images.load import load_images
    from zooscope.records.near import suggest_studies
    from zooscope.study.study import Study

    place = named or path
    lacking = [f"--{name}" for name in ("classifiers", "images") if not getattr(wanted, name)]
    if not wanted.classifiers or not wanted.images:
        msg = (
            f"there is no study at {place} yet; add {' and '.join(lacking)} to make one, or name the folder of an existing study."
            f"{suggest_studies(place)}"
        )
        raise StudyError(msg)
    attack = choose_attack(wanted.attack, wanted.attack_fields)
    images = take_sample(load_images(wanted.images, classes=wanted.classes), wanted.count, wanted.seed)
    return Study.create(
        path,
        classifiers=wanted.classifiers,
        images=images,
        attack=attack,
        **drop_none(sources=wanted.sources, **wanted.settings),
    )


def continue_study(path: Path, wanted: Wanted) -> "Study":
    """An existing study, with the classifiers added that were asked for.

    Raises:
        ZooscopeError: something asked for contradicts the study, or can't be had.
    """
    from zooscope.study.study import Study

    study = Study.open(path, trust=wanted.trust)
    try:
        _require_same(study, wanted)
    except StudyError:
        if study.snapshot().names or not (wanted.classifiers and wanted.images):
            study.close()
            raise
        study.delete()  # nothing is measured, and all is said anew
        return create_study(path, wanted)
    except BaseException:
        study.close()
        raise
    try:
        study.add(wanted.classifiers or (), sources=wanted.sources)
    except BaseException:
        study.close()
        raise
    for name, reason in study.refused.items():
        tell(f"Note: {name} is left out: {reason} Name it again to try again.")
    return study


def _require_same(study: "Study", wanted: Wanted) -> None:
    """Refuses what contradicts the study."""
    asked = wanted.attack is not None or wanted.attack_fields
    attack = choose_attack(wanted.attack, wanted.attack_fields, otherwise=study.attack) if asked else None
    study.require(attack=attack, **wanted.settings)
    study.require(images=_load_images_again(study, wanted))


def _load_images_again(study: "Study", wanted: Wanted) -> "ImageSet | None":
    """The images as they were asked for, to be compared with the study's; None where nothing was asked."""
    from zooscope.images.load import load_images

    if wanted.images is None and wanted.classes is None and wanted.count is None:
        return None
    definition = study.definition
    images = load_images(
        wanted.images or definition.images,
        classes=wanted.classes or study.class_names,
        trust=wanted.trust or wanted.images is not None,
    )
    count = min(study.num_images, len(images)) if wanted.count is None else wanted.count
    return take_sample(images, count, definition.seed)
