"""Subjects of Chinese titles: n-grams, parser, the word list, one batch learned, bad input."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dlportal.cases.chinese_topics import LABELS, ChineseTopics, familiarity
from dlportal.data import csl
from dlportal.data.splits import Splits, Texts
from dlportal.kinds.chinese import check_chinese, pieces, plain
from dlportal.messages import InputError
from dlportal.nets.title_net import (
    FIRST,
    HIDDEN,
    MASK,
    NO,
    PAD,
    UNKNOWN,
    TitleNet,
    gram_numbers,
    known_characters,
    known_grams,
)
from dlportal.training.events import Run
from dlportal.training.texts import pad_texts
from dlportal.training.topics_training import (
    SIZE,
    Loss,
    TitlesAndWords,
    add_linear,
    counts_of,
    made_of_words,
    points,
    train_on_titles,
    word_list,
)

TITLES = ("混凝土梁的抗震性能", "冬小麦产量研究", "宋代词人研究", "混凝土桥梁研究")


def small_net(members: int = 2) -> TitleNet:
    ids = points(TITLES)
    characters = known_characters(ids, 1)
    return TitleNet(characters, known_grams(ids, characters, (1, 1, 1)), 3, members, width=4)


class TestGrams:
    def test_rows_of_characters(self) -> None:
        rows = small_net().rows(torch.tensor([[PAD, MASK, ord("鼎"), ord("混")]]))[0].tolist()
        assert rows[:3] == [NO, HIDDEN, UNKNOWN] and rows[3] >= FIRST

    def test_numbers_of_different_sizes_never_meet(self) -> None:
        rows = torch.randint(FIRST, 4096, (1, 200))
        found = [set(gram_numbers(rows, n)[gram_numbers(rows, n) >= 0].tolist()) for n in (2, 3, 4)]
        assert not found[0] & found[1] and not found[1] & found[2]

    def test_a_hidden_character_takes_its_grams_along(self) -> None:
        net = small_net()
        whole = torch.tensor([[ord(c) for c in "混凝土梁"]])
        holed = torch.tensor([[ord("混"), MASK, ord("土"), ord("梁")]])
        assert net.known_grams(whole).tolist() == [[3, 2, 1]]
        assert net.known_grams(holed).tolist() == [[1, 0, 0]]  # 土梁

    def test_padding_changes_nothing(self) -> None:
        net, ids = small_net().eval(), points(TITLES)
        alone = torch.cat([net(pad_texts([row])) for row in ids])
        torch.testing.assert_close(net(pad_texts(ids)), alone)

    def test_too_many_characters_are_refused(self) -> None:
        with pytest.raises(ValueError, match="4092"):
            TitleNet(torch.arange(5000), torch.zeros(1, dtype=torch.long), 2)

    def test_members_do_not_see_each_other(self) -> None:
        net = small_net(members=2).eval()
        x = pad_texts(points(TITLES[:1]))
        before, _ = net.votes(net.embed(x), x != PAD)
        with torch.no_grad():
            net.table.weight[:, 4:8] += 1.0  # the second member's embeddings
        after, _ = net.votes(net.embed(x), x != PAD)
        torch.testing.assert_close(before[:, 0], after[:, 0])
        assert not torch.allclose(before[:, 1], after[:, 1])

    def test_members_miss_different_pieces(self) -> None:
        torch.manual_seed(0)
        net = small_net(members=2)
        e = net.embed(pad_texts(points(TITLES)))
        parts = net.unseen(e, 0.5).unflatten(2, (4, -1))
        first, second, linear = parts.split([4, 4, 3], dim=3)
        assert ((first == 0).all(dim=3) != (second == 0).all(dim=3)).any()
        assert torch.equal(linear, e.unflatten(2, (4, -1))[..., 8:])

    def test_the_linear_model_is_scikit_learns(self) -> None:
        net, ids = small_net().eval(), points(TITLES)
        weights = torch.randn(
            net.table.num_embeddings, 3, generator=torch.Generator().manual_seed(0)
        )
        net.set_linear(weights, torch.tensor([1.0, 2.0, 3.0]))
        x = pad_texts(ids)
        counts = torch.from_numpy(counts_of(net, ids).toarray())
        expected = counts @ weights + torch.tensor([1.0, 2.0, 3.0])
        torch.testing.assert_close(net.votes(net.embed(x), x != PAD)[1], expected)

    def test_a_linear_model_that_knows_is_listened_to(self) -> None:
        net, ids, truth = small_net().eval(), points(TITLES), torch.tensor([0, 1, 2, 0])
        x = pad_texts(ids)
        weights = torch.zeros(net.table.num_embeddings, 3)
        for row, label in zip(net.gram_rows(x), truth.tolist()):
            weights[row[:, 3][row[:, 3] > 0], label] += 1.0  # fours, which only one title has
        found = add_linear(net, weights, torch.zeros(3), ids, truth)
        assert found["accuracy"]["linear"] == found["accuracy"]["both"] == 1.0
        assert found["weight"] > 0
        assert net(x).argmax(dim=1).tolist() == truth.tolist()

    def test_learns_one_batch(self) -> None:
        torch.manual_seed(0)
        net, x, y = small_net(), pad_texts(points(TITLES)), torch.tensor([0, 1, 2, 0])
        optimizer = torch.optim.AdamW(net.parameters(), lr=0.02)
        for _ in range(150):
            optimizer.zero_grad()
            Loss(torch.ones(3))(net, (x, y)).backward()
            optimizer.step()
        assert net.eval()(x).argmax(dim=1).tolist() == y.tolist()


class TestText:
    def test_one_spelling(self) -> None:
        assert plain("ＧＰＳ 定位（２０１０）") == "gps定位(2010)"

    def test_pieces(self) -> None:
        assert pieces("用GPS 测 12 点") == ["用", "GPS", "测", "12", "点"]

    @pytest.mark.parametrize(
        "text", ["What is deep learning?", "…！？", "12345", "深 learning", "πρ"]
    )
    def test_not_chinese(self, text: str) -> None:
        with pytest.raises(InputError):
            check_chinese(text)

    def test_names_may_be_latin(self) -> None:
        check_chinese("基于 MODIS NDVI 的植被变化")


class TestParser:
    def test_drops_the_prompt(self, tmp_path: Path) -> None:
        file = tmp_path / "own.tsv"
        file.write_text("to category\t论语研究\t哲学\n\nto category\t桥梁设计\t工学\n", "utf-8")
        part = csl.read(file)
        assert part.texts == ("论语研究", "桥梁设计")
        assert [csl.CLASSES[k] for k in part.labels] == ["哲学", "工学"]

    @pytest.mark.parametrize("line", ["只有题目", "p\t题目", "p\t题目\t占星学", "p\t\t工学"])
    def test_names_a_bad_line(self, line: str, tmp_path: Path) -> None:
        file = tmp_path / "own.tsv"
        file.write_text(f"p\t桥梁设计\t工学\n{line}\n", "utf-8")
        with pytest.raises(InputError, match="2"):
            csl.read(file)

    def test_an_empty_file(self, tmp_path: Path) -> None:
        (tmp_path / "own.tsv").write_text("\n", "utf-8")
        with pytest.raises(InputError):
            csl.read(tmp_path / "own.tsv")

    @pytest.mark.data
    def test_no_title_is_in_two_parts(self) -> None:
        parts = csl.load()
        train = set(parts.train.texts)
        assert not train & set(parts.test.texts) and not train & set(parts.validation.texts)
        assert len(parts.test) == 1000


class TestWords:
    def test_each_word_has_one_subject(self) -> None:
        words = [word for row in word_list() for word in row]
        assert len(words) == len(set(words)) > 3000 and len(word_list()) == 13

    def test_every_word_is_used_once_an_epoch(self) -> None:
        texts, labels = made_of_words(np.random.default_rng(0))
        assert sorted(w for t in texts for w in t.split("的")) == sorted(
            w for row in word_list() for word in row for w in word.split("的")
        )
        assert len(texts) == len(labels) and set(labels) == set(range(13))

    def test_epochs_are_as_long_and_repeatable(self) -> None:
        batches = TitlesAndWords(TITLES, np.array([0, 1, 8, 0]), seed=3)
        first, second = list(batches(0)), list(batches(0))
        assert len(first) == batches.steps_per_epoch == len(list(batches(1)))
        assert all(torch.equal(a[0], b[0]) for a, b in zip(first, second, strict=True))
        assert all(len(x) == SIZE for x, _labels in first)

    @pytest.mark.data
    def test_no_word_is_a_title_of_the_data(self) -> None:
        parts = csl.load()
        titles = {plain(t) for p in (parts.train, parts.validation, parts.test) for t in p.texts}
        assert not titles & {word for row in word_list() for word in row}


def test_a_tiny_training(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The real recipe on four titles and the word list."""
    from dlportal.case import Settings
    from dlportal.training import topics_training

    part = Texts(TITLES, np.array([0, 1, 8, 0]))
    monkeypatch.setattr(csl, "load", lambda folder=None: Splits(part, part, part))
    monkeypatch.setattr(topics_training, "EPOCHS", 1)
    run = Run(tmp_path)
    net = train_on_titles(Settings("full"), run)
    assert {"temperature", "blind", "familiar"} <= set(run.constants)
    assert net(pad_texts(points(TITLES))).shape == (4, 13)


