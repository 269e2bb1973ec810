"""Poetry: the network of characters, its optimizer, form, copies, poems, and the case."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from dlportal.data import chinese_poetry, tiny_shakespeare
from dlportal.data.chinese_poetry import Poem, distinct, form_of, read
from dlportal.explain import get_explainer
from dlportal.explain.faithfulness import measure
from dlportal.kinds.copies import find_copies
from dlportal.kinds.poem_form import form_of_text
from dlportal.kinds.simplified import simplified
from dlportal.messages import InputError
from dlportal.nets.char_gpt import END, FIRST, HIDDEN, CharGPT, Reading, Shape, drop, sized
from dlportal.nets.poets import CONTEXTS, Poets, load_poets, unlearned
from dlportal.training.events import Run
from dlportal.training.fit import Plan, fit
from dlportal.training.muon import muon_for
from dlportal.training.ngrams import NGrams
from dlportal.training.poetry_counts import foretold
from dlportal.training.poetry_streams import Windows, counted_loss, nats, next_loss
from dlportal.training.poetry_training import Learning, calibrate, keep_sample, points
from dlportal.training.store import save_weights, saved_shapes

CASE = "poetry_generation"
LETTERS = torch.arange(97, 123)
CONTEXT = Shape(1, 16, 1).context


def small(orders: int = 3, dropout: float = 0.0) -> CharGPT:
    """A small network with weights that say something (heads begin at zero)."""
    torch.manual_seed(0)
    net = CharGPT(LETTERS, Shape(2, 32, 2, orders, rows=64, dropout=dropout))
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return net.eval()


@torch.inference_mode()
class TestNet:
    @pytest.mark.parametrize("orders", [1, 2, 3])
    def test_one_by_one_is_all_at_once(self, orders: int) -> None:
        net, ids = small(orders), torch.randint(FIRST, 34, (1, 40))
        reading = Reading()
        y = [net.step(ids[0, :5].tolist(), reading)]
        y += [net.step([int(i)], reading) for i in ids[0, 5:]]
        torch.testing.assert_close(torch.stack(y), net.everywhere(ids)[0, 4:], rtol=1e-4, atol=1e-4)

    def test_the_future_is_not_seen(self) -> None:
        net, ids = small(), torch.randint(FIRST, 34, (1, 40))
        other = ids.clone()
        other[0, 20:] = FIRST
        torch.testing.assert_close(net.everywhere(ids)[0, :20], net.everywhere(other)[0, :20])
        assert not torch.allclose(net.everywhere(ids)[0, 20:], net.everywhere(other)[0, 20:])

    def test_padding_changes_nothing(self) -> None:
        net, ids = small(), torch.randint(FIRST, 34, (1, 12))
        padded = F.pad(ids, (0, 7))
        torch.testing.assert_close(net(padded), net(ids))

    def test_a_full_context_starts_again_with_its_last_half(self) -> None:
        net, ids = small(), torch.randint(FIRST, 34, (CONTEXT + 1,)).tolist()
        reading = Reading()
        net.step(ids[:CONTEXT], reading)
        y = net.step(ids[CONTEXT:], reading)
        fresh = net(torch.tensor([ids[-CONTEXT // 2 :]]))[0]
        torch.testing.assert_close(y, fresh)

    def test_unknown_characters_are_hidden(self) -> None:
        net = small()
        assert net.numbers(torch.tensor([97, 122, 33, 0x4E00])).tolist() == [8, 33, HIDDEN, HIDDEN]

    def test_files_tell_the_sizes(self, tmp_path: Path) -> None:
        save_weights(Poets(small(), unlearned()), tmp_path / "w.safetensors", half=False)
        again = load_poets(tmp_path / "w.safetensors")
        ids = torch.randint(FIRST, 34, (1, 9))
        torch.testing.assert_close(again.shakespeare.eval()(ids), small()(ids))
        sizes = saved_shapes(tmp_path / "w.safetensors") | shapes(small())
        assert sized(sizes, CONTEXT).shape.orders == 3
        assert again.shakespeare.shape.context == CONTEXTS["shakespeare"] > CONTEXT


def shapes(net: CharGPT) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in net.state_dict().items()}


def test_it_overfits_one_batch_with_muon(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = CharGPT(LETTERS, Shape(2, 32, 2, 3, rows=64, dropout=0.0))
    ids = torch.randint(FIRST, 34, (CONTEXT * 2 + 2,))
    windows = Windows(ids, CONTEXT, 1, 0)
    plan = Plan(120, 1e-2, "loss", higher_is_better=False, clip=None, weight_decay=0.0)
    fit(
        net,
        windows,
        next_loss(0.0),
        lambda net: {"loss": float(nats(net, ids, CONTEXT).mean())},
        plan,
        Run(tmp_path),
        optimizer=muon_for("layers.", 0.02),
    )
    assert nats(net, ids, CONTEXT).mean() < 0.5 < math.log(26) / 2


def test_a_resumed_training_is_the_same(tmp_path: Path) -> None:
    """Muon's momenta are part of the checkpoint."""

    def train(folder: Path, stop_after: int) -> CharGPT:
        torch.manual_seed(0)
        net = CharGPT(LETTERS, Shape(1, 16, 1, 1, dropout=0.0))
        ids = torch.arange(FIRST, FIRST + 26).repeat(12)
        run = Run(folder)
        run._listen = lambda e: (
            run.cancel() if e.kind == "epoch" and e.epoch == stop_after else None
        )
        plan = Plan(4, 1e-2, "loss", higher_is_better=False, clip=None)
        fit(
            net,
            Windows(ids, CONTEXT, 1, 0),
            next_loss(0.1),
            lambda net: {"loss": float(nats(net, ids, CONTEXT).mean())},
            plan,
            run,
            optimizer=muon_for("layers.", 0.02),
        )
        return net

    whole = train(tmp_path / "whole", 99)
    train(tmp_path / "parts", 2)
    parts = train(tmp_path / "parts", 99)
    for a, b in zip(whole.parameters(), parts.parameters()):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("stride", [CONTEXT, 64, 32])
