"""Persons, places and organisations in Chinese text: LSTMs on characters and a chain of tags.

Data: Mayhew et al. 2024, https://aclanthology.org/2024.naacl-long.243/
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from dlportal.cards import Card
from dlportal.case import Evaluation, Progress, Settings, check_length
from dlportal.data.uner import TYPES
from dlportal.explain.base import Differentiable
from dlportal.kinds.characters import check_sentence, pieces_of, readable, traditional
from dlportal.kinds.marked_names import NameMarkingCase, name_labels
from dlportal.messages import N_, InputError
from dlportal.nets.character_tagger import MASK, PAD, CharacterTagger
from dlportal.nets.name_marker import (
    NameJudge,
    NameMarker,
    all_log_probabilities,
    name_log_probability,
    spelled,
)
from dlportal.nets.name_tags import chain_of, runs_of, tags_of_types
from dlportal.results import Label, Span, Spans
from dlportal.training.events import Run
from dlportal.training.store import load_weights, saved_shapes

TAGS = tags_of_types(TYPES)
LABELS: tuple[Label, ...] = (
    Label("LOC", "place", "地点"),
    Label("ORG", "organisation", "组织"),
    Label("PER", "person", "人物"),
)
LONGEST = 24  # characters of a name that is considered as an alternative
DOUBT = 0.05  # probability from which an alternative is worth showing
ALTERNATIVES = 6  # shown at most
EXAMPLES = (
    (
        "news",
        "昨天下午，华为公司在深圳总部宣布，任正非将于下月访问巴黎，并与法国电信的代表会面。",
        "Company news",
        "公司新闻",
    ),
    (
        "history",
        "公元1405年，郑和奉明成祖之命率船队从南京龙江港出发，先后到达占城、爪哇和锡兰。",
        "A voyage of 1405",
        "一四〇五年的航行",
    ),
    (
        "foreign",
        "约翰·史密斯出生在英国曼彻斯特，毕业于剑桥大学，后来加入国际奥林匹克委员会。",
        "Foreign names",
        "外国名字",
    ),
    (
        "bridge",
        "南京市长江大桥每天有八万辆汽车通过。",
        "Where does the name end?",
        "名字到哪里为止？",
    ),
    (
        "hidden",
        "高山和田野一起去了黄石，白云和江河留在长春。",
        "Names that are words",
        "像词语的名字",
    ),
    (
        "nested",
        "北京大学历史系的学生在上海博物馆参观了苏州刺绣展。",
        "A place within a name",
        "名字里的地名",
    ),
    (
        "none",
        "今天下班以后我们一起去吃火锅吧，听说味道很不错。",
        "No name at all",
        "没有名字",
    ),
)


@dataclass(frozen=True)
class MarkedNames(Spans):
    """A text with its names, and what else the network takes for possible, the likeliest first."""

    doubts: tuple[Span, ...] = ()


class ChineseEntities(NameMarkingCase):
    """A Chinese text with its names marked, each with a type and an exact probability."""

    labels = LABELS
    offered = EXAMPLES
    Judge = NameJudge
    longest = 400
    pad_id, mask_id = PAD, MASK

    def __init__(self, card: Card) -> None:
        super().__init__(card)
        self.net = self.with_net(self.net).net
        # Transitions as the network ships them; those of a newly trained one are read there.
        self.pairs = transitions(self.net, self.temperature)

    def load(self) -> nn.Module:
        shapes = saved_shapes(self.card.weights)

        def table(name: str) -> Tensor:
            return torch.zeros(shapes[name], dtype=torch.long)

        tagger = CharacterTagger(
            table("characters"),
            table("pairs"),
            table("flags"),
            table("listed"),
            table("listed_types"),
            chain_of(TAGS),
        )
        return load_weights(tagger, self.card.weights)

    def with_net(self, net: nn.Module) -> Self:
        """The same case around another network; a bare tagger gets its sums over the chain."""
        if isinstance(net, CharacterTagger):
            net = NameMarker(net, self.temperature)
        other = super().with_net(net)
        if isinstance(net, NameMarker):
            other.pairs = transitions(net, self.temperature)
        return other

    def check(self, raw: str) -> None:
        if not isinstance(raw, str):
            raise InputError(N_("This is not a text. Type a sentence."))
        check_length(raw, self.card.limits.characters)
        check_sentence(raw)
        n = len(readable(raw)[0])
        if n > self.longest:
            raise InputError(
                N_("The text has {n} characters; the model reads {limit}. Take fewer sentences."),
                n=n,
                limit=self.longest,
            )

    def encode(self, raw: str) -> Tensor:
        return torch.tensor([readable(raw)[0]])

    def words(self, raw: str) -> tuple[list[str], list[int]]:
        return pieces_of(raw)

    def decode(self, y: Tensor, raw: str) -> MarkedNames:
        """What `facts` says of a text, (T, 4, tags), to names."""
        places = readable(raw)[1]
        found = y[: len(places)].float().numpy()
        runs = runs_of(found[:, 0].argmax(axis=1).tolist(), TAGS)
        spans = tuple(self.span(raw, places, found, *run) for run in runs)
        taken = {(span.label.id, span.start, span.end) for span in spans}
        doubts = tuple(
            span
            for span in self.possible(raw, places, found)
            if (span.label.id, span.start, span.end) not in taken
        )
        return MarkedNames(raw, spans, not traditional(raw), doubts[:ALTERNATIVES])

    def span(
        self, raw: str, places: Sequence[int], found: np.ndarray, kind: str, start: int, end: int
    ) -> Span:
        """A name of the text, by its first readable character and the one after its last."""
        tags = spelled(kind, end - start, TAGS)
        p = float(np.exp(name_log_probability(found, self.pairs, start, tags)))
        return marked_span(raw, places, kind, start, end, p)

    def possible(self, raw: str, places: Sequence[int], found: np.ndarray) -> list[Span]:
        """All names that are not too unlikely, the likeliest first."""
        p = np.exp(all_log_probabilities(found, self.pairs, TAGS, LONGEST))
        rows = sorted(np.argwhere(p >= DOUBT).tolist(), key=lambda row: -p[tuple(row)])
        return [
            marked_span(raw, places, TYPES[k], start, start + size + 1, float(p[size, start, k]))
            for size, start, k in rows
        ]

    def differentiable(self, raw: str) -> Differentiable:
        """As for every text, but what a pair says is shared by its two characters."""
        given = super().differentiable(raw)
        parts, piece_of = self.words(raw)
        tagger = self.net.tagger

        def reduce(attribution: Tensor) -> np.ndarray:
            own, pair, marks = (
                part.sum(dim=1) for part in tagger.split(attribution[0].float().cpu())
            )
            each = own + marks + pair / 2
            each[:-1] += pair[1:] / 2
            each[0] += pair[0] / 2  # a text's first character ends no pair
            return torch.zeros(len(parts)).index_add(0, torch.tensor(piece_of), each).numpy()

        return Differentiable(given.x, given.baseline, given.forward, reduce)

    def about(self, raw: str) -> Self:
        if isinstance(self.net, NameJudge):
            return self
        with torch.inference_mode():
            y = self.net(self.encode(raw).to(self.device))[0].float().cpu()
        runs = runs_of(y[:, 0].argmax(dim=1).tolist(), TAGS)
        if not runs:
            raise InputError(N_("No name was found, so there is none to explain."))
        asked = [(start, spelled(kind, end - start, TAGS)) for kind, start, end in runs]
        judge = self.with_net(NameJudge(self.net.tagger, asked, self.temperature))
        places = readable(raw)[1]
        judge.labels = name_labels(
            [raw[places[start] : places[end - 1] + 1] for _kind, start, end in runs],
            [LABELS[TYPES.index(kind)] for kind, _start, _end in runs],
        )
        return judge

    def asking(self, target: int) -> Self:
        """A judge of one name alone: with many names in a long text that is much faster."""
        if not isinstance(self.net, NameJudge):
            return self
        return self.with_net(
            NameJudge(self.net.tagger, self.net.names, self.net.temperature, target)
        )

    def probabilities(self, y: Tensor) -> Tensor:
        """Of names (of `about`): each on its own, (B, names); of tags: (B, T, tags)."""
        if isinstance(self.net, NameJudge):
            return torch.sigmoid(y.float())
        return (y[:, :, 1] + y[:, :, 3]).float().exp().clamp(max=1.0)

    @classmethod
    def train(cls, card: Card, settings: Settings, run: Run) -> nn.Module:
        from dlportal.training.characters_training import train_on_uner

        return train_on_uner(settings, run)

    def evaluate(
        self,
        split: str = "test",
        data: Path | None = None,
        limit: int | None = None,
        progress: Progress | None = None,
    ) -> Evaluation:
        """Measure on UNER, a folder laid out like it, or any CoNLL file in our types."""
        from dlportal.training.characters_evaluation import evaluate_characters

        return evaluate_characters(self, split, data, limit, progress)


def transitions(net: Any, temperature: float) -> np.ndarray:
    """Scores from tag to tag at a temperature, (K, K); impossible ones are very low."""
    pairs: np.ndarray = net.tagger.chain.scores()[0].detach().cpu().numpy() / temperature
    return pairs


def marked_span(
    raw: str, places: Sequence[int], kind: str, start: int, end: int, probability: float
) -> Span:
    """A part of the text as the result wants it."""
    first, last = places[start], places[end - 1] + 1
    label = LABELS[TYPES.index(kind)]
    return Span(raw[first:last], first, last, label, probability)


CASE = ChineseEntities
