"""Chinese names: the chain against counting everything, tags, lists, files of others."""

import itertools
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dlportal.data import uner
from dlportal.data.conll import Tagged
from dlportal.data.uner import TYPES
from dlportal.kinds.characters import pieces_of, readable, traditional
from dlportal.messages import InputError
from dlportal.nets.character_tagger import CharacterTagger, known_characters, known_pairs
from dlportal.nets.crf import LinearChain
from dlportal.nets.name_marker import (
    NameJudge,
    all_log_probabilities,
    facts,
    name_log_probability,
    spelled,
)
from dlportal.nets.name_tags import chain_of, may_follow, spell, tags_of_types
from dlportal.training.characters_data import TAGS as ALL
from dlportal.training.characters_data import (
    Sentence,
    exchanged,
    joined,
    names_in,
    sentences_of,
)
from dlportal.training.characters_marks import against, confidences, emissions, mark
from dlportal.training.characters_rivals import known_names, look_up, window_names
from dlportal.training.characters_training import name_loss
from dlportal.training.entities import Name, iob2, spans_of
from dlportal.training.made_names import FLAGS, flags_of, listed_tables, made_name
from dlportal.training.texts import pad_texts

TAGS = tags_of_types(("LOC", "PER"))


def small_chain(seed: int = 0) -> LinearChain:
    chain = chain_of(TAGS)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in chain.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return chain


def possible(count: int) -> list[tuple[int, ...]]:
    """All sequences of tags that are allowed."""
    return [
        row
        for row in itertools.product(range(len(TAGS)), repeat=count)
        if TAGS[row[0]][0] in "OBS"
        and TAGS[row[-1]][0] in "OES"
        and all(may_follow(TAGS[a], TAGS[b]) for a, b in itertools.pairwise(row))
    ]


def worth(chain: LinearChain, y: torch.Tensor, row: tuple[int, ...]) -> float:
    """The score of a sequence, added up by hand."""
    total = (chain.begin[row[0]] + chain.end[row[-1]]).item()
    total += sum(y[t, tag].item() for t, tag in enumerate(row))
    return total + sum(chain.pairs[a, b].item() for a, b in itertools.pairwise(row))


def test_chain_equals_counting_all_sequences() -> None:
    """Two texts of 4 and 3 characters in one batch: sum, loss, best sequence."""
    chain = small_chain()
    y = 2 * torch.randn(2, 4, len(TAGS), generator=torch.Generator().manual_seed(1))
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]])
    for place, count in enumerate((4, 3)):
        rows = possible(count)
        scores = torch.tensor([worth(chain, y[place], row) for row in rows])
        total = torch.logsumexp(scores, dim=0)
        assert chain.log_sum(y, mask)[place].item() == pytest.approx(total.item(), abs=1e-4)
        best = rows[int(scores.argmax())]
        assert chain.best(y, mask)[place] == list(best)
        tags = torch.zeros(2, 4, dtype=torch.long)
        tags[place, :count] = torch.tensor(best)
        loss = chain.loss(y, tags, mask)[place].item()
        assert loss == pytest.approx((total - scores.max()).item(), abs=1e-4)


@pytest.mark.parametrize("temperature", [1.0, 1.7])
def test_probability_of_a_name_equals_counting(temperature: float) -> None:
    chain = small_chain(2)
    y = 2 * torch.randn(2, 4, len(TAGS), generator=torch.Generator().manual_seed(3))
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]])
    found = facts(chain, y, mask, temperature).detach().numpy()
    pairs = chain.scores()[0].detach().numpy() / temperature
    for place, count in enumerate((4, 3)):
        rows = possible(count)
        p = torch.softmax(torch.tensor([worth(chain, y[place], r) for r in rows]) / temperature, 0)
        for kind, (start, end) in itertools.product(
            ("LOC", "PER"), itertools.combinations(range(count + 1), 2)
        ):
            tags = spelled(kind, end - start, TAGS)
            true = sum(float(v) for v, r in zip(p, rows, strict=True) if list(r[start:end]) == tags)
            told = name_log_probability(found[place, :count], pairs, start, tags)
            assert np.exp(told) == pytest.approx(true, abs=1e-4)
            every = np.exp(all_log_probabilities(found[place, :count], pairs, TAGS, 6))
            index = ("LOC", "PER").index(kind)
            assert every[end - start - 1, start, index] == pytest.approx(true, abs=1e-4)


