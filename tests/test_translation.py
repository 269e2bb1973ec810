"""Translation: search, judge and scores on a small translator; data without leaks; the whole case."""

import gzip
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dlportal.cases.translation_text import check_language, rough, split, tidy
from dlportal.data import multi30k, tatoeba
from dlportal.data.pairs import Parallel
from dlportal.messages import InputError
from dlportal.nets.beam_search import beam_search
from dlportal.nets.translator import END, HIDDEN, PAD, START, Translator
from dlportal.nets.translators import Judge
from dlportal.nets.word_parts import WordParts, learn_parts, unpack
from dlportal.training.bleu import bleu, bleu_counts
from dlportal.training.texts import pad_texts
from dlportal.training.translation_evaluation import given_parts
from dlportal.training.translation_rivals import Dictionary, nearest
from dlportal.training.translation_settling import source_ids
from dlportal.training.translation_training import (
    RECIPES,
    Loss,
    SentenceBatches,
    against,
    plain,
)

ENGLISH = (
    "A dog runs.",
    "A cat sleeps.",
    "The dog sleeps, too.",
    "The old man runs.",
    "A man's cat eats.",
    "Two dogs eat.",
    "The cat runs and eats.",
    "An old dog eats.",
)
GERMAN = (
    "Ein Hund rennt.",
    "Eine Katze schläft.",
    "Der Hund schläft auch.",
    "Der alte Mann rennt.",
    "Die Katze eines Mannes frisst.",
    "Zwei Hunde fressen.",
    "Die Katze rennt und frisst.",
    "Ein alter Hund frisst.",
)
PAIRS = Parallel({"en": ENGLISH, "de": GERMAN})


def small(texts: dict[str, tuple[str, ...]] | None = None) -> Translator:
    torch.manual_seed(0)
    parts = {code: learn_parts(rows, 90) for code, rows in (texts or PAIRS.texts).items()}
    return Translator(parts, 48, 4, 96, (1, 2), 0.0).eval()


def batches(net: Translator) -> SentenceBatches:
    return SentenceBatches(net, PAIRS, ("en_de",), plain(RECIPES["multi30k"]), 0)


@pytest.fixture(scope="module")
def learned() -> Translator:
    """A translator that knows eight sentences by heart."""
    net, loss = small().train(), Loss(hidden=0.05, smoothing=0.0)
    (batch,) = list(batches(net)(0))
    optimizer = torch.optim.AdamW(net.parameters(), lr=4e-3)
    for _step in range(150):
        optimizer.zero_grad()
        loss(net, batch).backward()
        optimizer.step()
    return net.eval().requires_grad_(False)


def test_learns_one_batch_and_translates_it(learned: Translator) -> None:
    assert against(batches(learned))(learned)["accuracy"] == 1.0
    ids = pad_texts(source_ids(learned, "en", ENGLISH), PAD)
    for beams in (1, 4):
        said = [
            learned.parts["de"].join(search.found[0].parts)
            for search in beam_search(learned, ids, "de", beams)
        ]
        assert tuple(said) == GERMAN


def test_one_beam_takes_the_likeliest_part(learned: Translator) -> None:
    net = learned
    x = torch.tensor(source_ids(net, "en", ("The old cat sleeps.",)))
    (search,) = beam_search(net, x, "de", beams=1)
    source, ids = net.read(net.embed(x), x != PAD), [net.start["de"] + START]
    parts: list[int] = []
    while len(parts) < 30:
        states = net.write(source, x != PAD, torch.tensor([ids]))
        y = net.logits(states[:, -1], "de")[0]
        y[[0, 2]] = -torch.inf
        best = int(y.argmax())
        if best == END:
            break
        parts.append(best)
        ids.append(net.start["de"] + best)
    assert search.found[0].parts == tuple(parts)


def test_search_together_is_search_alone(learned: Translator) -> None:
    rows = source_ids(learned, "en", ENGLISH[:4])
    together = beam_search(learned, pad_texts(rows, PAD), "de", 3)
    for row, search in zip(rows, together, strict=True):
        (alone,) = beam_search(learned, torch.tensor([row]), "de", 3)
        assert [one.parts for one in alone.found] == [one.parts for one in search.found]


def test_the_tree_adds_up(learned: Translator) -> None:
    (search,) = beam_search(learned, torch.tensor(source_ids(learned, "en", ENGLISH[:1])), "de", 4)
    for one in search.tried:
        before = search.tried[one.parent] if one.parent >= 0 else None
        assert one.depth == (before.depth + 1 if before else 0)
        assert before is None or before.kept
        start = before.total if before else 0.0
        assert one.total == pytest.approx(start + one.log_probability, abs=1e-3)
    scores = [one.score(1.0) for one in search.found]
    assert scores == sorted(scores, reverse=True)
    best = search.found[0]
    assert search.tried[best.last].total == pytest.approx(sum(best.log_probabilities), abs=1e-3)


