"""Train two translators: captions from English to German and French, daily sentences both ways
between English and Chinese.

Words are cut into parts anew in every epoch, now and then at other places (the idea of
BPE-dropout, Provilkov et al. 2020, https://arxiv.org/abs/1910.13267).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlportal.cards import Card
from dlportal.case import Settings
from dlportal.cases.translation import SERVED, SHAPES, empty_nets
from dlportal.cases.translation_text import DIRECTIONS, PARTS
from dlportal.data import multi30k, tatoeba
from dlportal.data.pairs import Parallel
from dlportal.messages import N_, InputError
from dlportal.nets.translator import END, HIDDEN, PAD, START, Translator
from dlportal.nets.translators import Translators
from dlportal.nets.word_parts import WordParts, learn_parts
from dlportal.training.events import Run
from dlportal.training.fit import Plan, Validate, fit, seed_everything
from dlportal.training.muon import muon_for
from dlportal.training.store import load_weights
from dlportal.training.texts import pad_texts
from dlportal.training.translation_settling import settle

POOL = 20  # batches that are sorted by length together
SMOOTHING = 0.1
RATE = 2e-3  # of tables, norms and biases
OPTIMIZER = muon_for(("encoder.", "decoder."), 0.02)


@dataclass(frozen=True)
class Recipe:
    """How one translator is trained.

    Attributes:
        parts: Word parts of each language.
        epochs: Passes over the sentences.
        size: Sentences of a batch.
        warmup: Steps over which the rate rises.
        read_breaks: Chance of a break after a character of what is read.
        write_breaks: The same of what is written.
        hidden: Share of the word parts that are hidden, on both sides.
        changed: Share of what is read that is lower-cased, and that loses its last full stop.
    """

    parts: dict[str, int]
    epochs: int
    size: int = 64
    warmup: int = 100
    read_breaks: float = 0.02
    write_breaks: float = 0.0
    hidden: float = 0.05
    changed: float = 0.1


RECIPES = {
    "multi30k": Recipe(
        parts={"en": 2000, "de": 2000, "fr": 2000},
        epochs=7,
    ),
    "tatoeba": Recipe(
        parts={"en": 2000, "zh": 3000},
        epochs=11,
        size=96,
        read_breaks=0.03,
        write_breaks=0.03,
    ),
}
LOAD = {"multi30k": multi30k.load, "tatoeba": tatoeba.load}
QUICK = 3000  # sentences of the quick training


def train_translators(card: Card, settings: Settings, run: Run) -> nn.Module:
    """Train both translators one after the other; with `settings.part`, or in a quick training,
    only one, beside the other as it is shipped.

    Raises:
        InputError: `settings.part` is no translator.
    """
    if settings.part and settings.part not in RECIPES:
        raise InputError(
            N_("No part {part}. Choose from: {known}."),
            part=settings.part,
            known=", ".join(RECIPES),
        )
    quick = settings.budget == "quick"
    names = [settings.part or "tatoeba"] if settings.part or quick else list(RECIPES)
    nets = empty_nets(card.weights) if card.weights.exists() else {}
    shipped = Translators(nets, SERVED)
    if nets:
        load_weights(shipped, card.weights)
    trained = {name: train_one(name, settings, run) for name in names}
    if set(trained) == set(RECIPES) and not run.cancelled():
        for name, net in trained.items():
            for key, values in settle(net.eval(), name, LOAD[name]()).items():
                run.constants.setdefault(key, {}).update(values)
    return Translators({**nets, **trained}, SERVED)


def train_one(name: str, settings: Settings, run: Run) -> Translator:
    """Train one translator; validation picks the epoch."""
    recipe, data = RECIPES[name], LOAD[name]()
    seed_everything(settings.seed)
    train, epochs = data.train, recipe.epochs
    if settings.budget == "quick":
        rows = np.random.default_rng(settings.seed).permutation(len(train))[:QUICK]
        train, epochs = train.take(sorted(rows.tolist())), 3
    parts = {
        code: learn_parts(train.texts[code], size, spaced=code != "zh")
        for code, size in recipe.parts.items()
    }
    net: nn.Module = Translator(parts, **SHAPES[name])
    batches = SentenceBatches(net, train, PARTS[name], recipe, settings.seed)
    plan = Plan(
        epochs=epochs,
        rate=RATE,
        metric="accuracy",
        warmup=min(0.3, recipe.warmup / (epochs * batches.steps_per_epoch)),
        schedule="plateau",
        weight_decay=0.05,
        betas=(0.9, 0.98),
        seed=settings.seed,
    )
    seed_everything(settings.seed)
    validate = against(SentenceBatches(net, data.validation, PARTS[name], plain(recipe), 0))
    return fit(net, batches, Loss(recipe.hidden), validate, plan, run, name, OPTIMIZER)  # type: ignore[return-value]


def plain(recipe: Recipe) -> Recipe:
    """The same without anything random."""
    return replace(recipe, read_breaks=0.0, write_breaks=0.0, hidden=0.0, changed=0.0)


class SentenceBatches:
    """Batches by language: `read` (B, S), and (B, T) for each language that is written.

    What shares its source is translated in one batch; otherwise each direction has batches of
    its own. The order depends on seed and epoch alone.
    """

    def __init__(
        self,
        net: Any,
        data: Parallel,
        directions: Sequence[str],
        recipe: Recipe,
        seed: int,
    ) -> None:
        self.net, self.data, self.recipe, self.seed = net, data, recipe, seed
        self.jobs: dict[str, list[str]] = {}  # what is read: what is written
        for direction in directions:
            source, target = DIRECTIONS[direction]
            self.jobs.setdefault(source, []).append(target)

    @property
    def steps_per_epoch(self) -> int:
        return len(self.jobs) * -(-len(self.data) // self.recipe.size)

    def __call__(self, epoch: int) -> Iterator[dict[str, Tensor]]:
        rng = np.random.default_rng((self.seed, epoch))
        batches = [(source, rows) for source in self.jobs for rows in self.rows(source, rng)]
        cut = {
            source: (
                self.cut(source, self.change(source, rng), self.recipe.read_breaks, rng),
                {
                    code: self.cut(code, self.data.texts[code], self.recipe.write_breaks, rng)
                    for code in targets
                },
            )
            for source, targets in self.jobs.items()
        }
        for number in rng.permutation(len(batches)):
            source, rows = batches[number]
            read, written = cut[source]
            yield {
                "read": pad_texts([read[row] for row in rows], PAD),
                **{
                    code: pad_texts([ids[row] for row in rows], PAD)
                    for code, ids in written.items()
                },
            }

    def rows(self, source: str, rng: np.random.Generator) -> list[list[int]]:
        """Rows of each batch: similar lengths together."""
        texts = [self.data.texts[code] for code in (source, *self.jobs[source])]
        lengths = [tuple(len(t[row]) for t in texts) for row in range(len(self.data))]
        order, size = rng.permutation(len(lengths)).tolist(), self.recipe.size
        found = []
        for start in range(0, len(order), size * POOL):
            pool = sorted(order[start : start + size * POOL], key=lambda row: lengths[row][::-1])
            found += [pool[i : i + size] for i in range(0, len(pool), size)]
        return found

    def change(self, source: str, rng: np.random.Generator) -> list[str]:
        """What is read: now and then in lower case, or without its full stop."""
        share = self.recipe.changed
        lower, bare = rng.random((2, len(self.data))) < share
        return [
            (text.rstrip(".。") or text if off else text).lower() if low
            else (text.rstrip(".。") or text if off else text)
            for text, low, off in zip(self.data.texts[source], lower, bare, strict=True)
        ]  # fmt: skip

    def cut(
        self, language: str, texts: Sequence[str], breaks: float, rng: np.random.Generator
    ) -> list[list[int]]:
        parts: WordParts = self.net.parts[language]
        start = self.net.start[language]
        rows = parts.cut(texts, breaks, rng)
        return [[start + START, *(start + i for i in row), start + END] for row in rows]


class Loss:
    """Cross-entropy of each next word part, with some of the earlier ones hidden."""

    def __init__(self, hidden: float, smoothing: float = SMOOTHING) -> None:
        self.hidden, self.smoothing = hidden, smoothing

    def hide(self, ids: Tensor) -> Tensor:
        gone = (torch.rand(ids.shape, device=ids.device) < self.hidden) & (ids != PAD)
        gone[:, 0] = False  # names the language
        return torch.where(gone, HIDDEN, ids)

    def __call__(self, net: Any, batch: Mapping[str, Tensor]) -> Tensor:
        ids = batch["read"]
        seen = ids != PAD
        source = net.read(net.embed(self.hide(ids)), seen)
        written = [code for code in batch if code != "read"]
        losses = []
        for code in written:
            states = net.write(source, seen, self.hide(batch[code][:, :-1]))
            following = batch[code][:, 1:]
            there = following != PAD
            y = net.logits(states[there], code).float()
            goal = following[there] - net.start[code]
            losses.append(F.cross_entropy(y, goal, label_smoothing=self.smoothing))
        return torch.stack(losses).mean()


def against(batches: SentenceBatches) -> Validate:
    """How many next word parts are right, given the right ones before, and their mean loss."""
    kept = list(batches(0))

    def validate(net: nn.Module) -> dict[str, float]:
        right: dict[str, float] = {}
        total, loss = 0, 0.0
        hits = 0
        for batch in kept:
            n, good, bad = measure(net, batch)
            total, hits, loss = total + n, hits + good, loss + bad
        return {"accuracy": hits / total, "loss": loss / total, **right}

    return validate


def measure(net: Any, batch: Mapping[str, Tensor]) -> tuple[int, int, float]:
    """Word parts, right ones, and the sum of their losses in a batch."""
    ids = batch["read"]
    seen = ids != PAD
    source = net.read(net.embed(ids), seen)
    n, good, bad = 0, 0, 0.0
    for code in batch:
        if code == "read":
            continue
        states = net.write(source, seen, batch[code][:, :-1])
        following = batch[code][:, 1:]
        there = following != PAD
        y, goal = net.logits(states[there], code).float(), following[there] - net.start[code]
        n += len(goal)
        good += int((y.argmax(dim=1) == goal).sum())
        bad += float(F.cross_entropy(y, goal, reduction="sum"))
    return n, good, bad