def test_judge_gives_log_odds_of_the_same_probability() -> None:
    class Fixed(torch.nn.Module):
        """Emissions are the embeddings."""

        def __init__(self) -> None:
            super().__init__()
            self.chain = small_chain(4)

        def from_embeddings(self, e: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
            return e

    tagger = Fixed()
    y = torch.randn(3, 5, len(TAGS), generator=torch.Generator().manual_seed(5))
    mask = torch.ones(3, 5, dtype=torch.long)
    names = [(0, spelled("PER", 2, TAGS)), (3, spelled("LOC", 1, TAGS))]
    told = torch.sigmoid(NameJudge(tagger, names, 1.3).from_embeddings(y, mask))
    alone = torch.sigmoid(NameJudge(tagger, names, 1.3, only=1).from_embeddings(y, mask))
    assert torch.allclose(alone[:, 1], told[:, 1]) and (alone[:, 0] < 1e-5).all()
    found = facts(tagger.chain, y, mask, 1.3).detach().numpy()
    pairs = tagger.chain.scores()[0].detach().numpy() / 1.3
    for row in range(3):
        for place, (start, tags) in enumerate(names):
            p = np.exp(name_log_probability(found[row], pairs, start, tags))
            assert told[row, place].item() == pytest.approx(p, abs=1e-4)


def test_tags_spell_names() -> None:
    assert spell(1, "PER") == ["S-PER"]
    assert spell(4, "LOC") == ["B-LOC", "I-LOC", "I-LOC", "E-LOC"]
    assert may_follow("B-PER", "E-PER") and may_follow("E-PER", "S-LOC")
    assert not may_follow("B-PER", "E-LOC") and not may_follow("O", "I-PER")
    assert not may_follow("B-PER", "O")


def written_sentences() -> list[Sentence]:
    """Sentences of ours with their names between brackets."""
    marked = (
        "[PER李明]在[LOC北京]的[ORG清华大学]读书。",
        "[ORG联合国]总部设在[LOC纽约]。",
        "昨天没有人来。",
        "[PER王芳]和[PER李明]去了[LOC上海]。",
    )
    found = []
    for text in marked:
        words = [w for w in re.split(r"(\[[A-Z]{3}[^\]]+\])", text) if w]
        tags = tuple(f"B-{w[1:4]}" if w[0] == "[" else "O" for w in words)
        part = Tagged((tuple(w[4:-1] if w[0] == "[" else w for w in words),), (tags,))
        found += sentences_of(part)
    return found


def test_words_become_characters_and_back() -> None:
    first = written_sentences()[0]
    assert "".join(map(chr, first.codes)) == "李明在北京的清华大学读书。"
    assert first.names == (Name("PER", 0, 2), Name("LOC", 3, 5), Name("ORG", 6, 10))
    assert tuple(names_in(first.tags)) == first.names
    assert spans_of(iob2(first.names, len(first.codes))) == list(first.names)


def test_names_are_exchanged_and_sentences_joined() -> None:
    rng = np.random.default_rng(0)
    first, second = written_sentences()[:2]
    new = exchanged(first, lambda kind, _rng: f"新{kind}", 1.0, rng)
    assert "".join(map(chr, new.codes)) == "新per在新loc的新org读书。"
    assert new.names == (Name("PER", 0, 4), Name("LOC", 5, 9), Name("ORG", 10, 14))
    both = joined(first, second)
    assert both.names[3:] == (Name("ORG", 13, 16), Name("LOC", 20, 22))


def test_lists_make_names_of_each_type() -> None:
    rng = np.random.default_rng(0)
    for kind in TYPES:
        made = [made_name(kind, rng) for _ in range(300)]
        assert len(set(made)) > 150 and all(0 < len(name) < 40 for name in made)
    flags = flags_of([ord(c) for c in "王州司a1，斯"])
    assert flags.shape == (7, FLAGS) and flags.any(dim=1).all()


def small_tagger(texts: list[list[int]]) -> CharacterTagger:
    torch.manual_seed(0)
    characters = known_characters(texts, 1)
    pairs = known_pairs(texts, characters, 50)
    flags = flags_of(characters.tolist())
    listed = listed_tables()
    sizes = {"width": 16, "pair_width": 8, "hidden": 24, "upper": 12}
    return CharacterTagger(characters, pairs, flags, *listed, chain_of(ALL), **sizes)


def test_tagger_learns_one_batch_by_heart() -> None:
    rows = written_sentences()
    net = small_tagger([s.codes for s in rows])
    x, tags = pad_texts([s.codes for s in rows]), pad_texts([s.tags for s in rows])
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.02)
    for _ in range(60):
        loss = name_loss(net, (x, tags))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert mark(net.eval(), [s.codes for s in rows]) == rows
    assert against(rows)(net)["f1"] == 1.0
    sure, right = confidences(net.chain, emissions(net, [s.codes for s in rows]), rows, 1.0)
    assert len(sure) == 8 and right.all() and (sure > 0.5).all() and (sure <= 1).all()


