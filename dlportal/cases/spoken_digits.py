"""Which digit was said? Small CNNs on log-mel spectrograms, trained here on five men's voices and
the portal's own.

Data: Jackson et al., Free Spoken Digit Dataset,
https://github.com/Jakobovski/free-spoken-digit-dataset
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from dlportal.cards import Card
from dlportal.case import Evaluation, Example, Progress, Settings
from dlportal.data import fsdd, is_available
from dlportal.explain.base import Differentiable
from dlportal.kinds.audio import AudioCase, Sound, resample
from dlportal.kinds.our_voice import Spoken, say
from dlportal.kinds.spectrogram import CellMasker
from dlportal.messages import N_, InputError
from dlportal.nets import digit_ear as ear
from dlportal.nets.digit_net import DigitNet
from dlportal.results import Classes, Label, Result, Score
from dlportal.training.events import Run
from dlportal.training.store import load_weights

LONGEST = 1.2  # seconds of one word
NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
LABELS = tuple(Label(name, f"{i} {name}", f"{i} {name}") for i, name in enumerate(NAMES))
RECORDED = ((7, "george"), (3, "jackson"), (9, "lucas"), (0, "nicolas"), (6, "yweweler"))
OUR_VOICE = N_(
    "Synthetic: spoken by the voice of this portal; the network learned from other readings of it."
)
TEST_PART = N_("From the test part of the Free Spoken Digit Dataset, CC BY-SA 4.0.")
MADE = N_("Computed by us; nobody said it.")


@dataclass(frozen=True)
class Kept:
    """A recording of which a part of the spectrogram was kept.

    `sound` is what is left of it at 8 kHz, `answer` what the network says of it.
    """

    share: float
    sound: Sound
    answer: Classes


class SpokenDigits(AudioCase):
    """One spoken English digit."""

    labels = LABELS
    sayings = NAMES  # what our own voice can be asked to say
    grid = True
    rate = ear.RATE
    invitation = N_("Say one digit in English, zero to nine")
    net: DigitNet

    @property
    def foreign(self) -> float:
        """How foreign a sound may be at most; 98 % of the validation recordings are less."""
        return float(self.card.measured.constants.get("foreign", np.inf))

    def load(self) -> nn.Module:
        return load_weights(DigitNet(), self.card.weights)

    def check(self, raw: Sound) -> None:
        super().check(raw)
        self.word(raw)

    def spectrum(self, raw: Sound) -> Tensor:
        """Complex spectrum (129, frames) at 8 kHz."""
        return ear.spectrum(resample(raw.samples, raw.rate, self.rate))

    def word(self, raw: Sound, spectrum: Tensor | None = None) -> ear.Span:
        """Where the one word of a recording lies.

        Raises:
            InputError: There is none, there are several, or it is too long.
        """
        spectra = self.spectrum(raw) if spectrum is None else spectrum
        words = ear.words_in(ear.loudness(ear.log_power(spectra)))
        if not words:
            raise InputError(
                N_("No word stands out of the noise here. Speak closer to the microphone.")
            )
        if len(words) > 1:
            raise InputError(
                N_("There are {n} words or sounds with pauses between them. Say a single digit."),
                n=len(words),
            )
        if words[0].seconds > LONGEST:
            raise InputError(
                N_(
                    "The sound goes on for {n:.1f} s without a pause; a digit takes at most"
                    " {limit:.1f} s. Say a single digit, in a quiet place."
                ),
                n=words[0].seconds,
                limit=LONGEST,
            )
        return words[0]

    def encode(self, raw: Sound) -> Tensor:
        """The word's picture, (1, 1, 40, 64) in [0, 1]."""
        spectra = self.spectrum(raw)
        return ear.see(ear.log_power(spectra), self.word(raw, spectra))

    def collate(self, xs: Sequence[Tensor]) -> Tensor:
        return torch.cat(list(xs))

    @torch.inference_mode()
    def predict_batch(self, raws: Sequence[Sound]) -> list[Result]:
        """Also says whether each sound is like a digit, from the same pass."""
        for raw in raws:
            super().check(raw)
        x = torch.cat([self.encode(raw) for raw in raws]).to(self.device)
        y, strange = (part.float().cpu() for part in self.net.answers(x))
        return [self.answer(row, float(s) <= self.foreign) for row, s in zip(y, strange)]

    def decode(self, y: Tensor, raw: Sound) -> Classes:
        strange = self.net.strangeness(self.encode(raw).to(self.device))
        return self.answer(y, float(strange) <= self.foreign)

    def answer(self, y: Tensor, inside: bool) -> Classes:
        p = self.probabilities(y.unsqueeze(0))[0]
        scores = [Score(LABELS[i], float(p[i]), i) for i in p.argsort(descending=True).tolist()]
        return Classes(tuple(scores), 1 / len(LABELS), inside)

    def masker(self, raw: Sound) -> CellMasker:  # type: ignore[override]
        return CellMasker(self.encode(raw).to(self.device))

    def differentiable(self, raw: Sound) -> Differentiable:
        x = self.encode(raw).to(self.device)

        def reduce(attribution: Tensor) -> np.ndarray:
            return attribution.sum(dim=1)[0].float().cpu().numpy()

        return Differentiable(x, torch.zeros_like(x), self.net, reduce)

    @torch.inference_mode()
    def keep(self, raw: Sound, cells: np.ndarray) -> Kept:
        """Silence all but some cells of the spectrogram, and listen again.

        The mask is laid over the recording's own spectrum and turned back into sound with the
        phase it had. The network hears that sound, at the word's own borders.

        Args:
            raw: A checked recording.
            cells: What to keep, shape (40, 64), in [0, 1]; low pitches first.
        """
        spectra = self.spectrum(raw)
        span = self.word(raw, spectra)
        mask = torch.from_numpy(np.ascontiguousarray(cells, dtype=np.float32))
        length = round(raw.seconds * self.rate)
        left = ear.sound_of(spectra * ear.gains(mask, span, spectra.shape[1]), length)
        x = ear.see(ear.log_power(ear.spectrum(left)), span).to(self.device)
        y, strange = self.net.answers(x)
        sound = Sound(left.clamp(-1, 1).numpy(), self.rate)
        answer = self.answer(y[0].float().cpu(), float(strange) <= self.foreign)
        return Kept(float(cells.mean()), sound, answer)

    def examples(self) -> list[Example[Sound]]:
        shown: list[Example[Sound]] = []
        if is_available("fsdd"):
            for digit, speaker in RECORDED:
                name = speaker.capitalize()
                label = Label("", f"{name}: {NAMES[digit]}", f"{name}：{NAMES[digit]}")
                load = partial(recording, digit, speaker)
                shown.append(Example(f"{speaker}_{digit}", label, load, TEST_PART, NAMES[digit]))
        for name, text, noise, en, zh in SPOKEN:
            truth = text.strip(".") if text.strip(".") in NAMES else ""
            voice = partial(say, text, noise)
            shown.append(Example(name, Label(name, en, zh), voice, OUR_VOICE, truth))
        label = Label("glide", "A vowel that never was", "合成的元音")
        return [*shown, Example("glide", label, self.golden, MADE)]

    def golden(self) -> Sound:
        """A buzz at 120 Hz through two resonances that glide apart, half a second."""
        time = np.arange(int(0.7 * ear.RATE)) / ear.RATE
        inside = (time > 0.1) & (time < 0.6)
        place = np.clip((time - 0.1) / 0.5, 0, 1)
        sound = np.zeros_like(time)
        for overtone in range(1, 30):
            hertz = 120.0 * overtone
            for start, end, width in ((700, 300, 90), (1200, 2300, 140)):
                middle = start + (end - start) * place
                gain = 1 / (1 + ((hertz - middle) / width) ** 2)
                sound += gain * np.sin(2 * np.pi * hertz * time)
        sound *= inside * np.sin(np.pi * place) ** 0.5
        noise = 1e-4 * np.random.default_rng(0).standard_normal(len(time))
        return Sound((0.5 * sound / np.abs(sound).max() + noise).astype(np.float32), ear.RATE)

    @staticmethod
    def speak(text: str, noise: float = 0.0) -> Spoken:
        """Let the synthesis case say a word; `noise` as a share of its loudness."""
        return say(text, noise)

    def literal(self, raw: Sound) -> str:
        if isinstance(raw, Spoken):
            return f"case.speak({raw.text!r}, {raw.noise})"
        return super().literal(raw)

    @classmethod
    def train(cls, card: Card, settings: Settings, run: Run) -> nn.Module:
        from dlportal.training.digit_training import train_on_fsdd

        return train_on_fsdd(settings, run)

    def evaluate(
        self,
        split: str = "test",
        data: Path | None = None,
        limit: int | None = None,
        progress: Progress | None = None,
    ) -> Evaluation:
        """Measure on the official parts of FSDD, or on all of a folder laid out like it."""
        from dlportal.training.digit_evaluation import evaluate_digits

        return evaluate_digits(self, split, data, limit, progress)


# id, text, noise as a share of the voice, name in both languages
SPOKEN = (
    ("voice_four", "four.", 0.0, "Synthetic: four", "合成语音：four"),
    ("voice_eight", "eight.", 0.3, "Synthetic, in noise: eight", "合成语音加噪声：eight"),
    ("needle", "needle.", 0.0, "No digit: needle", "不是数字：needle"),
)


def recording(digit: int, speaker: str) -> Sound:
    return Sound(fsdd.one(digit, speaker, 0), fsdd.RATE)


CASE = SpokenDigits
