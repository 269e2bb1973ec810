"""Text to speech with a Piper voice: phonemes by espeak-ng, sound by VITS.

Piper: https://github.com/OHF-Voice/piper1-gpl; VITS: https://arxiv.org/abs/2106.06103.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from dlportal.assets import fetch_bundle
from dlportal.cards import Card
from dlportal.case import Case, Evaluation, Example, Knob, Progress, check_length
from dlportal.messages import N_, InputError
from dlportal.nets.phonemes import check_sayable, phonemise, place_phones
from dlportal.nets.piper import DEFAULT, Manner, PiperVoice
from dlportal.results import Label, Result, Speech

SENTENCES = Path(__file__).with_name("own_sentences.txt")
PHONEMES = 400  # in a sentence; memory and time grow faster than its length
ALL_PHONEMES = 700  # in a text; about 50 s

KNOBS = (
    Knob("speed", N_("Speed"), DEFAULT.speed, 0.5, 2.0, 0.05),
    Knob(
        "noise",
        N_("Liveliness of the voice"),
        DEFAULT.noise,
        0.0,
        1.0,
        0.001,
        help=N_("Scales the random part of the sound. 0 is flat, 1 unsteady."),
    ),
    Knob(
        "rhythm",
        N_("Liveliness of the rhythm"),
        DEFAULT.rhythm,
        0.0,
        1.0,
        0.05,
        help=N_("Scales the random part of the durations. 0 takes the most likely ones."),
    ),
    Knob(
        "seed",
        N_("Random seed"),
        DEFAULT.seed,
        0,
        99,
        1,
        help=N_("Another seed, another reading; the same seed, the same sound."),
    ),
)


@dataclass(frozen=True)
class Utterance:
    """A text and how it is spoken."""

    text: str
    manner: Manner = DEFAULT


EXAMPLES = {
    "welcome": (
        Label("welcome", "A welcome", "欢迎语"),
        "Welcome. This voice was learned from one person reading aloud.",
    ),
    "numbers": (
        Label("numbers", "Numbers", "数字"),
        "The 8:15 train to Boston costs $42.50 and arrives at 11:05.",
    ),
    "question": (
        Label("question", "A question", "疑问句"),
        "Would you rather walk along the river, or wait here for the bus?",
    ),
    "homographs": (
        Label("homographs", "Same spelling, two sounds", "同形异音"),
        "They were close to the door when the wind began to wind around the old house.",
    ),
    "twister": (
        Label("twister", "A tongue twister", "绕口令"),
        "She sells sea shells by the sea shore, and the shells she sells are surely sea shells.",
    ),
}


class SpeechSynthesis(Case[str | Utterance]):
    """Text to sound at 22,050 Hz with the duration of every phoneme."""

    kind = "text"
    batches = False
    net: PiperVoice

    def __init__(self, card: Card) -> None:
        super().__init__(card)
        self.device = torch.device("cpu")  # onnxruntime's CPU build

    def load(self) -> PiperVoice:
        return PiperVoice(fetch_bundle("piper-joe"), "en_US-joe-medium")

    def check(self, raw: str | Utterance) -> None:
        text = text_of(raw)
        if not isinstance(text, str):
            raise InputError(N_("This is not a text. Type a sentence."))
        check_length(text, self.card.limits.characters)
        check_sayable(text)
        self.phonemes(text)

    def read(self, given: str) -> str:
        return given

    def phonemes(self, text: str) -> list[list[str]]:
        """Phonemes and punctuation of each sentence, as espeak-ng reads it.

        Raises:
            InputError: Too long to say, or nothing to say.
        """
        known = self.net.ids
        sentences = [
            [symbol for symbol in sentence if symbol in known]
            for sentence in phonemise(text, self.net.language)
        ]
        sentences = [sentence for sentence in sentences if any(map(str.isalpha, sentence))]
        if not sentences:
            raise InputError(N_("There is nothing to say in this text. Type at least one word."))
        longest, all_of_it = max(map(len, sentences)), sum(map(len, sentences))
        if longest > PHONEMES or all_of_it > ALL_PHONEMES:
            raise InputError(
                N_(
                    "The text takes {n} speech sounds; the voice manages {sentence} in a sentence "
                    "and {limit} in all. Shorten it or end sentences earlier."
                ),
                n=all_of_it,
                sentence=PHONEMES,
                limit=ALL_PHONEMES,
            )
        return sentences

    def encode(self, raw: str | Utterance) -> Tensor:
        return torch.from_numpy(self.net.encode(self.phonemes(text_of(raw))))[None]

    def decode(self, y: Tensor, raw: str | Utterance) -> Speech:
        text = text_of(raw)
        places = y[1].numpy().astype(np.int64)
        phones = place_phones(self.phonemes(text), places, self.net.rate)
        return Speech(y[0].numpy(), self.net.rate, phones, text)

    @torch.inference_mode()
    def predict_batch(self, raws: Sequence[str | Utterance]) -> list[Result]:
        results: list[Result] = []
        for raw in raws:
            self.check(raw)
            manner = raw.manner if isinstance(raw, Utterance) else DEFAULT
            results.append(self.decode(self.net(self.encode(raw), manner)[0], raw))
        return results

    def examples(self) -> list[Example[str | Utterance]]:
        source = N_("Written for this portal.")
        return [
            Example(name, label, lambda text=text: text, source)  # type: ignore[misc]
            for name, (label, text) in EXAMPLES.items()
        ]

    def golden(self) -> str:
        return "Good morning."

    def literal(self, raw: str | Utterance) -> str:
        return repr(raw)

    def code(
        self, raw: str | Utterance, example: str | None, explainer: str | None, target: int | None
    ) -> str:
        if isinstance(raw, Utterance) and raw.manner == DEFAULT:
            raw = raw.text
        lines = ["from dlportal.case import load_case"]
        if isinstance(raw, Utterance):
            example = None
            lines.append("from dlportal.cases.speech_synthesis import Manner, Utterance")
        given = f"case.example({example!r})" if example else self.literal(raw)
        lines += [
            "",
            f"case = load_case({self.card.id!r})",
            f"raw = {given}",
            "result = case.predict(raw)",
            '# import soundfile; soundfile.write("speech.wav", result.samples, result.rate)',
        ]
        return "\n".join(lines) + "\n"

    def evaluate(
        self,
        split: str = "test",
        data: Path | None = None,
        limit: int | None = None,
        progress: Progress | None = None,
    ) -> Evaluation:
        """Speak sentences and let the recognition case listen; needs its weights too.

        Args:
            split: There is only "test".
            data: A file with one `kind<TAB>sentence` a line; the project's own by default.
            limit: Take the first few only.
            progress: Called with sentences done and in all.
        """
        from dlportal.cases.speech_round_trip import evaluate_round_trip

        if split != "test":
            raise InputError(
                N_("No split {split}. Choose from: {known}."), split=split, known="test"
            )
        return evaluate_round_trip(self, read_sentences(data or SENTENCES)[:limit], progress)


def text_of(raw: str | Utterance) -> str:
    return raw.text if isinstance(raw, Utterance) else raw


def read_sentences(path: Path) -> list[tuple[str, str]]:
    """Kind and text of each sentence.

    Raises:
        InputError: Not a file of `kind<TAB>sentence` lines.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise InputError(
            N_("There is no readable file {path}. It needs a kind, a tab and a sentence a line."),
            path=path,
        ) from None
    rows = [line.split("\t", 1) for line in lines if line.strip() and not line.startswith("#")]
    if not rows or any(len(row) != 2 for row in rows):
        raise InputError(
            N_("There is no readable file {path}. It needs a kind, a tab and a sentence a line."),
            path=path,
        )
    return [(kind.strip(), sentence.strip()) for kind, sentence in rows]


CASE = SpeechSynthesis
