"""Speech to text with Whisper tiny.en, with the time and confidence of every word.

Whisper: Radford et al. 2022, https://arxiv.org/abs/2212.04356.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from safetensors.numpy import load_file
from torch import Tensor

from dlportal.assets import BUNDLES, fetch_bundle
from dlportal.cards import Bilingual, Card, Curve, Measured, Metric, Slice
from dlportal.case import Evaluation, Example, Progress
from dlportal.data import is_available, ljspeech_mini
from dlportal.data.ljspeech_mini import Clip
from dlportal.kinds.audio import AudioCase, Sound, TimeMasker
from dlportal.kinds.our_voice import Spoken, say
from dlportal.kinds.steadiness import Kind, disturbed, hear
from dlportal.kinds.word_errors import blind_answer, compare
from dlportal.kinds.words import numbered
from dlportal.messages import N_, InputError
from dlportal.nets.whisper import RATE, WINDOW, Whisper, WordScorer
from dlportal.results import Label, Result, Transcript
from dlportal.training.metrics import exact_interval, measured, ratio
from dlportal.training.receipts import describe_device, versions

DATA = "ljspeech_mini"
COMMAND = "python -m dlportal evaluate speech_recognition"
SPOKEN = {
    "spoken_numbers": (
        Label("spoken_numbers", "Synthetic: numbers", "合成语音：数字"),
        "The 8:15 train to Boston costs $42.50 and arrives at 11:05.",
        0.0,
    ),
    "spoken_noise": (
        Label("spoken_noise", "Synthetic: in noise", "合成语音：噪声中"),
        "Would you rather walk along the river, or wait here for the bus?",
        0.7,
    ),
}


DISTURBANCES: tuple[tuple[Kind, str, Bilingual], ...] = (
    ("noise", N_("What noise costs"), Bilingual(en="speech above noise, dB", zh="信噪比，dB")),
    ("speed", N_("What another speed costs"), Bilingual(en="times as fast", zh="语速（倍）")),
)
GRAIN = 160  # samples; 10 ms, the finest moment that can be silenced
MARGIN = 0.05  # seconds silenced around a word: Whisper's times are about this exact


@dataclass(frozen=True)
class Heard:
    """A word from `start` to `end` (seconds), its probability as recorded and without its sound."""

    text: str
    start: float
    end: float
    known: float
    without: float


class SpeechRecognition(AudioCase):
    """Recordings of English speech to text."""

    batches = False
    rate = RATE
    net: Whisper | WordScorer

    def __init__(self, card: Card) -> None:
        super().__init__(card)
        self.device = torch.device("cpu")  # CTranslate2's int8 kernels

    def load(self) -> Whisper:
        return Whisper(fetch_bundle("whisper-tiny-en"))

    @property
    def whisper(self) -> Whisper:
        return self.net.whisper[0] if isinstance(self.net, WordScorer) else self.net

    def decode(self, y: Tensor, raw: Sound) -> Transcript:
        """Text of tokens; `predict` also gives the words' times and confidences."""
        text = self.whisper.tokenizer.decode(y.long().tolist()).strip()
        return Transcript(text, (), raw.seconds)

    @torch.inference_mode()
    def predict_batch(self, raws: Sequence[Sound]) -> list[Result]:
        results: list[Result] = []
        for raw in raws:
            self.check(raw)
            results.append(self.whisper.transcribe(self.encode(raw)[0].numpy()))
        return results

    def about(self, raw: Sound, heard: Transcript | None = None) -> Self:
        """The case as a judge of its own transcript: how probable is each of its words?

        Its network maps recordings to the log-odds of the words and its labels are the words.

        Args:
            raw: The recording.
            heard: Its transcript, where it is known already.

        Raises:
            InputError: Longer than Whisper's window, or no word was heard.
        """
        if isinstance(self.net, WordScorer):
            return self
        if raw.seconds > WINDOW:
            raise InputError(
                N_("An explanation needs a recording of at most {limit:.0f} s. Cut it shorter."),
                limit=WINDOW,
            )
        if heard is None:
            (heard,) = self.predict_batch([raw])  # type: ignore[assignment]
        scorer = WordScorer(self.whisper, heard.text) if heard is not None and heard.text else None
        if scorer is None or not scorer.words:
            raise InputError(N_("No word was heard, so there is none to explain."))
        judge = self.with_net(scorer)
        judge.labels = tuple(Label(name, name, name) for name in numbered(scorer.words))
        return judge

    def probabilities(self, y: Tensor) -> Tensor:
        """Of words (of `about`): each on its own, shape (B, words)."""
        return torch.sigmoid(y)

    def targets(self, raw: Sound) -> list[int]:
        """Words worth explaining: the least certain first."""
        if not isinstance(self.net, WordScorer):
            return self.about(raw).targets(raw)
        with torch.inference_mode():
            y = self.net(self.encode(raw))[0]
        return y.argsort()[:3].tolist()

    def heard_or_guessed(self, raw: Sound) -> list[Heard]:
        """Silence the time of each word in turn: how probable is the word without its sound?

        Only of `about`'s cases. What stays probable was guessed from the words before it.
        """
        scorer = self.net
        if not isinstance(scorer, WordScorer):
            raise ValueError("ask a case of `about`")
        x = self.encode(raw)
        spans = scorer.times(x)
        masker = TimeMasker(x, self.rate, x.shape[-1] // GRAIN)
        middles = (np.arange(masker.count) + 0.5) * GRAIN / self.rate
        quiet = [(middles > a - MARGIN) & (middles < b + MARGIN) for a, b in spans]
        keep = 1 - torch.from_numpy(np.stack(quiet)).float()
        with torch.inference_mode():
            known = self.probabilities(scorer(x))[0]
            without = self.probabilities(scorer(masker.render(keep))).diagonal()
        return [
            Heard(label.en, a, b, float(p), float(q))
            for label, (a, b), p, q in zip(self.labels, spans, known, without, strict=True)
        ]

    def examples(self) -> list[Example[Sound]]:
        voice = N_("Spoken by the voice of this portal.")
        shown = [Example("golden", GOLDEN, self.golden, voice, FOX)]
        for name, (label, text, noise) in SPOKEN.items():
            shown.append(Example(name, label, partial(self.speak, text, noise), voice, text))
        if is_available(DATA):
            clips = {clip.id: clip for clip in ljspeech_mini.load()}
            for name, label in READER.items():
                clip = clips[name]
                load = partial(Sound, clip.sound, clip.rate)
                shown.append(Example(name, label, load, LJSPEECH, clip.text))
        return shown

    @staticmethod
    def speak(text: str, noise: float = 0.0) -> Spoken:
        """Let the synthesis case say a text.

        Args:
            text: English.
            noise: White noise to add, as a share of the speech's own loudness.

        Raises:
            InputError: The voice cannot say it.
        """
        return say(text, noise)

    def golden(self) -> Sound:
        """The portal's own voice says that a quick brown fox jumps over the lazy dog."""
        return Sound(load_file(self.card.folder / "golden.safetensors")["input"][0], RATE)

    def literal(self, raw: Sound) -> str:
        if isinstance(raw, Spoken):
            return f"case.speak({raw.text!r}, {raw.noise})"
        return super().literal(raw)

    def code(
        self, raw: Sound, example: str | None, explainer: str | None, target: int | None
    ) -> str:
        return (
            super()
            .code(raw, example, explainer, target)
            .replace(".explain(case, raw,", ".explain(case.about(raw), raw,")
        )

    def evaluate(
        self,
        split: str = "test",
        data: Path | None = None,
        limit: int | None = None,
        progress: Progress | None = None,
    ) -> Evaluation:
        """Word error rate on LJ Speech clips, or on a folder laid out like them.

        Args:
            split: There is only "test"; nothing was trained here.
            data: A folder with `metadata.csv` (id|text|normalised text) and `wavs/`.
            limit: Take the first few only.
            progress: Called with clips done and in all.
        """
        if split != "test":
            raise InputError(
                N_("No split {split}. Choose from: {known}."), split=split, known="test"
            )
        started = time.monotonic()
        clips = ljspeech_mini.load(data)[:limit]
        heard = []
        for clip in clips:
            heard.append(self.predict(Sound(clip.sound, clip.rate)).text)  # type: ignore[attr-defined]
            if progress is not None:
                progress(len(heard), len(clips))
        found = self.summarise(clips, heard, DATA if data is None else data.name)
        if limit is None:
            found = found.model_copy(update={"curves": self.disturbed_curves(clips)})
        return Evaluation(
            case=self.card.id,
            split=split,
            n=len(clips),
            seconds=time.monotonic() - started,
            measured=found,
            extra={"heard": heard},
        )

    def disturbed_curves(self, clips: Sequence[Clip]) -> list[Curve]:
        """Word error rate of all clips together, under noise and at other speeds."""
        rates: dict[Kind, dict[float, list[float]]] = {"noise": {}, "speed": {}}
        for clip in clips:
            for kind, level, sound in disturbed(Sound(clip.sound, clip.rate)):
                rates[kind].setdefault(level, []).append(hear(self, sound, clip.text)[0])
        words = [compare(clip.text, "").said for clip in clips]
        return [
            Curve(
                name=name,
                x_label=x_label,
                y_label=Bilingual(en="word error rate", zh="词错误率"),
                x=list(rates[kind]),
                y={"wer": [float(np.average(r, weights=words)) for r in rates[kind].values()]},
            )
            for kind, name, x_label in DISTURBANCES
        ]

    def summarise(self, clips: Sequence[Clip], heard: Sequence[str], data: str) -> Measured:
        """The card's machine-written part: all clips, each clip, and a blind answer."""

        def wer(errors: ArrayLike, words: ArrayLike, model: str = "") -> Metric:
            arrays = np.array(errors), np.array(words)
            return measured("wer", data, "test", ratio, *arrays, command=COMMAND, model=model)

        said = [clip.text for clip in clips]
        pairs = [compare(a, b) for a, b in zip(said, heard, strict=True)]
        slices = []
        for clip, pair in zip(clips, pairs, strict=True):
            # A clip alone cannot be resampled: the interval is that of a share of its words.
            low, high = exact_interval(min(pair.errors, pair.said), pair.said)
            metric = Metric(
                name="wer",
                data=data,
                value=pair.rate,
                low=low,
                high=max(high, pair.rate),
                n=pair.said,
                command=COMMAND,
            )
            name = clip.id[-4:]
            part = Bilingual(en=f"clip {name}, words", zh=f"片段 {name}，按词")
            slices.append(Slice(part=part, metric=metric))
        return Measured(
            case=self.card.id,
            parameters=self.whisper.numbers,
            metrics=[wer([p.errors for p in pairs], [p.said for p in pairs])],
            baselines=[wer(*blind_answer(said), model="always hearing one and the same sentence")],
            slices=slices,
            sha256={asset.file: asset.sha256 for asset in BUNDLES["whisper-tiny-en"].assets},
            versions={
                **versions("faster-whisper", "ctranslate2", "jiwer"),
                "device": describe_device(),
            },
        )


FOX = "The quick brown fox jumps over the lazy dog."
GOLDEN = Label("golden", "Synthetic: a fox", "合成语音：狐狸")
READER = {
    "LJ001-0001": Label("LJ001-0001", "A reader: printing", "朗读：印刷"),
    "LJ001-0003": Label("LJ001-0003", "A reader: wood blocks", "朗读：木刻"),
    "LJ001-0007": Label("LJ001-0007", "A reader: Gutenberg", "朗读：古腾堡"),
    "LJ001-0008": Label("LJ001-0008", "A reader: four words", "朗读：四个词"),
}
LJSPEECH = N_("LJ Speech, public domain: a reader's recordings of old books.")


CASE = SpeechRecognition
