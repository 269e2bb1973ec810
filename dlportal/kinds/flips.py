"""What flips a prediction: small edits of a text, each tried on the network."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from dlportal.kinds.text import TextCase
from dlportal.results import Label, Result

# Ordinary words of judgement, from good to bad, and a few that turn a sentence round.
REPLACEMENTS = (
    "great", "good", "fine", "funny", "fresh", "moving", "clever", "charming", "warm", "strong",
    "okay", "average", "ordinary", "different", "long", "quiet", "something", "rather",
    "weak", "dull", "empty", "flat", "boring", "clumsy", "stale", "bad", "terrible",
    "not", "never", "hardly", "always", "and", "but", "without",
)  # fmt: skip
STRONGEST = 5  # words that replacements are tried on
AT_ONCE = 64  # texts in one pass


@dataclass(frozen=True)
class Edit:
    """One edited text and what the network says of it.

    `place` is the word's index in the text; `new` is empty for a removal.
    """

    kind: Literal["remove", "replace"]
    place: int
    old: str
    new: str
    text: str
    label: Label
    probability: float  # of `label`, calibrated
    drop: float  # how much the first answer lost, in probability
    flips: bool


@dataclass(frozen=True)
class Flips(Result):
    """Edits that were tried, those that lower the first answer most first.

    `removals` holds all of them, `replacements` only those that flip; `tried` counts both kinds.
    """

    label: Label
    probability: float
    words: tuple[str, ...]
    removals: tuple[Edit, ...]
    replacements: tuple[Edit, ...]
    tried: int

    @property
    def flipping(self) -> tuple[Edit, ...]:
        return tuple(e for e in (*self.removals, *self.replacements) if e.flips)


def find_flips(case: TextCase, raw: str) -> Flips:
    """Try every single-word removal, then replacements of the most influential words.

    Args:
        case: A single-label text classifier.
        raw: The text.

    Raises:
        InputError: The text cannot be used.
    """
    case.check(raw)
    spans = word_spans(case, raw)
    before = probabilities(case, [raw])[0]
    answer = int(before.argmax())
    cut = [(place, "", remove(raw, span)) for place, span in enumerate(spans)]
    removals = judge(case, raw, spans, cut, before, answer)
    strongest = sorted(removals, key=lambda edit: -abs(edit.drop))[:STRONGEST]
    swap = [
        (edit.place, new, replace(raw, spans[edit.place], new))
        for edit in strongest
        for new in REPLACEMENTS
        if new != edit.old.lower()
    ]
    replacements = [e for e in judge(case, raw, spans, swap, before, answer) if e.flips]
    return Flips(
        label=case.labels[answer],
        probability=float(before[answer]),
        words=tuple(raw[slice(*span)] for span in spans),
        removals=tuple(sorted(removals, key=lambda edit: -edit.drop)),
        replacements=tuple(sorted(replacements, key=lambda edit: -edit.drop)),
        tried=len(cut) + len(swap),
    )


def word_spans(case: TextCase, raw: str) -> list[tuple[int, int]]:
    """Where the words stand; punctuation is not a word."""
    encoding = case.tokenizer.encode(raw)
    spans: dict[int, tuple[int, int]] = {}
    for word, (start, end) in zip(encoding.word_ids, encoding.offsets, strict=True):
        if word is not None and raw[start:end].strip():
            low, high = spans.get(word, (start, end))
            spans[word] = (min(low, start), max(high, end))
    return [span for span in spans.values() if any(c.isalnum() for c in raw[slice(*span)])]


def remove(raw: str, span: tuple[int, int]) -> str:
    return " ".join((raw[: span[0]] + raw[span[1] :]).split())


def replace(raw: str, span: tuple[int, int], new: str) -> str:
    return raw[: span[0]] + new + raw[span[1] :]


@torch.inference_mode()
def probabilities(case: TextCase, texts: Sequence[str]) -> Tensor:
    """Calibrated probabilities, (texts, classes); an empty text counts as its special tokens."""
    out = []
    for start in range(0, len(texts), AT_ONCE):
        x = case.collate([case.encode(text) for text in texts[start : start + AT_ONCE]])
        out.append(case.probabilities(case.net(x.to(case.device)).float().cpu()))
    return torch.cat(out) if out else torch.zeros(0, len(case.labels))


def judge(
    case: TextCase,
    raw: str,
    spans: Sequence[tuple[int, int]],
    edits: Sequence[tuple[int, str, str]],
    before: Tensor,
    answer: int,
) -> list[Edit]:
    """Ask the network about edited texts, given as (place, new word, text)."""
    after = probabilities(case, [text for _, _, text in edits])
    found = []
    for (place, new, text), p in zip(edits, after, strict=True):
        best = int(p.argmax())
        found.append(
            Edit(
                kind="replace" if new else "remove",
                place=place,
                old=raw[slice(*spans[place])],
                new=new,
                text=text,
                label=case.labels[best],
                probability=float(p[best]),
                drop=float(before[answer] - p[answer]),
                flips=best != answer,
            )
        )
    return found
