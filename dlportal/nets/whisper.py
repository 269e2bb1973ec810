"""Whisper in CTranslate2's int8 form, and a scorer of given words.

Whisper: https://arxiv.org/abs/2212.04356. The weights live in CTranslate2, not in torch: the modules
here have no parameters of their own.
"""

import copy
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dlportal.results import Transcript, Word

RATE = 16_000  # Hz
WINDOW = 30.0  # seconds that Whisper hears at once
FRAMES = 3_000  # of 10 ms, in a window
SHORTEST = 600  # frames of a shortened window; in less, words lose probability
SPARE = 100  # frames of silence after the clip


class Whisper(nn.Module):
    """Recordings to text. Safe to call from several threads."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        from faster_whisper import WhisperModel
        from faster_whisper.tokenizer import Tokenizer

        self.numbers = (folder / "model.bin").stat().st_size // 2  # the file holds float16
        self.model: Any = WhisperModel(
            str(folder), device="cpu", compute_type="int8", cpu_threads=torch.get_num_threads()
        )
        self.tokenizer: Any = Tokenizer(self.model.hf_tokenizer, multilingual=False)

    def transcribe(self, x: np.ndarray) -> Transcript:
        """Recognise a recording, float32 in [-1, 1], shape (time,), at 16 kHz.

        Beam search without sampling, so that the same recording gives the same text; windows
        of 30 s are decoded one after the other, none told what came before.
        """
        segments, _ = self.model.transcribe(
            x,
            language="en",
            beam_size=5,
            temperature=0.0,
            condition_on_previous_text=False,
            word_timestamps=True,
        )
        words, text = [], ""
        for segment in segments:
            text += segment.text
            words += [
                Word(word.word.strip(), float(word.start), float(word.end), float(word.probability))
                for word in segment.words
            ]
        return Transcript(text.strip(), tuple(words), len(x) / RATE)

    def tokens(self, text: str) -> list[int]:
        """Tokens of a transcript; Whisper starts every text with a space."""
        return self.tokenizer.encode(f" {text}")

    def forward(self, x: Tensor) -> Tensor:
        """Text tokens of one recording: (1, time) to (1, tokens)."""
        return torch.tensor([self.tokens(self.transcribe(x[0].cpu().numpy()).text)])


class WordScorer(nn.Module):
    """How probable given words are, each with all the words before it given.

    Shares Whisper's weights. `words` are the words asked about, without punctuation.
    """

    def __init__(self, whisper: Whisper, text: str) -> None:
        super().__init__()
        self.whisper = [whisper]  # in a list: not a submodule, so never copied or moved
        self.tokens = whisper.tokens(text)
        self.words, self.spans = _words(whisper.tokenizer, self.tokens)

    def forward(self, x: Tensor) -> Tensor:
        """Recordings to log-odds of each word.

        Args:
            x: Shape (B, time), at most 30 s at 16 kHz.

        Returns:
            Shape (B, words). A word of several tokens has their geometric mean probability.
        """
        # One at a time: a batch of 8 takes the encoder twice as long for each.
        return torch.stack([self._score(row) for row in x.cpu().numpy()])

    def times(self, x: Tensor) -> list[tuple[float, float]]:
        """Start and end of each word in seconds, in a recording (1, time) of at most 30 s.

        From where the decoder looks while it writes a word (dynamic time warping).
        """
        whisper = self.whisper[0]
        mel = whisper.model.feature_extractor(x[0].cpu().numpy())
        heard = whisper.model.encode(_window(mel, FRAMES))
        length = min(mel.shape[1], FRAMES)
        found = whisper.model.find_alignment(whisper.tokenizer, [self.tokens], heard, length)[0]
        ends = x.shape[-1] / RATE
        spans = [(float(w["start"]), float(w["end"])) for w in found if _is_word(w["word"])]
        return [(min(a, ends), min(max(b, a + 0.02), ends)) for a, b in spans]

    def _score(self, x: np.ndarray) -> Tensor:
        """Log-odds of the words, shape (words,), in one recording, (time,)."""
        whisper = self.whisper[0]
        mel = whisper.model.feature_extractor(x)
        length = min(mel.shape[1], FRAMES)
        # The encoder takes shorter windows than it was trained on; what they do to the words'
        # probability is far less than what hiding a word does, and they are 5 times as fast.
        size = min(FRAMES, max(SHORTEST, length + SPARE))
        heard = whisper.model.encode(_window(mel, size + size % 2))
        (scored,) = whisper.model.model.align(
            heard, whisper.tokenizer.sot_sequence, [self.tokens], length
        )
        tokens = torch.tensor(scored.text_token_probs).clamp(1e-8, 1 - 1e-6)
        return torch.stack([tokens[a:b].log().mean() for a, b in self.spans]).exp().logit()

    def __deepcopy__(self, memo: dict) -> "WordScorer":
        return copy.copy(self)  # the weights in CTranslate2 cannot be copied


def _window(mel: np.ndarray, size: int) -> np.ndarray:
    """Pad with silence or cut: (bands, frames) to (1, bands, size)."""
    window = np.full((1, len(mel), size), mel.min(), np.float32)
    window[0, :, : mel.shape[1]] = mel[:, :size]
    return window


def _is_word(text: str) -> bool:
    """Whether it is more than punctuation."""
    return re.search(r"\w", text) is not None


def _words(tokenizer: Any, tokens: list[int]) -> tuple[tuple[str, ...], list[tuple[int, int]]]:
    """The words in a sequence of tokens and where each one's tokens lie."""
    words, groups = tokenizer.split_to_word_tokens([*tokens, tokenizer.eot])
    names, spans, at = [], [], 0
    for word, group in zip(words[:-1], groups[:-1], strict=True):
        if _is_word(word):
            names.append(re.sub(r"^[\W_]+|[\W_]+$", "", word))
            spans.append((at, at + len(group)))
        at += len(group)
    return tuple(names), spans
