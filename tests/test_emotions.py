"""Emotions: several labels at once, lines of their own, parser, measures."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlportal.cases.emotions import LABELS, Emotions
from dlportal.data import goemotions
from dlportal.messages import InputError
from dlportal.training.emotions_evaluation import decision_ece, mean_precision, micro_f1
from dlportal.training.metrics import f1
from dlportal.training.thresholds import f1_thresholds


class TestThresholds:
    rng = np.random.default_rng(0)

    def test_find_the_line_that_was_planted(self) -> None:
        p = self.rng.random((4000, 2))
        truth = (p >= [0.3, 0.8]).astype(int)
        np.testing.assert_allclose(f1_thresholds(truth, p), [0.3, 0.8], atol=0.01)

    def test_better_than_one_half_on_rare_labels(self) -> None:
        truth = (self.rng.random((5000, 1)) < 0.03).astype(int)
        p = np.clip(0.1 * truth + 0.2 * self.rng.random((5000, 1)), 0, 1)
        line = f1_thresholds(truth, p)
        assert f1(truth[:, 0], p[:, 0] >= line) > f1(truth[:, 0], p[:, 0] >= 0.5)

    def test_same_seed_same_lines(self) -> None:
        p = self.rng.random((300, 3))
        truth = (self.rng.random((300, 3)) < p).astype(int)
        assert (f1_thresholds(truth, p, 5) == f1_thresholds(truth, p, 5)).all()

    def test_a_label_that_never_occurs(self) -> None:
        line = f1_thresholds(np.zeros((50, 1), int), self.rng.random((50, 1)))
        assert 0 <= line[0] <= 1


class TestMeasures:
    truth = np.array([[1, 0], [1, 1], [0, 0], [0, 1]])

    def test_micro_f1(self) -> None:
        yes = np.array([[1, 0], [0, 1], [1, 0], [0, 1]], bool)
        assert micro_f1(self.truth, yes) == pytest.approx(2 * 3 / (4 + 4))

    def test_perfect_order(self) -> None:
        assert mean_precision(self.truth, self.truth.astype(float)) == pytest.approx(1.0)

    def test_honest_probabilities_have_no_ece(self) -> None:
        assert decision_ece(self.truth, np.full((4, 2), 0.5)) == pytest.approx(0.0)
        assert decision_ece(self.truth, np.full((4, 2), 0.9)) == pytest.approx(0.4)


class TestParser:
    def test_reads_several_labels(self, tmp_path: Path) -> None:
        file = tmp_path / "own.tsv"
        file.write_text("I love it!\t18,17\tid\n\nWhat?\t6\n", "utf-8")
        part = goemotions.read(file)
        assert part.texts == ("I love it!", "What?") and part.labels.shape == (2, 28)
        assert np.flatnonzero(part.labels[0]).tolist() == [17, 18]

    @pytest.mark.parametrize("line", ["no label", "text\tjoy", "text\t28", "text\t-1", "text\t"])
    def test_names_a_bad_line(self, line: str, tmp_path: Path) -> None:
        file = tmp_path / "own.tsv"
        file.write_text(f"fine\t0\n{line}\n", "utf-8")
        with pytest.raises(InputError, match="Line 2"):
            goemotions.read(file)

    @pytest.mark.data
    def test_no_comment_is_in_two_parts(self) -> None:
        parts = goemotions.load()
        train = set(parts.train.texts)
        assert not train & set(parts.test.texts) and not train & set(parts.validation.texts)
        assert len(parts.test) == 5427


def test_every_emotion_has_two_names() -> None:
    assert len({label.zh for label in LABELS}) == len({label.en for label in LABELS}) == 28


@pytest.mark.assets
class TestEmotions:
    def test_clear_examples(self, get_case: Any) -> None:
        case = get_case("emotions")
        for example in case.examples():
            result = case.predict(example.load())
            assert isinstance(result, Emotions) and len(result.scores) == 28
            if example.id in ("thanks", "sorry", "question"):
                assert example.truth in [felt.label.id for felt in result.present], example.id

    def test_the_present_come_first(self, get_case: Any) -> None:
        scores = get_case("emotions").predict("I love this, thank you so much!").scores
        assert [felt.present for felt in scores] == sorted(
            (felt.present for felt in scores), reverse=True
        )
        assert sum(felt.present for felt in scores) >= 2

    def test_each_emotion_has_words_of_its_own(self, get_case: Any) -> None:
        from dlportal.explain import get_explainer

        case = get_case("emotions")
        raw = "Thank you, but this makes me angry."
        index = {label.id: i for i, label in enumerate(LABELS)}
        maps = {
            name: get_explainer("leave_one_out").explain(case, raw, index[name])
            for name in ("gratitude", "anger")
        }
        best = {name: found.parts[int(found.values.argmax())] for name, found in maps.items()}
        assert best["gratitude"] in ("Thank", "you") and best["anger"] == "angry"

    @pytest.mark.parametrize("text", ["", "我很高兴", "😀😀", "so happy " * 100, "x" * 100_000])
    def test_unusable_texts_get_one_sentence(self, text: str, get_case: Any) -> None:
        with pytest.raises(InputError) as caught:
            get_case("emotions").predict(text)
        assert "\n" not in str(caught.value)