def test_judge_says_what_the_search_said(learned: Translator) -> None:
    x = torch.tensor(source_ids(learned, "en", ENGLISH[:1]))
    best = beam_search(learned, x, "de", 1)[0].found[0]
    judge = Judge(learned, "de", best.parts, (0, 1, len(best.parts)))
    p = torch.sigmoid(judge(x))[0]
    logs = np.array(best.log_probabilities)
    expected = np.exp([logs.mean(), logs[:1].mean(), logs[1:-1].mean()])
    assert p.numpy() == pytest.approx(expected, abs=1e-3)
    hidden = x.clone()
    hidden[:, 1:-1] = HIDDEN
    assert torch.sigmoid(judge(hidden))[0, 0] < p[0]


def test_looks_are_shares(learned: Translator) -> None:
    x = torch.tensor(source_ids(learned, "en", ENGLISH[:1]))
    seen = x != PAD
    ids = torch.tensor([[learned.start["de"], learned.start["de"] + 5]])
    looks = learned.looks(learned.read(learned.embed(x), seen), seen, ids)
    assert looks.shape == (2, 4, 2, x.shape[1])
    assert torch.allclose(looks.sum(dim=3), torch.ones(2, 4, 2), atol=1e-5)


def test_word_parts_come_back() -> None:
    parts = learn_parts(ENGLISH, 60)
    assert [parts.join(row) for row in parts.cut(ENGLISH)] == list(ENGLISH)
    again: WordParts = unpack(parts.packed())
    assert again.cut(ENGLISH) == parts.cut(ENGLISH)
    rng = np.random.default_rng(0)
    broken = parts.cut(ENGLISH, 0.3, rng)
    assert [parts.join(row) for row in broken] == list(ENGLISH)
    assert sum(map(len, broken)) > sum(map(len, parts.cut(ENGLISH)))
    words, word_of = parts.words("The old dog eats.")
    assert words == ["The", "old", "dog", "eats", "."]
    assert word_of == sorted(word_of) and len(word_of) == len(parts.cut(["The old dog eats."])[0])


def test_the_same_parts_are_learned_again() -> None:
    """Also where more characters than the alphabet holds are equally rare."""
    text = "".join(chr(0x4E00 + i) for i in range(3000))
    rows = [text[i : i + 20] for i in range(0, 3000, 20)] + ["的一是不了在"] * 9
    first = learn_parts(rows, 2500, spaced=False)
    assert all(learn_parts(rows, 2500, spaced=False).text == first.text for _ in range(3))
    assert any(2 in row for row in first.cut([text]))


def test_batches_repeat_themselves() -> None:
    net = small()
    recipe = RECIPES["multi30k"]
    first, again, other = (
        [row["read"] for row in SentenceBatches(net, PAIRS, ("en_de",), recipe, 0)(epoch)]
        for epoch in (3, 3, 4)
    )
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(a.shape == b.shape and torch.equal(a, b) for a, b in zip(first, other))


def test_bleu_is_sacrebleus() -> None:
    from sacrebleu.metrics import BLEU

    said = ("Ein Hund rennt schnell.", "Die Katze schläft auf dem Sofa.", "Zwei.", "Ein Mann")
    right = ("Ein Hund rennt.", "Eine Katze schläft auf dem Sofa.", "Zwei Hunde.", "Der Mann da")
    for rows in (said, GERMAN[:4], ("x", "y", "z", "w")):
        theirs = BLEU().corpus_score(list(rows), [list(right)]).score
        assert bleu(bleu_counts(rows, right, "de")) == pytest.approx(theirs, abs=1e-6)
    chinese = BLEU(tokenize="zh").corpus_score(["他今天来晚了。"], [["他今天很晚才来。"]]).score
    assert bleu(bleu_counts(["他今天来晚了。"], ["他今天很晚才来。"], "zh")) == pytest.approx(
        chinese
    )
    drawn = bleu.resample(np.random.default_rng(0), 200, bleu_counts(said, right, "de"))
    assert drawn.shape == (200,) and 0 <= drawn.min() <= drawn.max() <= 100


def test_dictionary_finds_the_pairs() -> None:
    sources = [[0, 1], [1, 2], [0, 2], [2, 3]]
    targets = [[5, 6], [6, 7], [5, 7], [7, 8]]
    known = Dictionary(sources, targets, rounds=20)
    assert known.translate([3, 2, 1, 0, 9]) == [8, 7, 6, 5]
    assert known.likelihood(0, 5) > known.likelihood(0, 6)


def test_nearest_sentence() -> None:
    assert nearest(ENGLISH, ["The old man sleeps."], chinese=False).tolist() == [3]


def test_directions() -> None:
    assert split("en_fr: A dog runs.") == ("en_fr", "A dog runs.")
    assert split("EN-FR: A dog runs.") == ("en_fr", "A dog runs.")
    assert split("A dog: it runs.") == ("en_de", "A dog: it runs.")
    assert split("他跑得很快。") == ("zh_en", "他跑得很快。")


