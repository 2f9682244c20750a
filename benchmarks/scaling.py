"""How long a study takes on many GPUs, by simulating the scheduler; where it stops to scale, and why.

    python benchmarks/scaling.py
    python benchmarks/scaling.py --gpus 8 64 512 --shard-sizes 100 25 --dead-nodes 0.125
    python benchmarks/scaling.py --costs mine.csv --speed 40

The dealing is zooscope's own (`engine/dealing.py`, and `engine/share.py` for parts of a job array), under a clock that is computed.
What a unit takes comes from its passes: an attack has `iterations` x (forward + gradient, as three forward passes) per image that
the source gets right, and a forward pass per target for every image that both get right. Networks are the paper's 69, with their
multiplications per image (torch's counter; `paper_costs.csv`) and the speed that is said; where a table has the column `seconds`,
those of a forward pass are taken as they are.

Besides the passes, a worker starts, reads each network once from the shared disk, and copies it to the GPU again when it was put
away; the driver deals again as soon as it sees results, then writes one after the other. Nodes have eight GPUs. Some nodes die
once, at a random moment: their units are lost after the seconds that Ray takes to notice, and new workers start later.

efficiency  GPU seconds of all passes, over GPUs x elapsed seconds.
bound by    What takes longest at least: passes over GPUs, the longest unit, or the driver's writing.
parts       Minutes of the slowest part of a job array of so many parts, without Ray.

The last line is JSON.
"""

import argparse
import csv
import json
import random
from collections import OrderedDict
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from math import ceil, inf
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from zooscope.attacks import LinfPGD
from zooscope.engine.dealing import Dealer
from zooscope.engine.share import Share
from zooscope.measurements import Clean, Measurement, Task, Transfer
from zooscope.spelling import Part

GPUS_PER_NODE: Final = 8
GRADIENT: Final = 3  # a forward pass and one back, which counts as two
LOOK: Final = 5.0  # seconds after which a worker without a unit asks again
COSTS: Final = Path(__file__).with_name("paper_costs.csv")
TRANSFER: Final = Transfer(attack=LinfPGD(), seed=0)


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is measured, and how fast machines are.

    Attributes:
        forward: seconds of a forward pass of one image, by classifier.
        num_bytes: of weights, by classifier.
        num_images: of the study.
        shard_size: images per unit.
        iterations: of the attack.
        accuracy: the share of images that a classifier gets right.
        memory: bytes of weights that a GPU holds.
        copy: bytes per second from a machine's memory to a GPU.
        read: bytes per second that a node reads from the shared disk, if alone.
        shared: bytes per second that the shared disk gives to all nodes together.
        start: seconds until a worker is there, with the images read once.
        write: seconds that the driver takes for a unit.
        notice: seconds until a dead node is noticed.
        replace: seconds until its GPUs are replaced.
    """

    forward: dict[str, float]
    num_bytes: dict[str, float]
    num_images: int
    shard_size: int
    iterations: int = 50
    accuracy: float = 0.8
    memory: float = 40e9
    copy: float = 12e9
    read: float = 1e9
    shared: float = 20e9
    start: float = 30.0
    write: float = 0.04
    notice: float = 4.0
    replace: float = 300.0

    @property
    def names(self) -> tuple[str, ...]:
        """The classifiers."""
        return tuple(self.forward)

    @property
    def num_shards(self) -> int:
        """How many shards there are; the last may be smaller."""
        return -(-self.num_images // self.shard_size)

    def count_images(self, task: Task) -> int:
        """The images of a task's shard."""
        return min(self.shard_size, self.num_images - task.shard * self.shard_size)

    def compute(self, task: Task) -> float:
        """Seconds of a task's passes."""
        if isinstance(task.measurement, Clean):
            return self.count_images(task) * self.forward[task.subject]
        attacked = self.count_images(task) * self.accuracy
        attack = attacked * self.iterations * GRADIENT * self.forward[task.subject]
        return attack + attacked * self.accuracy * sum(self.forward.values())

    def count_seconds(self) -> float:
        """GPU seconds of all passes."""
        return sum(self.compute(task) for measurement in (Clean(), TRANSFER) for task in self.list_tasks(measurement))

    def list_tasks(self, measurement: Measurement) -> list[Task]:
        """Shard by shard."""
        return [Task(measurement=measurement, subject=name, shard=shard) for shard in range(self.num_shards) for name in self.names]

    def list_needed(self, task: Task) -> tuple[str, ...]:
        """The classifiers that a task takes, in their order."""
        return (task.subject,) if isinstance(task.measurement, Clean) else (task.subject, *self.names)


