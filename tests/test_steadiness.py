"""How steady an answer is: mistakes, negation, noise, speed."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from dlportal.kinds.audio import Sound
from dlportal.kinds.misspell import NEAR, misspell
from dlportal.kinds.negation import negate
from dlportal.kinds.steadiness import (
    DRAWS,
    NOISE,
    SPEED,
    TYPOS,
    add_noise,
    change_speed,
    disturbed,
    hear,
)
from dlportal.messages import N_, InputError


def test_keys_are_neighbours_of_each_other() -> None:
    assert set(NEAR) == set("abcdefghijklmnopqrstuvwxyz")
    assert all(key in NEAR[other] for key, others in NEAR.items() for other in others)
    assert set(NEAR["g"]) >= set("fhtvb") and "p" not in NEAR["q"]


def test_mistakes_repeat_from_their_seed_and_grow_with_their_share() -> None:
    text = "A warm, funny film that I would happily watch again." * 20
    assert misspell(text, 0.0, 1) == text
    assert misspell(text, 0.2, 1) == misspell(text, 0.2, 1) != misspell(text, 0.2, 2)
    # A letter that was swapped takes the next one along, so a few less than the share are hit.
    letters = sum(c.isalpha() for c in text)
    near = misspell("f" * 4000, 0.25, 0)
    hit = sum(c != "f" for c in near)
    assert 0.2 * 1000 < hit < 0.3 * 1000  # a quarter of the mistakes are neighbouring keys
    assert abs(len(misspell(text, 0.3, 3)) - len(text)) < 0.1 * letters
    assert misspell("12 % 中文 😀", 1.0, 0) == "12 % 中文 😀"


@pytest.mark.parametrize(
    ("text", "opposite"),
    [
        ("This is not a bad film.", "This is a bad film."),
        ("It isn't funny.", "It is funny."),
        ("I can’t stand it.", "I can stand it."),
        ("They won't laugh.", "They will laugh."),
        ("I would watch it again.", "I would not watch it again."),
        ("Great film.", None),
        ("", None),
    ],
)
def test_negation(text: str, opposite: str | None) -> None:
    assert negate(text) == opposite


def test_noise_has_the_loudness_asked_for_and_speed_the_length() -> None:
    sound = Sound(0.1 * np.sin(np.arange(16_000) / 10).astype(np.float32), 16_000)
    for level in NOISE:
        noise = add_noise(sound, level).samples - sound.samples
        power = 10 * np.log10((sound.samples**2).mean() / (noise**2).mean())
        assert power == pytest.approx(level, abs=0.3)
    for times in SPEED:
        assert change_speed(sound, times).seconds == pytest.approx(1 / times, rel=0.01)
    kinds = [(kind, level) for kind, level, _sound in disturbed(sound)]
    assert kinds == [("noise", x) for x in NOISE] + [("speed", x) for x in SPEED]


def test_what_cannot_be_heard_counts_as_every_word_lost() -> None:
    def refuse(_sound: Sound) -> None:
        raise InputError(N_("The text is empty. Type a sentence or pick an example."))

    sound = Sound(np.zeros(16_000, np.float32), 16_000)
    assert hear(SimpleNamespace(predict=refuse), sound, "two words") == (1.0, "")  # type: ignore[arg-type]
    deaf = SimpleNamespace(predict=lambda _sound: SimpleNamespace(text="two birds"))
    assert hear(deaf, sound, "two words") == (0.5, "two birds")  # type: ignore[arg-type]


@pytest.mark.assets
def test_sentiment_is_mistyped_and_negated() -> None:
    from dlportal.case import load_case
    from dlportal.kinds.steadiness import accuracies_mistyped, mistype

    case = load_case("sentiment")
    found = mistype(case, "This is not a bad film at all.")
    assert found.levels == TYPOS and all(len(row) == DRAWS for row in found.values)
    assert found.negated is not None and found.negated.text == "This is a bad film at all."
    assert found.negated.flips and found.negated.label.id == "negative"
    long = mistype(case, "good " * 126)  # more word parts than the window once it is mistyped
    assert min(map(min, long.values)) >= 0
    texts = [example.load() for example in case.examples()]
    with torch.inference_mode():
        truth = np.array([case.predict(text).scores[0].index for text in texts])
    scores = accuracies_mistyped(case, texts, truth)
    assert scores[0] == 1.0 and len(scores) == 1 + len(TYPOS)