@pytest.mark.parametrize(
    ("direction", "text"),
    [
        ("zh_en", "A dog runs."),
        ("en_zh", "他跑得很快。"),
        ("en_de", "Собака бежит."),
        ("en_fr", "🐶🐶🐶"),
        ("zh_en", "12345"),
    ],
)
def test_wrong_language_gets_one_sentence(direction: str, text: str) -> None:
    with pytest.raises(InputError) as caught:
        check_language(direction, text)
    assert "\n" not in str(caught.value)


def test_spelling() -> None:
    assert tidy("zh", "對不起, 我來晚了.") == "对不起， 我来晚了。"
    assert tidy("zh", "现在是3.5度。") == "现在是3.5度。"
    assert tidy("en", "It’s  “late”…") == 'It\'s "late"...'
    assert rough([1, 2, 3, 4], "ab") == 1.0


def test_parallel_files(tmp_path: Path) -> None:
    (tmp_path / "mine.en").write_text("A dog runs.\nA cat sleeps.\n", "utf-8")
    with gzip.open(tmp_path / "mine.de.gz", "wt", encoding="utf-8") as file:
        file.write("Ein Hund rennt.\nEine Katze schläft.\n")
    assert list(given_parts(tmp_path)) == ["en_de"]
    (tmp_path / "mine.fr").write_text("Un chien court.\n", "utf-8")
    with pytest.raises(InputError, match="number of lines"):
        given_parts(tmp_path)
    table = tmp_path / "pairs.txt"
    table.write_text("Hi.\t你好。\tsomebody\nThanks.\t謝謝。\n", "utf-8")
    found = given_parts(table)
    assert list(found) == ["zh_en", "en_zh"] and found["zh_en"].texts["zh"][1] == "谢谢。"
    table.write_text("no tab here\n", "utf-8")
    with pytest.raises(InputError, match="Line 1"):
        given_parts(table)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no pairs"):
        given_parts(tmp_path / "empty")


@pytest.mark.data
def test_no_english_sentence_is_in_two_parts() -> None:
    parts = tatoeba.load()
    keys = [
        {tatoeba.key(text) for text in part.texts["en"]}
        for part in (parts.train, parts.validation, parts.test)
    ]
    assert len(parts.test) == len(keys[2]) == len(keys[1]) == 1000
    assert all(a.isdisjoint(b) for a, b in pairwise([*keys, keys[0]]))
    assert not any("們" in text for text in parts.train.texts["zh"])
    again = tatoeba.load()
    assert again.test.texts == parts.test.texts


@pytest.mark.data
def test_captions_have_the_official_sizes() -> None:
    parts = multi30k.load()
    assert [len(parts.train), len(parts.validation), len(parts.test)] == [29000, 1014, 1000]


@pytest.mark.assets
class TestCase:
    def test_directions_of_one_batch(self, get_case: Any) -> None:
        case = get_case("translation")
        raws = ["en_fr: A man runs.", "他在睡觉。", "A man runs."]
        results = case.predict_batch(raws)
        assert [one.direction for one in results] == ["en_fr", "zh_en", "en_de"]
        assert results[0].text == case.predict(raws[0]).text
        for result in results:
            assert result.alignment.shape == (len(result.words), len(result.source))
            assert result.alignment.max() <= 1.0 + 1e-5
            assert any(branch.best for branch in result.branches)

    def test_outside(self, get_case: Any) -> None:
        case = get_case("translation")
        assert case.predict("A man is walking down the street.").inside
        assert case.predict("zh_en: 龘靐齉爩籱。").why == "unknown"

    def test_too_long_is_refused(self, get_case: Any) -> None:
        case = get_case("translation")
        with pytest.raises(InputError, match="word parts"):
            case.check("en_de: " + "a dog and " * 30)

    def test_explains_words_of_the_translation(self, get_case: Any) -> None:
        case = get_case("translation")
        raw = "en_de: A dog runs."
        asked = case.about(raw)
        targets = asked.targets(raw)
        assert targets[0] == 0 and asked.labels[0].id == "all"
        assert len(asked.labels) == 1 + len(case.predict(raw).words)
        assert asked.masker(raw).parts == ("A", "dog", "runs", ".")

    @pytest.mark.slow
    def test_measures_a_folder(self, get_case: Any, tmp_path: Path) -> None:
        case = get_case("translation")
        (tmp_path / "mine.en").write_text("A dog runs.\nA cat sleeps.\n", "utf-8")
        (tmp_path / "mine.de").write_text("Ein Hund rennt.\nEine Katze schläft.\n", "utf-8")
        found = case.evaluate(data=tmp_path, limit=2)
        assert found.n == 2 and found.measured.metrics[0].name == "bleu"
