"""Questions as readers train on them: encoded, cut into windows, in five parts by article."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dlportal.data.squad import Asked
from dlportal.kinds.judged_spans import Judged, judge
from dlportal.kinds.passages import Passage, Window, windows_of
from dlportal.nets.chinese_reader import CHINESE, HIDDEN
from dlportal.nets.english_reader import EnglishReader, mixed_and_last
from dlportal.nets.minilm import WIDTH, shared_body
from dlportal.nets.passage_match import CODE, COLUMNS, PARAGRAPH, PART, SHAPE

States = dict[bytes, Tensor]  # MiniLM's states (T, 2, 384) of a text, by its ids


@dataclass(frozen=True)
class Row:
    """A question, its windows, and where in them answers stand: window, first token, length - 1."""

    asked: Asked
    windows: list[Window]
    targets: list[tuple[int, int, int]]


def encode_rows(
    questions: Sequence[Asked],
    language: str,
    tokenizer: Any,
    longest: int,
    size: int | None = None,
) -> list[Row]:
    """Encode questions; answers longer than `longest` tokens are no targets.

    `size` is that of the windows, the reader's usual one if None.
    """
    rows = []
    for asked in questions:
        passage = Passage(asked.question, asked.paragraph, language)
        windows = windows_of(passage, tokenizer, size)
        targets = []
        for answer in asked.answers:
            for number, window in enumerate(windows):
                first = window.token_at(answer.start)
                last = window.token_at(answer.start + len(answer.text) - 1)
                if first is not None and last is not None and last - first < longest:
                    targets.append((number, first, last - first))
        rows.append(Row(asked, windows, targets))
    return rows


def folds_of(rows: Sequence[Row], count: int, seed: int = 0) -> np.ndarray:
    """The part of each row, whole articles together, (N,)."""
    articles = sorted({row.asked.article for row in rows})
    order = np.random.default_rng(seed).permutation(len(articles))
    part = {article: int(place) % count for article, place in zip(articles, order, strict=True)}
    return np.array([part[row.asked.article] for row in rows])


def halves(x: np.ndarray, start: int) -> tuple[np.ndarray, np.ndarray]:
    """Question and paragraph of a window, each from its start sign on."""
    return x[: start - 1], x[start - 1 :]


def key(x: np.ndarray) -> bytes:
    return x[:, CODE].tobytes()


@torch.inference_mode()
def all_states(rows: Sequence[Row]) -> States:
    """MiniLM's states of all questions and all windows of paragraphs, bfloat16."""
    texts = {}
    for row in rows:
        for window in row.windows:
            for half in halves(window.x, window.start):
                texts[key(half)] = half[:, CODE]
    body = shared_body()
    order = sorted(texts, key=lambda k: len(texts[k]))
    out: States = {}
    for begin in range(0, len(order), 32):
        some = order[begin : begin + 32]
        ids = torch.zeros(len(some), max(len(texts[k]) for k in some), dtype=torch.long)
        for line, k in zip(ids, some, strict=True):
            line[: len(texts[k])] = torch.from_numpy(texts[k])
        found = body(
            input_ids=ids, attention_mask=(ids != 0).long(), output_hidden_states=True
        ).hidden_states
        for line, k in zip(mixed_and_last(found).bfloat16(), some, strict=True):
            out[k] = line[: len(texts[k])].clone()
    return out


def joined(windows: Sequence[tuple[np.ndarray, int]], states: States | None) -> dict[str, Tensor]:
    """A batch of windows: `x` (B, T, 6) and, for English, `states` (B, T, 2, 384)."""
    longest = max(len(x) for x, _start in windows)
    x = torch.zeros(len(windows), longest, COLUMNS, dtype=torch.long)
    for line, (given, _start) in zip(x, windows, strict=True):
        line[: len(given)] = torch.from_numpy(given)
    if states is None:
        return {"x": x}
    s = torch.zeros(len(windows), longest, 2, WIDTH, dtype=torch.bfloat16)
    for line, (given, start) in zip(s, windows, strict=True):
        line[: len(given)] = torch.cat([states[key(half)] for half in halves(given, start)])
    return {"x": x, "states": s}


def votes_of(net: Any, batch: dict[str, Tensor]) -> list[Tensor]:
    """Scores of spans, each (B, T, longest), of the members of a reader; Chinese has one."""
    x = batch["x"]
    if isinstance(net, EnglishReader) and "states" in batch:
        return net.votes(net.embed(x), batch["states"], x)
    return [net(x)]


