"""Names: tags, scores, shapes, files of others, and the tagger."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from dlportal.cases.named_entities import TAGS, first_tokens
from dlportal.data.conll import Tagged, read_conll
from dlportal.data.wnut17 import TYPES
from dlportal.kinds.words import cut, numbered
from dlportal.messages import InputError
from dlportal.nets.name_scorer import NameScorer
from dlportal.nets.word_shape import SHAPES, STEP, name_shape
from dlportal.training import names_evaluation as evaluation
from dlportal.training.entities import (
    Name,
    count_rows,
    entity_f1,
    entity_precision,
    entity_recall,
    iob2,
    spans_of,
)
from dlportal.training.names_scores import in_our_types
from dlportal.training.names_training import IGNORED, Encoded, TagBatches, most_eager, tags_of


@pytest.mark.parametrize(
    ("tags", "names"),
    [
        ("O O", []),
        ("B-per I-per O B-loc", [("per", 0, 2), ("loc", 3, 4)]),
        ("I-per I-per O", [("per", 0, 2)]),  # seqeval's default forgives a missing B-
        ("B-per B-per", [("per", 0, 1), ("per", 1, 2)]),
        ("B-per I-loc I-loc", [("per", 0, 1), ("loc", 1, 3)]),
        ("O I-per O I-per", [("per", 1, 2), ("per", 3, 4)]),
        ("B-loc I-loc I-loc", [("loc", 0, 3)]),
    ],
)
def test_names_are_read_as_seqeval_reads_them(tags: str, names: list) -> None:
    assert spans_of(tags.split()) == [Name(*name) for name in names]


def test_scores_are_those_of_seqeval() -> None:
    """The example of seqeval's own page, and one with the right place but another type."""
    truth = [["O", "O", "O", "B-MISC", "I-MISC", "I-MISC", "O"], ["B-PER", "I-PER", "O"]]
    guess = [["O", "O", "B-MISC", "I-MISC", "I-MISC", "I-MISC", "O"], ["B-PER", "I-PER", "O"]]
    counts = count_rows(truth, guess)
    assert entity_f1(counts) == entity_precision(counts) == entity_recall(counts) == 0.5
    other = count_rows([["B-a", "O", "B-b"]], [["B-b", "O", "B-b"]])
    assert other.tolist() == [[1, 2, 2]]
    assert count_rows([["B-a", "O", "B-b"]], [["B-b", "O", "B-b"]], only="b").tolist() == [
        [1, 2, 1]
    ]
    none = count_rows([["B-a"]], [["O"]])
    assert none.tolist() == [[0, 0, 1]] and entity_recall(none) == 0


def test_words_are_cut_as_the_training_data_are() -> None:
    def words(text: str) -> list[str]:
        return [word for word, _start, _end in cut(text)]

    assert words("I don't know U.S. @bob #Yolo") == [
        "I",
        "do",
        "n't",
        "know",
        "U.S.",
        "@bob",
        "#Yolo",
    ]
    assert words("AT&T's O'Neil :-) http://a.b/c?d=1 !!!") == [
        "AT&T",
        "'s",
        "O'Neil",
        ":-)",
        "http://a.b/c?d=1",
        "!!!",
    ]
    text = "Mr. Smith, 3.5%"
    assert all(text[start:end] == word for word, start, end in cut(text))
    assert numbered(["a", "b", "a"]) == ["a", "b", "a (2)"]


@pytest.mark.parametrize(
    ("word", "shape"),
    [
        ("paris", "lower"),
        ("Paris", "title"),
        ("NASA", "upper"),
        ("I", "one_upper"),
        ("iPhone", "mixed"),
        ("42", "number"),
        ("PS4", "with_number"),
        ("@bob", "handle"),
        ("http://a.b", "handle"),
        ("#Yolo", "hashtag"),
        ("!", "other"),
        ("中文", "lower"),
    ],
)
def test_shapes(word: str, shape: str) -> None:
    assert name_shape(word) == shape and shape in SHAPES


def test_other_files_are_read(tmp_path: Path) -> None:
    path = tmp_path / "news.conll"
    path.write_text(
        "-DOCSTART- -X- O O\n\nParis NNP B-NP B-LOC\nsleeps VBZ B-VP O\n\n\n# a remark\nO O\n"
    )
    part = read_conll(path)
    assert part.words == (("Paris", "sleeps"), ("O",)) and part.tags == (("B-LOC", "O"), ("O",))
    with pytest.raises(InputError, match="LOC"):
        in_our_types(part, path, TYPES)
    (tmp_path / "news.conll.labels.toml").write_text('LOC = "location"\n')
    assert in_our_types(part, path, TYPES).tags[0] == ("B-location", "O")
    (tmp_path / "news.conll.labels.toml").write_text('LOC = ""\n')
    assert in_our_types(part, path, TYPES).tags[0] == ("O", "O")
    (tmp_path / "news.conll.labels.toml").write_text("LOC = \n")
    with pytest.raises(InputError, match=r"news\.conll\.labels\.toml"):
        in_our_types(part, path, TYPES)


