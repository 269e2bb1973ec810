"""Time to an accuracy of 0.90 on Fashion-MNIST: the practice lab's best setting beside a plain loop.

Both train the same network (same class, same first weights) on the same 54,000 pictures and are
looked at after every 3,200 of them on the same 2,000 held-out pictures; the clock stands still
meanwhile. They take turns in one process, with the same threads.

The plain loop is what a first tutorial shows: a `Dataset` whose `__getitem__` makes a PIL image
and applies torchvision's `RandomHorizontalFlip`, `RandomCrop` where the setting crops, `ToTensor` and
`Normalize`; a `DataLoader` with shuffling, batches of 64 and no workers; float32, the usual
memory format, `torch.optim.Adam` at its default rate 0.001, constant.

The lab's setting keeps all pictures as one tensor of bytes, takes batches by indexing, moves a
whole batch at once, computes in bf16 where the processor gains from it, with channels last, and
follows one cycle of the learning rate that is as long as it expects to need.
"""

import copy
import time
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from dlportal.bench.row import Row, compared, skipped
from dlportal.data import is_available
from dlportal.labs.practice_data import Part
from dlportal.labs.practice_experiments import FAST
from dlportal.labs.practice_training import Training

SUITE = "practice"
GOAL, BAR = 0.90, 1 / 3
ROUNDS = 3
LOOK = 3200  # pictures between two looks
MOST = 10 * 54_000  # pictures after which a training is given up
BATCH = 64  # of the plain loop


def measure() -> Iterator[Row]:
    """The one row of this suite."""
    if not is_available("fashion_mnist"):
        yield skipped(SUITE, f"time to {GOAL:.2f}", "Fashion-MNIST is not on this machine")
        return
    from dlportal.case import load_case

    lab = load_case("practice_lab")
    ours, plain, seen = [], [], []
    for seed in range(ROUNDS):
        s = lab.settings({**FAST, "seed": seed})
        ours.append(lab_seconds(s))
        plain.append(plain_seconds(s))
        seen.append(f"{ours[-1][1]:,} / {plain[-1][1]:,}")
    yield compared(
        SUITE,
        f"Fashion-MNIST, training to accuracy {GOAL:.2f}",
        [seconds for seconds, _pictures in ours],
        "s",
        "plain loop: DataLoader, torchvision transforms, float32, Adam 0.001, batch 64",
        [seconds for seconds, _pictures in plain],
        "at most",
        BAR,
        f"practice_lab's best setting; medians of {ROUNDS} seeds, taking turns, "
        f"{torch.get_num_threads()} threads; pictures seen, lab / plain: {'; '.join(seen)}",
    )


def lab_seconds(s: dict[str, Any]) -> tuple[float, int]:
    """Seconds and pictures until the lab's training reaches the goal.

    Raises:
        RuntimeError: It ended below.
    """
    training = Training(s, checks=0)
    every = max(1, LOOK // training.batches.size)
    while not training.finished:
        training.step()
        last = training.done % every == 0 or training.finished
        if last and training.accuracy(training.held) >= GOAL:
            return training.seconds, training.done * training.batches.size
    raise RuntimeError(f"the lab's setting ended at {training.accuracy(training.held):.3f}")


def plain_seconds(s: dict[str, Any]) -> tuple[float, int]:
    """Seconds and pictures until the plain loop reaches the goal.

    Raises:
        RuntimeError: It saw ten times the data and stayed below.
    """
    model = Training(s)
    net = copy.deepcopy(model.net).to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    loader = DataLoader(Clothes(model.train, s), batch_size=BATCH, shuffle=True, drop_last=True)
    optimizer = torch.optim.Adam(net.parameters())
    model.net = net  # so that both are looked at in the same way
    seconds, pictures, started = 0.0, 0, time.perf_counter()
    torch.manual_seed(s["seed"])
    while pictures < MOST:
        for x, label in loader:
            net.train()
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(x), label).backward()
            optimizer.step()
            pictures += len(x)
            if pictures % LOOK == 0:
                seconds += time.perf_counter() - started
                if model.accuracy(model.held) >= GOAL:
                    return seconds, pictures
                started = time.perf_counter()
    raise RuntimeError("the plain loop did not reach the goal")


class Clothes(Dataset):
    """Fashion-MNIST one picture at a time, as torchvision's own class gives it."""

    def __init__(self, part: Part, s: dict[str, Any]) -> None:
        from dlportal.labs.practice_data import scaling_of

        scaling = scaling_of("standard", part.images)
        self.images, self.labels = part.images[:, 0].numpy(), part.labels.tolist()
        steps: list[Any] = [transforms.ToPILImage()]
        steps += [transforms.RandomHorizontalFlip()] if s["flip"] else []
        steps += [transforms.RandomCrop(28, padding=s["crop"])] if s["crop"] else []
        steps += [
            transforms.ToTensor(),
            transforms.Normalize(scaling.shift / 255, scaling.size / 255),
        ]
        self.transform = transforms.Compose(steps)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, row: int) -> tuple[torch.Tensor, int]:
        return self.transform(self.images[row]), self.labels[row]
