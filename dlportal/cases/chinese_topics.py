"""Which subject does a paper belong to, by its Chinese title alone? Trained here on CSL titles."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dlportal.cards import Card
from dlportal.case import Evaluation, Example, Progress, Settings, check_length
from dlportal.data.csl import CLASSES
from dlportal.explain.base import Differentiable
from dlportal.kinds.chinese import check_chinese, pieces, plain
from dlportal.kinds.text import TextCase, written
from dlportal.messages import N_, InputError
from dlportal.nets.title_net import LONGEST, MASK, PAD, TitleNet
from dlportal.results import Classes, Label, Result, Score
from dlportal.training.events import Run
from dlportal.training.store import load_weights, saved_shapes

NAMES_EN = (
    "engineering", "agriculture", "science", "medicine", "management", "law and politics",
    "education", "economics", "literature", "philosophy", "history", "art", "military",
)  # fmt: skip
LABELS = tuple(Label(zh, en, zh) for zh, en in zip(CLASSES, NAMES_EN, strict=True))
# id, title, name in both languages, the right answer ("" where a title cannot tell)
EXAMPLES = (
    (
        "wheat",
        "秸秆还田与氮肥减量对冬小麦产量和土壤微生物的影响",
        "A wheat field",
        "麦田",
        "农学",
    ),
    (
        "bridge",
        "大跨度斜拉桥施工阶段抗风性能的数值模拟",
        "A bridge in the wind",
        "风中的桥",
        "工学",
    ),
    (
        "opera",
        "京剧旦角唱腔的演唱技巧",
        "How to sing Peking opera",
        "京剧唱腔",
        "艺术学",
    ),
    (
        "needle",
        "针刺联合康复训练治疗脑卒中后吞咽障碍的疗效观察",
        "Needles after a stroke",
        "卒中后针刺",
        "医学",
    ),
    (
        "two_subjects",
        "人工智能时代法律责任的哲学反思",
        "Law or philosophy?",
        "法学还是哲学？",
        "",
    ),
    (
        "telltale",
        "孙子兵法在企业竞争战略中的应用",
        "A misleading word",
        "一个误导的词",
        "管理学",
    ),
    (
        "no_field",
        "关于若干问题的思考",
        "A title that hides it",
        "看不出学科的题目",
        "",
    ),
    (
        "no_title",
        "今天下班以后我们一起去吃火锅吧",
        "No title at all",
        "不是论文题目",
        "",
    ),
)


class ChineseTopics(TextCase):
    """One of 13 subjects, each character of the title being a token."""

    labels = LABELS
    longest = 64
    pad_id, mask_id = PAD, MASK

    def __init__(self, card: Card) -> None:
        super().__init__(card)
        constants = card.measured.constants
        # The share of the commonest subject in the training titles.
        self.blind = float(constants.get("blind", 1 / len(LABELS)))
        self.familiar = float(constants.get("familiar", 0.0))

    def load(self) -> nn.Module:
        shapes = saved_shapes(self.card.weights)
        characters, grams = (
            torch.zeros(shapes[name], dtype=torch.long) for name in ("characters", "grams")
        )
        return load_weights(TitleNet(characters, grams, len(LABELS)), self.card.weights)

    def check(self, raw: str) -> None:
        if not isinstance(raw, str):
            raise InputError(N_("This is not a text. Type a sentence."))
        check_length(raw, self.card.limits.characters)
        check_chinese(raw)
        n = len(plain(raw))
        if n > self.longest:
            raise InputError(
                N_("The title has {n} characters; the model reads {limit}. Shorten it."),
                n=n,
                limit=self.longest,
            )

    def encode(self, raw: str) -> Tensor:
        return torch.tensor([[ord(c) for c in plain(raw)]])

    def words(self, raw: str) -> tuple[list[str], list[int]]:
        parts = [part for part in pieces(raw) if plain(part)]
        return parts, [i for i, part in enumerate(parts) for _ in plain(part)]

    @torch.inference_mode()
    def predict_batch(self, raws: Sequence[str]) -> list[Result]:
        """Also looks how much of each text the network has seen in titles."""
        for raw in raws:
            self.check(raw)
        # At once: a tensor for each title would take longer than the network.
        rows = [list(map(ord, plain(raw))) for raw in raws]
        longest = max(map(len, rows))
        x = torch.tensor([row + [PAD] * (longest - len(row)) for row in rows]).to(self.device)
        y, known = self.net.look(x)  # type: ignore[operator]
        return self.answers(y.float().cpu(), share_of(known, x).tolist())

    def decode(self, y: Tensor, raw: str) -> Result:
        return self.answers(y[None], [familiarity(self.net, raw)])[0]

    def answers(self, y: Tensor, known: Sequence[float]) -> list[Result]:
        """Results of logits (B, classes) and of how familiar each text is."""
        p, order = self.probabilities(y).sort(dim=1, descending=True, stable=True)
        return [
            Classes(
                tuple(Score(LABELS[i], share, i) for share, i in zip(shares, places)),
                self.blind,
                familiar >= self.familiar,
            )
            for shares, places, familiar in zip(p.tolist(), order.tolist(), known, strict=True)
        ]

    def differentiable(self, raw: str) -> Differentiable:
        """As for every text, but what an n-gram says is shared out among its characters."""
        given = super().differentiable(raw)
        parts, word_of = self.words(raw)

        def reduce(attribution: Tensor) -> np.ndarray:
            each = attribution[0].unflatten(1, (LONGEST, -1)).sum(dim=2).float().cpu()  # (T, 4)
            out = torch.zeros(len(parts))
            for end, shares in enumerate(each.tolist()):
                for size, value in enumerate(shares, start=1):
                    for place in range(max(0, end - size + 1), end + 1):
                        out[word_of[place]] += value / min(size, end + 1)
            return out.numpy()

        return Differentiable(given.x, given.baseline, given.forward, reduce)

    def examples(self) -> list[Example[str]]:
        return written(EXAMPLES)

    def golden(self) -> str:
        return EXAMPLES[0][1]

    @classmethod
    def train(cls, card: Card, settings: Settings, run: Run) -> nn.Module:
        from dlportal.training.topics_training import train_on_titles

        return train_on_titles(settings, run)

    def evaluate(
        self,
        split: str = "test",
        data: Path | None = None,
        limit: int | None = None,
        progress: Progress | None = None,
    ) -> Evaluation:
        from dlportal.training.topics_evaluation import evaluate_topics

        return evaluate_topics(self, split, data, limit, progress)


def familiarity(net: Any, raw: str) -> float:
    """How much of a text is made of what the network has seen in titles, from 0."""
    return known_share(net, torch.tensor([[ord(c) for c in plain(raw)]])).item()


@torch.inference_mode()
def known_share(net: Any, x: Tensor) -> Tensor:
    """Known pairs, threes and fours for each pair of neighbours, (B,), of code points (B, T).

    Everyday talk shares the pairs of titles, garbage shares hardly any.
    """
    x = x.to(net.characters.device)
    return share_of(net.known_grams(x), x)


def share_of(known: Tensor, x: Tensor) -> Tensor:
    """Known n-grams (B, 3) for each pair of neighbours of (B, T) code points, (B,)."""
    pairs = (x != PAD).sum(dim=1) - 1
    return known.sum(dim=1) / pairs.clamp(min=1)


CASE = ChineseTopics
