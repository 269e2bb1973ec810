"""Measure a voice by letting a recogniser listen: word error rate and real-time factor."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dlportal.assets import BUNDLES
from dlportal.cards import Bilingual, Measured, Metric, Slice
from dlportal.case import Evaluation, Progress, load_case
from dlportal.kinds.audio import Sound
from dlportal.kinds.word_errors import blind_answer, compare
from dlportal.training.metrics import measured, ratio
from dlportal.training.receipts import describe_device, versions

if TYPE_CHECKING:
    from dlportal.cases.speech_synthesis import SpeechSynthesis

DATA = "own_sentences"
COMMAND = "python -m dlportal evaluate speech_synthesis"
REPEATS = 5
KINDS = {
    "plain": Bilingual(en="plain sentences", zh="普通句子"),
    "numbers": Bilingual(en="numbers and times", zh="数字与时间"),
    "names": Bilingual(en="names and rare words", zh="人名地名与生僻词"),
    "questions": Bilingual(en="questions", zh="疑问句"),
}


@dataclass(frozen=True)
class Trip:
    """One sentence there and back; times in seconds."""

    kind: str
    errors: int
    words: int
    computing: float
    lasting: float
    plain_computing: float  # with Piper's own program
    plain_lasting: float
    heard: str


def evaluate_round_trip(
    case: "SpeechSynthesis", sentences: Sequence[tuple[str, str]], progress: Progress | None
) -> Evaluation:
    """Speak each sentence, time it, transcribe it and count word errors."""
    started = time.monotonic()
    listener = load_case("speech_recognition")
    plain = own_program(case)
    for warm_up in (case.predict, plain):
        warm_up("This sentence is not counted.")
    trips = []
    for done, (kind, text) in enumerate(sentences):
        trips.append(travel(case, listener, plain, kind, text))
        if progress is not None:
            progress(done + 1, len(sentences))
    return Evaluation(
        case=case.card.id,
        split="test",
        n=len(trips),
        seconds=time.monotonic() - started,
        measured=summarise(case, [text for _, text in sentences], trips),
        extra={"heard": [trip.heard for trip in trips]},
    )


def travel(case: Any, listener: Any, plain: Any, kind: str, text: str) -> Trip:
    """One sentence there and back."""
    speech, computing = timed(case.predict, text)
    plain_lasting, plain_computing = timed(plain, text)
    sound = Sound(speech.samples, speech.rate)
    heard = listener.predict(sound).text
    compared = compare(text, heard)
    return Trip(
        kind=kind,
        errors=compared.errors,
        words=compared.said,
        computing=computing,
        lasting=sound.seconds,
        plain_computing=plain_computing,
        plain_lasting=plain_lasting,
        heard=heard,
    )


def timed(function: Callable[[str], Any], text: str) -> tuple[Any, float]:
    """The result, and the shortest of several times: what else runs here can only add to it."""
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        result = function(text)
        seconds.append(time.perf_counter() - start)
    return result, min(seconds)


def own_program(case: "SpeechSynthesis") -> Any:
    """Piper's own synthesis of the same file; gives the seconds that the sound lasts."""
    from piper.voice import PiperVoice

    from dlportal.assets import fetch_bundle

    voice = PiperVoice.load(fetch_bundle("piper-joe") / "en_US-joe-medium.onnx")

    def speak(text: str) -> float:
        return sum(len(chunk.audio_float_array) for chunk in voice.synthesize(text)) / case.net.rate

    return speak


def wer(errors: np.ndarray, words: np.ndarray, model: str = "") -> Metric:
    """Word error rate over sentences, both shape (sentences,)."""
    return measured("wer", DATA, "test", ratio, errors, words, command=COMMAND, model=model)


def rtf(computing: np.ndarray, lasting: np.ndarray, model: str = "") -> Metric:
    """Real-time factor over sentences: seconds of computing for a second of speech."""
    return measured("rtf", DATA, "test", ratio, computing, lasting, command=COMMAND, model=model)


def summarise(case: "SpeechSynthesis", texts: Sequence[str], trips: Sequence[Trip]) -> Measured:
    """The card's machine-written part."""

    def column(name: str, kind: str | None = None) -> np.ndarray:
        return np.array([getattr(t, name) for t in trips if kind in (None, t.kind)], dtype=float)

    kinds = [kind for kind in KINDS if any(trip.kind == kind for trip in trips)]
    return Measured(
        case=case.card.id,
        parameters=case.net.numbers,
        metrics=[
            wer(column("errors"), column("words"), "the voice, heard by Whisper tiny.en"),
            rtf(column("computing"), column("lasting")),
        ],
        baselines=[
            wer(*blind_answer(texts), "always hearing one and the same sentence"),
            rtf(column("plain_computing"), column("plain_lasting"), "piper-tts, same weights"),
        ],
        slices=[
            Slice(part=KINDS[kind], metric=wer(column("errors", kind), column("words", kind)))
            for kind in kinds
        ],
        sha256={asset.file: asset.sha256 for asset in BUNDLES["piper-joe"].assets},
        versions={
            **versions("piper-tts", "onnxruntime", "faster-whisper", "jiwer"),
            "device": describe_device(),
        },
    )