def test_padding_changes_nothing() -> None:
    rows = written_sentences()
    net = small_tagger([s.codes for s in rows]).eval()
    together = net(pad_texts([s.codes for s in rows]))
    for place, sentence in enumerate(rows):
        alone = net(torch.tensor([sentence.codes]))
        assert torch.allclose(together[place, : len(sentence.codes)], alone[0], atol=1e-5)


def test_lists_mark_their_names() -> None:
    net = small_tagger([[ord(c) for c in "在纽约的大学"]])
    marks = net.listed_marks(torch.tensor([[ord(c) for c in "在纽约的北京大学"]]))
    marks = marks.unflatten(2, (3, 3))[0]  # characters, begins / goes on / ends, types
    assert marks[:, :, 0].nonzero().tolist() == [[1, 0], [2, 2], [4, 0], [5, 2]]  # 纽约, 北京
    assert marks[:, :, 1].nonzero().tolist() == [[4, 0], [5, 1], [6, 1], [7, 2]]  # 北京大学
    assert not marks[:, :, 2].any()


def test_reading_does_not_see_what_it_is_to_say() -> None:
    """The state from which the next character is told must not depend on it."""
    net = small_tagger([[ord(c) for c in "甲乙丙丁戊"]]).eval()
    x = torch.tensor([[ord(c) for c in "甲乙丙丁戊"]])
    other = x.clone()
    other[0, 3] = ord("甲")
    mask = torch.ones_like(x)
    right, left = net.sides(net.embed(x), mask)
    right2, left2 = net.sides(net.embed(other), mask)
    assert torch.equal(right[0, :3], right2[0, :3]) and not torch.equal(right[0, 3:], right2[0, 3:])
    assert torch.equal(left[0, 4:], left2[0, 4:]) and not torch.equal(left[0, :4], left2[0, :4])


def test_text_is_read_character_by_character() -> None:
    codes, places = readable("Ａ公 司\u200b１")
    assert "".join(map(chr, codes)) == "a公司1" and places == [0, 1, 3, 5]
    pieces, piece_of = pieces_of("他 在IBM  2024年")
    assert pieces == ["他", "在", "IBM", "2024", "年"]
    assert piece_of == [0, 1, 2, 2, 2, 3, 3, 3, 3, 4]
    assert traditional("我們在臺灣說話") and not traditional("我们在台湾说话")


def test_files_of_others_are_read(tmp_path: Path) -> None:
    ours = tmp_path / "ours.iob2"
    ours.write_text("# text = 李明在家\n1\t李明\tB-PER\t-\t-\n2\t在家\tO\t-\t-\n", "utf-8")
    assert uner.read(ours).words == (("李明", "在家"),)
    others = tmp_path / "others.conll"
    others.write_text("李 B-PER\n明 I-PER\n在 O\n", "utf-8")
    part = uner.read(others)
    assert sentences_of(part)[0].names == (Name("PER", 0, 2),)
    with pytest.raises(InputError, match=r"bad\.conll"):
        uner.read(tmp_path / "bad.conll")


def test_rivals_mark_what_they_know() -> None:
    rows = written_sentences()
    known = known_names(rows)
    codes = readable("李明住在北京的清华大学旁")[0]
    found = [Name("PER", 0, 2), Name("LOC", 4, 6), Name("ORG", 7, 11)]
    assert look_up(codes, known) == found
    again = window_names(rows * 20, rows)
    assert [tuple(names) for names in again] == [s.names for s in rows]