@pytest.mark.parametrize("length", [5, CONTEXT + 1, 3 * CONTEXT + 7])
def test_windows_cover_every_character(stride: int, length: int) -> None:
    net, ids = small(), torch.randint(FIRST, 34, (length,))
    found = nats(net, ids, stride)
    assert len(found) == length - 1 and torch.isfinite(found).all()
    with torch.inference_mode():
        first = F.cross_entropy(net.everywhere(ids[None, :5])[0, :4], ids[1:5], reduction="none")
    torch.testing.assert_close(found[:4], first, rtol=1e-4, atol=1e-4)


def test_counts_foretell_a_part_from_the_others() -> None:
    """What stands in one part alone is unknown there; what stands in all is known."""
    everywhere, once = [9, 10, 11, 12, 13, 14], [20, 21, 22, 23, 24, 25]
    ids = torch.tensor((everywhere * 5 + once * 5) + everywhere * 40)
    found = foretold(ids, 34, lambda: False).float()
    assert found.shape == (len(ids), 34)
    torch.testing.assert_close(found.sum(dim=1), torch.ones(len(ids)), rtol=5e-3, atol=5e-3)
    own = found[torch.arange(len(ids)), ids]
    assert own[10:25].min() > 0.6 and own[40:55].max() < 0.1
    counts = NGrams(3, 34, kneser_ney=True).fit([ids.tolist()])
    expected = [counts.probability([10, 11], token) for token in range(34)]
    assert counts.spread([10, 11]) == pytest.approx(expected)
    assert not foretold(ids, 34, lambda: True).any()


