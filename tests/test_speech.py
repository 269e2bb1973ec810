"""Sound as input, the cut voice, the words of a transcript, and the two of them together."""

import copy
import io
import struct
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import load_file

from dlportal.cards import MODELS, Limits
from dlportal.cases.speech_round_trip import KINDS
from dlportal.cases.speech_synthesis import SENTENCES, Utterance, read_sentences
from dlportal.kinds.audio import Sound, TimeMasker, open_sound, resample
from dlportal.kinds.word_errors import blind_answer, compare, normalise
from dlportal.messages import InputError
from dlportal.nets.onnx_graph import field, fields
from dlportal.nets.phonemes import check_sayable, place_phones
from dlportal.nets.piper import Manner

LIMITS = Limits(seconds=60)
RATE = 16_000


def tone(seconds: float = 1.0, rate: int = RATE, channels: int = 1) -> np.ndarray:
    time = np.arange(int(seconds * rate)) / rate
    wave = 0.5 * np.sin(2 * np.pi * 440 * time).astype(np.float32)
    return wave if channels == 1 else np.stack([wave] * channels, axis=1)


def wav(samples: np.ndarray, rate: int = RATE, kind: str = "WAV", subtype: str = "") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=kind, subtype=subtype or None)
    return file.getvalue()


def two_hours() -> bytes:
    """The header of a WAV file of two hours, and a second of it."""
    good = bytearray(wav(tone()))
    length = 2 * 3600 * RATE * 2
    good[4:8] = struct.pack("<I", length + 36)
    good[40:44] = struct.pack("<I", length)
    return bytes(good)


def silent_hours() -> bytes:
    """Two hours of silence, which FLAC packs into half a megabyte."""
    return wav(np.zeros(2 * 3600 * 8_000, np.float32), 8_000, "FLAC")


