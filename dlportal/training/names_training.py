"""Train the tagger of names on WNUT17: several teachers, and one student that learns from all."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlportal.case import Settings
from dlportal.cases.named_entities import RANK, TAGS, encode_words, first_tokens
from dlportal.data import wnut17
from dlportal.data.conll import Tagged
from dlportal.nets.minilm import MASK, load_tokenizer
from dlportal.nets.tagger import Tagger
from dlportal.nets.word_shape import STEP
from dlportal.training.calibration import fit_temperature
from dlportal.training.entities import count_rows, entity_f1, entity_precision, entity_recall
from dlportal.training.events import Run
from dlportal.training.fit import Plan, Validate, fit, seed_everything
from dlportal.training.texts import pad_texts

LONGEST = 160  # tokens of a training sentence
IGNORED = -100  # label of tokens that are not a word's first
HIDDEN = 0.12  # share of word parts that are hidden in training
QUICK_EPOCHS, TEACHERS, TEACHER_EPOCHS, STUDENT_EPOCHS = 2, 2, 4, 5
EAGER = np.round(np.arange(-1.0, 3.01, 0.25), 2)  # what is tried on validation


@dataclass(frozen=True)
class Encoded:
    """Sentences for the network: packed ids, the place of each word's first token, tag indices."""

    ids: list[list[int]]
    places: list[list[int]]
    tags: list[list[int]]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def columns(self) -> tuple[list[list[int]], list[list[int]], list[list[int]]]:
        return self.ids, self.places, self.tags


def encode_part(part: Tagged) -> Encoded:
    """Encode sentences; a type that the tagger does not know counts as no name.

    Sentences of more than `LONGEST` tokens lose their end; a tag that is lost is never found.
    """
    tokenizer = load_tokenizer()
    ids, places, tags = [], [], []
    known = {tag: index for index, tag in enumerate(TAGS)}
    for words, row in zip(part.words, part.tags, strict=True):
        packed, word_of = encode_words(tokenizer, words)
        first = [place for place in first_tokens(word_of) if place < LONGEST]
        ids.append(packed[:LONGEST])
        places.append(first)
        tags.append([known.get(tag, 0) for tag in row[: len(first)]])
    return Encoded(ids, places, tags)


@torch.inference_mode()
def word_logits(
    net: nn.Module, part: Encoded, progress: Callable[[int, int], None] | None = None
) -> list[Tensor]:
    """Tag logits of the words of each sentence, (words, tags), float32 on the CPU."""
    device = next(net.parameters()).device
    order = sorted(range(len(part)), key=lambda i: len(part.ids[i]))
    found: dict[int, Tensor] = {}
    for start in range(0, len(order), 64):
        rows = order[start : start + 64]
        y = net(pad_texts([part.ids[row] for row in rows]).to(device)).float().cpu()
        for row, logits in zip(rows, y, strict=True):
            found[row] = logits[part.places[row]]
        if progress is not None:
            progress(start + len(rows), len(order))
    return [found[row] for row in range(len(order))]


def tags_of(logits: Sequence[Tensor], lengths: Sequence[int], eager: float) -> list[list[str]]:
    """The likeliest tags, `eager` taken off "no name"; words beyond the window get none."""
    out = []
    for y, length in zip(logits, lengths, strict=True):
        shifted = y.clone()
        shifted[:, 0] -= eager
        tags = [TAGS[tag] for tag in shifted.argmax(dim=1).tolist()]
        out.append(tags + [TAGS[0]] * (length - len(tags)))
    return out


def most_eager(logits: Sequence[Tensor], part: Tagged) -> tuple[float, dict[str, list[float]]]:
    """The shift with the best F1, and precision, recall and F1 of all that were tried."""
    lengths = [len(words) for words in part.words]
    curves: dict[str, list[float]] = {"precision": [], "recall": [], "f1": []}
    for eager in EAGER:
        counts = count_rows(part.tags, tags_of(logits, lengths, float(eager)))
        for name, metric in (
            ("precision", entity_precision),
            ("recall", entity_recall),
            ("f1", entity_f1),
        ):
            curves[name].append(round(metric(counts), 4) if counts[:, 1].any() else 0.0)
    smooth = np.convolve(np.pad(curves["f1"], 1, mode="edge"), np.ones(3) / 3, mode="valid")
    return float(EAGER[int(smooth.argmax())]), curves