def test_it_learns_what_counting_foretells() -> None:
    net, ids = small(), torch.arange(FIRST, FIRST + 26).repeat(20)
    other = torch.zeros(len(ids), net.vocabulary)
    other[:, FIRST] = 1.0
    (batch,) = list(Windows(ids, CONTEXT, 2, 0, beside=other)(0))
    windows, beside = batch
    assert windows.shape == (2, CONTEXT + 1) and beside.shape == (2, CONTEXT, net.vocabulary)
    with torch.inference_mode():
        own, foretold = next_loss(0.0)(net, windows), counted_loss(0.0, 1.0)(net, batch)
        always = torch.full((2 * CONTEXT,), FIRST)
        y = net.everywhere(windows[:, :-1]).flatten(0, 1)
        torch.testing.assert_close(foretold, F.cross_entropy(y, always))
        torch.testing.assert_close(
            counted_loss(0.0, 0.25)(net, batch), 0.75 * own + 0.25 * foretold
        )


@pytest.mark.parametrize("alike", [False, True])
def test_dropout_hides_the_same_channels_or_others(alike: bool) -> None:
    torch.manual_seed(0)
    x = torch.ones(4, 50, 64)
    shape = Shape(1, 64, 1, dropout=0.25, alike=alike)
    y = drop(x, shape, training=True)
    assert ((y[:, :1] == y).all() == alike) and abs(float((y == 0).float().mean()) - 0.25) < 0.06
    torch.testing.assert_close(y[y > 0], torch.full_like(y[y > 0], 1 / 0.75))
    assert drop(x, shape, training=False) is x


def test_windows_begin_with_poems() -> None:
    starts = torch.tensor([0, 150, 700])
    windows = Windows(torch.arange(1000), CONTEXT, 2, 0, starts=starts)
    places = windows.aligned(torch.tensor([10, 149, 160, 650, 700]))
    assert places.tolist() == [0, 149, 150, 650, 700]
    seen = [b for batch in windows(3) for b in batch]
    assert len(seen) == 2 * windows.steps_per_epoch and all(len(b) == CONTEXT + 1 for b in seen)


def test_samples_are_kept_once(tmp_path: Path) -> None:
    net, path = small(), tmp_path / "runs" / "sample.txt"
    learning = Learning("shakespeare", points("ab"), points("ab"), [FIRST])
    net.train()
    keep_sample(net, learning, path)
    text = path.read_text()
    assert net.training and text
    torch.nn.init.zeros_(net.embedding.weight)
    keep_sample(net, learning, path)
    assert path.read_text() == text


class TestPoems:
    def test_form(self) -> None:
        good = form_of_text("床前明月光，疑是地上霜。举头望明月，低头思故乡。", 5)
        assert good.regular and good.lengths == (5, 5, 5, 5) and "jueju" in good.kind
        assert not form_of_text("床前明月，疑是地上霜。", 5).regular
        broken = form_of_text("床前明月光，疑是地上霜。举头", 5)
        assert broken.open_line and broken.lengths == (5, 5) and not broken.regular
        assert form_of_text("", 5).lengths == () and not form_of_text("", 5).regular

    def test_forms_of_the_data(self) -> None:
        assert form_of("春眠不觉晓，处处闻啼鸟。") == "five"
        assert form_of("春眠不觉晓，处处闻啼鸟啼。") == "mixed"

    def test_simplified(self) -> None:
        assert simplified("雲後裏發 abc 云") == "云后里发 abc 云"
        assert simplified("乾坤") == "乾坤"

    def test_poems_that_share_a_sentence_go(self) -> None:
        one = Poem("春眠不觉晓，处处闻啼鸟。夜来风雨声，花落知多少。", "five")
        two = Poem("夜来风雨声，花落知多少。我是另一首，只有后半句。", "five")
        three = Poem("白日依山尽，黄河入海流。", "five")
        assert distinct([one, two, three]) == [one, three]

    def test_placeholders_and_notes_are_left_out(self, tmp_path: Path) -> None:
        path = tmp_path / "p.json"
        rows = [
            {"paragraphs": ["白日依山盡，", "黃河入海流。"], "author": "王之渙"},
            {"paragraphs": ["白□依山盡，黃河入海流。"]},
            {"paragraphs": ["春花（一作華）。"], "rhythmic": "調"},
        ]
        path.write_text(json.dumps(rows), "utf-8")
        (poem,) = read(path)
        assert poem.text == "白日依山尽，黄河入海流。" and poem.form == "five"

    @pytest.mark.parametrize("text", ["{}", "[1]", "not json", '[{"paragraphs": "x"}]'])
    def test_other_files_get_one_sentence(self, text: str, tmp_path: Path) -> None:
        (tmp_path / "p.json").write_text(text)
        with pytest.raises(InputError):
            read(tmp_path / "p.json")

    @pytest.mark.data
    def test_no_sentence_in_two_parts(self) -> None:
        parts = chinese_poetry.load()
        sets = [
            {s for p in part for s in chinese_poetry.sentences(p.text) if len(s) >= 10}
            for part in (parts.train, parts.validation, parts.test)
        ]
        assert not sets[0] & sets[1] and not (sets[0] | sets[1]) & sets[2]
        assert min(len(part) for part in (parts.validation, parts.test)) > 200

    @pytest.mark.data
    def test_shakespeare_in_three_parts(self) -> None:
        parts = tiny_shakespeare.load()
        assert len(parts.test) == 111_540
        assert len(parts.train) + len(parts.validation) == 1_003_854


