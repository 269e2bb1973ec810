"""What the card of `poetry_generation` says: how well both networks foretell the next character,
whether what they write keeps its form, and how much of it is copied."""

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dlportal.cards import Bilingual, Curve, Measured, Metric, Slice
from dlportal.case import Evaluation, Progress
from dlportal.data import chinese_poetry, tiny_shakespeare
from dlportal.data.chinese_poetry import FORMS, Poem
from dlportal.data.splits import Splits
from dlportal.data.text_files import read_lines
from dlportal.messages import N_, InputError
from dlportal.nets.char_gpt import HIDDEN, CharGPT
from dlportal.training.metrics import RowMetric, measured
from dlportal.training.ngrams import NGrams
from dlportal.training.poetry_streams import nats
from dlportal.training.poetry_training import poem_ids, points
from dlportal.training.poetry_written import Written, writing

SHAKESPEARE, POEMS = "tiny_shakespeare", "chinese_poetry"
COMMAND = "python -m dlportal evaluate poetry_generation"
BLOCK = 1000  # characters of Shakespeare that make one row: neighbours are no independent draws
STRIDE = 64  # of the sliding windows: every character has the context less this before it, or more
STRANGE = 0.05  # share of unknown characters from which on a text is of another kind
POSITIONS = (0, 1, 2, 4, 8, 16, 32, 64, 128, 256)  # characters read before, for the curve
# Order and whether by Kneser and Ney, with the name on the card.
RIVALS = (
    (1, False, "counts of single characters"),
    (3, True, "Kneser-Ney trigram"),
    (6, True, "Kneser-Ney 6-gram"),
)
FORM_NAMES = {
    "five": Bilingual(en="five-character lines", zh="五言"),
    "seven": Bilingual(en="seven-character lines", zh="七言"),
    "ci": Bilingual(en="Song lyrics", zh="宋词"),
    "mixed": Bilingual(en="lines of unequal length", zh="杂言"),
}

# Of nats and characters, one row a block or a poem.
mean_nats = RowMetric("val_loss", lambda nats, count: (nats, count))
perplexity = RowMetric("perplexity", lambda nats, count: (nats, count), np.exp)


@dataclass
class Found:
    """What the stages add to the card."""

    metrics: list[Metric] = field(default_factory=list)
    baselines: list[Metric] = field(default_factory=list)
    slices: list[Slice] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    n: int = 0


@dataclass(frozen=True)
class Asked:
    """What is measured, and how it is signed."""

    case: Any
    split: str
    data: Path | None
    limit: int | None

    @property
    def command(self) -> str:
        return COMMAND if self.split == "test" else f"{COMMAND} --split {self.split}"

    def metric(
        self, name: str, data: str, function: Callable[..., float], *arrays: Any, model: str = ""
    ) -> Metric:
        name_of = data if self.data is None else self.data.stem
        return measured(
            name, name_of, self.split, function, *arrays, command=self.command, model=model
        )


def evaluate_poetry(
    case: Any, split: str, data: Path | None, limit: int | None, progress: Progress | None
) -> Evaluation:
    """Measure both networks, or the one that `data` is for.

    Args:
        case: The case.
        split: `test` (of Tiny Shakespeare what others call the validation part) or `validation`.
        data: A text like Tiny Shakespeare, or a `.json` list of poems.
        limit: Blocks of a thousand characters, and poems, at most.
        progress: Told how far it is.

    Raises:
        InputError: No such split, or a file of another kind.
    """
    started = time.monotonic()
    if split not in ("test", "validation"):
        raise InputError(
            N_("There is no split {split}; choose test or validation."), split=repr(split)
        )
    asked, found = Asked(case, split, data, limit), Found()
    stages: list[Callable[[Asked, Found], None]] = []
    if data is None or data.suffix != ".json":
        stages.append(shakespeare)
    if data is None or data.suffix == ".json":
        stages.append(poems)
    if data is None:
        stages.append(written)
    for number, stage in enumerate(stages):
        if progress is not None:
            progress(number, len(stages))
        stage(asked, found)
    if progress is not None:
        progress(len(stages), len(stages))
    result = Measured(
        case=case.card.id,
        parameters=sum(p.numel() for p in case.net.parameters()),
        metrics=found.metrics,
        baselines=found.baselines,
        slices=found.slices,
        curves=found.curves,
    )
    return Evaluation(case.card.id, split, found.n, time.monotonic() - started, result)