class TagBatches:
    """Shuffled sentences of similar length, as `fit` wants them.

    Each batch holds ids (B, T), tag indices (B, T), and, where a teacher `told`, its logits
    (B, T, tags).
    """

    def __init__(
        self, part: Encoded, size: int, seed: int, told: Sequence[Tensor] | None = None
    ) -> None:
        self.part, self.size, self.seed, self.told = part, size, seed, told

    @property
    def steps_per_epoch(self) -> int:
        return -(-len(self.part) // self.size)

    def __call__(self, epoch: int) -> Iterator[tuple[Tensor, ...]]:
        rng = np.random.default_rng(self.seed * 1_000_003 + epoch)
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
        order = rng.permutation(len(self.part))
        batches = []
        for start in range(0, len(order), self.size * 16):
            pool = sorted(
                order[start : start + self.size * 16], key=lambda i: len(self.part.ids[i])
            )
            batches += [pool[i : i + self.size] for i in range(0, len(pool), self.size)]
        for index in rng.permutation(len(batches)):
            ids, *rest = self.batch(batches[index])
            yield (hide(ids, generator), *rest)

    def batch(self, rows: Sequence[int]) -> tuple[Tensor, ...]:
        ids = pad_texts([self.part.ids[row] for row in rows])
        labels = torch.full(ids.shape, IGNORED)
        for target, row in zip(labels, rows, strict=True):
            target[self.part.places[row]] = torch.tensor(self.part.tags[row], dtype=torch.long)
        if self.told is None:
            return ids, labels
        soft = torch.zeros(*ids.shape, len(TAGS))
        for target, row in zip(soft, rows, strict=True):
            target[self.part.places[row]] = self.told[row]
        return ids, labels, soft


def hide(ids: Tensor, generator: torch.Generator) -> Tensor:
    """Hide some word parts behind the mask token, half of them with the word's shape.

    The names to be found are new ones: what stands around them and how they are written has to
    be enough. And a word that an explanation hides is then nothing strange.
    """
    draw = torch.rand(ids.shape, generator=generator)
    word = ids % STEP > MASK  # special tokens have smaller ids
    hidden = torch.where(draw < HIDDEN / 2, MASK, MASK + ids // STEP * STEP)
    return torch.where(word & (draw < HIDDEN), hidden, ids)


def tag_loss(net: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Cross-entropy over the words."""
    ids, labels = batch
    return F.cross_entropy(net(ids).float().flatten(0, 1), labels.flatten(), ignore_index=IGNORED)


def told_loss(net: nn.Module, batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """Half the truth, half what the teachers say (Hinton et al. 2015)."""
    ids, labels, soft = batch
    counts = labels != IGNORED
    y, told = net(ids).float()[counts], soft[counts]
    hard = F.cross_entropy(y, labels[counts])
    return 0.3 * hard + 0.7 * F.cross_entropy(y, torch.softmax(told, dim=-1))


def against(part: Tagged, encoded: Encoded) -> Validate:
    """F1 of names, as they are and at the best shift."""
    lengths = [len(words) for words in part.words]

    def validate(net: nn.Module) -> dict[str, float]:
        y = word_logits(net, encoded)
        counts = count_rows(part.tags, tags_of(y, lengths, 0.0))
        plain = entity_f1(counts) if counts[:, 1].any() else 0.0
        return {"f1": max(most_eager(y, part)[1]["f1"]), "f1_unshifted": plain}

    return validate


def train_on_wnut(settings: Settings, run: Run) -> nn.Module:
    """Train adapters, shape embeddings and head.

    The full budget first trains teachers on the training part alone. Validation finds how eager
    they should be and their temperature; then a student learns from both parts, from the tags
    and from what the teachers say of each word. Nothing is left to choose its epoch by: it is
    the last.
    """
    parts = wnut17.load()
    train, validation = encode_part(parts.train), encode_part(parts.validation)
    check = against(parts.validation, validation)
    run.facts["sentences"] = {"train": len(train), "validation": len(validation)}
    if settings.budget == "quick":
        net = one_tagger(train, check, settings.seed, QUICK_EPOCHS, run, "fit")
        note_scales(word_logits(net, validation), parts.validation, validation, run)
        return net
    both = Encoded(*(a + b for a, b in zip(train.columns, validation.columns, strict=True)))
    told = teach(train, both, check, settings.seed, run)
    if told is None:  # stopped: the truth alone, and no further than it came
        return one_tagger(train, check, settings.seed, STUDENT_EPOCHS, run, "fit")
    note_scales(told[len(train) :], parts.validation, validation, run)
    return one_tagger(both, check, settings.seed, STUDENT_EPOCHS, run, "fit", told)


def note_scales(logits: list[Tensor], part: Tagged, encoded: Encoded, run: Run) -> None:
    """Eagerness and temperature, from tag logits of validation sentences."""
    run.constants["eagerness"], curves = most_eager(logits, part)
    run.constants["validation_curves"] = {"eagerness": EAGER.tolist(), **curves}
    shift = torch.zeros(len(TAGS))
    shift[0] = -run.constants["eagerness"]
    labels = torch.tensor([tag for row in encoded.tags for tag in row])
    run.constants["temperature"] = fit_temperature(torch.cat(logits) + shift, labels)


def teach(
    train: Encoded, both: Encoded, check: Validate, seed: int, run: Run
) -> list[Tensor] | None:
    """Mean logits of several taggers from different starts; None where the run was stopped.

    They learn from `train` and tell of every word of `both`.
    """
    total: list[Tensor] = []
    for number in range(TEACHERS):
        net = one_tagger(train, check, seed + number, TEACHER_EPOCHS, run, f"teacher{number}")
        if run.cancelled():
            return None
        told = word_logits(net, both)
        total = [a + b for a, b in zip(total, told, strict=True)] if total else told
    return [row / TEACHERS for row in total]


def one_tagger(
    part: Encoded,
    check: Validate,
    seed: int,
    epochs: int,
    run: Run,
    name: str,
    told: list[Tensor] | None = None,
) -> nn.Module:
    """One network on the truth, or on the truth and what teachers told."""
    with torch.random.fork_rng(devices=[]):
        seed_everything(seed)
        net = Tagger(len(TAGS), RANK)

    def validate(net: nn.Module) -> dict[str, float]:
        more = {} if told is None else {"seconds": run.seconds}
        return {**check(net), **more}

    plan = Plan(
        epochs=epochs,
        rate=1e-3,
        # A student has seen the validation part: its last epoch counts, not the best one.
        metric="f1" if told is None else "seconds",
        betas=(0.9, 0.98),
        schedule="linear",
        seed=seed,
    )
    loss: Any = tag_loss if told is None else told_loss
    return fit(net, TagBatches(part, 32, seed, told), loss, validate, plan, run, name)