def test_copies() -> None:
    found = find_copies("xxabcdefyyabc", "zzabcdefqqabc", 3)
    assert found.longest is not None
    assert (found.longest.start, found.longest.length, found.longest.place) == (2, 6, 2)
    assert found.share == pytest.approx(9 / 13)
    assert find_copies("", "abc", 3).longest is None
    assert find_copies("xyz", "abc", 1).longest is None
    assert find_copies("abab", "ab", 2).share == 1.0


def test_kneser_ney_counts_what_stands_before() -> None:
    """ "b" follows many, "a" follows one often: unseen contexts prefer "b"."""
    text = [0, 1, 0, 1, 0, 1, 0, 1, 3, 2, 4, 2, 5, 2]
    usual = NGrams(2, 6).fit([text])
    better = NGrams(2, 6, kneser_ney=True).fit([text])
    assert usual.probability([9], 1) > usual.probability([9], 2)
    assert better.probability([9], 2) > better.probability([9], 1)
    total = sum(better.probability([0], token) for token in range(6))
    assert total == pytest.approx(1.0)


class TestCase:
    def test_who_writes(self, get_case: Any) -> None:
        case = get_case(CASE)
        assert case.parse("ROMEO:\n")[0] == "shakespeare"
        assert case.parse("春風吹又生，") == ("five", "春风吹又生，")
        assert case.parse("秋雁南飞过旧城，")[0] == "seven"
        assert case.parse("词|西風") == ("ci", "西风")
        assert case.asked(case.question("seven", "江上")) == "江上"

    def test_a_seed_repeats_the_text(self, get_case: Any) -> None:
        case = get_case(CASE)
        for raw in ("ROMEO:\n", "五言|春风"):
            texts = [
                "".join(t.text for t in case.stream(raw, length=30, seed=s)) for s in (1, 1, 2)
            ]
            assert texts[0] == texts[1] != texts[2]

    def test_marks_are_never_written(self, get_case: Any) -> None:
        case = get_case(CASE)
        tokens = list(case.stream("五言|山", temperature=2.0, top_k=200, top_p=1.0, length=60))
        assert all(token.text and token.text != "■" for token in tokens)
        assert all(sum(c.probability for c in t.alternatives) <= 1 + 1e-5 for t in tokens)

    def test_first_character_matches_the_net(self, get_case: Any) -> None:
        case = get_case(CASE)
        for raw in ("ROMEO:\nWhat", "五言|春风"):
            token = next(case.stream(raw, temperature=0.0))
            with torch.inference_mode():
                y = case.net(case.encode(raw))[0]
            assert case.decode(y, raw).tokens[0].text == token.text
            assert case.next_tokens(raw, 0.0, 50, 1.0)[0][0].text == token.text

    @pytest.mark.parametrize(
        ("raw", "named"),
        [
            ("五言|hello", "h e l o"),
            ("Shakespeare|春风", "春 风"),
            ("naïve 😀", "ï 😀"),
            ("春\x07", "U+0007"),
            ("ROMEO:\n" * 40, "120"),
            ("五言|", "empty"),
        ],
    )
    def test_one_clear_sentence(self, raw: str, named: str, get_case: Any) -> None:
        with pytest.raises(InputError) as caught:
            list(get_case(CASE).stream(raw))
        assert named in str(caught.value) and "\n" not in str(caught.value)

    def test_explanations_add_up_to_parts(self, get_case: Any) -> None:
        for raw in ("KING HENRY:\nThis crown is", "五言|月出寒山静，"):
            whole = get_case(CASE)
            case = whole.about(raw)
            words, word_of = case.words(raw)
            assert len(word_of) == case.encode(raw).shape[1] and max(word_of) == len(words) - 1
            target = case.targets(raw)[0]
            found = get_explainer("leave_one_out").explain(case, raw, target)
            assert found.values.shape == (len(words),) and np.abs(found.values).max() > 0
            quality = measure(case, raw, found, seconds=0.1)
            assert quality.verdict in ("better", "mixed", "unreliable")

    def test_the_end_is_shown_as_a_sign(self, get_case: Any) -> None:
        assert get_case(CASE).about("五言|山").name(END) == "■"

    @pytest.mark.data
    @pytest.mark.slow
    def test_evaluates_files(self, get_case: Any, tmp_path: Path) -> None:
        case = get_case(CASE)
        play, poems = tmp_path / "play.txt", tmp_path / "poems.json"
        play.write_text("ROMEO:\nGood morrow to you, cousin.\n" * 40)
        rows = [{"paragraphs": ["白日依山盡，黃河入海流。"]}] * 2
        poems.write_text(json.dumps(rows), "utf-8")
        one, two = case.evaluate(data=play, limit=1), case.evaluate(data=poems)
        assert {m.key for m in one.measured.metrics} == {"val_loss@play", "val_loss_apart@play"}
        assert two.n == 2 and two.measured.metrics[0].key == "perplexity@poems"
        play.write_text("春风" * 40, "utf-8")
        with pytest.raises(InputError):
            case.evaluate(data=play)
        with pytest.raises(InputError):
            case.evaluate("train")


@pytest.mark.parametrize("tied", [False, True])
def test_calibration_undoes_a_wrong_scale(tied: bool) -> None:
    """Logits a tenth too large are made smaller again, and nothing else changes."""
    torch.manual_seed(0)
    alphabet = torch.arange(0x4E00, 0x4E00 + (1200 if tied else 26))
    net = CharGPT(alphabet, Shape(1, 16, 1, 1, dropout=0.0)).eval()
    weight = net.embedding.weight if net.tied else net.head.weight
    assert net.tied == tied
    torch.nn.init.normal_(weight, std=0.3)
    ids = torch.randint(FIRST, FIRST + 20, (1, 1))
    with torch.no_grad():
        for _ in range(500):  # a text that the network itself has drawn
            p = net(ids[:, -CONTEXT:]).softmax(dim=-1)
            p[:, :FIRST] = 0
            ids = torch.cat([ids, torch.multinomial(p, 1)], dim=1)
        before = net(ids[:, :5])
        weight.mul_(1.18)
        found = calibrate(net, ids[0])
        torch.testing.assert_close(net(ids[:, :5]), before * 1.18 / found, rtol=1e-3, atol=1e-3)
    assert found >= 1.06