@dataclass(kw_only=True, eq=False)
class _Worker:
    """A GPU.

    Attributes:
        read: bytes per second from the shared disk.
        ready: when it is there.
        dies: when its node dies.
        seen: the classifiers that its machine has read.
        held: bytes of the classifiers that it holds, the one used last at the end.
    """

    read: float
    ready: float
    dies: float = inf
    seen: set[str] = field(default_factory=set)
    held: OrderedDict[str, float] = field(default_factory=OrderedDict)

    def load(self, task: Task, job: Job) -> float:
        """Seconds until all that a task takes was on the GPU, one after the other; the least recently used are put away."""
        seconds = 0.0
        for name in job.list_needed(task):
            if name not in self.held:
                size = job.num_bytes[name]
                seconds += size / job.copy + (0.0 if name in self.seen else size / self.read)
                self.seen.add(name)
                while self.held and sum(self.held.values()) + size > job.memory:
                    self.held.popitem(last=False)
                self.held[name] = size
            self.held.move_to_end(name)
        return seconds


def simulate(job: Job, *, gpus: int, dead_nodes: float = 0.0, seed: int = 0) -> tuple[float, int]:
    """Elapsed seconds of a study by Ray, and how many units were lost on the way.

    Args:
        job: what is measured.
        gpus: how many.
        dead_nodes: the share of nodes that die once.
        seed: of the nodes and the moments.
    """
    nodes, chance = -(-gpus // GPUS_PER_NODE), random.Random(seed)  # noqa: S311  (no secret)
    last = job.start + job.count_seconds() / gpus
    deaths = {node: chance.uniform(job.start, last) for node in chance.sample(range(nodes), ceil(dead_nodes * nodes))}
    read = min(job.read, job.shared / nodes)
    workers = [_Worker(read=read, ready=job.start, dies=deaths.get(place // GPUS_PER_NODE, inf)) for place in range(gpus)]
    clock, look, lost = job.start, 0.0, 0  # until when the driver writes, and when it looked last
    for measurement in (Clean(), TRANSFER):
        tasks = job.list_tasks(measurement)
        dealer, at_work, loaded = Dealer(tasks), dict[int, int](), set[str]()
        events: list[tuple[float, int]] = [(max(clock, worker.ready), place) for place, worker in enumerate(workers)]
        heapify(events)
        while not dealer.is_done:
            now, place = heappop(events)
            worker, index = workers[place], at_work.pop(place, None)
            if now >= worker.dies:
                if index is not None:
                    dealer.put_back(index, "its node died")
                    lost += 1
                workers[place] = _Worker(read=read, ready=worker.dies + job.notice + job.replace + job.start)
                heappush(events, (max(now, workers[place].ready), place))
                continue
            if index is not None:
                dealer.finish(index)
                if now > look:  # else the driver takes it together with those that it has just taken
                    look = clock = max(now, clock)
                now, clock = look, clock + job.write
            chosen = dealer.deal(worker.held, loaded)
            if chosen is None:
                heappush(events, (now + LOOK, place))  # something may be lost until then
                continue
            at_work[place] = chosen
            loaded.add(tasks[chosen].subject)  # by a worker that may be dead since: then others load it a little later
            ends = now + worker.load(tasks[chosen], job) + job.compute(tasks[chosen])
            heappush(events, (ends if ends < worker.dies else worker.dies + job.notice, place))
    return clock, lost


def simulate_parts(job: Job, *, parts: int) -> float:
    """Seconds of the slowest of so many parts, each on a GPU of its own that reads all networks once."""
    read = min(job.read, job.shared / parts)
    fixed = job.start + sum(job.num_bytes.values()) * (1 / read + 1 / job.copy)
    tasks = [(task, job.compute(task)) for measurement in (Clean(), TRANSFER) for task in job.list_tasks(measurement)]
    slowest = 0.0
    for number in range(1, parts + 1):
        share = Share(part=Part(number, parts), sources=job.names, names=job.names, num_shards=job.num_shards)
        slowest = max(slowest, sum(seconds for task, seconds in tasks if share.holds(task)))
    return fixed + slowest


def read_costs(path: Path, *, speed: float) -> tuple[dict[str, float], dict[str, float]]:
    """Seconds of a forward pass of one image, and bytes of the weights, by classifier.

    Args:
        path: a table with the columns name, megaparameters, and gigamacs or seconds.
        speed: in TFLOP/s, of networks with gigamacs; a multiplication with its addition is two.
    """
    forward, num_bytes = {}, {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            forward[row["name"]] = float(row["seconds"]) if row.get("seconds") else 2e9 * float(row["gigamacs"]) / (1e12 * speed)
            num_bytes[row["name"]] = 4e6 * float(row["megaparameters"])
    return forward, num_bytes


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gpus", type=int, nargs="+", default=[8, 64, 512])
    parser.add_argument("--shard-sizes", type=int, nargs="+", default=[100, 25])
    parser.add_argument("--dead-nodes", type=float, default=0.125, help="share of nodes that die once, in the second run of each")
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--costs", type=Path, default=COSTS)
    parser.add_argument("--speed", type=float, default=15.0, help="TFLOP/s that a GPU reaches on these networks")
    for name in ("iterations", "accuracy", "memory", "copy", "read", "shared", "start", "write", "notice", "replace"):
        parser.add_argument(f"--{name}", type=type(getattr(Job, name)), default=getattr(Job, name))
    args = parser.parse_args()
    forward, num_bytes = read_costs(args.costs, speed=args.speed)
    own = {name: getattr(args, name) for name in ("iterations", "accuracy", "memory", "copy", "read", "shared", "start", "write")}
    late = {"notice": args.notice, "replace": args.replace}
    table = Table("GPUs", "shard", "units", "minutes", "efficiency", "bound by", "nodes die", "lost", "parts", box=None)
    rows: list[dict[str, Any]] = []
    for shard_size in args.shard_sizes:
        job = Job(forward=forward, num_bytes=num_bytes, num_images=args.images, shard_size=shard_size, **own, **late)
        total, units = job.count_seconds(), len(job.names) * job.num_shards
        longest = max(map(job.compute, job.list_tasks(TRANSFER)))
        for gpus in args.gpus:
            bounds = {"passes": total / gpus, "longest unit": longest, "driver": 2 * units * job.write}
            (seconds, _), (with_deaths, lost) = simulate(job, gpus=gpus), simulate(job, gpus=gpus, dead_nodes=args.dead_nodes)
            row = {
                "gpus": gpus,
                "shard_size": shard_size,
                "units": units,
                "seconds": seconds,
                "efficiency": total / gpus / seconds,
                "bound": max(bounds, key=lambda name: bounds[name]),
                "seconds_where_nodes_die": with_deaths,
                "lost": lost,
                "seconds_of_slowest_part": simulate_parts(job, parts=gpus),
            }
            rows.append(row)
            minutes = [f"{row[name] / 60:.1f}" for name in ("seconds", "seconds_where_nodes_die", "seconds_of_slowest_part")]
            share = f"{100 * row['efficiency']:.0f} %"
            table.add_row(
                str(gpus), str(shard_size), str(units), minutes[0], share, row["bound"], minutes[1], str(lost), minutes[2]
            )
    print(f"{len(forward)} networks, {args.images} images, {args.speed:g} TFLOP/s: {total / 3600:.1f} GPU hours of passes")
    Console(width=100).print(table)
    print(json.dumps({"passes_gpu_hours": total / 3600, "rows": rows}))


if __name__ == "__main__":
    main()
