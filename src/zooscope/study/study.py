"""A study: classifiers, images and an attack, measured into a record and scored from it."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Final, final

import pandas as pd
import torch

from zooscope.arguments import check_arguments
from zooscope.attacks import Attack, LinfPGD
from zooscope.attacks.registry import collect_attack
from zooscope.classifiers.classifier import Classifier
from zooscope.classifiers.collect import collect_classifiers
from zooscope.classifiers.prepared import Precision
from zooscope.engine.asked import ask_for, find_asked
from zooscope.engine.device import choose_device
from zooscope.engine.executor import Executor, Serial
from zooscope.engine.numerics import Numerics
from zooscope.engine.progress import ProgressListener
from zooscope.engine.run import Run
from zooscope.engine.share import take_share
from zooscope.engine.shelf import BATCH_SIZE, Shelf
from zooscope.errors import InvalidValueError, StudyError
from zooscope.exchange.components import enter_components
from zooscope.exchange.published import import_matrix
from zooscope.images.collect import collect_images
from zooscope.images.image_set import ImageSet
from zooscope.kept.entries import CACHE
from zooscope.kept.kept_attacks import LIMIT, KeptAttacks
from zooscope.measurements.base import Measurement
from zooscope.measurements.examples import ExamplePixels, find_measured, make_examples
from zooscope.records.entries import DATABASE, Definition
from zooscope.records.lock import LOCK, held
from zooscope.records.records import GIVEN_CLASSES, Records
from zooscope.study.at_hand import AtHand
from zooscope.study.definition import (
    choose_roles,
    enter_found_components,
    list_notes,
    make_definition,
    make_record,
    match_all,
    require_same,
)
from zooscope.study.refusals import require_images, require_name
from zooscope.study.scored import Scored
from zooscope.study.snapshot import Snapshot
from zooscope.study.until import Until, require_whole, watch_records

SHARD_SIZE: Final = 100


@final
@check_arguments
class Study(Scored):
    """Classifiers compared by attack transferability on one set of images, under one attack.

    Made by `create`, found again by `open`. The folder holds `study.db`, from which every score is recomputed in seconds; `run`
    measures what is missing, and only that. The examples of the methods go on from this one.

    Example:
        >>> import tempfile
        >>> import zooscope
        >>> folder, names = tempfile.mkdtemp(), ["bundled:resnet", "bundled:vit", "bundled:mixer"]
        >>> path = f"{folder}/study"
        >>> images = zooscope.load_images("bundled:cifar10").sample(20, seed=0)
        >>> attack = zooscope.attacks.LinfPGD(step_size=2 / 255, iterations=5)
        >>> study = zooscope.Study.create(path, classifiers=names, images=images, attack=attack)
        >>> study.run(device="cpu")
        >>> scores = study.sat()
        >>> scores.dims, scores.shape
        (('a', 'b'), (3, 3))
        >>> bool((scores.low <= scores).all())
        True
    """

    def __init__(
        self,
        records: Records,
        *,
        path: Path | None,
        classifiers: Iterable[Classifier] = (),
        images: ImageSet | None = None,
        attack: Attack | None = None,
        trust: bool = False,
    ) -> None:
        """Takes open records; use `create`, `open` or `in_memory`."""
        self._records, self.path = records, path
        self._at_hand = AtHand(records, study=self._place, classifiers=classifiers, images=images, attack=attack, trust=trust)

    def __enter__(self) -> "Study":
        """The study itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes the record."""
        self.close()

    def __repr__(self) -> str:
        """Place and counts."""
        return f"Study({str(self.path or 'in memory')!r}, {len(self.names)} classifiers, {self.num_images} images)"

    def close(self) -> None:
        """Closes the record, as the end of a `with` block does.

        >>> with zooscope.Study.open(path) as again:
        ...     again.num_images
        20
        """
        self._records.close()

    # Making and opening

    @classmethod
    def create(
        cls,
        path: str | Path,
        *,
        classifiers: object,
        images: object,
        attack: Attack | str | None = None,
        seed: int = 0,
        shard_size: int = SHARD_SIZE,
        sources: Sequence[str] | None = None,
        precision: Precision = "float32",
        exact: bool = False,
        compiled: bool = False,
    ) -> "Study":
        """A new study in a folder; nothing is measured yet.

        >>> with zooscope.Study.create(f"{folder}/default", classifiers=names, images=images) as new:
        ...     print(new.attack)
        LinfPGD?epsilon=8/255&step_size=0.1&iterations=50&random_start=false

        Args:
            path: the folder; it is made.
            classifiers: at least one, as `zooscope.collect_classifiers` takes them: addresses, patterns, `Classifier`s; more can be
                added later.
            images: as `zooscope.collect_images` takes them: an address, `(images, labels)`, a data set of torch, an `ImageSet`. All
                are used: take `load_images(address).sample(count)` for fewer.
            attack: itself, or its spelling as the command line takes it, such as "LinfPGD?iterations=10"; `LinfPGD()` by default.
            seed: for attacks that draw random numbers.
            shard_size: images per unit of work, the most that a killed run loses per source.
            sources: names (or patterns of names) of the classifiers to attack; all are targets. All are attacked if left out.
            precision: of passes through networks: "float32", "tf32", "bf16", "fp16".
            exact: whether networks run just as they are, batch by batch, bit for bit as in plain torch. Else they are prepared for
                speed; scores then differ by rounding, as they do under another batch size.
            compiled: whether torch compiles the prepared networks, which takes some ten seconds each. It doesn't pay on a CPU; on a
                GPU `benchmarks/gpu.py` tells.

        Raises:
            InvalidValueError: there is no classifier, `shard_size` is not positive, or an address or the attack can't be used.
            UnknownNameError: no classifier has the name of a source, or there is no such attack, classifier or image set.
            StudyError: the folder holds a study, or can't be written.
            ClassifierError: two classifiers share a name, or their classes don't fit the images'.
            MissingFileError: there is no file or folder at an address.
            ImagesError: some images can't be read.

        Warns:
            ClassMatchingWarning: outputs have other names than the images' classes, or are in another order, which is followed.
        """
        (chosen, known), ours = _collect(classifiers, images), collect_attack(LinfPGD() if attack is None else attack)
        numerics = Numerics(precision=precision, is_exact=exact, is_compiled=compiled)
        definition = make_definition(known, ours, seed=seed, shard_size=shard_size, numerics=numerics)
        roles = choose_roles([classifier.name for classifier in chosen], sources)

        def fill(records: Records) -> None:
            for classifier in chosen:
                records.add_classifier(make_record(classifier))
            records.set_roles(roles)

        records = Records.create(Path(path) / DATABASE, definition, known.ids, known.labels, notes=list_notes(known), fill=fill)
        return cls(records, path=Path(path), images=known, attack=ours, classifiers=chosen)

    @classmethod
    def in_memory(
        cls,
        *,
        classifiers: object,
        images: object,
        attack: Attack | str | None = None,
        seed: int = 0,
        shard_size: int = SHARD_SIZE,
        sources: Sequence[str] | None = None,
        precision: Precision = "float32",
        exact: bool = False,
        compiled: bool = False,
    ) -> "Study":
        """A study that is gone with the process; arguments and errors are those of `create`.

        >>> with zooscope.Study.in_memory(classifiers=names, images=images, attack=attack) as new:
        ...     new
        Study('in memory', 3 classifiers, 20 images)
        """
        (chosen, known), ours = _collect(classifiers, images), collect_attack(LinfPGD() if attack is None else attack)
        numerics = Numerics(precision=precision, is_exact=exact, is_compiled=compiled)
        definition = make_definition(known, ours, seed=seed, shard_size=shard_size, numerics=numerics)
        records = Records.in_memory(definition, known.ids, known.labels, notes=list_notes(known))
        study = cls(records, path=None, images=known, attack=ours)
        study._enter(chosen, choose_roles([classifier.name for classifier in chosen], sources))
        return study

    @classmethod
    def open(cls, path: str | Path, *, classifiers: object = (), images: object = None, trust: bool = False) -> "Study":
        """An existing study, to be read or run on.

        >>> with zooscope.Study.open(path) as again:
        ...     again.run(device="cpu")  # measures what is missing: nothing
        ...     again.sat().equals(scores)
        True

        Args:
            path: its folder.
            classifiers: those that were made by hand; the others are loaded from their addresses when `run` needs them.
            images: the images, as for `create`, if they were made by hand. An attack of one's own is handed over by `require`.
            trust: whether to run code that addresses in the study name (`architecture=module:function`). Only for a study of your
                own, or of someone whom you would let run programs on your machine. A classifier in `classifiers` needs no trust.

        Raises:
            MissingFileError: there is no study.
            StudyError: it is damaged, or the images are not the study's.
        """
        chosen = collect_classifiers(classifiers)
        study = cls(Records.open(Path(path) / DATABASE, write=True), path=Path(path), classifiers=chosen, trust=trust)
        try:
            study.require(images=images)
        except BaseException:
            study.close()
            raise
        return study

    @classmethod
    def from_matrix(cls, path: str | Path, matrix: pd.DataFrame, *, components: pd.DataFrame | None = None) -> "Study":
        """A study of scores that others published.

        >>> import pandas as pd
        >>> matrix = pd.DataFrame([[4.6, 3.0], [3.0, 4.6]], index=["a", "b"], columns=["a", "b"])
        >>> with zooscope.Study.from_matrix(f"{folder}/published", matrix) as published:
        ...     published.is_imported, published.sat().sel(a="a", b="b").item()
        (True, 3.0)

        Args:
            path: the folder; it is made.
            matrix: SAT of all pairs (natural log), names as index and columns; one triangle will do, and NaN for unknown pairs.
            components: as for `set_components`.

        Raises:
            InvalidValueError: the matrix is empty, not square, or its names or scores can't be used.
            StudyError: the folder holds a study, or can't be written.
        """
        import_matrix(path, matrix, components=components)
        return cls.open(path)

    @classmethod
    def exists(cls, path: str | Path) -> bool:
        """Whether a folder holds a study.

        >>> zooscope.Study.exists(path), zooscope.Study.exists(folder)
        (True, False)
        """
        return (Path(path) / DATABASE).exists()

    def add(self, classifiers: object, *, sources: Sequence[str] | None = None) -> None:
        """Adds classifiers; `run` then measures them against all others. Those that are there, unchanged, stay as they are.

        >>> with zooscope.Study.in_memory(classifiers=names, images=images) as new:
        ...     new.add("bundled:swin")
        ...     new.names
        ('bundled:resnet', 'bundled:vit', 'bundled:mixer', 'bundled:swin')

        Args:
            classifiers: to be added, as for `create`; each is attacked, unless `sources` says otherwise.
            sources: names (or patterns of names) of the classifiers to attack from now on, of all in the study; if left out, who is
                attacked stays as it is.

        Raises:
            UnknownNameError: no classifier has the name of a source; nothing is added then.
            StudyError: one has a name that is taken by a classifier with other weights or preprocessing; or the study is imported.
            ClassifierError: one has another number of classes than the images.

        Warns:
            ClassMatchingWarning: as for `create`.
        """
        self._require_images()
        added = self.match(collect_classifiers(classifiers))
        known = [entry.name for entry in self._records.entries]
        roles = choose_roles(list(dict.fromkeys([*known, *(one.name for one in added)])), sources)
        with self._held():
            self._enter(added, roles)

    def _enter(self, classifiers: Sequence[Classifier], roles: Mapping[str, bool]) -> None:
        for classifier in classifiers:
            self._records.add_classifier(make_record(classifier))
        self._at_hand.take(classifiers=classifiers)
        self._records.set_roles(roles)

    def match(self, classifiers: Sequence[Classifier]) -> list[Classifier]:
        """Classifiers with their outputs matched with the classes of the study's images, where the names of both say how.

        >>> [swin] = study.match([zooscope.load_classifier("bundled:swin")])
        >>> swin.class_matching
        'by name'

        Raises:
            ClassifierError: two share a name, or one has another number of classes than the images.

        Warns:
            ClassMatchingWarning: outputs have other names than the classes, or are in another order.
        """
        return match_all(classifiers, self.class_names, are_given=GIVEN_CLASSES in self._records.notes)

    def remove(self, names: Iterable[str]) -> None:
        """Forgets classifiers and everything measured of them.

        >>> with zooscope.Study.in_memory(classifiers=names, images=images) as new:
        ...     new.remove(["bundled:mixer"])
        ...     new.names
        ('bundled:resnet', 'bundled:vit')

        Raises:
            UnknownNameError: the study holds no classifier of such a name; nothing is removed then.
            StudyError: the study is being measured.
        """
        chosen = tuple(names)
        for name in chosen:
            if name not in self.refused:
                require_name(name, self.names)
        with self._held():
            for name in chosen:
                self._records.remove_classifier(name)
                self._at_hand.drop(name)
                self._forget_attacks(name)

    def delete(self) -> None:
        """Closes the study and removes its files, and the folder if nothing else is in it.

        >>> new = zooscope.Study.create(f"{folder}/new", classifiers=names, images=images)
        >>> new.delete()
        >>> zooscope.Study.exists(f"{folder}/new")
        False

        Raises:
            StudyError: the study is being measured.
        """
        with self._held():
            self.close()
            self._forget_attacks()
            if self.path is not None:
                for name in (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", LOCK):
                    (self.path / name).unlink(missing_ok=True)
        if self.path is not None and not any(self.path.iterdir()):
            self.path.rmdir()

    def require(
        self,
        *,
        images: object = None,
        attack: Attack | str | None = None,
        seed: int | None = None,
        shard_size: int | None = None,
        precision: str | None = None,
        exact: bool | None = None,
        compiled: bool | None = None,
    ) -> None:
        """Makes sure that the study is about these images and this attack, computed in this way; what is left out may be any.

        >>> study.require(images=images, attack=attack)
        >>> study.require(seed=1)  # doctest: +ELLIPSIS
        Traceback (most recent call last):
            ...
        zooscope.errors.StudyError: ... was measured with another seed: 0, now 1. Measure into a new folder, or ask for the same ...

        Raises:
            StudyError: it isn't; the field that differs is named.
            InvalidValueError, UnknownNameError, MissingFileError, ImagesError: as `create`.
        """
        known, ours = None, None if attack is None else collect_attack(attack)
        if images is not None:
            self._require_images()
            known = images if isinstance(images, ImageSet) else collect_images(images, classes=self.class_names)
        require_same(
            self._records.definition,
            self.num_images,
            images=known,
            attack=ours,
            seed=seed,
            shard_size=shard_size,
            precision=precision,
            exact=exact,
            compiled=compiled,
            study=self._place,
        )
        self._at_hand.take(images=known, attack=ours)

    # What it is

    @property
    def sources(self) -> tuple[str, ...]:
        """The classifiers that are attacked; all are targets."""
        return tuple(entry.name for entry in self._records.entries if entry.is_source and not entry.refusal)

    @property
    def attack(self) -> Attack:
        """The attack, with its settings.

        Raises:
            StudyError: this zooscope has no such attack.
        """
        return self._at_hand.attack

    @property
    def images(self) -> ImageSet:
        """The images, found again at their address and compared with the record.

        Raises:
            StudyError: they have changed, or were made by hand and not passed to `open`.
        """
        return self._at_hand.images

    @property
    def definition(self) -> Definition:
        """What the study is about, as recorded."""
        return self._records.definition

    @property
    def names(self) -> tuple[str, ...]:
        """The classifiers, also those that wait to be measured, in the order they came."""
        return self._records.wanted

    @property
    def refused(self) -> dict[str, str]:
        """Classifiers that are left out because they can't be measured, with the reason; added again, they are tried again."""
        return {entry.name: entry.refusal for entry in self._records.entries if entry.refusal}

    @property
    def num_images(self) -> int:
        """How many images there are."""
        return len(self._records.labels)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, in the order of the logits."""
        return tuple(self._records.definition.class_names.split("\n"))

    @property
    def is_imported(self) -> bool:
        """Whether this is a published matrix: scores without images."""
        return self.num_images == 0

    @property
    def asked(self) -> tuple[Measurement, ...]:
        """The measurements besides clean images and transfer that `run` completes, as it was asked for them.

        Raises:
            UnknownNameError: a later zooscope has a measurement that this one hasn't.
        """
        return find_asked(self._records)

    def set_components(self, table: pd.DataFrame) -> None:
        """Enters architectural components of classifiers; existing ones get the new value.

        >>> import pandas as pd
        >>> study.set_components(pd.DataFrame({"activation": ["GeLU"]}, index=["bundled:resnet"]))
        >>> study.components().loc["bundled:resnet", "activation"]
        'GeLU'

        Args:
            table: names of classifiers as index, a column per component; NaN and empty cells are ignored.

        Raises:
            InvalidValueError: none of the names is in the study, a name is repeated, or two columns are the same component.

        Warns:
            UnknownComponentWarning: a column, a value or a classifier is not known; the first two are kept as they are.
        """
        enter_components(self._records, table)

    # Measuring

    def run(
        self,
        *,
        device: str | torch.device = "auto",
        batch_size: int = BATCH_SIZE,
        memory_budget: int | None = None,
        cache_limit: int = LIMIT,
        allow_chance: bool = False,
        allow_nonfinite: bool = False,
        also: Sequence[Measurement] | None = (),
        executor: Callable[[Shelf], Executor] = Serial,
        part: str | None = None,
        listen: ProgressListener = lambda _: None,
        until: Until | None = None,
    ) -> None:
        """Measures what is missing, and reads components; killed and run again, it goes on where it was.

        >>> with zooscope.Study.in_memory(classifiers="bundled:vit", images=images, attack=attack) as new:
        ...     new.run(device="cpu", listen=lambda now: print(f"{now.phase}: {now.done} of {now.total}"))
        classify: 20 of 20
        attack: 16 of 16

        Args:
            device: "cpu", "cuda", "cuda:1", ...; "auto" takes a GPU where there is one.
            batch_size: images that go through a network at once.
            memory_budget: bytes of weights to keep on the device; half of the memory of a GPU, without limit elsewhere.
            cache_limit: bytes of attacked images to keep in the study's folder, so that classifiers that are added later are tested
                on them without another attack; 0 keeps nothing. What is measured is the same.
            allow_chance: whether to measure classifiers that guess.
            allow_nonfinite: whether to record outcomes where a target's logits are NaN or infinite, as not counted.
            also: measurements besides clean images and transfer. The study keeps those of zooscope's own in mind, so that every
                later run completes them, too, also of classifiers that are added; see `asked`. None forgets them; what is measured
                of them stays.
            executor: where tasks are measured.
            part: measures one share, such as "3/16", and leaves the others to other processes with studies of their own; see
                `zooscope.merge_studies`, which also judges whether classifiers guess.
            listen: called after every unit with a `Progress`.
            until: a rule that stops the run after the shard that reaches it, such as `zooscope.study.until.UntilWidth(points=5)`;
                a later run goes on.

        Raises:
            InvalidValueError: both `part` and `until` are given, there is no such device or part, or a number is out of range.
            StudyError: another run holds the study, a classifier is not at hand, or `until` can't be told of this study.
            ClassifierError: a classifier guesses, gives NaN, or can't be attacked.

        Warns:
            ImplausibleClassifierWarning: a classifier is far less accurate than with its outputs in another order, than its card
                says, or than the others; said before anything is attacked.
        """
        self._require_images()
        require_whole(part, until)
        if not self.names:
            refused = f" ({', '.join(self.refused)} can't be measured)" if self.refused else ""
            msg = f"{self._place} holds no classifier to measure{refused}; add some."
            raise StudyError(msg)
        with self._held():
            for name in self._at_hand.classifiers & set(self.names):
                self.classifier(name)  # refuses one that was handed over changed; the others are loaded when they are needed
            shelf = self.shelf(
                device=device,
                batch_size=batch_size,
                memory_budget=memory_budget,
                cache_limit=cache_limit,
                allow_nonfinite=allow_nonfinite,
            )
            measure = Run(
                records=self._records,
                executor=executor(shelf),
                attack=self.attack,
                sources=self.sources,
                classifier=shelf.classifier,
                also=ask_for(self._records, also),
                listen=listen,
                has_kept=shelf.has_kept,
                holds=take_share(self._records, part, device=choose_device(device), batch_size=batch_size),
                is_enough=None if until is None else watch_records(self._records, until, self.sources),
            )
            measure(allow_chance=allow_chance or part is not None)
            enter_found_components(self._records, self.names, classifier=self.classifier)
            self._records.require_in_place()

    def shelf(
        self,
        *,
        device: str | torch.device = "auto",
        batch_size: int = BATCH_SIZE,
        memory_budget: int | None = None,
        cache_limit: int = LIMIT,
        allow_nonfinite: bool = False,
        guests: Sequence[Classifier] = (),
    ) -> Shelf:
        """What tasks on this study's images are measured with; classifiers are loaded when they are needed.

        >>> study.shelf(device="cpu").pixels("bundled:vit", 0).shape  # of the first shard
        torch.Size([20, 3, 32, 32])

        Args:
            device: as for `run`.
            batch_size: as for `run`.
            memory_budget: as for `run`.
            cache_limit: as for `run`; where the study's folder can't be written, nothing is kept.
            allow_nonfinite: as for `run`.
            guests: classifiers that the study does not hold.

        Raises:
            InvalidValueError: there is no such device, it doesn't have the study's precision, or a number is out of range.
            StudyError: the images are not at hand, or have changed.
        """
        kept = self.kept_attacks(limit=cache_limit)
        return self._at_hand.make_shelf(
            device=choose_device(device),
            batch_size=batch_size,
            memory_budget=memory_budget,
            allow_nonfinite=allow_nonfinite,
            guests=guests,
            kept=kept if kept is not None and os.access(kept.folder.parent, os.W_OK) else None,
        )

    def kept_attacks(self, *, limit: int = LIMIT) -> KeptAttacks | None:
        """The attacked images that are kept in the study's folder; None for a study in memory.

        >>> study.kept_attacks().describe()["bundled:vit"].images  # those that it gets right
        16

        Args:
            limit: bytes that they may take.

        Raises:
            InvalidValueError: the limit is negative.
        """
        return None if self.path is None else KeptAttacks(self.path / CACHE, limit=limit)

    def classifier(self, name: str) -> Classifier:
        """A classifier of the study, loaded from its address if need be.

        >>> study.classifier("bundled:vit")
        Classifier('bundled:vit', 10 classes, 32x32)

        Raises:
            UnknownNameError: the study has none of that name.
            StudyError: it was made by hand and not passed to `open`, or has changed.
            UntrustedCodeError: its address names code, and the study was not opened with `trust=True`.
        """
        require_name(name, self.names)
        return self._at_hand.classifier(next(entry.classifier for entry in self._records.entries if entry.name == name))

    def examples(self, source: str, positions: Sequence[int]) -> ExamplePixels:
        """Some images of the study, clean and attacked through a source, to be looked at.

        What classifiers say of attacked images is in `predictions`. Attacked images that are kept in the study's folder are taken
        from there; others are attacked anew, together, so that bits may differ from those that were measured.

        >>> clean, attacked = study.examples("bundled:vit", [0, 3])
        >>> attacked.shape, bool(abs(attacked - clean).max() <= 8 / 255 + 1e-6)
        ((2, 32, 32, 3), True)

        Args:
            source: the name of the classifier.
            positions: of the images, counted from 0.

        Returns:
            Float32 in [0, 1], each of shape (image, height, width, channel), at the source's size.

        Raises:
            UnknownNameError: the study has no such classifier.
            IndexError: the study has no image at such a position.
            StudyError: the classifier or the images are not at hand, or have changed.
        """
        plain, kept = self.classifier(source), self.kept_attacks()
        bench, shown, measured = self.shelf(device=plain.device), self.images.take(positions), dict[int, torch.Tensor]()
        if kept is not None:
            measured = find_measured(self._records, kept, attack=self.attack, source=source, positions=positions, bench=bench)
        return make_examples(self.attack, bench.classifier(source), shown, seed=self.definition.seed, measured=measured)

    def _forget_attacks(self, source: str | None = None) -> None:
        kept = self.kept_attacks()
        if kept is not None:
            kept.forget(source)

    def _require_images(self) -> None:
        require_images(self._place, "images", is_imported=self.is_imported)

    @property
    def _place(self) -> str:
        """The study's folder, for sentences."""
        return str(self.path or "the study in memory")

    def _held(self) -> AbstractContextManager[None]:
        """Keeps a second run away: two would measure the same units."""
        return nullcontext() if self.path is None else held(self.path)

    def snapshot(self) -> Snapshot:
        """Everything that the study holds now, of one moment.

        >>> study.snapshot().names
        ('bundled:resnet', 'bundled:vit', 'bundled:mixer')

        Raises:
            StudyError: the record is damaged.
        """
        return Snapshot.read(self._records, path=self.path)


def _collect(classifiers: object, images: object) -> tuple[list[Classifier], ImageSet]:
    """Classifiers and images of a study that can be measured; outputs are matched with classes."""
    chosen = collect_classifiers(classifiers)
    if not chosen:
        msg = "a study needs at least one classifier; name some."
        raise InvalidValueError(msg)
    known = collect_images(images, num_classes=chosen[0].num_classes)
    return match_all(chosen, known.class_names, are_given=known.has_given_classes), known
