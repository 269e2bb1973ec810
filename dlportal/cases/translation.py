"""Translation: captions from English to German and French, daily sentences between English and
Chinese, by small Transformers that were trained here."""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from dlportal.cards import Card
from dlportal.case import Evaluation, Example, Progress, Settings, check_length
from dlportal.cases.translation_answer import branches, by_words, hypotheses, looked, written
from dlportal.cases.translation_result import Translation
from dlportal.cases.translation_text import (
    DIRECTIONS,
    EXAMPLES,
    PART_OF,
    PARTS,
    check_language,
    rough,
    split,
    tidy,
)
from dlportal.kinds.text import WRITTEN, TextCase
from dlportal.kinds.words import numbered
from dlportal.messages import N_, InputError
from dlportal.nets.beam_search import Found, Search, beam_search
from dlportal.nets.translator import END, HIDDEN, PAD, START, UNKNOWN, Translator
from dlportal.nets.translators import Judge, Translators
from dlportal.nets.word_parts import unpack
from dlportal.results import Candidate, Generation, Label, Result, Token
from dlportal.training.events import Run
from dlportal.training.store import load_weights

SERVED = tuple((PART_OF[direction], target) for direction, (_, target) in DIRECTIONS.items())
SHAPES: dict[str, dict[str, Any]] = {
    "multi30k": {"width": 128, "heads": 4, "inner": 384, "layers": (4, 2), "dropout": 0.1},
    "tatoeba": {"width": 128, "heads": 4, "inner": 384, "layers": (3, 2), "dropout": 0.15},
}
# Word parts of the longest training sentences: beyond that the network has never been.
LONGEST = {"multi30k": 50, "tatoeba": 40}
BEAMS = 4


