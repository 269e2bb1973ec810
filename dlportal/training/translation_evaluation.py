"""Measure translations: BLEU by direction and length, plain rivals, sentences from elsewhere."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dlportal.cards import Bilingual, Measured, Metric, Slice
from dlportal.case import Evaluation, Progress
from dlportal.cases.translation_text import DIRECTIONS, NAMES, PART_OF, tidy
from dlportal.data import is_available, multi30k, tatoeba
from dlportal.data.pairs import Parallel
from dlportal.data.splits import Splits
from dlportal.messages import N_, InputError
from dlportal.training.bleu import bleu, bleu_counts, chrf
from dlportal.training.metrics import exact_interval, measured
from dlportal.training.receipts import versions
from dlportal.training.said import evaluate_command
from dlportal.training.translation_rivals import Dictionary, nearest
from dlportal.training.translation_settling import search_all, source_ids

DATA = {d: f"{PART_OF[d]}_{d}" for d in DIRECTIONS}
KNOWN = ("train", "validation", "test")
SIZE = 50  # sentences that are translated together
STRANGERS = 200  # sentences from elsewhere, of each direction
SHOWN = 4  # translations of each direction that are kept for the page
LEAST = 40  # sentences below which a slice says nothing
LENGTHS = {
    "multi30k": ((1, 9), (10, 14), (15, 99)),
    "tatoeba": ((1, 5), (6, 8), (9, 99)),
}  # words; of Chinese, characters


@dataclass(frozen=True)
class Asked:
    """Sentences of one direction and what came of them."""

    direction: str
    data: str
    split: str
    command: str
    sources: tuple[str, ...]
    references: tuple[str, ...]
    said: tuple[str, ...]

    def bleu(self, said: Sequence[str], model: str = "") -> Metric:
        counts = bleu_counts(said, self.references, DIRECTIONS[self.direction][1])
        return self.counted(counts, model)

    def counted(self, counts: np.ndarray, model: str = "") -> Metric:
        return measured(
            "bleu", self.data, self.split, bleu, counts, command=self.command, model=model
        )


def evaluate_translation(
    case: Any, split: str, data: Path | None, limit: int | None, progress: Progress | None
) -> Evaluation:
    """Measure on a split of Multi30k and Tatoeba, or on files laid out like one of them.

    Raises:
        InputError: No such split, or another layout.
    """
    started = time.monotonic()
    if split not in KNOWN:
        raise InputError(
            N_("No split {split}. Choose from: {known}."), split=split, known=", ".join(KNOWN)
        )
    parts = own_parts(split) if data is None else given_parts(data)
    jobs = [
        (direction, part if limit is None else part.spread(limit))
        for direction, part in parts.items()
    ]
    total, done = sum(len(part) for _, part in jobs), 0
    command = evaluate_command(case.card.id, split)
    answers = []
    for direction, part in jobs:
        source, target = DIRECTIONS[direction]
        said: list[str] = []
        for start in range(0, len(part), SIZE):
            rows = part.texts[source][start : start + SIZE]
            said += translate(case, direction, rows)
            done += len(rows)
            if progress is not None:
                progress(done, total)
        name = DATA[direction] if data is None else f"{data.stem.split('.')[0]}_{direction}"
        answers.append(
            Asked(
                direction,
                name,
                split,
                command,
                part.texts[source],
                part.texts[target],
                tuple(said),
            )
        )
    found = measure(case, answers, whole=limit is None and data is None)
    return Evaluation(case.card.id, split, total, time.monotonic() - started, found)


def own_parts(split: str) -> dict[str, Parallel]:
    captions, daily = multi30k.load_part(split), getattr(tatoeba.load(), split)
    return {d: captions if PART_OF[d] == "multi30k" else daily for d in DIRECTIONS}


def given_parts(data: Path) -> dict[str, Parallel]:
    """Pairs of a Tatoeba table, or of a folder with one file a language (`x.en`, `x.de.gz` ...).

    Raises:
        InputError: Neither.
    """
    if data.is_file():
        part = tatoeba.read(data)
    else:
        codes = {code for pair in DIRECTIONS.values() for code in pair}
        files = {
            suffix: path
            for path in sorted(data.glob("*"))
            if (suffix := path.name.removesuffix(".gz").rpartition(".")[2]) in codes
        }
        texts = {code: multi30k.read_lines(path) for code, path in files.items()}
        if len({len(rows) for rows in texts.values()}) > 1:
            raise InputError(
                N_("The files in {file} differ in their number of lines; each line is one pair."),
                file=data.name,
            )
        part = Parallel({code: tuple(rows) for code, rows in texts.items()})
    found = {d: part for d, pair in DIRECTIONS.items() if all(code in part.texts for code in pair)}
    if not found or not len(part):
        raise InputError(
            N_(
                "{file} holds no pairs of sentences: it takes a table of English, a tab and Chinese, "
                "or a folder with one file a language, such as test.en and test.de."
            ),
            file=data.name,
        )
    return found


def translate(case: Any, direction: str, texts: Sequence[str]) -> list[str]:
    """Best translations; nothing is too long here, as whatever the data holds is measured."""
    net, (source, target) = case.translator(direction), DIRECTIONS[direction]
    searches = search_all(net, source_ids(net, source, tuple(texts)), target, size=SIZE)
    alpha = case.alpha(direction)
    best = (max(search.found, key=lambda one: one.score(alpha)) for search in searches)
    return [case.text_of(direction, one.parts) for one in best]


def measure(case: Any, answers: list[Asked], whole: bool) -> Measured:
    """Everything for the card; `whole` adds what needs the training part and more sentences."""
    scores, marked, letters, baselines, slices = [], [], [], [], []
    shown: dict[str, list[dict[str, Any]]] = {}
    loaded: dict[str, Splits[Parallel]] = {}
    for asked in answers:
        counts = bleu_counts(asked.said, asked.references, DIRECTIONS[asked.direction][1])
        scores.append(asked.counted(counts))
        letters.append(chrf_metric(asked))
        slices += length_slices(asked, counts)
        name = PART_OF[asked.direction]
        if is_available({"multi30k": "multi30k", "tatoeba": "tatoeba_cmn_eng"}[name]):
            if name not in loaded:
                loaded[name] = {"multi30k": multi30k.load, "tatoeba": tatoeba.load}[name]()
            train = loaded[name].train
            baselines += rivals(case, asked, train)
            if name == "tatoeba":
                slices += seen_slices(asked, counts, train)
        baselines.append(asked.bleu(asked.sources, N_("the source, copied")))
        if whole:
            marked += outsiders(case, asked)
            shown[asked.direction] = some(counts, asked)
    return Measured(
        case=case.card.id,
        parameters=sum(parameter.numel() for parameter in case.net.parameters()),
        metrics=[*scores, *marked, *letters],
        baselines=baselines,
        slices=slices,
        constants={"shown": shown} if whole else {},
        versions=versions("sacrebleu"),
    )


def chrf_metric(asked: Asked) -> Metric:
    return Metric(
        name="chrf",
        data=asked.data,
        split=asked.split,
        value=chrf(asked.said, asked.references),
        n=len(asked.said),
        command=asked.command,
    )


def size_of(direction: str, text: str) -> int:
    """Words of a source sentence; of a Chinese one, characters."""
    return len(text) if DIRECTIONS[direction][0] == "zh" else len(text.split())


def length_slices(asked: Asked, counts: np.ndarray) -> list[Slice]:
    sizes = np.array([size_of(asked.direction, text) for text in asked.sources])
    chinese = DIRECTIONS[asked.direction][0] == "zh"
    bounds = LENGTHS[PART_OF[asked.direction]]
    found = []
    for low, high in bounds:
        if chinese:
            low, high = (1 if low == 1 else 2 * low - 3), 2 * high - 2
        rows = (sizes >= low) & (sizes <= high)
        if rows.sum() < LEAST:
            continue
        label = NAMES[asked.direction]
        first, last = (f"{low}", f"{high}") if low > 1 else ("", f"{high}")
        span = f"{first}–{last}" if first else f"≤ {last}"
        span = f"≥ {low}" if high >= 99 else span
        unit = Bilingual(en="characters", zh="字") if chinese else Bilingual(en="words", zh="词")
        found.append(
            Slice(
                part=Bilingual(
                    en=f"{label.en}, {span} {unit.en}", zh=f"{label.zh}，{span} {unit.zh}"
                ),
                metric=asked.counted(counts[rows]),
            )
        )
    return found


def seen_slices(asked: Asked, counts: np.ndarray, train: Parallel) -> list[Slice]:
    """Pairs whose Chinese side also stands in training (with other English), and the rest."""
    source = DIRECTIONS[asked.direction][0]
    chinese = asked.sources if source == "zh" else asked.references
    known = {tatoeba.key(text) for text in train.texts["zh"]}
    seen = np.array([tatoeba.key(text) in known for text in chinese])
    label = NAMES[asked.direction]
    found = []
    for rows, en, zh in (
        (seen, "Chinese side also in training", "中文一侧在训练中出现过"),
        (~seen, "neither side in training", "两侧都没在训练中出现过"),
    ):
        if rows.sum() >= LEAST:
            part = Bilingual(en=f"{label.en}, {en}", zh=f"{label.zh}，{zh}")
            found.append(Slice(part=part, metric=asked.counted(counts[rows])))
    return found


def rivals(case: Any, asked: Asked, train: Parallel) -> list[Metric]:
    """Word by word from a counted dictionary, and the translation of the nearest sentence."""
    source, target = DIRECTIONS[asked.direction]
    parts = case.translator(asked.direction).parts
    counted = Dictionary(
        parts[source].cut(train.texts[source]), parts[target].cut(train.texts[target])
    )
    read = parts[source].cut([tidy(source, text) for text in asked.sources])
    said = [parts[target].join(counted.translate(row)) for row in read]
    where = nearest(train.texts[source], asked.sources, source == "zh")
    return [
        asked.bleu(said, N_("word by word (IBM model 1)")),
        asked.bleu(
            [train.texts[target][row] for row in where], N_("the nearest training sentence's")
        ),
    ]


def outsiders(case: Any, asked: Asked) -> list[Metric]:
    """How many sentences of the other kind (captions, daily ones, titles) are marked as outside."""
    from dlportal.data import csl

    source = DIRECTIONS[asked.direction][0]
    if source == "zh":
        if not is_available("csl_category_zh"):
            return []
        texts = csl.load().test.texts
    elif PART_OF[asked.direction] == "multi30k":
        if not is_available("tatoeba_cmn_eng"):
            return []
        texts = tatoeba.load().test.texts["en"]
    else:
        if not is_available("multi30k"):
            return []
        texts = multi30k.load_part("test").texts["en"]
    raws = [raw for text in texts if readable(case, raw := f"{asked.direction}: {text}")]
    raws = raws[:: max(1, len(raws) // STRANGERS)]
    found = []
    for start in range(0, len(raws), SIZE):
        found += [not result.inside for result in case.translate(raws[start : start + SIZE])]
    low, high = exact_interval(sum(found), len(found))
    return [
        Metric(
            name="marked_outside",
            data=f"strangers_{asked.direction}",
            split=asked.split,
            value=sum(found) / len(found),
            low=low,
            high=high,
            n=len(found),
            command=asked.command,
        )
    ]


def readable(case: Any, raw: str) -> bool:
    """Whether the case takes a sentence at all: neither too long nor in another script."""
    try:
        case.check(raw)
    except InputError:
        return False
    return True


def some(counts: np.ndarray, asked: Asked) -> list[dict[str, Any]]:
    """Rows of the test part and what the network said: drawn at random, from bad to good."""
    each = np.array([bleu(row[None]) for row in counts])
    drawn = np.random.default_rng(0).permutation(len(each))[: 2 * SHOWN]
    order = drawn[np.argsort(each[drawn])][::2]
    return [
        {"row": int(row), "said": asked.said[row], "bleu": round(float(each[row]), 1)}
        for row in order
    ]