class TestOpening:
    @pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3"])
    def test_formats(self, kind: str) -> None:
        sound = open_sound(wav(tone(), kind=kind), LIMITS)
        assert sound.rate == RATE and sound.samples.dtype == np.float32
        assert abs(sound.seconds - 1) < 0.1

    def test_stereo_becomes_mono_within_range(self) -> None:
        sound = open_sound(wav(8 * tone(channels=2), subtype="FLOAT"), LIMITS)
        assert sound.samples.ndim == 1 and np.abs(sound.samples).max() <= 1

    @pytest.mark.parametrize(
        ("data", "said"),
        [
            (b"", "empty"),
            (b"hello, this is a text", "not a recording"),
            (b"\x89PNG\r\n\x1a\n" + bytes(200), "not a recording"),
            (wav(tone())[:20], "recording"),
            (wav(tone())[:-8000], "cut off"),
            (wav(tone(), kind="FLAC")[:3000], "cut off"),
            (two_hours(), "cut off|lasts 2.0 h"),
            (wav(tone(61)), "lasts 61 s"),
            (wav(tone(0.01)), "shorter than a tenth"),
            (wav(tone(1, 192_000), 192_000), "192,000 samples"),
            (wav(tone(channels=6)), "6 channels"),
            (wav(np.full(RATE, np.nan, np.float32), subtype="FLOAT"), "not numbers"),
            (bytes(20_000_001), "20.0 MB"),
        ],
    )
    def test_garbage_gets_one_sentence(self, data: bytes, said: str) -> None:
        with pytest.raises(InputError, match=said) as caught:
            open_sound(data, LIMITS)
        assert "\n" not in str(caught.value)

    def test_hours_are_refused_before_they_are_decoded(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        data = silent_hours()
        monkeypatch.setattr(soundfile.SoundFile, "read", lambda *a, **k: pytest.fail("decoded"))
        with pytest.raises(InputError, match=r"lasts 2\.0 h"):
            open_sound(data, LIMITS)

    def test_streamed_header_is_accepted(self) -> None:
        data = bytearray(wav(tone()))
        data[4:8] = data[40:44] = b"\xff\xff\xff\xff"  # written by programs that cannot seek
        assert open_sound(bytes(data), LIMITS).seconds == pytest.approx(1, abs=0.01)

    def test_sounds_are_told_apart_by_content(self) -> None:
        a, b = tone(), tone()
        b[8000] += 0.1
        assert repr(Sound(a, RATE)) != repr(Sound(b, RATE))
        assert repr(Sound(a, RATE)) == repr(Sound(a.copy(), RATE))

    def test_resampling_keeps_the_pitch(self) -> None:
        x = resample(tone(1, 44_100), 44_100, RATE).numpy()
        assert len(x) == RATE
        assert np.abs(np.fft.rfft(x)).argmax() == 440


class TestMasker:
    def test_everything_kept_is_the_recording(self) -> None:
        x = torch.from_numpy(tone(2))[None]
        masker = TimeMasker.of(x, RATE)
        assert masker.shape == (10,) and len(masker.parts) == 10
        torch.testing.assert_close(masker.render(torch.ones(1, 10)), x)
        assert not masker.render(torch.zeros(1, 10)).any()

    def test_a_hidden_moment_is_silent_and_the_rest_untouched(self) -> None:
        x = torch.from_numpy(tone(2))[None]
        masker = TimeMasker.of(x, RATE)
        keep = torch.ones(1, 10)
        keep[0, 3] = 0
        y = masker.render(keep)[0]
        start, end = (int(t * RATE) for t in masker.edges[3:5])
        assert not y[start + 200 : end - 200].any()
        torch.testing.assert_close(y[: start - 200], x[0, : start - 200])
        torch.testing.assert_close(y[end + 200 :], x[0, end + 200 :])


class TestWordErrors:
    def test_alignment(self) -> None:
        found = compare("The cat sat on the mat.", "a cat sat on mat, today")
        assert found.said == 6 and found.errors == 3 and found.rate == 0.5
        assert {pair.kind for pair in found.pairs} <= {"equal", "substitute", "insert", "delete"}
        assert " ".join(p.said for p in found.pairs if p.said) == "the cat sat on the mat"
        assert " ".join(p.heard for p in found.pairs if p.heard) == "a cat sat on mat today"

    @pytest.mark.parametrize(
        ("said", "heard", "rate"),
        [("hello", "", 1.0), ("", "", 0.0), ("red", "red green blue", 2.0)],
    )
    def test_edges(self, said: str, heard: str, rate: float) -> None:
        assert compare(said, heard).rate == rate

    def test_normalisation(self) -> None:
        assert normalise("Fourteen fifty-five!") == normalise("1455")
        assert normalise("It's Dr. Brown") == normalise("it is doctor brown")

    def test_the_blind_answer_is_wrong(self) -> None:
        errors, words = blind_answer([text for _, text in read_sentences(SENTENCES)])
        assert len(errors) == 19 and errors.sum() / words.sum() > 0.8


class TestGraph:
    def test_fields_read_what_field_writes(self) -> None:
        message = field(1, b"name") + field(300, bytes(1000))
        found = [(number, bytes(body)) for number, _, body in fields(memoryview(message))]
        assert found == [(1, b"name"), (300, bytes(1000))]

    @pytest.mark.parametrize("broken", [b"\xff\xff", field(1, b"name")[:-1], b"\x0f"])
    def test_not_protobuf(self, broken: bytes) -> None:
        with pytest.raises(ValueError, match="protobuf"):
            list(fields(memoryview(broken)))


class TestTexts:
    @pytest.mark.parametrize("text", ["你好世界", "hi 😀 there", "Ωmega", "שלום", "a" * 61])
    def test_what_cannot_be_said(self, text: str) -> None:
        with pytest.raises(InputError):
            check_sayable(text)

    @pytest.mark.parametrize("text", ["Café naïve — “it’s” £3½…", "<b>x</b> [[foo]] & 50%", "\x00"])
    def test_what_can(self, text: str) -> None:
        check_sayable(text)

    def test_own_sentences(self) -> None:
        rows = read_sentences(SENTENCES)
        assert len(rows) == 20 and {kind for kind, _ in rows} == set(KINDS)

    @pytest.mark.parametrize("content", ["", "no tab here\n", "# only a comment\n"])
    def test_other_sentences_are_checked(self, content: str, tmp_path: Path) -> None:
        (tmp_path / "mine.txt").write_text(content)
        with pytest.raises(InputError):
            read_sentences(tmp_path / "mine.txt")

    def test_symbols_join_into_sounds(self) -> None:
        sentence = ["ˈ", "i", "ː", " ", "n", "."]
        lengths = [100, 50, 10, 10, 80, 20, 30, 10, 5, 5, 40, 10, 20, 20, 200]  # with borders
        places = np.repeat(np.arange(len(lengths)), lengths)
        phones = place_phones([sentence], places, rate=1000)
        assert [p.symbol for p in phones] == ["ˈiː", " ", "n", "."]
        assert phones[0].start == pytest.approx(0.150) and phones[0].end == pytest.approx(0.310)
        assert phones[-1].end == pytest.approx(0.410)


@pytest.mark.assets
class TestSynthesis:
    @pytest.fixture
    def case(self, get_case: Any) -> Any:
        return get_case("speech_synthesis")

    def test_a_seed_is_a_sound(self, case: Any) -> None:
        text = "The same seed gives the same sound."
        one, same, other = (
            case.predict(Utterance(text, Manner(seed=seed))).samples for seed in (3, 3, 4)
        )
        assert np.array_equal(one, same)
        assert len(one) != len(other) or not np.allclose(one, other)

    def test_speed(self, case: Any) -> None:
        slow, fast = (
            len(case.predict(Utterance("Take your time.", Manner(speed=s))).samples)
            for s in (0.5, 2)
        )
        assert 2 < slow / fast < 5  # pauses do not scale, and lengths are whole frames

    def test_the_halves_say_what_the_whole_says(self, case: Any) -> None:
        """Without randomness the cut graph must equal the published one."""
        import onnxruntime

        from dlportal.assets import fetch_bundle

        path = fetch_bundle("piper-joe") / "en_US-joe-medium.onnx"
        whole = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        ids = case.encode("Cut in two, it says the same.")[0].numpy()
        fed = {
            "input": ids[None],
            "input_lengths": np.array([len(ids)]),
            "scales": np.array([0, 1, 0], np.float32),
        }
        expected = whole.run(None, fed)[0].ravel()
        found, lengths = case.net.speak(ids, Manner(noise=0, rhythm=0))
        expected /= np.abs(expected).max()
        np.testing.assert_allclose(found[: len(expected)], expected, atol=1e-3)
        assert lengths.sum() == len(found)

    def test_phones_fill_the_sound(self, case: Any) -> None:
        speech = case.predict("Hello there. How are you?")
        starts, ends = [p.start for p in speech.phones], [p.end for p in speech.phones]
        assert starts == sorted(starts) and all(a < b for a, b in zip(starts, ends))
        assert ends[-1] <= len(speech.samples) / speech.rate
        assert speech.phones[0].symbol == "h"
        assert np.isfinite(speech.samples).all() and np.abs(speech.samples).max() <= 1

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "empty"),
            ("你好", "reads English"),
            ("🙂", "reads English"),
            ("...!?", "nothing to say"),
            ("x" * 100_000, "100,000 characters"),
            ("a " * 290, "speech sounds"),
        ],
    )
    def test_garbage_gets_one_sentence(self, case: Any, text: str, said: str) -> None:
        with pytest.raises(InputError, match=said):
            case.predict(text)

    def test_code_repeats_a_manner(self, case: Any) -> None:
        raw = Utterance("Once more.", Manner(speed=1.5, seed=9))
        scope: dict[str, Any] = {}
        code = case.code(raw, None, None, None).replace("load_case('speech_synthesis')", "given")
        run_code(code, scope | {"given": case}, scope)
        assert np.array_equal(scope["result"].samples, case.predict(raw).samples)