@torch.inference_mode()
def read_rows(
    net: Any,
    rows: Sequence[Row],
    states: States | None,
    size: int = 32,
    progress: Callable[[int, int], None] | None = None,
) -> list[list[Tensor]]:
    """For each row the scores (T, longest) of each of its windows."""
    places = [(r, w) for r, row in enumerate(rows) for w in range(len(row.windows))]
    places.sort(key=lambda place: len(rows[place[0]].windows[place[1]].x))
    out: list[list[Any]] = [[None] * len(row.windows) for row in rows]
    for begin in range(0, len(places), size):
        some = places[begin : begin + size]
        windows = [rows[r].windows[w] for r, w in some]
        votes = votes_of(net, joined([(w.x, w.start) for w in windows], states))
        y = torch.stack(votes).float().mean(dim=0)
        for (r, w), line, window in zip(some, y, windows, strict=True):
            out[r][w] = line[: len(window.x)].clone()
        if progress is not None:
            progress(begin + len(some), len(places))
    return out


def judged_rows(
    scores: Sequence[Sequence[Tensor]], rows: Sequence[Row], temperature: float = 1.0
) -> list[Judged]:
    return [judge(y, row.windows, temperature) for y, row in zip(scores, rows, strict=True)]


class ReadingBatches:
    """Windows with answers, some of them with another paragraph: there "no answer" is right.

    Args:
        rows: Questions; those without a target are left out.
        states: MiniLM's states, for English.
        longest: Tokens of a span at most.
        size: Rows of a batch.
        seed: Of order and choices.
        strangers: Share of questions that get another paragraph (of the same article, if there
            is one).
        hidden: Share of characters that are hidden; English states know no hidden words.
    """

    def __init__(
        self,
        rows: Sequence[Row],
        states: States | None,
        longest: int,
        size: int,
        seed: int,
        strangers: float = 0.15,
        hidden: float = 0.0,
    ) -> None:
        self.rows = [row for row in rows if row.targets]
        self.states, self.longest, self.size, self.seed = states, longest, size, seed
        self.strangers, self.hidden = strangers, hidden
        self.articles: dict[int, list[int]] = {}
        for index, row in enumerate(self.rows):
            self.articles.setdefault(row.asked.article, []).append(index)

    @property
    def steps_per_epoch(self) -> int:
        return -(-len(self.rows) // self.size)

    def __call__(self, epoch: int) -> Iterator[dict[str, Tensor]]:
        rng = np.random.default_rng((self.seed, epoch))
        order = rng.permutation(len(self.rows))
        pool = self.size * 12
        groups: list[np.ndarray] = []
        for start in range(0, len(order), pool):
            some = order[start : start + pool]
            some = some[np.argsort([len(self.rows[i].windows[0].x) for i in some], kind="stable")]
            groups += [some[i : i + self.size] for i in range(0, len(some), self.size)]
        for index in rng.permutation(len(groups)):
            yield self.batch([self.choose(self.rows[i], rng) for i in groups[index]], rng)

    def choose(self, row: Row, rng: np.random.Generator) -> tuple[np.ndarray, int, int]:
        """Input, the paragraph's start in it, and the right span's place among all."""
        number, first, more = row.targets[rng.integers(len(row.targets))]
        window = row.windows[number]
        if rng.random() < self.strangers and (other := self.stranger(row, rng)) is not None:
            question = halves(window.x, window.start)[0]
            return np.concatenate([question, halves(other.x, other.start)[1]]), window.start, 0
        return window.x, window.start, first * self.longest + more

    def stranger(self, row: Row, rng: np.random.Generator) -> Window | None:
        """A window of another paragraph in which no accepted answer stands."""
        near = self.articles[row.asked.article]
        near = [i for i in near if self.rows[i].asked.place != row.asked.place]
        other = self.rows[int(rng.choice(near)) if near else int(rng.integers(len(self.rows)))]
        if other.asked.place == row.asked.place:
            return None
        if any(answer in other.asked.paragraph for answer in row.asked.accepted):
            return None
        return other.windows[int(rng.integers(len(other.windows)))]

    def batch(
        self, chosen: Sequence[tuple[np.ndarray, int, int]], rng: np.random.Generator
    ) -> dict[str, Tensor]:
        out = joined([(x, start) for x, start, _target in chosen], self.states)
        if self.hidden:
            out["x"] = hide(out["x"], self.hidden, rng)
        return {**out, "target": torch.tensor([target for _x, _start, target in chosen])}


def hide(x: Tensor, share: float, rng: np.random.Generator) -> Tensor:
    """Hide Chinese characters: a hidden one, as explanations make them, is then nothing strange."""
    draw = torch.from_numpy(rng.random(x.shape[:2])) < share
    draw &= (x[..., PART] > 0) & (x[..., PART] <= PARAGRAPH)
    out = x.clone()
    out[..., CODE] = torch.where(draw, CHINESE + HIDDEN, x[..., CODE])
    out[..., SHAPE] = torch.where(draw, 0, x[..., SHAPE])
    return out