@pytest.mark.assets
class TestChineseTopics:
    def test_clear_examples(self, get_case: Any) -> None:
        case = get_case("chinese_topics")
        for example in case.examples():
            if example.id in ("wheat", "bridge", "opera", "needle"):
                assert case.predict(example.load()).best.label.id == example.truth, example.id

    def test_warns_of_what_is_no_title(self, get_case: Any) -> None:
        case = get_case("chinese_topics")
        assert case.predict(case.example("no_title")).inside is False
        assert case.predict("的乙鱼我跑刚喝桌是红").inside is False
        assert case.predict(case.example("wheat")).inside is True
        assert familiarity(case.net, "小麦产量") > case.familiar

    def test_what_a_gram_says_goes_to_all_its_characters(self, get_case: Any) -> None:
        from dlportal.explain import get_explainer

        case: ChineseTopics = get_case("chinese_topics")
        raw = case.example("bridge")
        found = get_explainer("integrated_gradients").explain(case, raw, 0)
        assert len(found.values) == len(found.parts) == len(pieces(raw))
        assert abs(found.residual) < 0.1 * abs(found.total) + 0.05
        best = {found.parts[i] for i in np.argsort(-found.values)[:6]}
        assert best & set("斜拉桥施工")

    @pytest.mark.parametrize(
        "text", ["", "An English title", "？？？", "😀😀", "学" * 100, "学" * 100_000, None]
    )
    def test_unusable_texts_get_one_sentence(self, text: Any, get_case: Any) -> None:
        with pytest.raises(InputError) as caught:
            get_case("chinese_topics").predict(text)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("text", ["学學学", "论", "A论B语", "论\u200b语", "\n论 语\t"])
    def test_odd_texts(self, text: str, get_case: Any) -> None:
        case = get_case("chinese_topics")
        try:
            result = case.predict(text)
        except InputError:
            return
        assert len(result.scores) == len(LABELS)

    def test_a_file_of_ones_own(self, get_case: Any, tmp_path: Path) -> None:
        file = tmp_path / "own.tsv"
        rows = [e for e in get_case("chinese_topics").examples() if e.truth]
        file.write_text("".join(f"p\t{e.load()}\t{e.truth}\n" for e in rows), "utf-8")
        found = get_case("chinese_topics").evaluate(data=file, limit=4)
        assert found.n == 4 and found.measured.metrics[0].data == "own"
        shutil.rmtree(tmp_path)