def run_code(code: str, inside: dict[str, Any], out: dict[str, Any]) -> None:
    """Run what the code panel shows."""
    inside = dict(inside)
    exec(compile(code, "code panel", "exec"), inside)
    out.update(inside)


@pytest.mark.assets
class TestRecognition:
    @pytest.fixture
    def case(self, get_case: Any) -> Any:
        return get_case("speech_recognition")

    def test_golden_sentence(self, case: Any) -> None:
        heard = case.predict(case.golden())
        assert normalise(heard.text) == "the quick brown fox jumps over the lazy dog"
        assert len(heard.words) == 9
        assert all(0 <= w.probability <= 1 and w.start <= w.end for w in heard.words)
        assert heard.words[-1].end <= heard.seconds + 0.1

    def test_another_rate_is_heard_alike(self, case: Any) -> None:
        raw = case.golden()
        fast = Sound(resample(raw.samples, raw.rate, 44_100).numpy(), 44_100)
        assert normalise(case.predict(fast).text) == normalise(case.predict(raw).text)

    @pytest.mark.parametrize(
        ("sound", "said"),
        [
            (Sound(np.zeros(RATE, np.float32), RATE), "silent"),
            (Sound(np.full(RATE, 0.5, np.float32), RATE), "silent"),  # nothing but an offset
            (Sound(np.full(RATE, np.nan, np.float32), RATE), "not numbers"),
            (Sound(tone(61), RATE), "61 s"),
            (Sound(tone(0.01), RATE), "tenth"),
            ("text", "not a recording"),
        ],
    )
    def test_garbage_gets_one_sentence(self, case: Any, sound: Any, said: str) -> None:
        with pytest.raises(InputError, match=said):
            case.predict(sound)

    def test_noise_and_tones_are_answered(self, case: Any) -> None:
        noise = np.random.default_rng(0).normal(0, 0.1, 3 * RATE).astype(np.float32)
        for samples in (noise, tone(3)):
            assert isinstance(case.predict(Sound(samples, RATE)).text, str)

    def test_words_are_labels_and_need_their_own_time(self, case: Any) -> None:
        from dlportal.explain import explainers_for, get_explainer

        raw = case.golden()
        judge = case.about(raw)
        assert [label.en for label in judge.labels][-1] == "dog"
        assert judge.about(raw) is judge
        assert {e.name for e in explainers_for(judge)} >= {"leave_one_out", "shapley_sampling"}
        brown = [label.en for label in judge.labels].index("brown")
        found = get_explainer("leave_one_out").explain(judge, raw, brown)
        start, end = judge.net.times(judge.encode(raw))[brown]
        edges = judge.masker(raw).edges
        best = int(found.values.argmax())
        assert edges[best + 1] > start - 0.1 and edges[best] < end + 0.1

    def test_a_silenced_word_is_guessed_at_best(self, case: Any) -> None:
        raw = case.golden()
        words = case.about(raw).heard_or_guessed(raw)
        assert [w.text for w in words][3] == "fox"
        assert words[3].without < 0.2 < words[3].known
        assert all(0 <= w.known <= 1 and 0 <= w.without <= 1 for w in words)

    def test_no_explanation_of_nothing_or_too_much(self, case: Any) -> None:
        with pytest.raises(InputError, match="30 s"):
            case.about(Sound(tone(31), RATE))
        silence = case.predict(case.golden()).__class__("", (), 1.0)
        with pytest.raises(InputError, match="No word"):
            case.about(case.golden(), silence)

    def test_compiled_weights_cannot_be_randomised(self, case: Any) -> None:
        from dlportal.explain.sanity import randomised

        judge = case.about(case.golden())
        assert copy.deepcopy(judge.net).whisper[0] is judge.net.whisper[0]
        with pytest.raises(ValueError, match="no weights in torch"):
            randomised(judge)

    def test_threads_do_not_disturb_each_other(self, case: Any) -> None:
        raw = case.golden()
        alone = case.predict(raw).text
        heard: list[str] = []
        threads = [
            threading.Thread(target=lambda: heard.append(case.predict(raw).text)) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert heard == [alone] * 4

    def test_what_our_voice_says_can_be_said_again(self, case: Any, get_case: Any) -> None:
        get_case("speech_synthesis")
        raw = case.speak("We need to hear this twice.", 0.2)
        scope: dict[str, Any] = {}
        code = case.code(raw, None, "leave_one_out", 2)
        code = code.replace("load_case('speech_recognition')", "given")
        run_code(code, scope | {"given": case}, scope)
        assert scope["result"] == case.predict(raw)
        assert scope["explanation"].target == 2

    @pytest.mark.data
    def test_quality_on_the_clips(self, case: Any) -> None:
        found = case.evaluate(limit=4)
        (metric,) = found.measured.metrics
        assert metric.key == "wer@ljspeech_mini" and found.n == 4
        assert metric.value <= 0.08
        shipped = case.card.metric("wer@ljspeech_mini")
        assert shipped.value <= 0.08 and shipped.n == 8


def test_the_golden_sounds_are_small() -> None:
    """Both are the portal's own voice, short enough for the repository."""
    for case_id in ("speech_recognition", "speech_synthesis"):
        path = MODELS / case_id / "golden.safetensors"
        assert path.stat().st_size < 250_000
        assert {"input", "output"} == set(load_file(path))


@pytest.mark.assets
@pytest.mark.slow
def test_round_trip(get_case: Any) -> None:
    get_case("speech_recognition")
    case = get_case("speech_synthesis")
    found = case.evaluate(limit=3)
    metrics = {metric.name: metric for metric in found.measured.metrics}
    assert metrics["wer"].value <= 0.1 and found.n == 3
    assert metrics["rtf"].value < 1
    shipped = {metric.name: metric for metric in case.card.measured.metrics}
    assert shipped["wer"].value <= 0.10 and shipped["rtf"].value <= 0.10
