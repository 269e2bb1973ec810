"""The spoken digits case's own promises."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dlportal.assets import AssetError
from dlportal.cases.spoken_digits import SpokenDigits
from dlportal.data import fsdd
from dlportal.data.fsdd import Spoken
from dlportal.kinds.flite import VOICES, flite_says
from dlportal.messages import InputError
from dlportal.nets import digit_ear as ear
from dlportal.nets.digit_net import DigitNet
from dlportal.nets.log_mel import band_edges, mel_filters
from dlportal.training import digit_evaluation, digit_training, kept
from dlportal.training.digit_readings import OURS, readings
from dlportal.training.digit_training import hear
from dlportal.training.events import Run
from dlportal.training.voice_augment import SOURCE, Voices, foreign, lerp

STILL = Voices(
    tract=0,
    pitch=0,
    cut=0,
    uneven=0,
    colour=0,
    echo=0,
    noise=(200, 201),
    bands=0,
    columns=0,
    patchy=0,
)


def tone(seconds: float, hertz: float = 440.0, quiet: float = 0.3) -> np.ndarray:
    """A tone between two silences, 8 kHz."""
    time = np.arange(int(seconds * ear.RATE)) / ear.RATE
    sound = 0.5 * np.sin(2 * np.pi * hertz * time) * np.hanning(len(time)) ** 0.2
    noise = 1e-4 * np.random.default_rng(0).standard_normal(len(time) + 2 * int(quiet * ear.RATE))
    return (np.pad(sound, int(quiet * ear.RATE)) + noise).astype(np.float32)


def logs_of(sound: np.ndarray) -> torch.Tensor:
    return ear.log_power(ear.spectrum(torch.from_numpy(sound)))


def test_each_filter_peaks_at_its_corner() -> None:
    filters, edges = mel_filters(8000, 256, 40), band_edges(8000, 40)
    assert filters.shape == (129, 40) and (filters.sum(dim=0) > 0).all()
    peak = filters[:, 30].argmax().item() * 8000 / 256
    assert abs(peak - edges[31]) < 8000 / 256


def test_words_are_found_between_silences() -> None:
    (span,) = ear.words_in(ear.loudness(logs_of(tone(0.5))))
    assert span.seconds == pytest.approx(0.5, abs=0.06)
    assert span.start * ear.HOP / ear.RATE == pytest.approx(0.3, abs=0.05)
    two = np.concatenate([tone(0.4), tone(0.4, 700)])
    assert len(ear.words_in(ear.loudness(logs_of(two)))) == 2
    hum = 0.05 * np.random.default_rng(0).standard_normal(16000).astype(np.float32)
    hum[6000:9000] += tone(3000 / ear.RATE, quiet=0)
    (span,) = ear.words_in(ear.loudness(logs_of(hum)))
    assert span.seconds == pytest.approx(3000 / ear.RATE, abs=0.08)


def test_loudness_does_not_count_and_pitch_has_its_place() -> None:
    sound = tone(0.5, 1000)
    logs = logs_of(sound)
    (span,) = ear.words_in(ear.loudness(logs))
    x = ear.see(logs, span)
    assert x.shape == (1, 1, 40, 64) and x.max() == 1 and x.min() >= 0
    quieter = ear.see(logs_of(sound * 0.25), span)
    assert (x - quieter).abs().mean() < 0.02
    band = x[0, 0, :, 20:40].mean(dim=1).argmax().item()
    middle = band_edges(ear.RATE, 40)[band + 1]
    assert middle == pytest.approx(1000, rel=0.1)


def test_the_sound_comes_back_from_its_spectrum() -> None:
    sound = torch.from_numpy(tone(0.5))
    back = ear.sound_of(ear.spectrum(sound), len(sound))
    torch.testing.assert_close(back, sound - sound.mean(), atol=1e-4, rtol=0)
    span = ear.Span(40, 100)
    whole = ear.gains(torch.ones(40, 64), span, 138)
    assert whole.shape == (129, 138)
    assert (whole[3:126, 40:100] > 0.99).all() and whole[:, :40].sum() == 0
    high = torch.zeros(40, 64)
    high[30:] = 1
    kept_high = ear.gains(high, span, 138)
    assert kept_high[100, 60] > 0.99 and kept_high[5, 60] == 0


def test_no_change_leaves_the_pictures_as_they_are() -> None:
    heard = some_recordings()
    still = STILL(heard.logs, torch.Generator().manual_seed(0))
    torch.testing.assert_close(still, heard.pictures(), atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    "change",
    [
        {"tract": 0.2},
        {"pitch": 0.4},
        {"cut": 0.1},
        {"uneven": 0.1},
        {"colour": 4.0},
        {"echo": 1.0},
        {"noise": (0.0, 10.0)},
        {"bands": 6},
        {"columns": 6},
        {"patchy": 1.0},
    ],
)
def test_each_change_changes_and_depends_on_its_generator_alone(change: dict) -> None:
    heard = some_recordings()
    voices = replace(STILL, **change)
    first, second = (voices(heard.logs, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, second)
    assert (first - heard.pictures()).abs().mean() > 2e-4
    assert first.min() >= 0 and first.max() <= 1


def test_a_longer_vocal_tract_moves_the_envelope_not_the_voice() -> None:
    """Formants move down by the factor, the harmonics stay."""
    bins = torch.arange(129.0)
    formant = 4 * torch.exp(-((bins - 60) ** 2) / 200)
    harmonics = torch.cos(2 * torch.pi * bins / 4)
    logs = (formant + harmonics)[None, :, None].expand(1, -1, 4)
    warped = lerp(formant[None, :, None], bins[None] * 1.2, dim=1)[0, :, 0]
    assert warped.argmax().item() == pytest.approx(50, abs=1)
    same = replace(STILL, tract=0.2).in_pitch(logs, torch.Generator().manual_seed(1))[0, :, 0]
    spectrum = torch.fft.rfft(same - same.mean()).abs()
    assert spectrum[20:].argmax().item() + 20 == pytest.approx(129 / 4, abs=1)


def test_what_is_no_digit_is_made_of_digits() -> None:
    logs = torch.randn(40, 129, SOURCE)
    others = foreign(logs, torch.Generator().manual_seed(0))
    assert others.shape == logs.shape
    assert not any(torch.equal(a, b) for a, b in zip(logs, others))


def some_recordings() -> digit_training.Heard:
    sounds = tuple(tone(0.3 + 0.02 * i, 300 + 120 * i) for i in range(8))
    spoken = Spoken(sounds, np.arange(8), ("a", "b") * 4, np.arange(8))
    return digit_training.hear(spoken)


def test_noise_is_as_far_below_the_speech_as_asked() -> None:
    sound = tone(0.5, quiet=0)
    spoken = Spoken((sound,), np.zeros(1), ("a",), np.zeros(1))
    noise = digit_training.in_noise(spoken, 10.0).sounds[0] - sound
    ratio = 10 * np.log10((sound**2).mean() / (noise**2).mean())
    assert ratio == pytest.approx(10, abs=0.3)


def test_the_mean_over_speakers_has_the_interval_of_so_few() -> None:
    def of(right: int) -> dict:
        return {"confusion": np.diag([right] * 10) + np.eye(10, k=1) * 0 + wrong(100 - right)}

    def wrong(n: int) -> np.ndarray:
        out = np.zeros((10, 10))
        out[:, 0] = n
        out[0, 0] = 0
        out[0, 1] = n
        return out

    metric = digit_evaluation.loso_metric({"a": of(90), "b": of(100), "c": of(80)})
    assert metric.value == pytest.approx(0.9) and metric.n == 3000
    assert metric.low == pytest.approx(0.9 - 4.3027 * 0.1 / 3**0.5, abs=1e-3)
    assert metric.high == 1.0


def test_top_cells() -> None:
    values = np.arange(20.0).reshape(4, 5)
    assert kept.top_cells(values, 0.25).sum() == 5 and kept.top_cells(values, 0.25)[3].all()
    others = kept.random_cells(values, 0.25, 3)
    assert [cells.sum() for cells in others] == [5, 5, 5]


def test_gate_and_digits_come_from_one_pass() -> None:
    torch.manual_seed(0)
    net = DigitNet().eval()
    x = torch.rand(3, 1, 40, 64)
    net.fit_distance(torch.rand(40, 1, 40, 64), torch.arange(10).repeat(4))
    y, strange = net.answers(x)
    torch.testing.assert_close(y, net(x))
    torch.testing.assert_close(net.each(x).mean(dim=0)[:, :10], net(x))
    torch.testing.assert_close(strange.detach(), net.strangeness(x))
    assert (net.strangeness(100 * x) > strange).all()


def bare() -> SpokenDigits:
    """The case without its weights."""
    return SpokenDigits.__new__(SpokenDigits)


@pytest.mark.parametrize(
    ("sound", "words"),
    [
        (np.concatenate([tone(0.4), tone(0.4)]), "2 words"),
        (tone(1.6), "goes on for"),
    ],
)
def test_what_is_no_single_word_is_refused_in_one_sentence(sound: np.ndarray, words: str) -> None:
    from dlportal.kinds.audio import Sound

    with pytest.raises(InputError) as caught:
        bare().word(Sound(sound, ear.RATE))
    assert words in str(caught.value)


def test_any_rate_gives_the_same_picture() -> None:
    from dlportal.kinds.audio import Sound, resample

    low = tone(0.5, 700)
    high = resample(low, ear.RATE, 44100).numpy()
    case = bare()
    x, y = case.encode(Sound(low, ear.RATE)), case.encode(Sound(high, 44100))
    assert (x - y).abs().mean() < 0.05


@pytest.mark.data
def test_every_recording_of_the_dataset_holds_one_word() -> None:
    from dlportal.data import fsdd

    spoken = fsdd.load().take(np.arange(0, 2500, 10))
    counts = [len(ear.words_in(ear.loudness(logs_of(sound)))) for sound in spoken.sounds]
    assert np.mean(np.array(counts) == 1) > 0.995


@pytest.mark.data
def test_what_is_kept_is_heard(get_case) -> None:
    from dlportal.data import fsdd
    from dlportal.kinds.audio import Sound

    case = get_case("spoken_digits")
    raw = Sound(fsdd.one(7, "george", 0), fsdd.RATE)
    before = case.predict(raw)
    whole = case.keep(raw, np.ones((40, 64)))
    assert whole.answer.best.index == before.best.index == 7
    assert whole.answer.best.probability == pytest.approx(before.best.probability, abs=0.1)
    nothing = case.keep(raw, np.eye(40, 64) * 0 + (np.arange(64) == 0))
    assert np.abs(nothing.sound.samples).max() < np.abs(whole.sound.samples).max()
    assert nothing.share == pytest.approx(1 / 64)


def test_the_own_voice_reads_for_the_training_only(get_case: Any, tmp_path: Path) -> None:
    get_case("speech_synthesis")  # skips where its voice cannot be had
    stopped = Run(tmp_path)
    stopped.cancel()
    spoken = readings({OURS: 5}, 0, stopped)
    assert spoken.labels.tolist() == list(range(10)), "one reading, although it was stopped"
    assert set(spoken.index.tolist()) == {fsdd.TEST + fsdd.HELD}
    assert all(0 < np.abs(sound).max() <= 0.5 for sound in spoken.sounds)
    assert len(hear(spoken)) == 10


@pytest.mark.skipif(shutil.which("flite") is None, reason="the program flite is not installed")
def test_other_voices_read_at_another_pace() -> None:
    slow, own = (flite_says("seven", "slt", speed) for speed in (0.7, 1.0))
    assert own.rate == 16_000 and 0.3 < own.seconds < slow.seconds < 2
    said = {voice: flite_says("nine", voice).samples for voice in VOICES}
    assert len({len(samples) for samples in said.values()}) > 1
    assert all(0.05 < np.abs(samples).max() <= 1 for samples in said.values())


def test_without_the_synthesiser_a_sentence_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="no voice 'joe'"):
        flite_says("one", "joe")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AssetError, match="apt-get install flite"):
        readings({"slt": 1}, 0, Run(tmp_path))
    broken = tmp_path / "flite"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(AssetError, match="could not say “one”"):
        flite_says("one", "slt")
