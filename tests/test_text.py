"""Sentiment and text generation: adapters, the decoder, sampling, flips, streaming."""

import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from dlportal.cases.sentiment import join_tokens
from dlportal.cases.text_generation import settled
from dlportal.kinds.english import check_english, looks_english
from dlportal.kinds.writer import visible
from dlportal.messages import InputError
from dlportal.nets.llama import Llama, load_llama
from dlportal.nets.lora import LoraLinear, add_lora
from dlportal.nets.sampling import candidates, draw
from dlportal.results import Classes, Token
from dlportal.serving.lane import Busy
from dlportal.serving.turns import Turns
from dlportal.training.ngrams import NGrams
from dlportal.training.texts import TextBatches, all_logits


class TestLora:
    def test_starts_as_the_layer_it_corrects(self) -> None:
        base, x = nn.Linear(6, 4), torch.randn(3, 6)
        torch.testing.assert_close(LoraLinear(base, 2, 1.0)(x), base(x))

    def test_only_adapters_learn(self) -> None:
        net = nn.ModuleDict({"query": nn.Linear(4, 4), "other": nn.Linear(4, 4)})
        add_lora(net, 2, 1.0, ("query",))
        learning = {name for name, p in net.named_parameters() if p.requires_grad}
        assert learning == {"query.down", "query.up"}

    def test_unknown_names_are_refused(self) -> None:
        with pytest.raises(ValueError, match="key"):
            add_lora(nn.Sequential(nn.Linear(2, 2)), 2, 1.0, ("key",))


