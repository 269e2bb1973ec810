"""Batches of marked Chinese sentences, changed a little in every epoch."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dlportal.nets.character_tagger import MASK, PAD
from dlportal.training.characters_data import Sentence, exchanged, joined
from dlportal.training.made_names import made_name
from dlportal.training.texts import TextBatches, pad_texts

SIZE = 24  # sentences of a batch
HIDDEN = 0.1  # share of the characters that are hidden, anew in each epoch
EXCHANGED = 0.3  # share of the names that are replaced, anew in each epoch
OWN = 0.5  # share of the replacing names that come from the training part
JOINED = 0.1  # share of the sentences that are read together with another


@dataclass(frozen=True)
class Marked:
    """Batches of marked sentences, changed a little in every epoch, as `fit` wants them.

    Attributes:
        train: Sentences of which the names are known.
        seed: Of order and changes.
    """

    train: list[Sentence]
    seed: int

    @property
    def steps_per_epoch(self) -> int:
        return -(-len(self.train) // SIZE)

    def __call__(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        rng = np.random.default_rng((self.seed, epoch))
        rows = [self.changed(sentence, rng) for sentence in self.train]
        codes, tags = [s.codes for s in rows], [s.tags for s in rows]
        batches = TextBatches(codes, torch.arange(len(rows)), SIZE, self.seed * 1009 + epoch)
        for x, index in batches(0):
            yield hide(x, rng), pad_texts([tags[i] for i in index.tolist()])

    def changed(self, sentence: Sentence, rng: np.random.Generator) -> Sentence:
        new = exchanged(sentence, self.other, EXCHANGED, rng)
        if rng.random() < JOINED:
            new = joined(new, self.train[rng.integers(len(self.train))])
        return new

    def other(self, kind: str, rng: np.random.Generator) -> str:
        """Another name of a type: one of the training part, or one of ours."""
        if rng.random() >= OWN:
            return made_name(kind, rng)
        while True:
            sentence = self.train[rng.integers(len(self.train))]
            found = [n for n in sentence.names if n.type == kind]
            if found:
                name = found[rng.integers(len(found))]
                return "".join(map(chr, sentence.codes[name.start : name.end]))


def hide(x: Tensor, rng: np.random.Generator) -> Tensor:
    """Hide some characters: what stands around a name has to count, and a character that an
    explanation hides is then nothing strange."""
    hidden = torch.from_numpy(rng.random(x.shape) < HIDDEN)
    return torch.where(hidden & (x != PAD), MASK, x)