class TranslationCase(TextCase):
    """A sentence in one language to a sentence in another.

    The input is the sentence with its direction before it, such as `en_fr: A dog runs.`; without
    one, Chinese is translated into English and everything else from English into German.
    """

    net: Translators | Judge
    pad_id, mask_id = PAD, HIDDEN
    judging = False
    one_pass = False

    def __init__(self, card: Card) -> None:
        super().__init__(card)
        constants = card.measured.constants
        self.alphas: dict[str, float] = constants.get("alphas", {})
        self.layers: dict[str, int] = constants.get("layers", {})
        self.lines: dict[str, dict[str, float]] = constants.get("lines", {})

    def load(self) -> nn.Module:
        return load_weights(Translators(empty_nets(self.card.weights), SERVED), self.card.weights)

    def translator(self, direction: str) -> Translator:
        net = self.net
        if isinstance(net, Judge):
            return net.net
        return net.serving(list(DIRECTIONS).index(direction))[0]

    def check(self, raw: str) -> None:
        if not isinstance(raw, str):
            raise InputError(N_("This is not a text. Type a sentence."))
        direction, text = split(raw)
        check_length(text, self.card.limits.characters)
        check_language(direction, text)
        n, limit = len(self.ids(raw)) - 2, LONGEST[PART_OF[direction]]
        if n > limit:
            raise InputError(
                N_(
                    "The sentence has {n} word parts; this direction reads {limit}. Shorten it, or "
                    "translate it in pieces."
                ),
                n=n,
                limit=limit,
            )

    def ids(self, raw: str) -> list[int]:
        """Source parts between the signs that begin and end a sentence."""
        direction, text = split(raw)
        source = DIRECTIONS[direction][0]
        net = self.translator(direction)
        start = net.start[source]
        (parts,) = net.parts[source].cut([tidy(source, text)])
        return [start + START, *(start + part for part in parts), start + END]

    def encode(self, raw: str) -> Tensor:
        number = [] if self.judging else [list(DIRECTIONS).index(split(raw)[0])]
        return torch.tensor([[*number, *self.ids(raw)]])

    def words(self, raw: str) -> tuple[list[str], list[int]]:
        direction, text = split(raw)
        source = DIRECTIONS[direction][0]
        parts = self.translator(direction).parts[source]
        words, word_of = parts.words(tidy(source, text), whole=source != "zh")
        return words, [-1, *word_of, -1]

    def predict_batch(self, raws: Sequence[str]) -> list[Result]:
        return self.translate(raws)

    @torch.inference_mode()
    def translate(self, raws: Sequence[str], beams: int = BEAMS) -> list[Result]:
        """Translate sentences, each in its own direction.

        Args:
            raws: Sentences with their directions.
            beams: Beginnings that the search carries along; 1 always takes the likeliest part.

        Raises:
            InputError: A sentence cannot be used.
        """
        for raw in raws:
            self.check(raw)
        found: dict[int, Result] = {}
        for direction in DIRECTIONS:
            rows = [row for row, raw in enumerate(raws) if split(raw)[0] == direction]
            if rows:
                searches = self.search(direction, [self.ids(raws[row]) for row in rows], beams)
                for row, search in zip(rows, searches, strict=True):
                    found[row] = self.result(direction, raws[row], search)
        return [found[row] for row in range(len(raws))]

    def search(
        self, direction: str, ids: Sequence[Sequence[int]], beams: int = BEAMS
    ) -> list[Search]:
        """Beam search in one direction."""
        x = self.collate([torch.tensor([row]) for row in ids]).to(self.device)
        return beam_search(
            self.translator(direction), x, DIRECTIONS[direction][1], beams, self.alpha(direction)
        )

    def alpha(self, direction: str) -> float:
        return self.alphas.get(direction, 1.0)

    def text_of(self, direction: str, parts: Sequence[int]) -> str:
        """What word parts read together."""
        target = DIRECTIONS[direction][1]
        return self.translator(direction).parts[target].join(parts)

    def result(self, direction: str, raw: str, search: Search) -> Translation:
        net, target = self.translator(direction), DIRECTIONS[direction][1]
        found = search.found[0]
        words, first = written(net, target, found)
        source, word_of = self.words(raw)
        x = torch.tensor([self.ids(raw)], device=self.device)
        seen = looked(net, x, target, found, self.layers.get(direction, -1))
        why = self.strangeness(direction, raw, found)
        return Translation(
            direction=direction,
            text=net.parts[target].join(found.parts),
            source=tuple(source),
            words=tuple(words),
            alignment=by_words(seen, first, word_of, len(source)),
            hypotheses=hypotheses(net, target, search, self.alpha(direction)),
            branches=branches(net, target, search),
            inside=not why,
            why=why,
        )

    def strangeness(self, direction: str, raw: str, found: Found) -> str:
        """Why an input looks unlike what was learned; "" where it does not."""
        ids = self.ids(raw)
        source = DIRECTIONS[direction][0]
        lines = self.lines.get(direction)
        if self.translator(direction).start[source] + UNKNOWN in ids:
            return "unknown"
        if lines is None:
            return ""
        if rough(ids, tidy(source, split(raw)[1])) > lines["rough"]:
            return "unusual"
        return "unsure" if float(np.mean(found.log_probabilities)) < lines["sure"] else ""

    def decode(self, y: Tensor, raw: str) -> Result:
        """The likeliest first part."""
        direction = split(raw)[0]
        parts = self.translator(direction).parts[DIRECTIONS[direction][1]]
        p, part = y.softmax(dim=-1).max(dim=-1)
        (name,) = parts.names([int(part)])
        return Generation(raw, (Token(name, float(p), (Candidate(name, float(p)),)),))

    def about(self, raw: str) -> Self:
        """The case as a judge of its own translation: its outputs are the log-odds of the whole
        translation and of each of its words, given those before.

        Raises:
            InputError: The sentence cannot be used.
        """
        if self.judging:
            return self
        self.check(raw)
        direction = split(raw)[0]
        found = self.search(direction, [self.ids(raw)])[0].found[0]
        target = DIRECTIONS[direction][1]
        words, first = written(self.translator(direction), target, found)
        judge = copy.copy(self)
        judge.judging = True
        net = Judge(self.translator(direction), target, found.parts, first)
        judge.net = net.eval().requires_grad_(False)
        names = [Label(name, name, name) for name in numbered(words)]
        judge.labels = (Label("all", "the whole translation", "整句译文"), *names)
        return judge

    def probabilities(self, y: Tensor) -> Tensor:
        """Of the translation and its words (of `about`), each on its own."""
        return torch.sigmoid(y.float()) if self.judging else torch.softmax(y.float(), dim=-1)

    def targets(self, raw: str) -> list[int]:
        """The whole translation first, then its least certain words."""
        if not self.judging:
            return self.about(raw).targets(raw)
        with torch.inference_mode():
            y = self.net(self.encode(raw).to(self.device))[0, 1:]
        return [0, *(y.argsort()[:3] + 1).tolist()]

    def code(self, raw: str, example: str | None, explainer: str | None, target: int | None) -> str:
        text = super().code(raw, example, explainer, target)
        return text.replace(".explain(case, raw", ".explain(case.about(raw), raw")

    def examples(self) -> list[Example[str]]:
        return [
            Example(i, Label(i, en, zh), lambda d=d, text=text: f"{d}: {text}", WRITTEN)  # type: ignore[misc]
            for i, d, text, en, zh in EXAMPLES
        ]

    def golden(self) -> str:
        return f"{EXAMPLES[0][1]}: {EXAMPLES[0][2]}"

    @classmethod
    def train(cls, card: Card, settings: Settings, run: Run) -> nn.Module:
        from dlportal.training.translation_training import train_translators

        return train_translators(card, settings, run)

    def evaluate(
        self,
        split: str = "test",
        data: Path | None = None,
        limit: int | None = None,
        progress: Progress | None = None,
    ) -> Evaluation:
        from dlportal.training.translation_evaluation import evaluate_translation

        return evaluate_translation(self, split, data, limit, progress)


def empty_nets(path: Path) -> dict[str, Translator]:
    """Networks of the right size for the weights in a file."""
    stored = load_file(path)
    nets = {}
    for name, directions in PARTS.items():
        codes = dict.fromkeys(code for direction in directions for code in DIRECTIONS[direction])
        order = sorted(codes, key=["en", "de", "fr", "zh"].index)
        nets[name] = Translator(
            {code: unpack(stored[f"nets.{name}.parts_{code}"]) for code in order}, **SHAPES[name]
        )
    return nets


CASE = TranslationCase
