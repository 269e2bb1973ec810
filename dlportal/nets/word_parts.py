"""Word parts: how texts become numbers and back.

Byte-pair encoding: Sennrich et al. 2016, https://arxiv.org/abs/1508.07909
"""

import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor

SIGNS = ("<start>", "<end>", "<unknown>")  # of every language: the first three numbers
BLANK = "▁"  # begins a word
ALPHABET = 2400  # characters that a language has at most; rarer ones are unknown
BREAK = "\u2060"  # no part goes across it


class WordParts:
    """The word parts of one language."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.size = tokenizer.get_vocab_size()
        self.text = tokenizer.to_str()

    def cut(
        self, texts: Sequence[str], breaks: float = 0.0, rng: np.random.Generator | None = None
    ) -> list[list[int]]:
        """Numbers of each text's parts.

        Args:
            texts: N texts.
            breaks: Chance that a part must end after a character, at random: so the network sees
                words put together in other ways too.
            rng: Of the breaks.
        """
        if breaks and rng is not None:
            texts = [broken(text, breaks, rng) for text in texts]
        return [found.ids for found in self.tokenizer.encode_batch(list(texts))]

    def words(self, text: str, whole: bool = True) -> tuple[list[str], list[int]]:
        """Words as they are written, and the word of each part.

        Args:
            text: To cut.
            whole: Whether parts between blanks and marks make one word; else each is its own.
        """
        found = self.tokenizer.encode(text)
        number_of: dict[int, int] = {}
        words: list[str] = []
        word_of = []
        for place, (word, (start, end)) in enumerate(
            zip(found.word_ids, found.offsets, strict=True)
        ):
            key = word if whole and word is not None else place
            if key not in number_of:
                number_of[key] = len(words)
                words.append("")
            words[number_of[key]] += text[start:end].strip()
            word_of.append(number_of[key])
        return words, word_of

    def names(self, parts: Sequence[int]) -> list[str]:
        """Parts as they are spelt; `BLANK` begins a word."""
        return [self.tokenizer.id_to_token(part) or "" for part in parts]

    def join(self, parts: Sequence[int]) -> str:
        """What parts read together."""
        return "".join(self.names(parts)).replace(BLANK, " ").strip()

    def packed(self) -> Tensor:
        """Everything as bytes, for the weights' file."""
        data = zlib.compress(self.text.encode(), 9)
        return torch.from_numpy(np.frombuffer(data, np.uint8).copy())


def unpack(data: Tensor) -> WordParts:
    """What `packed` gave."""
    return WordParts(Tokenizer.from_str(zlib.decompress(data.numpy().tobytes()).decode()))


def broken(text: str, breaks: float, rng: np.random.Generator) -> str:
    """A text with a mark after some of its characters."""
    places = np.flatnonzero(rng.random(len(text)) < breaks) + 1
    ends = [0, *places.tolist(), len(text)]
    return BREAK.join(text[a:b] for a, b in pairwise(ends))


def learn_parts(texts: Iterable[str], size: int, spaced: bool = True) -> WordParts:
    """Find the commonest parts of texts.

    Args:
        texts: To learn from.
        size: Parts to find, `SIGNS` included.
        spaced: Whether blanks separate words; else (Chinese) a part may begin anywhere.
    """
    scheme = "always" if spaced else "never"
    tokenizer = Tokenizer(models.BPE(unk_token=SIGNS[2]))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Metaspace(BLANK, scheme),
            pre_tokenizers.Split(BREAK, "removed"),
            pre_tokenizers.Split(Regex(r"[^\w\s" + BLANK + "]"), "isolated"),
        ]
    )
    tokenizer.decoder = decoders.Metaspace(BLANK, scheme)
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=list(SIGNS), limit_alphabet=ALPHABET,
        min_frequency=2, show_progress=False,
    )  # fmt: skip
    tokenizer.train_from_iterator(known_only(tuple(texts)), trainer)
    return WordParts(tokenizer)


def known_only(texts: Sequence[str]) -> list[str]:
    """Texts without the characters that are left out of the alphabet.

    The library draws lots among equally rare characters; here the lower code point stays.
    """
    counts = Counter(c for text in texts for c in text if not c.isspace())
    rare = sorted(counts, key=lambda c: (-counts[c], c))[ALPHABET - 1 :]  # BLANK is one too
    return [text.translate(dict.fromkeys(map(ord, rare))) for text in texts]
