"""A large network teaches a small one."""

from pathlib import Path

import pytest
import torch
from torch import nn

from dlportal.training.distillation import distillation_loss, parts_of
from dlportal.training.events import Event, Run
from dlportal.training.sentiment_training import Stopped, reporter
from dlportal.training.texts import all_logits

TEXTS = [
    "A long and winding film, but never a dull one .",
    "Short .",
    "It is what it is : a comedy without a single joke that works .",
]


def test_parts_are_words_in_a_row() -> None:
    parts = parts_of(TEXTS, 5, seed=0)
    assert len(parts) > 5 and parts == sorted(set(parts))
    for part in parts:
        assert any(part in text for text in TEXTS)
        assert part == part.strip(" ,;:.-") and len(part) > 3
        assert len(part.split()) <= 11


def test_parts_depend_on_the_seed_alone() -> None:
    assert parts_of(TEXTS, 3, seed=1) == parts_of(TEXTS, 3, seed=1)
    assert parts_of(TEXTS, 3, seed=1) != parts_of(TEXTS, 3, seed=2)


class Says(nn.Module):
    """Answers with its own parameters, whatever it is asked."""

    def __init__(self, logits: torch.Tensor) -> None:
        super().__init__()
        self.logits = nn.Parameter(logits.clone())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.logits


def test_the_loss_is_least_where_both_say_the_same() -> None:
    told = torch.tensor([[2.0, -1.0], [0.3, 0.4]])
    ids = torch.zeros(2, 1, dtype=torch.long)
    same = Says(told)
    loss = distillation_loss(same, (ids, told))
    loss.backward()
    assert same.logits.grad is not None and same.logits.grad.abs().max() < 1e-6
    for other in (told.flip(1), told + torch.tensor([0.5, 0.0])):
        assert distillation_loss(Says(other), (ids, told)) > loss + 1e-3


def test_labelling_tells_where_it_is_and_ends_when_the_run_is_cancelled(tmp_path: Path) -> None:
    events: list[Event] = []
    run = Run(tmp_path, events.append)
    net = Says(torch.zeros(2, 2))
    ids = [[1, 2]] * 6
    run.started -= 60  # as if the last word had been long ago
    report = reporter(run)
    run.started -= 60
    assert all_logits(net, ids, size=2, progress=report).shape == (6, 2)
    assert [(event.kind, event.step, event.steps) for event in events] == [("step", 0, 6)]
    run.cancel()
    with pytest.raises(Stopped):
        all_logits(net, ids, size=2, progress=report)


@pytest.mark.assets
class TestReader:
    def test_it_reads_before_any_training_and_padding_changes_nothing(self) -> None:
        from dlportal.nets.reader import Reader
        from dlportal.training.texts import pad_texts

        reader = Reader("Movie review: {text}\nSentiment:", [" negative", " positive"]).eval()
        ids = reader.encode(["A wonderful, moving film.", "Terrible, a waste of time and money."])
        y = all_logits(reader, ids)
        assert y.argmax(dim=1).tolist() == [1, 0]
        with torch.inference_mode():
            alone = reader(pad_texts(ids[:1]))[0]
            padded = reader(torch.cat([pad_texts(ids[:1]), torch.zeros(1, 7).long()], dim=1))[0]
        assert torch.allclose(alone.softmax(0), padded.softmax(0), atol=0.02)
        fixed = {name for name, p in reader.named_parameters() if not p.requires_grad}
        assert fixed == {"body.embed_tokens.weight"}

    def test_words_must_differ(self) -> None:
        from dlportal.nets.reader import Reader

        with pytest.raises(ValueError, match="same token"):
            Reader("{text}", [" good", " good"])