def shakespeare(asked: Asked, found: Found) -> None:
    """Nats a character, by sliding windows and by windows side by side; beside it, counts."""
    net, parts = asked.case.net.shakespeare, tiny_shakespeare.load()
    text = parts.test if asked.split == "test" else parts.validation
    if asked.data is not None:
        text = "\n".join(read_lines(asked.data)) + "\n"
    text = text[: asked.limit and asked.limit * BLOCK + 1]
    ids = known(net, text, asked)
    sliding = nats(net, ids, STRIDE).double().numpy()
    context = net.shape.context
    apart = nats(net, ids, context).double().numpy()
    found.n += -(-len(sliding) // BLOCK)

    def quote(values: np.ndarray, name: str = "val_loss", model: str = "") -> Metric:
        return asked.metric(name, SHAKESPEARE, mean_nats, *blocks(values), model=model)

    found.metrics += [quote(sliding), quote(apart, "val_loss_apart")]
    uniform = np.full(len(sliding), np.log(len(net.alphabet)))
    found.baselines.append(quote(uniform, model="every character alike"))
    learned = net.numbers(points(parts.train)).tolist()
    lines = {
        asked.case.card.model: by_position(
            [apart[i:][:context] for i in range(0, len(apart), context)]
        )
    }
    for order, kneser_ney, model in RIVALS:
        counted = NGrams(order, net.vocabulary, kneser_ney).fit([learned]).nats(ids.tolist())
        found.baselines.append(quote(counted, model=model))
        lines[model] = [float(counted.mean())] * (len(POSITIONS) - 1)
    found.curves.append(curve(N_("What is context worth to Shakespeare?"), lines))
    for part, inside in places(text).items():
        one = asked.metric("val_loss", SHAKESPEARE, mean_nats, *blocks(sliding, inside))
        found.slices.append(Slice(part=Bilingual(en=part[0], zh=part[1]), metric=one))


def known(net: CharGPT, text: str, asked: Asked) -> Any:
    """A text's ids; refuses one that is of another kind."""
    ids = net.numbers(points(text))
    if len(ids) < 2 or (ids == HIDDEN).float().mean() > STRANGE:
        raise InputError(
            N_(
                "{file} is not a text like Shakespeare's in plain ASCII letters; give one, or a .json list of poems."
            ),
            file=asked.data.name if asked.data else SHAKESPEARE,
        )
    return ids


def blocks(values: np.ndarray, inside: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Sums and counts of blocks of a thousand characters, of those inside alone."""
    inside = np.ones(len(values), dtype=bool) if inside is None else inside
    at = np.arange(0, len(values), BLOCK)
    counts = np.add.reduceat(inside.astype(np.float64), at)
    sums = np.add.reduceat(np.where(inside, values, 0.0), at)
    return sums[counts > 0], counts[counts > 0]


def places(text: str) -> dict[tuple[str, str], np.ndarray]:
    """Kinds of characters (all but the first), by the English and the Chinese name."""
    now = np.array(list(text[1:]))
    before = np.array(list(text[:-1]))
    letter = np.char.isalpha(now)
    starting = letter & ~np.char.isalpha(before)
    return {
        ("first letter of a word", "单词的首字母"): starting,
        ("further letters of a word", "单词的其余字母"): letter & ~starting,
        ("blanks, punctuation, line ends", "空格、标点、换行"): ~letter,
    }


def poems(asked: Asked, found: Found) -> None:
    """Perplexity a character, each poem on its own after the mark of its form."""
    net, parts = asked.case.net.chinese, chinese_poetry.load()
    chosen = chosen_poems(parts, asked)
    texts = [poem_ids(net, poem)[:-1] for poem in chosen]  # the mark of the end is not asked for
    own = [nats(net, ids, net.shape.context // 2).double().numpy() for ids in texts]
    counts = np.array([len(ids) - 1 for ids in texts], dtype=np.float64)
    found.n += len(chosen)

    def quote(tokenwise: Sequence[np.ndarray], model: str = "") -> Metric:
        sums = np.array([values.sum() for values in tokenwise])
        return asked.metric("perplexity", POEMS, perplexity, sums, counts, model=model)

    found.metrics += [quote(own), without_punctuation(asked, net, texts, own)]
    uniform = [np.full(len(values), np.log(len(net.alphabet))) for values in own]
    found.baselines.append(quote(uniform, "every character alike"))
    lines = {asked.case.card.model: by_position(own)}
    learned = [poem_ids(net, poem)[:-1].tolist() for poem in parts.train]
    for order, kneser_ney, model in RIVALS[:2]:
        rival = NGrams(order, net.vocabulary, kneser_ney).fit(learned)
        counted = [rival.nats(ids.tolist()) for ids in texts]
        found.baselines.append(quote(counted, model))
        lines[model] = by_position(counted)
        if order > 1:
            found.baselines.append(without_punctuation(asked, net, texts, counted, model))
    found.curves.append(curve(N_("What is context worth to the poems?"), lines))
    form = np.array([poem.form for poem in chosen])
    sums = np.array([values.sum() for values in own])
    for name in FORMS:
        if (form == name).sum() > 1:
            rows = form == name
            one = asked.metric("perplexity", POEMS, perplexity, sums[rows], counts[rows])
            found.slices.append(Slice(part=FORM_NAMES[name], metric=one))


def chosen_poems(parts: Splits[tuple[Poem, ...]], asked: Asked) -> Sequence[Poem]:
    chosen = parts.test if asked.split == "test" else parts.validation
    if asked.data is not None:
        chosen = tuple(chinese_poetry.read(asked.data))
        if not chosen:
            raise InputError(
                N_("{file} holds no poem in Chinese characters and plain punctuation."),
                file=asked.data.name,
            )
    return chosen[: asked.limit]


def without_punctuation(
    asked: Asked,
    net: CharGPT,
    texts: Sequence[Any],
    tokenwise: Sequence[np.ndarray],
    model: str = "",
) -> Metric:
    """The same on Chinese characters alone: in verse, punctuation is easily foretold."""
    marks = net.numbers(points("，。、？！；")).tolist()
    inside = [~np.isin(ids[1:].numpy(), marks) for ids in texts]
    sums = np.array([values[rows].sum() for values, rows in zip(tokenwise, inside)])
    counts = np.array([rows.sum() for rows in inside], dtype=np.float64)
    return asked.metric("perplexity_no_punctuation", POEMS, perplexity, sums, counts, model=model)


def by_position(tokenwise: Sequence[np.ndarray]) -> list[float]:
    """Mean nats of the characters between one of POSITIONS and the next."""
    means = []
    for start, end in itertools.pairwise(POSITIONS):
        values = np.concatenate([part[start:end] for part in tokenwise])
        means.append(float(values.mean()) if len(values) else 0.0)
    return means


def curve(name: str, lines: dict[str, list[float]]) -> Curve:
    return Curve(
        name=name,
        x_label=Bilingual(en="characters read before", zh="此前读过的字符数"),
        y_label=Bilingual(en="nats a character", zh="每个字符的奈特数"),
        x=[float(start) for start in POSITIONS[:-1]],
        y=lines,
    )


def written(asked: Asked, found: Found) -> None:
    """What the networks write: does it keep its form, and how much is copied?"""
    for sample in writing(asked.case, asked.split, asked.limit):
        found.metrics += [asked.metric(*quoted) for quoted in rows_of(sample)]
        found.baselines += [
            asked.metric("copied_share", sample.data, mean_nats, *sample.real, model=sample.rival)
        ]


def rows_of(sample: Written) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = [("copied_share", sample.data, mean_nats, *sample.copied)]
    if sample.kept is not None:
        rows.append(("form_kept", sample.data, mean_nats, *sample.kept))
    return rows
