"""Names in English posts: MiniLM-L6 that also sees how words are written, trained on WNUT17.

Data: Derczynski et al. 2017, https://aclanthology.org/W17-4418/
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn

from dlportal.cards import Card
from dlportal.case import Evaluation, Progress, Settings, check_length
from dlportal.data.conll import OUTSIDE
from dlportal.data.wnut17 import TYPES
from dlportal.kinds.english import check_english, looks_english
from dlportal.kinds.marked_names import NameMarkingCase, name_labels
from dlportal.kinds.words import cut
from dlportal.messages import N_, InputError
from dlportal.nets.minilm import MASK, PAD, load_tokenizer
from dlportal.nets.name_scorer import NameScorer
from dlportal.nets.tagger import Tagger
from dlportal.nets.word_shape import STEP, shape_of
from dlportal.results import Label, Span, Spans
from dlportal.training.entities import Name, spans_of
from dlportal.training.events import Run
from dlportal.training.store import load_weights

NAMES_ZH = ("公司", "作品", "团体", "地点", "人物", "产品")
NAMES_EN = ("company", "creative work", "group", "place", "person", "product")
LABELS = (
    Label(OUTSIDE, "no name", "不是名字"),
    *(Label(t, en, zh) for t, en, zh in zip(TYPES, NAMES_EN, NAMES_ZH, strict=True)),
)
TAGS = (OUTSIDE, *(f"{prefix}-{t}" for t in TYPES for prefix in ("B", "I")))
RANK = 16
NOTHING = "."  # stands for a word that the tokenizer knows no part of
EXAMPLES = (
    (
        "concert",
        "Just saw Radiohead play Creep in Manchester, Thom Yorke was on fire!",
        "A concert",
        "一场演唱会",
    ),
    (
        "phone",
        "my new Pixel 9 died after the update, Google support in Dublin says wait till monday",
        "A broken phone",
        "手机坏了",
    ),
    (
        "lower",
        "anyone else watching the crown on netflix while flying over iceland?",
        "No capitals",
        "全是小写",
    ),
    (
        "shouting",
        "SO PROUD OF SERENA WILLIAMS AND TEAM USA IN RIO TONIGHT",
        "All capitals",
        "全是大写",
    ),
    (
        "two",
        "Paris said she would rather stay in London than see Paris again.",
        "One word, two meanings",
        "同一个词，两种意思",
    ),
    (
        "none",
        "I could not sleep, so I made tea and read until it got light.",
        "No name at all",
        "没有名字",
    ),
)


class NamedEntities(NameMarkingCase):
    """A text with its names marked, each with a type and a confidence."""

    labels = LABELS
    offered = EXAMPLES
    Judge = NameScorer
    longest = 256

    def __init__(self, card: Card) -> None:
        self.tokenizer = load_tokenizer()
        self.pad_id, self.mask_id = PAD, MASK
        super().__init__(card)
        # Taken off the logit of "no name": found on validation, where F1 was best.
        eager = float(card.measured.constants.get("eagerness", 0.0))
        self.shift = torch.tensor([-eager] + [0.0] * (len(TAGS) - 1))

    def load(self) -> nn.Module:
        return load_weights(Tagger(len(TAGS), RANK), self.card.weights, strict=False)

    def check(self, raw: str) -> None:
        if not isinstance(raw, str):
            raise InputError(N_("This is not a text. Type a sentence."))
        check_length(raw, self.card.limits.characters)
        check_english(raw)
        n = self.encode(raw).shape[1]
        if n > self.longest:
            raise InputError(
                N_("The text has {n} tokens; the model reads {limit}. Shorten it."),
                n=n,
                limit=self.longest,
            )

    def encode(self, raw: str) -> Tensor:
        """Packed ids (1, T): token and shape of its word."""
        return torch.tensor([encode_words(self.tokenizer, [w for w, _s, _e in cut(raw)])[0]])

    def words(self, raw: str) -> tuple[list[str], list[int]]:
        words = [word for word, _start, _end in cut(raw)]
        return words, encode_words(self.tokenizer, words)[1]

    def decode(self, y: Tensor, raw: str) -> Spans:
        """Tag logits (T, tags) to names."""
        places = first_tokens(self.words(raw)[1])
        p = torch.softmax((y[places].float() + self.shift) / self.temperature, dim=-1)
        words = cut(raw)
        found = []
        for name in names_in(p):
            tags = p[name.start : name.end].max(dim=-1).values
            start, end = words[name.start][1], words[name.end - 1][2]
            label = LABELS[1 + TYPES.index(name.type)]
            found.append(Span(raw[start:end], start, end, label, float(tags.prod())))
        return Spans(raw, tuple(found), looks_english(raw))

    def about(self, raw: str) -> Self:
        if isinstance(self.net, NameScorer):
            return self
        with torch.inference_mode():
            y = self.net(self.encode(raw).to(self.device))[0].float().cpu()
        places = first_tokens(self.words(raw)[1])
        p = torch.softmax((y[places] + self.shift) / self.temperature, dim=-1)
        tags = p.argmax(dim=-1).tolist()
        names = names_in(p)
        if not names:
            raise InputError(N_("No name was found, so there is none to explain."))
        asked = [
            (
                [places[i] for i in range(name.start, name.end)],
                tags[name.start : name.end],
            )
            for name in names
        ]
        judge = self.with_net(NameScorer(self.net, asked, self.shift, self.temperature))
        words = cut(raw)
        judge.labels = name_labels(
            [raw[words[n.start][1] : words[n.end - 1][2]] for n in names],
            [LABELS[1 + TYPES.index(n.type)] for n in names],
        )
        return judge

    def probabilities(self, y: Tensor) -> Tensor:
        """Of names (of `about`): each on its own, (B, names); of tags: (B, T, tags)."""
        if isinstance(self.net, NameScorer):
            return torch.sigmoid(y.float())
        return torch.softmax((y.float() + self.shift.to(y.device)) / self.temperature, dim=-1)

    @classmethod
    def train(cls, card: Card, settings: Settings, run: Run) -> nn.Module:
        from dlportal.training.names_training import train_on_wnut

        return train_on_wnut(settings, run)

    def evaluate(
        self,
        split: str = "test",
        data: Path | None = None,
        limit: int | None = None,
        progress: Progress | None = None,
    ) -> Evaluation:
        """Measure on WNUT17, a folder laid out like it, or any CoNLL file (see `names_data`)."""
        from dlportal.training.names_evaluation import evaluate_names

        started = time.monotonic()
        found = evaluate_names(self, split, data, limit, progress)
        return Evaluation(self.card.id, split, found[0], time.monotonic() - started, found[1])


def encode_words(tokenizer: Any, words: Sequence[str]) -> tuple[list[int], list[int]]:
    """Packed ids of cut words, and for each the index of its word (-1: special)."""
    encoding = tokenizer.encode(list(words), is_pretokenized=True)
    if missing := set(range(len(words))) - set(encoding.word_ids):  # invisible signs leave nothing
        filled = [NOTHING if i in missing else word for i, word in enumerate(words)]
        encoding = tokenizer.encode(filled, is_pretokenized=True)
    word_of = [-1 if word is None else word for word in encoding.word_ids]
    shapes = [shape_of(word) for word in words]
    packed = [
        token + STEP * shapes[word] if word >= 0 else token
        for token, word in zip(encoding.ids, word_of, strict=True)
    ]
    return packed, word_of


def first_tokens(word_of: Sequence[int]) -> list[int]:
    """The position of each word's first token."""
    seen: dict[int, int] = {}
    for place, word in enumerate(word_of):
        if word >= 0:
            seen.setdefault(word, place)
    return [seen[word] for word in sorted(seen)]


def names_in(p: Tensor) -> list[Name]:
    """Names by the likeliest tags: probabilities (words, tags)."""
    return spans_of([TAGS[tag] for tag in p.argmax(dim=-1).tolist()])


CASE = NamedEntities