class TestSampling:
    logits = torch.tensor([2.0, 1.0, 0.0, -1.0, 3.0])

    def test_zero_temperature_is_greedy(self) -> None:
        ids, p = candidates(self.logits, temperature=0.0)
        assert ids.tolist() == [4] and p.tolist() == [1.0]

    def test_top_k(self) -> None:
        ids, p = candidates(self.logits, top_k=2)
        assert ids.tolist() == [4, 0]
        torch.testing.assert_close(p, torch.softmax(torch.tensor([3.0, 2.0]), 0))

    @pytest.mark.parametrize("top_p,kept", [(0.01, 1), (0.64, 2), (1.0, 5)])
    def test_top_p_keeps_until_the_sum_is_reached(self, top_p: float, kept: int) -> None:
        ids, p = candidates(self.logits, top_p=top_p)
        assert len(ids) == kept
        assert float(p.sum()) == pytest.approx(1.0)

    def test_agrees_with_transformers(self) -> None:
        from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

        logits = torch.randn(200, generator=torch.Generator().manual_seed(0)) * 3
        y = logits.unsqueeze(0)
        no_ids = torch.zeros(1, 1, dtype=torch.long)
        for warp in (TemperatureLogitsWarper(0.7), TopKLogitsWarper(50), TopPLogitsWarper(0.8)):
            y = warp(no_ids, y)
        expected = torch.softmax(y[0], dim=-1)
        ids, p = candidates(logits, 0.7, 50, 0.8)
        ours = torch.zeros(200).scatter(0, ids, p)
        torch.testing.assert_close(ours, expected)

    def test_draws_repeat_under_a_seed_and_follow_the_odds(self) -> None:
        ids, p = torch.tensor([7, 9]), torch.tensor([0.8, 0.2])
        runs = [
            [draw(ids, p, generator) for _ in range(500)]
            for generator in (torch.Generator().manual_seed(3), torch.Generator().manual_seed(3))
        ]
        assert runs[0] == runs[1]
        assert 350 < Counter(runs[0])[7] < 450


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> tuple[Llama, Any]:
    """A tiny decoder of ours and transformers' with the same weights."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=50,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        rope_parameters={"rope_theta": 10000.0, "rope_type": "default"},
        tie_word_embeddings=True,
    )
    theirs = LlamaForCausalLM(config).eval()
    folder: Path = tmp_path_factory.mktemp("llama")
    theirs.save_pretrained(folder)
    return load_llama(folder, pad=49, dtype=torch.float32).eval().requires_grad_(False), theirs


class TestLlama:
    ids = torch.tensor([[3, 14, 15, 9, 26, 5]])

    def test_same_numbers_as_transformers(self, twins: tuple[Llama, Any]) -> None:
        ours, theirs = twins
        with torch.inference_mode():
            expected = theirs(self.ids).logits[:, -1]
            torch.testing.assert_close(ours(self.ids), expected, rtol=1e-4, atol=1e-5)

    def test_token_by_token_is_the_same(self, twins: tuple[Llama, Any]) -> None:
        ours, _ = twins
        with torch.inference_mode():
            cache = ours.cache(10)
            ours.step(self.ids[:, :3], cache)
            for place in (3, 4, 5):
                y = ours.step(self.ids[:, place : place + 1], cache)
            torch.testing.assert_close(y, ours(self.ids)[0], rtol=1e-4, atol=1e-5)
        assert cache.length == 6

    def test_padding_is_not_read(self, twins: tuple[Llama, Any]) -> None:
        ours, _ = twins
        padded = torch.cat([self.ids, torch.full((1, 4), 49)], dim=1)
        torch.testing.assert_close(ours(padded), ours(self.ids))

    def test_trace_ends_in_the_same_logits(self, twins: tuple[Llama, Any]) -> None:
        ours, theirs = twins
        trace = ours.trace(self.ids)
        assert trace.states.shape == (4, 6, 32) and trace.attention.shape == (3, 4, 6, 6)
        torch.testing.assert_close(ours.logits(trace.states[-1, -1]), ours(self.ids)[0])
        theirs.set_attn_implementation("eager")
        with torch.inference_mode():
            expected = theirs(self.ids, output_attentions=True).attentions
        torch.testing.assert_close(trace.attention[1], expected[1][0], rtol=1e-4, atol=1e-5)

    def test_gradients_reach_the_embeddings(self, twins: tuple[Llama, Any]) -> None:
        ours, _ = twins
        e = ours.embed(self.ids).requires_grad_(True)
        ours.from_embeddings(e, torch.ones_like(self.ids))[0, 7].backward()
        assert e.grad is not None and float(e.grad.abs().sum()) > 0


def test_settled_is_the_layer_from_which_all_are_right() -> None:
    assert settled([False, True, False, True, True]) == 3
    assert settled([True, True]) == 0
    assert settled([True, False]) == 2


def test_visible_shows_blanks() -> None:
    assert visible(" a\n") == "␣a⏎" and visible("") == "∅"


class TestNGrams:
    texts = ([0, 1, 2, 3, 1, 2, 4], [0, 1, 2, 3])

    @pytest.mark.parametrize("order", [1, 2, 3])
    @pytest.mark.parametrize("context", [[], [1], [1, 2], [9, 9]])
    def test_probabilities_sum_to_one(self, order: int, context: list[int]) -> None:
        model = NGrams(order, 12).fit(self.texts)
        total = sum(model.probability(context, token) for token in range(12))
        assert total == pytest.approx(1.0)

    def test_longer_contexts_know_more(self) -> None:
        known = [NGrams(order, 12).fit(self.texts) for order in (1, 3)]
        one, three = (model.nats(self.texts[0]).sum() for model in known)
        assert three < one


class TestEnglish:
    @pytest.mark.parametrize(
        "text", ["你好，这部电影很好看", "Это хороший фильм", "🙂🙂", "123 !?"]
    )
    def test_other_scripts_are_refused(self, text: str) -> None:
        with pytest.raises(InputError) as caught:
            check_english(text)
        assert "English" in str(caught.value)

    @pytest.mark.parametrize(
        "text", ["What a café!", "I liked it 👍", "Zhang Yimou (张艺谋) at his best"]
    )
    def test_english_passes(self, text: str) -> None:
        check_english(text)

    def test_other_languages_are_told_apart(self) -> None:
        assert looks_english("this is a film that I would see again") is True
        assert looks_english("der Film war leider viel zu lang und langweilig") is False
        assert looks_english("le film était vraiment trop long et ennuyeux") is False
        assert looks_english("too short") is None


def test_words_are_joined_as_people_write_them() -> None:
    assert join_tokens("it 's good , but they wo n't care .") == "it's good, but they won't care."


class TestTextBatches:
    def make(self) -> TextBatches:
        ids = [[1] * (1 + n % 9) for n in range(50)]
        return TextBatches(ids, torch.arange(50), 8, seed=1)

    def test_every_text_once_and_padded(self) -> None:
        batches = list(self.make()(0))
        assert len(batches) == self.make().steps_per_epoch
        assert sorted(torch.cat([labels for _, labels in batches]).tolist()) == list(range(50))
        for x, labels in batches:
            lengths = (x == 1).sum(dim=1)
            assert lengths.tolist() == [1 + int(n) % 9 for n in labels]
            assert x.shape[1] == int(lengths.max())

    def test_the_order_depends_on_seed_and_epoch_alone(self) -> None:
        first, again, other = (
            [labels.tolist() for _, labels in self.make()(epoch)] for epoch in (0, 0, 1)
        )
        assert first == again != other

    def test_logits_come_back_in_order(self) -> None:
        class Length(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.factor = nn.Parameter(torch.ones(1))

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                return (x > 0).sum(dim=1, keepdim=True) * self.factor

        ids = [[1] * n for n in (5, 2, 9, 1)]
        assert all_logits(Length(), ids, size=2)[:, 0].tolist() == [5.0, 2.0, 9.0, 1.0]


class TestTurns:
    def test_the_third_waits_for_the_first(self) -> None:
        turns, told = Turns(places=1, capacity=1), []

        class Left(Exception):
            pass

        def leave(ahead: int) -> None:
            told.append(ahead)
            raise Left

        with turns.turn():
            with pytest.raises(Left), turns.turn(leave):
                pass
            assert told == [1]
        with turns.turn(leave):  # the place is free again
            pass
        assert told == [1]

    def test_a_full_line_is_refused(self) -> None:
        turns = Turns(places=1, capacity=0)
        with turns.turn(), pytest.raises(Busy), turns.turn():
            pass


@pytest.mark.assets
class TestSentiment:
    def test_bodies_are_shared_and_only_adapters_ship(self) -> None:
        from dlportal.nets.minilm import SentenceClassifier, shared_body

        a, b = SentenceClassifier(2), SentenceClassifier(5)
        words = shared_body().embeddings.word_embeddings.weight
        assert a.encoder.body.embeddings.word_embeddings.weight is words
        assert b.encoder.body.embeddings.word_embeddings.weight is words
        shipped = a.shipped_state()
        assert sum(tensor.numel() for tensor in shipped.values()) < 1_000_000
        body = {id(p) for p in shared_body().parameters()}
        learning = {name for name, p in a.named_parameters() if id(p) not in body}
        assert learning == set(shipped)

    def test_clear_examples_are_right(self, get_case: Any) -> None:
        case = get_case("sentiment")
        for example in case.examples():
            result = case.predict(example.load())
            assert isinstance(result, Classes)
            if example.id in ("praise", "negation", "less"):
                assert result.best.label.id == example.truth, example.id

    @pytest.mark.parametrize("text", ["", "这部电影真好看", "😀😀", "word " * 150])
    def test_unusable_texts_get_one_sentence(self, text: str, get_case: Any) -> None:
        with pytest.raises(InputError) as caught:
            get_case("sentiment").predict(text)
        assert "\n" not in str(caught.value)

    def test_german_is_marked_outside(self, get_case: Any) -> None:
        result = get_case("sentiment").predict("Der Film war leider viel zu lang und langweilig.")
        assert result.inside is False

    def test_flips_are_what_the_network_says(self, get_case: Any) -> None:
        case = get_case("sentiment")
        flips = case.flips("A dull film, but the music is great.")
        assert flips.tried > len(flips.words) + 5 * 30
        assert len(flips.removals) == len(flips.words) == 8
        for edit in (*flips.removals[:3], *flips.replacements[:3]):
            if edit.text:
                best = case.predict(edit.text).best
                assert best.label == edit.label
                assert best.probability == pytest.approx(edit.probability, abs=1e-3)
                assert edit.flips == (best.label != flips.label)

    @pytest.mark.data
    def test_texts_are_split_without_leaks(self) -> None:
        from dlportal.data import sst2

        parts = sst2.load()
        sets = [set(part.texts) for part in (parts.train, parts.validation, parts.test)]
        assert not sets[0] & sets[1] and not (sets[0] | sets[1]) & sets[2]
        assert len(parts.test) == 872


@pytest.mark.assets
class TestTextGeneration:
    prompt = "The capital of France is"

    def test_a_seed_repeats_the_text(self, get_case: Any) -> None:
        case = get_case("text_generation")
        texts = [
            [token.text for token in case.stream(self.prompt, seed=s, length=12)] for s in (1, 1, 2)
        ]
        assert texts[0] == texts[1] != texts[2]

    def test_tokens_carry_their_odds(self, get_case: Any) -> None:
        token = next(get_case("text_generation").stream(self.prompt, temperature=0.0))
        assert isinstance(token, Token) and token.text == " Paris"
        assert token.alternatives[0].text == " Paris"
        assert token.probability == token.alternatives[0].probability > 0.5
        odds = [candidate.probability for candidate in token.alternatives]
        assert odds == sorted(odds, reverse=True) and sum(odds) <= 1.0 + 1e-6

    def test_first_token_matches_the_net(self, get_case: Any) -> None:
        case = get_case("text_generation")
        token = next(case.stream(self.prompt, temperature=0.0))
        with torch.inference_mode():
            y = case.net(case.encode(self.prompt))
        assert case.decode(y[0].float(), self.prompt).tokens[0].text == token.text

    def test_stopping_is_not_asking_for_more(self, get_case: Any) -> None:
        stream = get_case("text_generation").stream(self.prompt, length=200)
        next(stream)
        stream.close()
        assert not torch.is_inference_mode_enabled()

    def test_characters_of_several_tokens_come_whole(self, get_case: Any) -> None:
        case = get_case("text_generation")
        prompt = "Repeat: 中文 café 😀\nRepeat: 中文 café 😀\nRepeat:"
        text = "".join(t.text for t in case.stream(prompt, temperature=0.0, length=12))
        assert "\ufffd" not in text and "中文" in text

    def test_questions_keep_the_chat_form_out_of_the_parts(self, get_case: Any) -> None:
        case = get_case("text_generation")
        raw = case.question("Why is the sky blue?")
        assert case.asked(raw) == "Why is the sky blue?"
        words, word_of = case.words(raw)
        assert words == ["Why", "is", "the", "sky", "blue", "?"]
        assert len(word_of) == case.encode(raw).shape[1] and word_of[0] == -1

    def test_look_inside(self, get_case: Any) -> None:
        case = get_case("text_generation")
        inside = case.look_inside(self.prompt)
        assert inside.chosen[-1] == " Paris" and inside.tokens[-1] == " is"
        assert inside.probability.shape == (31, 5) and inside.attention.shape == (30, 9, 5, 5)
        assert inside.guesses[-1] == inside.chosen
        np.testing.assert_allclose(inside.attention.sum(axis=-1), 1.0, rtol=1e-3)
        layer = inside.knew[-1]
        assert 5 < layer <= 30 and inside.guesses[layer - 1][-1] != " Paris"

    @pytest.mark.parametrize("text", ["", "a " * 600, "<empty_output>"])
    def test_unusable_prompts_get_one_sentence(self, text: str, get_case: Any) -> None:
        with pytest.raises(InputError):
            list(get_case("text_generation").stream(text))

    @pytest.mark.slow
    def test_as_fast_as_generate(self, get_case: Any) -> None:
        """At least 0.8 of the tokens a second of transformers' own greedy loop, same weights."""
        from transformers import LlamaForCausalLM

        case = get_case("text_generation")
        dtype = case.net.embedding.weight.dtype
        theirs = LlamaForCausalLM.from_pretrained(case.folder, dtype=dtype).eval()
        ids = case.encode(self.prompt)
        count, ours, bare = 24, [], []
        for _ in range(3):
            started = time.perf_counter()
            written = list(case.stream(self.prompt, temperature=0.0, length=count))
            ours.append(len(written) / (time.perf_counter() - started))
            started = time.perf_counter()
            with torch.inference_mode():
                theirs.generate(
                    ids, max_new_tokens=len(written), min_new_tokens=len(written), do_sample=False
                )
            bare.append(len(written) / (time.perf_counter() - started))
        assert max(ours) >= 0.8 * max(bare), (ours, bare)