@pytest.mark.parametrize("content", ["Paris\n", "Paris\tLOC\n", "Paris\tB-\n", "", "\xff"])
def test_files_of_another_form_are_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "bad.conll"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(InputError, match=r"bad\.conll"):
        read_conll(path)


def test_baselines_mark_what_they_know() -> None:
    train = Tagged(
        (("In", "New", "York"), ("York",)), (("O", "B-location", "I-location"), ("B-person",))
    )
    known = evaluation.known_names(train)
    assert evaluation.look_up(["new", "york", "York", "x"], known) == [
        Name("location", 0, 2),
        Name("person", 2, 3),
    ]
    found = evaluation.capitalised(["She", "met", "Ann", "Lee", "in", "Rome"], "person")
    assert found == [Name("person", 2, 4), Name("person", 5, 6)]
    assert iob2(found, 6) == ["O", "O", "B-person", "I-person", "O", "B-person"]


def test_more_eagerness_marks_more() -> None:
    y = torch.zeros(2, len(TAGS))
    y[0, 0], y[1, 0], y[1, 1] = 1.0, 1.0, 0.5
    assert tags_of([y], [3], 0.0) == [["O", "O", "O"]]
    assert tags_of([y], [3], 0.75) == [["O", TAGS[1], "O"]]
    part = Tagged((("a", "b", "c"),), (("O", TAGS[1], "O"),))
    eager, curves = most_eager([y], part)
    assert eager >= 0.75 and max(curves["f1"]) == 1.0


def test_batches_hold_each_sentence_once_and_its_tags_at_first_tokens() -> None:
    part = Encoded([[101, 7, 8, 102], [101, 9, 102]], [[1], [1]], [[3], [5]])
    told = [torch.ones(1, len(TAGS)), 2 * torch.ones(1, len(TAGS))]
    batches = list(TagBatches(part, 2, 0, told)(0))
    assert len(batches) == TagBatches(part, 2, 0).steps_per_epoch == 1
    ids, labels, soft = batches[0]
    assert sorted(ids[:, 1].tolist()) == [7, 9]
    row = ids[:, 1].tolist().index(9)
    assert labels[row, 1] == 5 and labels[row, 0] == IGNORED and soft[row, 1, 0] == 2


def test_first_tokens() -> None:
    assert first_tokens([-1, 0, 0, 1, 2, 2, -1]) == [1, 3, 4]


def test_a_name_is_as_sure_as_all_its_words() -> None:
    class Fixed(nn.Module):
        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            y = torch.zeros(len(ids), 3, 2)
            y[:, 1, 1], y[:, 2, 1] = 2.0, 1.0
            return y

    scorer = NameScorer(Fixed(), [([1, 2], [1, 1]), ([0], [0])], torch.zeros(2), 1.0)
    p = torch.sigmoid(scorer(torch.zeros(1, 3, dtype=torch.long)))[0]
    expected = torch.sigmoid(torch.tensor(2.0)) * torch.sigmoid(torch.tensor(1.0))
    torch.testing.assert_close(p[0], expected)
    assert p[1].item() == pytest.approx(0.5)


@pytest.mark.data
def test_the_official_parts() -> None:
    from dlportal.data import wnut17

    parts = wnut17.load()
    assert [len(p) for p in (parts.train, parts.validation, parts.test)] == [3394, 1009, 1287]
    names = [sum(len(spans_of(t)) for t in p.tags) for p in (parts.train, parts.test)]
    assert names == [1975, 1079]


@pytest.mark.assets
def test_marks_lie_in_the_text_and_masking_keeps_the_shape_out(get_case) -> None:
    case = get_case("named_entities")
    raw = "Just saw Radiohead play Creep in Manchester."
    result = case.predict(raw)
    assert result.spans and all(raw[s.start : s.end] == s.text for s in result.spans)
    masker = case.masker(raw)
    hidden = masker.render(torch.zeros(1, len(masker.parts)))
    assert set((hidden // STEP).flatten().tolist()) == {0}
    judge = case.about(raw)
    assert len(judge.labels) == len(result.spans)
    p = judge.probabilities(judge.net(judge.encode(raw)))[0]
    np.testing.assert_allclose(p, [s.probability for s in result.spans], atol=1e-4)
    with pytest.raises(InputError, match="No name"):
        case.about("I could not sleep, so I made tea.")