@pytest.mark.data
def test_the_official_parts_and_their_characters() -> None:
    parts = uner.load()
    assert [len(p) for p in (parts.train, parts.validation, parts.test)] == [3997, 500, 500]
    for part in (parts.train, parts.validation):
        words = sum(len(spans_of(tags)) for tags in part.tags)
        rows = sentences_of(part)
        assert sum(len(s.names) for s in rows) == words
        assert all(tuple(names_in(s.tags)) == s.names for s in rows)


class TestCase:
    def test_marks_lie_in_the_text_and_judge_agrees(self, get_case: Any) -> None:
        case = get_case("chinese_entities")
        for example in case.examples():
            raw = example.load()
            result = case.predict(raw)
            assert all(raw[s.start : s.end] == s.text for s in (*result.spans, *result.doubts))
            assert all(s.start >= e.end for e, s in itertools.pairwise(result.spans))
            if not result.spans:
                assert example.id == "none"
                continue
            judge = case.about(raw)
            p = judge.probabilities(judge.net(judge.encode(raw)))[0]
            np.testing.assert_allclose(p, [s.probability for s in result.spans], atol=1e-3)
        with pytest.raises(InputError, match="No name"):
            case.about(case.example("none"))

    def test_finds_plain_names(self, get_case: Any) -> None:
        spans = get_case("chinese_entities").predict("毛泽东和周恩来在北京。").spans
        assert [(s.text, s.label.id) for s in spans] == [
            ("毛泽东", "PER"),
            ("周恩来", "PER"),
            ("北京", "LOC"),
        ]

    def test_a_batch_says_what_each_text_says_alone(self, get_case: Any) -> None:
        case = get_case("chinese_entities")
        texts = [e.load() for e in case.examples()]
        for text, result in zip(texts, case.predict_batch(texts), strict=True):
            alone = case.predict(text)
            assert [s.text for s in alone.spans] == [s.text for s in result.spans]
            np.testing.assert_allclose(
                [s.probability for s in alone.spans],
                [s.probability for s in result.spans],
                atol=1e-4,
            )

    def test_warns_of_traditional_characters(self, get_case: Any) -> None:
        case = get_case("chinese_entities")
        assert case.predict("我們在臺灣說話，他們來自東京。").inside is False
        assert case.predict("我们在台湾说话，他们来自东京。").inside is True

    def test_integrated_gradients_add_up(self, get_case: Any) -> None:
        from dlportal.explain import get_explainer

        case = get_case("chinese_entities")
        raw = case.example("news")
        judge = case.about(raw)
        target = judge.targets(raw)[0]
        found = get_explainer("integrated_gradients").explain(judge, raw, target)
        assert len(found.values) == len(found.parts) == len(judge.masker(raw).parts)
        assert abs(found.residual) < 0.2 * abs(found.total) + 0.1

    @pytest.mark.parametrize(
        "text", ["", "English only", "？？？", "😀😀", "学" * 401, "学" * 100_000, None]
    )
    def test_unusable_texts_get_one_sentence(self, text: Any, get_case: Any) -> None:
        with pytest.raises(InputError) as caught:
            get_case("chinese_entities").predict(text)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("text", ["论文", "A论B语", "论\u200b语", "\n北 京\t", "北京" * 200])
    def test_odd_texts(self, text: str, get_case: Any) -> None:
        result = get_case("chinese_entities").predict(text)
        assert all(text[s.start : s.end] == s.text for s in result.spans)

    def test_a_file_of_ones_own(self, get_case: Any, tmp_path: Path) -> None:
        file = tmp_path / "own.conll"
        file.write_text("毛泽东 B-pers\n去 O\n上海 B-place\n", "utf-8")
        case = get_case("chinese_entities")
        with pytest.raises(InputError, match=r"own\.conll\.labels\.toml"):
            case.evaluate(data=file)
        (tmp_path / "own.conll.labels.toml").write_text('pers = "PER"\nplace = "LOC"\n')
        found = case.evaluate(data=file)
        assert found.n == 1 and found.measured.metrics[0].data == "own"
