"""Pixels made in threads while the device computes."""

from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Final, NamedTuple, final

from jaxtyping import Float
from torch import Tensor

from zooscope.images.image_set import ImageSet, make_blank
from zooscope.images.make_pixels import make_pixels
from zooscope.images.pixel_transform import HasPixelTransform, PixelTransform
from zooscope.images.threads import count_threads

MOST_REQUESTS: Final = 2  # being made or waiting to be taken; one of 100 images of 224 x 224 pixels holds 60 MB


class _Request(NamedTuple):
    """Pixels of one shard, made in one way."""

    shard: int
    transform: PixelTransform


class _Batch(NamedTuple):
    """Pixels under way: each future fills its own row."""

    pixels: Tensor
    rows: tuple[Future[None], ...]

    def result(self) -> Tensor:
        for row in self.rows:
            row.result()
        return self.pixels

    def cancel(self) -> None:
        for row in self.rows:
            row.cancel()


@final
class Ahead:
    """The pixels of one shard at a time, made once for all classifiers that take the same; those that come next are made ahead.

    The pixels are those of `ImageSet.pixels`. At most two requests, none beyond the next shard, are made before they are asked for,
    and a shard's pixels are let go when another is asked for. A context manager: leaving it stops the threads, also in the middle.
    """

    def __init__(
        self,
        images: ImageSet,
        shards: Sequence[Sequence[int]],
        plan: Iterable[tuple[HasPixelTransform | PixelTransform, int]],
        *,
        threads: int | None = None,
    ) -> None:
        """Starts with the first of the plan.

        Args:
            images: of which the pixels are made.
            shards: positions of the images of each shard.
            plan: what will be asked for, in order, as (classifier or its transform, shard); asking for something else is slower,
                not wrong.
            threads: how many decode; one per processor if left out.
        """
        self._images, self._shards = images, shards
        self._pool = ThreadPoolExecutor(threads or count_threads(), thread_name_prefix="zooscope-images")
        self._coming = deque(dict.fromkeys(_Request(shard, _find_transform(way)) for way, shard in plan))
        self._under_way: dict[_Request, _Batch] = {}
        self._shard, self._made = self._coming[0].shard if self._coming else -1, dict[PixelTransform, _Batch]()
        self._start()

    def of(self, classifier: HasPixelTransform | PixelTransform, shard: int) -> Float[Tensor, "image channel height width"]:
        """The pixels of a shard as the classifier, or its transform, makes them; not to be written to, as others get the same.

        Raises:
            ImagesError: an image can't be read.
        """
        request = _Request(shard, _find_transform(classifier))
        if shard != self._shard:
            self._shard, self._made = shard, {}
            for passed in [other for other in self._under_way if other.shard < shard]:
                self._under_way.pop(passed).cancel()
        if request.transform not in self._made:
            begun = request in self._under_way
            self._made[request.transform] = self._under_way.pop(request) if begun else self._batch(request)
        self._start()
        return self._made[request.transform].result()

    def __enter__(self) -> "Ahead":
        """Itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stops the threads; each finishes the image it has in hand."""
        self.close()

    def close(self) -> None:
        """Stops the threads; each finishes the image it has in hand."""
        self._coming.clear()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._under_way.clear()

    def _start(self) -> None:
        """Begins what comes next, as far ahead as is allowed."""
        while self._coming and len(self._under_way) < MOST_REQUESTS and self._coming[0].shard <= self._shard + 1:
            request = self._coming.popleft()
            if request.shard >= self._shard and request not in self._under_way and not self._is_made(request):
                self._under_way[request] = self._batch(request)

    def _is_made(self, request: _Request) -> bool:
        return request.shard == self._shard and request.transform in self._made

    def _batch(self, request: _Request) -> _Batch:
        indices, transform = self._shards[request.shard], request.transform
        pixels = make_blank(len(indices), transform.size)

        def fill(row: int) -> None:
            pixels[row] = make_pixels(transform, self._images.image(int(indices[row])))

        return _Batch(pixels, tuple(self._pool.submit(fill, row) for row in self._images.as_stored(indices)))


def _find_transform(way: HasPixelTransform | PixelTransform) -> PixelTransform:
    return way if isinstance(way, PixelTransform) else way.transform
