"""Question answering: scores, matches, spans, windows, "no answer", one batch learned, bad input."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dlportal.cases.question_paragraphs import BRIDGE, LIGHTHOUSE, SETS, TEA, example_id, find
from dlportal.data.squad import Answer, Asked, read_squad, relocated
from dlportal.kinds.judged_spans import Found, answer_of, judge, relative
from dlportal.kinds.passage_en import shape_name, stem, stem_number
from dlportal.kinds.passage_text import hidden, words_of
from dlportal.kinds.passages import (
    Passage,
    Window,
    cuts,
    language_of,
    parse,
    windows_of,
    written,
)
from dlportal.messages import InputError
from dlportal.nets.chinese_reader import CHINESE, FIRST_ROW, HIDDEN, LONGEST, ChineseReader
from dlportal.nets.passage_match import CODE, PARAGRAPH, PART, QUESTION, coverage, runs, same
from dlportal.nets.span_head import IMPOSSIBLE
from dlportal.nets.span_scorer import SpanScorer
from dlportal.training.reading_baselines import best_sentence, best_span
from dlportal.training.reading_data import ReadingBatches, Row, encode_rows, folds_of, hide, joined
from dlportal.training.reading_evaluation import error_of
from dlportal.training.reading_scales import (
    Asking,
    best_threshold,
    flat,
    right_places,
    scales,
    with_strangers,
)
from dlportal.training.reading_scores import exact, f1
from dlportal.training.reading_slices import type_of
from dlportal.training.reading_training import span_loss
from dlportal.training.reading_vocabulary import (
    chinese_rarity,
    chinese_table,
    chinese_texts,
    chinese_vectors,
)

QUESTIONS = (
    ("石鲸桥是哪一年通车的？", BRIDGE, "2009年"),
    ("大桥由谁设计？", BRIDGE, "梁伯远"),
    ("馆长是谁？", TEA, "何婉清"),
    ("全镇有茶园多少亩？", TEA, "三千二百亩"),
)


def asked(question: str, paragraph: str, answer: str, place: int = 0) -> Asked:
    start = paragraph.index(answer)
    return Asked(place, (place, 0), paragraph, question, (Answer(answer, start),), (answer,))


def chinese_rows() -> list[Row]:
    questions = [asked(q, p, a, int(p is TEA)) for q, p, a in QUESTIONS]
    return encode_rows(questions, "zh", None, LONGEST)


def small_reader(rows: list[Row]) -> ChineseReader:
    torch.manual_seed(0)
    paragraphs, questions = chinese_texts(rows)
    table, known = chinese_table((paragraphs + questions) * 3)
    return ChineseReader(table, chinese_rarity(paragraphs), FIRST_ROW + len(known), dropout=0.0)


class TestScores:
    def test_squad_counts_words_without_articles(self) -> None:
        assert f1("en", "The Panthers!", ["panthers"]) == 1.0
        assert exact("en", "an Apple,", ["apple"]) == 1.0
        assert f1("en", "in 1874 by Linden", ["1874"]) == pytest.approx(2 / 5)
        assert f1("en", "no", ["yes"]) == 0.0

    def test_cmrc_counts_the_longest_run(self) -> None:
        assert f1("zh", "任天堂游戏", ["谜之村", "任天堂"]) == pytest.approx(2 * 3 / 8)
        # a 与 b 有四个相同的字，但最长的连续部分只有两个。
        assert f1("zh", "春天夏天", ["春夏天秋天"]) == pytest.approx(2 * 2 / 9)
        assert exact("zh", "《红楼梦》。", ["红楼梦"]) == 1.0
        assert f1("zh", "iPhone 手机", ["iphone"]) == pytest.approx(2 / 4)


class TestData:
    def test_answers_are_looked_for(self) -> None:
        assert relocated("abcabc", "c", 2) == Answer("c", 2)
        assert relocated("abcabc", "c", 4) == Answer("c", 5)
        assert relocated("abc", "x", 0) is None and relocated("abc", "", 0) is None

    def test_reads_squad(self, tmp_path: Path) -> None:
        answers = [{"text": "red", "answer_start": 7}]
        qas = [
            {"question": "Which colour?", "id": "1", "answers": answers},
            {"question": "Why?", "id": "2", "answers": [], "is_impossible": True},
        ]
        file = tmp_path / "own.json"
        file.write_text(
            json.dumps({"data": [{"paragraphs": [{"context": "It was red.", "qas": qas}]}]})
        )
        (one,) = read_squad(file)
        assert one.answers == (Answer("red", 7),) and one.accepted == ("red",)

    @pytest.mark.parametrize("text", ["", "[]", '{"data": 3}', '{"data": [{}]}', "\x00"])
    def test_other_layouts_are_refused(self, text: str, tmp_path: Path) -> None:
        file = tmp_path / "own.json"
        file.write_text(text)
        with pytest.raises(InputError, match="SQuAD"):
            read_squad(file)

    def test_folds_keep_articles_whole(self) -> None:
        rows = [Row(asked("谁？", TEA, "何婉清", n // 3), [], []) for n in range(30)]
        part = folds_of(rows, 5)
        assert all(len(set(part[3 * a : 3 * a + 3])) == 1 for a in range(10))
        assert np.bincount(part).tolist() == [6] * 5


class TestText:
    def test_stems_and_shapes(self) -> None:
        assert stem("invented") == stem("inventing") and stem("town") != stem("tower")
        assert stem_number("the") == 0 and stem_number("?") == 0 and stem_number("lamp") > 0
        names = [shape_name(w, False) for w in ("1874", "38", "May", "may", "Reed", "iPod", ",")]
        assert names == ["year", "number", "month", "lower", "title", "mixed", "sign"]
        assert shape_name("Reed", True) == "first"

    @pytest.mark.parametrize(("length", "count"), [(5, 1), (10, 1), (11, 2), (100, 16)])
    def test_windows_leave_nothing_out(self, length: int, count: int) -> None:
        found = cuts(length, 10, 4)
        assert len(found) == count
        assert {i for a, b in found for i in range(a, b)} == set(range(length))
        assert all(b - a == min(10, length) for a, b in found)

    @pytest.mark.parametrize(
        "raw",
        [
            "谁？\n他是王五。",
            "谁？\t他是王五。",
            "谁？他是王五。",
            '{"question": "谁？", "paragraph": "他是王五。"}',
        ],
    )
    def test_ways_to_ask(self, raw: str) -> None:
        assert parse(raw) == Passage("谁？", "他是王五。", "zh")

    @pytest.mark.parametrize("raw", ["one line", "question\n  ", '{"question": "a"}', "{", "[1, 2"])
    def test_both_are_needed(self, raw: str) -> None:
        with pytest.raises(InputError, match="first line"):
            parse(raw)

    def test_language_follows_the_paragraph(self) -> None:
        assert language_of(LIGHTHOUSE) == "en" and language_of(TEA) == "zh"
        assert language_of("公司 ABC 在上海") == "zh" and language_of("1874") == "en"

    def test_long_questions_are_refused(self) -> None:
        with pytest.raises(InputError, match="65 tokens"):
            windows_of(Passage("问" * 65, TEA, "zh"), None)

    def test_words_to_hide(self) -> None:
        passage = Passage("2016年建了什么？", TEA, "zh")
        (window,) = windows_of(passage, None)
        words, word_of = words_of(passage, window)
        assert words[0] == "2016" and word_of[1:5] == [0] * 4
        assert word_of[0] == -1 and len(word_of) == len(window.x)
        place = TEA.index("2016")
        assert words[word_of[window.token_at(place)]] == "2016"  # type: ignore[index]

    def test_our_examples(self) -> None:
        ids = [example_id(one.id, key) for one in SETS for key, _question in one.questions]
        assert len(set(ids)) == len(ids)
        assert find("tea_who")[1].startswith("最早") and find("no such")[0].id == "lighthouse"
        assert {one.language for one in SETS} == {"en", "zh"}
        assert all(key in dict(one.questions) for one in SETS for key in ("missing",))


class TestMatches:
    def x(self) -> torch.Tensor:
        """甲乙丙 asked, 丁甲乙丁丙 told."""
        passage = Passage("甲乙丙", "丁甲乙丁丙", "zh")
        return torch.from_numpy(windows_of(passage, None)[0].x).unsqueeze(0)

    def test_single_matches_and_runs(self) -> None:
        x = self.x()
        equal = same(x[..., CODE], x)
        start = int((x[0, :, PART] == PARAGRAPH).nonzero()[0])
        assert equal[0, start:-1].nonzero().tolist() == [[1, 0], [2, 1], [4, 2]]
        two, three = runs(equal)
        assert two[0].sum() == 2 and not three.any()

    def test_coverage_counts_each_word_once(self) -> None:
        x = self.x()
        matches = same(x[..., CODE], x).float()
        weights = torch.tensor([[1.0, 1.0, 2.0]])
        found = coverage(matches, weights, x, [torch.zeros_like(x[..., CODE])])
        start = int((x[0, :, PART] == PARAGRAPH).nonzero()[0])
        assert found[0, start + 1, 0] == pytest.approx(0.25)  # 甲 alone
        assert found[0, start, 1] == pytest.approx(0.5)  # three places on: 甲 and 乙
        assert found[0, start, 4] == pytest.approx(1.0)  # the whole sentence
        assert found[0, : start - 1].abs().sum() == 0  # nothing outside the paragraph

    def test_what_is_hidden_matches_nothing(self) -> None:
        rows = chinese_rows()
        net = small_reader(rows)
        x = torch.from_numpy(rows[0].windows[0].x).unsqueeze(0)
        width = net.embed(x).shape[-1]
        matched = net.embed(x)[..., 64 : width - 60]
        assert matched.sum() > 0
        assert net.embed(hidden(x))[..., 64 : width - 60].abs().sum() < matched.sum()
        gone = hide(x, 1.0, np.random.default_rng(0))
        told = gone[0, :, PART] == PARAGRAPH
        assert (gone[0, told, CODE] == CHINESE + HIDDEN).all()


class TestReader:
    def test_only_spans_of_the_paragraph(self) -> None:
        rows = chinese_rows()
        net = small_reader(rows).eval()
        window = rows[0].windows[0]
        y = net(torch.from_numpy(window.x).unsqueeze(0))[0]
        assert y.shape == (len(window.x), LONGEST)
        possible = (y > IMPOSSIBLE / 2).nonzero()
        inside = possible[1:]
        assert possible[0].tolist() == [0, 0]  # no answer
        assert int(inside[:, 0].min()) == window.start
        assert int(inside.sum(dim=1).max()) == len(window.x) - 2

    def test_padding_changes_nothing(self) -> None:
        rows = chinese_rows()
        net = small_reader(rows).eval()
        windows = [row.windows[0] for row in rows]
        together = net(joined([(w.x, w.start) for w in windows], None)["x"])
        for y, window in zip(together, windows, strict=True):
            alone = net(torch.from_numpy(window.x).unsqueeze(0))[0]
            torch.testing.assert_close(y[: len(window.x)], alone, rtol=1e-4, atol=1e-4)

    def test_learns_one_batch(self) -> None:
        rows = chinese_rows()
        net = small_reader(rows)
        batch = next(iter(ReadingBatches(rows, None, LONGEST, 4, 0, strangers=0.0)(0)))
        optimizer = torch.optim.AdamW(net.parameters(), lr=5e-3)
        for _ in range(40):
            optimizer.zero_grad()
            span_loss(net, batch).backward()
            optimizer.step()
        told = net.eval()(batch["x"]).flatten(1).argmax(dim=1)
        assert told.tolist() == batch["target"].tolist()

    def test_a_scorer_agrees_with_the_judge(self) -> None:
        rows = chinese_rows()
        net = small_reader(rows).eval()
        window = rows[0].windows[0]
        x = torch.from_numpy(window.x).unsqueeze(0)
        with torch.inference_mode():
            found = judge(list(net(x)), [window], 1.5).spans[:3]
            scorer = SpanScorer(net, [(f.first, f.length) for f in found], 1.5)
            p = torch.sigmoid(scorer(x))[0]
        assert p.tolist() == pytest.approx([f.probability for f in found], rel=1e-3)


class TestSpans:
    def test_probabilities_add_up(self) -> None:
        rows = chinese_rows()
        window = rows[0].windows[0]
        torch.manual_seed(1)
        y = small_reader(rows).eval()(torch.from_numpy(window.x).unsqueeze(0))[0].detach()
        found = judge([y], [window], 1.0)
        assert found.nothing + sum(found.starts.values()) == pytest.approx(1, abs=1e-4)
        assert found.nothing + sum(found.ends.values()) == pytest.approx(1, abs=1e-4)

    def test_windows_are_weighed_against_no_answer(self) -> None:
        y = torch.full((4, 2), IMPOSSIBLE)
        y[0, 0], y[1, 0] = 0.0, 1.0
        sure, unsure = y.clone(), y.clone()
        sure[0, 0] = -2.0
        windows = [Window(np.zeros((4, 6)), 1, [(i, i + 1), (i + 1, i + 2)]) for i in (0, 10)]
        spans = judge([unsure, sure], windows, 1.0).spans
        assert spans[0].start == 10
        assert spans[0].probability == pytest.approx(np.exp(3) / (1 + np.e + np.exp(3)), rel=1e-4)

    def test_the_answer_has_most_in_common(self) -> None:
        def span(start: int, end: int, p: float) -> Found:
            return Found(start, end, p, 0, 0, 0)

        alone, short, longer = span(50, 54, 0.4), span(10, 14, 0.35), span(7, 14, 0.25)
        assert answer_of([alone, short, longer]) == short
        assert answer_of([alone, span(10, 14, 0.1)]) == alone
        # What merely covers two likely ones is not the answer.
        pair = [span(0, 8, 0.3), span(10, 18, 0.3)]
        assert answer_of([*pair, span(0, 18, 0.1)]) in pair

    def test_nothing_is_relative(self) -> None:
        y = torch.tensor([[[2.0, 0.0], [5.0, 1.0]]])
        assert relative(y)[0].tolist() == [[-np.inf, -2.0], [3.0, -1.0]]


class TestScales:
    def test_strangers_hold_no_answer(self) -> None:
        rows = chinese_rows()
        strangers = with_strangers(rows, None, "zh")
        assert len(strangers) == len(rows)
        for row, stranger in zip(rows, strangers, strict=True):
            assert stranger.asked.paragraph != row.asked.paragraph
            assert row.asked.accepted[0] not in stranger.asked.paragraph

    def test_right_places_in_the_flat_list(self) -> None:
        row = chinese_rows()[0]
        y = [torch.zeros(len(w.x), LONGEST) for w in row.windows]
        number, first, more = row.targets[0]
        y[number][first, more] = 7.0
        assert int(flat(y).argmax()) in right_places(y, row).tolist()

    def test_temperature_and_threshold(self) -> None:
        overconfident = [torch.tensor([0.0, 8.0, 0.0])] * 7 + [torch.tensor([0.0, 0.0, 8.0])] * 3
        asking = Asking(
            overconfident, [torch.tensor([1])] * 10, [torch.tensor([0.0, -8.0, -8.0])] * 10
        )
        found = scales([asking])
        assert found["temperature"] > 1.5
        assert best_threshold([0.1, 0.2, 0.3], [0.7, 0.8]) == pytest.approx(0.7)

    def test_calibration_error(self) -> None:
        p, right = np.array([0.95, 0.95, 0.15, 0.15]), np.array([1.0, 1.0, 0.0, 0.0])
        assert error_of(p, right) == pytest.approx((0.1 + 0.3) / 4)


class TestBatches:
    def test_some_get_a_stranger(self) -> None:
        rows = chinese_rows()
        batches = ReadingBatches(rows, None, LONGEST, 4, 0, strangers=1.0)
        told = [int(t) for epoch in range(5) for t in next(iter(batches(epoch)))["target"]]
        assert told.count(0) > len(told) / 3  # one paragraph an article: half of the draws are it
        first, again = (next(iter(batches(3)))["x"] for _ in range(2))
        assert torch.equal(first, again)

    def test_vectors_of_characters(self) -> None:
        vectors = chinese_vectors(["甲乙丙丁" * 5, "甲乙丙戊" * 5], list("甲乙丙丁戊"))
        assert vectors.shape == (5, 64)
        assert float(vectors[3] @ vectors[4]) > float(vectors[3] @ vectors[0])


class TestRules:
    def test_the_sentence(self) -> None:
        assert "Tomas Reed" in best_sentence("en", "Who was the last keeper?", LIGHTHOUSE)
        assert "馆长" in best_sentence("zh", "博物馆的馆长是谁？", TEA)

    def test_the_span(self) -> None:
        assert best_span("en", "How many metres high is it?", LIGHTHOUSE) == "38"
        assert best_span("en", "When did electricity reach the island?", LIGHTHOUSE) == "1961"
        assert best_span("zh", "石鲸桥是哪一年通车的？", BRIDGE) == "2009年"

    def test_kinds_of_questions(self) -> None:
        types = ((r"\bhow (many|much)\b", None), (r"\bhow\b", None))
        assert [type_of(q, types) for q in ("How many?", "How?", "Why?")] == [0, 1, -1]  # type: ignore[arg-type]


@pytest.mark.assets
class TestCase:
    @pytest.fixture
    def case(self, get_case: Any) -> Any:
        return get_case("question_answering")

    def test_languages_mix_in_a_batch(self, case: Any) -> None:
        raws = [case.example(i) for i in ("lighthouse_when", "tea_who", "otters_how")]
        together = case.predict_batch(raws)
        assert [answer.language for answer in together] == ["en", "zh", "en"]
        for raw, answer in zip(raws, together, strict=True):
            assert case.predict(raw).spans[0].text == answer.spans[0].text
            assert answer.spans[0].text in answer.paragraph

    def test_long_paragraphs_are_read_whole(self, case: Any) -> None:
        filler = "The harbour was quiet and nothing else happened there that day. " * 40
        raw = written("Who was the last keeper?", filler + LIGHTHOUSE)
        answer = case.predict(raw)
        assert answer.windows > 2
        assert answer.tokens[0].start == 0
        assert answer.tokens[-1].end == len(filler + LIGHTHOUSE)
        assert answer.spans[0].start > len(filler)

    def test_mixed_languages_are_marked(self, case: Any) -> None:
        assert case.predict(written("谁建了灯塔？", LIGHTHOUSE)).inside is False
        assert case.predict(written("Who?", TEA)).inside is False

    @pytest.mark.parametrize(
        "raw",
        ["", "😀\n😀😀", "Who?\n" + "word " * 30_000, "q " * 70 + f"\n{LIGHTHOUSE}", "谁\n…！"],
    )
    def test_bad_input(self, raw: str, case: Any) -> None:
        with pytest.raises(InputError) as caught:
            case.check(raw)
        assert "\n" not in str(caught.value)

    def test_a_file_can_be_asked(self, case: Any, tmp_path: Path) -> None:
        file = tmp_path / "asked.txt"
        file.write_text(written("Who was the last keeper?", LIGHTHOUSE), "utf-8")
        assert case.predict(case.read(str(file))).question == "Who was the last keeper?"

    @pytest.mark.parametrize("text", ["何时？\u4e91溪镇" + "茶" * 240, "Who?\x00", "a/" * 3000])
    def test_a_text_that_no_file_could_be_called_is_a_text(self, case: Any, text: str) -> None:
        assert case.read(text) == text

    def test_explains_question_and_paragraph(self, case: Any) -> None:
        raw = case.example("tea_head")
        judge_ = case.about(raw)
        words, word_of = judge_.words(raw)
        view, x = judge_.differentiable(raw), judge_.encode(raw)
        assert judge_.masker(raw).shape == (len(words),) and len(word_of) == x.shape[1]
        with torch.inference_mode():
            torch.testing.assert_close(view.forward(view.x), judge_.net(x), rtol=1e-3, atol=1e-3)
            assert judge_.net(judge_.masker(raw).empty)[0, 0] < judge_.net(x)[0, 0]
        part = torch.from_numpy(judge_.windows(raw)[0].x[:, PART])
        assert {int(p) for p, w in zip(part, word_of, strict=True) if w >= 0} == {
            QUESTION,
            PARAGRAPH,
        }

    @pytest.mark.data
    @pytest.mark.slow
    def test_evaluates_a_few(self, case: Any) -> None:
        found = case.evaluate("test", limit=20)
        keys = {metric.key for metric in found.measured.metrics}
        assert {"f1@xquad_en", "f1@cmrc2018", "no_answer_auroc@cmrc2018"} <= keys
        assert found.n == 40

    def test_own_file_is_measured(self, case: Any, tmp_path: Path) -> None:
        answers = [{"text": "Tomas Reed", "answer_start": LIGHTHOUSE.index("Tomas")}]
        qas = [{"question": "Who was the last keeper?", "id": "1", "answers": answers}]
        file = tmp_path / "own.json"
        content = {"data": [{"paragraphs": [{"context": LIGHTHOUSE, "qas": qas}]}]}
        file.write_text(json.dumps(content))
        found = case.evaluate(data=file)
        assert found.n == 1 and found.measured.metrics[0].key == "f1@own"
