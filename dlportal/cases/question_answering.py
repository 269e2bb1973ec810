"""Where in a paragraph stands the answer, and does it stand there at all? English and Chinese.

Data: XQuAD (Artetxe et al. 2020, https://arxiv.org/abs/1910.11856) and CMRC 2018 (Cui et al. 2019,
https://arxiv.org/abs/1810.07366)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from dlportal.cards import Card
from dlportal.case import Evaluation, Example, Progress, Settings, check_length
from dlportal.explain.base import Differentiable
from dlportal.kinds.chinese import HAN
from dlportal.kinds.english import check_english, looks_english
from dlportal.kinds.judged_spans import Judged, judge
from dlportal.kinds.passage_text import PassageMasker, words_of
from dlportal.kinds.passages import Passage, Window, parse, windows_of
from dlportal.kinds.text import TextCase
from dlportal.kinds.words import numbered
from dlportal.messages import N_, InputError
from dlportal.nets.chinese_reader import ChineseReader
from dlportal.nets.english_reader import EnglishReader
from dlportal.nets.minilm import load_tokenizer
from dlportal.nets.passage_match import COLUMNS
from dlportal.nets.question_net import FOLDS, QuestionNet
from dlportal.nets.span_scorer import SpanScorer
from dlportal.results import Label, Result, Span
from dlportal.training.events import Run
from dlportal.training.store import load_weights, saved_shapes

TOGETHER = 32  # windows that share a pass
SHOWN = 3  # spans that are shown and can be explained
ANSWER = Label("answer", "answer", "答案")


@dataclass(frozen=True)
class Ends:
    """A token of the paragraph: characters `start` to `end`, and the probabilities that the
    answer begins or ends with it."""

    text: str
    start: int
    end: int
    begins: float
    closes: float


@dataclass(frozen=True)
class Answers(Result):
    """The likeliest answers, the best first, and how likely it is that there is none.

    The answer is refused where `nothing` reaches `threshold`. `inside` as in `Classes`.
    """

    question: str
    paragraph: str
    language: str
    spans: tuple[Span, ...]
    nothing: float
    threshold: float
    tokens: tuple[Ends, ...]
    windows: int = 1
    inside: bool | None = None

    @property
    def refused(self) -> bool:
        return self.nothing >= self.threshold or not self.spans


class QuestionAnswering(TextCase):
    """Spans of a paragraph that answer a question.

    The input is one text: the question on the first line, the paragraph below it; or JSON with
    `question` and `paragraph`.
    """

    labels: tuple[Label, ...] = (ANSWER,)
    net: Any
    window: int | None = None  # of the judge that `about` returns

    def __init__(self, card: Card) -> None:
        self.tokenizer = load_tokenizer()
        super().__init__(card)
        constants = card.measured.constants
        self.scales: dict[str, Any] = {
            "en": constants.get("english", {}), "zh": constants.get("chinese", {})
        }  # fmt: skip

    def load(self) -> nn.Module:
        from dlportal.training.reading_vocabulary import english_asks

        shapes = saved_shapes(self.card.weights)
        rows = shapes["chinese.embedding.weight"][0]
        asks = english_asks(self.tokenizer)
        rarity = torch.zeros(shapes["english.rarity"])
        table = torch.zeros(shapes["chinese.table"], dtype=torch.int16)
        readers = [EnglishReader(rarity.clone(), asks) for _reader in range(FOLDS + 1)]
        chinese = ChineseReader(table, torch.zeros(shapes["chinese.rarity"]), rows)
        net = QuestionNet(readers[0], readers[1:], chinese)
        return load_weights(net, self.card.weights, strict=False)

    def temperature_of(self, language: str) -> float:
        return float(self.scales[language].get("temperature", 1.0))

    def threshold_of(self, language: str) -> float:
        return float(self.scales[language].get("threshold", 0.5))

    def check(self, raw: str) -> None:
        self.checked(raw)

    def checked(self, raw: str) -> tuple[Passage, list[Window]]:
        """The passage of an input that can be used, and its windows.

        Raises:
            InputError: It cannot be used.
        """
        if not isinstance(raw, str):
            raise InputError(N_("This is not a text. Type a sentence."))
        check_length(raw, self.card.limits.characters)
        passage = parse(raw)
        if passage.language == "en":
            check_english(passage.paragraph)
        return passage, windows_of(passage, self.tokenizer)

    def read(self, given: str) -> str:
        """A text, or the path of a file that holds it."""
        try:
            return Path(given).read_text("utf-8") if Path(given).is_file() else given
        except UnicodeDecodeError as error:
            raise InputError(N_("{file} cannot be read as text."), file=Path(given).name) from error
        except (OSError, ValueError):  # no name that a file could have: it is the text itself
            return given

    def windows(self, raw: str) -> list[Window]:
        """What the reader sees of an input; the judge's only the window that it is about."""
        found = windows_of(parse(raw), self.tokenizer)
        return found if self.window is None else [found[self.window]]

    def encode(self, raw: str) -> Tensor:
        """Windows (W, T, 6), padded."""
        return stacked([torch.from_numpy(window.x) for window in self.windows(raw)])

    def collate(self, xs: Sequence[Tensor]) -> Tensor:
        return stacked([window for x in xs for window in x])

    @torch.inference_mode()
    def predict_batch(self, raws: Sequence[str]) -> list[Result]:
        """As for every case; the windows of all inputs share passes, each language its own."""
        read = [self.checked(raw) for raw in raws]
        windows = [(p.language, torch.from_numpy(w.x)) for p, some in read for w in some]
        ys: list[Any] = [None] * len(windows)
        for language in ("en", "zh"):
            rows = [i for i, (own, _x) in enumerate(windows) if own == language]
            rows.sort(key=lambda i: len(windows[i][1]))
            for start in range(0, len(rows), TOGETHER):
                some = rows[start : start + TOGETHER]
                y = self.net(stacked([windows[i][1] for i in some]).to(self.device)).float().cpu()
                for i, line in zip(some, y, strict=True):
                    ys[i] = line
        each = iter(ys)
        return [self.answer([next(each) for _ in cut], cut, passage) for passage, cut in read]

    def decode(self, y: Tensor, raw: str) -> Answers:
        """Scores of a single window (T, longest), or of several (W, T, longest)."""
        return self.answer(
            list(y if y.ndim == 3 else y.unsqueeze(0)), self.windows(raw), parse(raw)
        )

    def answer(self, scores: Sequence[Tensor], windows: list[Window], passage: Passage) -> Answers:
        """The result, from the scores (T, longest) of each window."""
        judged = judge(scores, windows, self.temperature_of(passage.language))
        text = passage.paragraph
        spans = tuple(
            Span(text[f.start : f.end], f.start, f.end, ANSWER, f.probability)
            for f in judged.spans[:SHOWN]
        )
        tokens = tuple(
            Ends(text[a:b], a, b, judged.starts[a, b], judged.ends[a, b])
            for a, b in sorted(judged.starts)
        )
        return Answers(
            passage.question,
            text,
            passage.language,
            spans,
            judged.nothing,
            self.threshold_of(passage.language),
            tokens,
            len(windows),
            fits(passage),
        )

    @torch.inference_mode()
    def judged(self, raw: str) -> Judged:
        """Spans with their places in the scores."""
        windows = self.windows(raw)
        ys = self.net(self.encode(raw).to(self.device)).float().cpu()
        return judge(list(ys), windows, self.temperature_of(parse(raw).language))

    def about(self, raw: str) -> Self:
        """The case as a judge of the best spans: how sure is each of them?"""
        if isinstance(self.net, SpanScorer):
            return self
        found = self.judged(raw).spans
        best = found[0].window
        asked = [f for f in found if f.window == best][:SHOWN]
        passage = parse(raw)
        reader = self.net.chinese if passage.language == "zh" else self.net.english
        places = [(f.first, f.length) for f in asked]
        asks = self.with_net(SpanScorer(reader, places, self.temperature_of(passage.language)))
        asks.window = best
        texts = numbered([passage.paragraph[f.start : f.end] for f in asked])
        asks.labels = tuple(Label(text, text, text) for text in texts)
        return asks

    def probabilities(self, y: Tensor) -> Tensor:
        """Of spans (of `about`): each on its own, (B, spans)."""
        return torch.sigmoid(y.float())

    def targets(self, raw: str) -> list[int]:
        """Spans worth explaining: the surest first."""
        if not isinstance(self.net, SpanScorer):
            return self.about(raw).targets(raw)
        return list(range(len(self.labels)))

    def words(self, raw: str) -> tuple[list[str], list[int]]:
        return words_of(parse(raw), self.windows(raw)[0])

    def masker(self, raw: str) -> PassageMasker:  # type: ignore[override]
        words, word_of = self.words(raw)
        x = torch.from_numpy(self.windows(raw)[0].x).unsqueeze(0).to(self.device)
        return PassageMasker(x, torch.tensor(word_of), tuple(words))

    def differentiable(self, raw: str) -> Differentiable:
        masker, net = self.masker(raw), self.net
        with torch.no_grad():
            x, baseline = net.embed(masker.x), net.embed(masker.empty)
        positions = masker.word_of

        def forward(e: Tensor) -> Tensor:
            return net.from_embeddings(e, masker.x.expand(len(e), -1, -1))

        def reduce(attribution: Tensor) -> np.ndarray:
            scores = attribution[0].sum(dim=-1).float().cpu()
            out = torch.zeros(len(masker.parts))
            out.index_add_(0, positions[positions >= 0], scores[positions >= 0])
            return out.numpy()

        return Differentiable(x, baseline, forward, reduce)

    def examples(self) -> list[Example[str]]:
        from dlportal.cases.question_paragraphs import examples

        return examples()

    def golden(self) -> str:
        return self.examples()[0].load()

    def code(self, raw: str, example: str | None, explainer: str | None, target: int | None) -> str:
        lines = super().code(raw, example, explainer, target)
        return lines.replace(".explain(case, raw,", ".explain(case.about(raw), raw,")

    @classmethod
    def train(cls, card: Card, settings: Settings, run: Run) -> nn.Module:
        from dlportal.training.reading_training import train_readers

        shipped = cls(card).net if card.weights.exists() else None
        return train_readers(settings, shipped, run)

    def evaluate(
        self,
        split: str = "test",
        data: Path | None = None,
        limit: int | None = None,
        progress: Progress | None = None,
    ) -> Evaluation:
        """Measure on both data sets, or on a file of SQuAD's form."""
        from dlportal.training.reading_evaluation import evaluate_readers

        return evaluate_readers(self, split, data, limit, progress)


def stacked(xs: Sequence[Tensor]) -> Tensor:
    """Windows (T, 6) of several lengths as one tensor (B, T, 6)."""
    out = torch.zeros(len(xs), max(len(x) for x in xs), COLUMNS, dtype=torch.long)
    for line, x in zip(out, xs, strict=True):
        line[: len(x)] = x
    return out


def fits(passage: Passage) -> bool | None:
    """Whether question and paragraph are of one language that a reader knows."""
    chinese = bool(HAN.search(passage.question))
    if passage.language == "zh":
        return chinese
    return False if chinese else looks_english(passage.paragraph)


CASE = QuestionAnswering
