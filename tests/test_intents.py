"""Intents: two assistants on one net, out of scope, neighbours, parsers, soft targets."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dlportal.case import Settings
from dlportal.cases.intents import (
    ASSISTANTS,
    EXAMPLES,
    LABELS,
    SIZES,
    Intent,
    place,
    split,
    subjects,
)
from dlportal.commands.predict import answer_all, blame
from dlportal.data import banking77, clinc150
from dlportal.data.splits import Splits, Texts, novel_rows
from dlportal.messages import InputError
from dlportal.training import intents_training
from dlportal.training.events import Run
from dlportal.training.intents_training import (
    TENTHS,
    ask_neighbours,
    evenly,
    few,
    intent_ids,
    settle_bank,
)


class TestLabels:
    def test_every_intent_has_names_of_its_own(self) -> None:
        assert SIZES == (77, 150)
        for name in ASSISTANTS:
            for language in ("id", "en", "zh"):
                names = [getattr(label, language) for label in LABELS[name]]
                assert all(names) and len(set(names)) == len(names)

    def test_ten_subjects_of_fifteen(self) -> None:
        found = subjects()
        assert len(set(found)) == 10 and all(found.count(name) == 15 for name in set(found))

    def test_examples_name_intents_of_the_assistant_that_is_asked(self) -> None:
        for _id, assistant, _text, _en, _zh, truth in EXAMPLES:
            assert not truth or truth in intent_ids(assistant)


class TestWhoIsAsked:
    @pytest.mark.parametrize(
        "raw,expected",
        [
            ("everyday: what time is it", ("everyday", "what time is it")),
            ("BANK:my card", ("bank", "my card")),
            ("my card", ("bank", "my card")),
            ("a question: is this one?", ("bank", "a question: is this one?")),
            ("", ("bank", "")),
        ],
    )
    def test_split(self, raw: str, expected: tuple[str, str]) -> None:
        assert split(raw) == expected

    def test_places_follow_each_other(self) -> None:
        assert place("bank") == (0, 77) and place("everyday") == (77, 227)


class TestTargets:
    def test_neighbours_are_others(self) -> None:
        z = torch.eye(12)[torch.arange(24) % 12]  # every meaning twice
        labels = torch.arange(24) // 12
        said = ask_neighbours(z, labels, 2)
        torch.testing.assert_close(said.sum(dim=1), torch.ones(24))
        # The twin has the other label: nobody hears itself.
        assert all(said[i, 1 - labels[i]] > said[i, labels[i]] for i in range(24))

    def test_intents_count_the_same(self) -> None:
        weights = evenly(torch.tensor([0, 0, 0, 1]))
        assert float(weights[:3].sum()) == pytest.approx(float(weights[3]))
        assert float(weights.mean()) == pytest.approx(1.0)

    def test_few(self) -> None:
        part = Texts(tuple("abcdef"), np.array([0, 0, 0, 0, 1, 1]))
        kept = few(part, 2, 0)
        assert kept.labels.tolist() == [0, 0, 1, 1] and kept.texts == few(part, 2, 0).texts

    def test_the_banks_temperature_comes_from_several_networks(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        labels = torch.arange(77).repeat(20)
        # Right in three of four: a logit that says so, and one that is twice as sure.
        said = torch.where(torch.arange(len(labels)) % 4 > 0, labels, (labels + 1) % 77)
        sure = float(torch.tensor(3.0 * 76).log())
        rows = {"fair": sure * torch.eye(77)[said], "bold": 2 * sure * torch.eye(77)[said]}
        text = Texts(tuple(str(n) for n in range(len(labels))), labels.numpy())
        left_out = []

        def learn(parts: Any, settings: Settings, run: Run, name: str) -> tuple[str, dict]:
            left_out.append(name)
            return "fair", {}

        monkeypatch.setattr(intents_training, "learn", learn)
        monkeypatch.setattr(intents_training, "own_logits", lambda net, ids, assistant: rows[net])
        monkeypatch.setattr(intents_training, "encode_all", lambda texts: [[1]] * len(texts))
        parts = {name: Splits(text, text, text) for name in ASSISTANTS}
        monkeypatch.setattr(
            banking77, "load", lambda classes, seed: Splits(text.take(np.arange(77)), text, text)
        )
        run = Run(tmp_path)
        run.constants["temperatures"] = [9.0, 1.5]
        settle_bank("bold", parts, Settings("full"), run)  # type: ignore[arg-type]
        assert left_out == [f"left_out_{k}" for k in range(1, TENTHS)]
        first, *others = run.facts["bank_temperatures"]
        assert first == pytest.approx(2.0, abs=0.02) and others == pytest.approx(
            [1.0, 1.0], abs=0.02
        )
        bank, everyday = run.constants["temperatures"]
        assert 1.05 < bank < 1.9 and everyday == 1.5
        run.cancel()
        run.constants["temperatures"] = [9.0, 1.5]
        settle_bank("bold", parts, Settings("full"), run)  # type: ignore[arg-type]
        assert run.constants["temperatures"] == [9.0, 1.5]


class TestParsers:
    def test_banking_names_a_bad_row(self, tmp_path: Path) -> None:
        file = tmp_path / "own.csv"
        file.write_text('text,category\n"Where is,\nmy card?",card_arrival\nx,nothing\n', "utf-8")
        with pytest.raises(InputError, match="Row 3"):
            banking77.read(file, intent_ids("bank"))

    def test_banking_reads_quoted_newlines(self, tmp_path: Path) -> None:
        file = tmp_path / "own.csv"
        file.write_text('text,category\n"Where is,\nmy card?",card_arrival\n', "utf-8")
        assert banking77.read(file, intent_ids("bank")).texts == ("Where is, my card?",)

    @pytest.mark.parametrize("text", ["", "[]", '{"train": 3}', "\x00"])
    def test_clinc_refuses_other_files(self, text: str, tmp_path: Path) -> None:
        file = tmp_path / "data_full.json"
        file.write_text(text, "utf-8")
        with pytest.raises(InputError, match="CLINC150"):
            clinc150.load(intent_ids("everyday"), file)

    def test_clinc_drops_what_the_test_knows(self, tmp_path: Path) -> None:
        rows = [
            ["What time is it", "time"],
            ["roll a die", "roll_dice"],
            ["Roll a die.", "roll_dice"],
        ]
        parts = {"train": rows, "val": [], "test": [["what time is it?", "time"]]}
        document = parts | {f"oos_{name}": [] for name in parts}
        file = tmp_path / "data_full.json"
        file.write_text(json.dumps(document), "utf-8")
        assert clinc150.load(intent_ids("everyday"), file).inside.train.texts == ("roll a die",)

    def test_novel_rows(self) -> None:
        assert novel_rows(["a b", "A, b!", "c", "!!", "??"], ["C."]).tolist() == [0, 3, 4]

    @pytest.mark.data
    def test_no_question_is_in_two_parts(self) -> None:
        from dlportal.training.intents_training import load_parts

        parts, outside = load_parts()
        for part in parts.values():
            texts = [set(p.texts) for p in (part.train, part.validation, part.test)]
            assert not texts[0] & texts[2]
        assert len(parts["bank"].test) == 3080 and len(outside.test) == 1000


@pytest.mark.assets
class TestIntents:
    def test_examples(self, get_case: Any) -> None:
        case = get_case("intents")
        right = 0
        for example in case.examples():
            result = case.predict(example.load())
            assert isinstance(result, Intent)
            right += result.best.label.id == example.truth and result.understood
        assert right >= 4

    def test_knows_what_it_does_not_know(self, get_case: Any) -> None:
        case = get_case("intents")
        egg = "How long should I boil an egg?"
        bank, everyday = case.predict(f"bank: {egg}"), case.predict(f"everyday: {egg}")
        assert not bank.understood and everyday.understood
        assert bank.inside is False and everyday.inside is True
        assert everyday.best.label.id == "cook_time"

    def test_explanations_are_of_the_assistant_that_is_asked(self, get_case: Any) -> None:
        from dlportal.explain import get_explainer

        case = get_case("intents")
        raw = "everyday: How long should I boil an egg?"
        about = case.about(raw)
        target = about.targets(raw)[0]
        assert about.target_name(target) == "cooking time"
        found = get_explainer("integrated_gradients").explain(about, raw, target)
        assert found.parts == ("How", "long", "should", "I", "boil", "an", "egg", "?")
        assert abs(found.residual) < 0.05 * abs(found.total)

    @pytest.mark.parametrize(
        "text",
        ["", "bank:", "everyday:  ", "我的卡在哪里？", "😀😀", "card " * 200, "x" * 100_000],
    )
    def test_unusable_questions_get_one_sentence(self, text: str, get_case: Any) -> None:
        with pytest.raises(InputError) as caught:
            get_case("intents").predict(text)
        assert "\n" not in str(caught.value)

    @pytest.mark.data
    def test_neighbours_are_training_questions(self, get_case: Any) -> None:
        from dlportal.cases.intents_nearest import Neighbours

        case = get_case("intents")
        raw = "bank: I still don't have my card after 3 weeks"
        found = Neighbours(case).nearest(raw, case.predict(raw))
        likeness = [row.likeness for row in found]
        assert len(found) == 5 and likeness == sorted(likeness, reverse=True)
        assert found[0].label.id == "card_arrival" and 0.7 < likeness[0] <= 1.0 + 1e-5

    def test_lines_come_back_in_order_and_a_bad_one_is_named(self, get_case: Any) -> None:
        case = get_case("intents")
        given = ["my card was stolen yesterday on the train", "hi", "everyday: tell me a joke"] * 20
        answers = list(answer_all(case, given))
        assert [text for text, _ in answers] == given
        assert answers[2][1].best.label.id == "tell_joke"
        with pytest.raises(InputError, match="Input 2 of 3"):
            list(answer_all(case, ["hello there", "你好", "bye"]))
        assert "Input" not in str(blame(case, ["你好"], InputError("x")))
