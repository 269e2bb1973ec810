"""A Piper voice (VITS), its two halves run one after the other.

VITS: https://arxiv.org/abs/2106.06103. The file holds one graph that draws its own random
numbers, so that the same text never sounds the same twice. Cut in two, it can be seeded and shows
what it otherwise hides, how long each phoneme lasts:

    ids → text encoder, duration predictor → durations, prior     (first half)
          prior repeated by duration, plus noise → z              (here)
    z   → flow, HiFi-GAN decoder → sound                          (second half)
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from dlportal.nets.onnx_graph import FLOAT, INT64, cut

HOP = 256  # samples a frame
PAUSE = 0.2  # seconds of silence between sentences
PAD, BOS, EOS = "_", "^", "$"

# Inner tensors at the borders of the halves, as PyTorch's exporter named them.
DURATION_NOISE = "/dp/RandomNormalLike_output_0"  # (1, 2, ids)
DURATIONS = "/Ceil_output_0"  # (1, 1, ids), frames
PRIOR_MEAN = "/enc_p/Split_output_0"  # (1, CHANNELS, ids)
PRIOR_LOG_DEVIATION = "/enc_p/Split_output_1"
LATENT = "/Add_output_0"  # (1, CHANNELS, frames)
LATENT_MASK = "/Cast_2_output_0"  # (1, 1, frames)


@dataclass(frozen=True)
class Manner:
    """How a text is spoken.

    `speed` multiplies the pace; `noise` scales the randomness of the voice, `rhythm` that of the
    durations (0 takes the most likely ones); the same `seed` gives the same sound.
    """

    speed: float = 1.0
    noise: float = 0.667
    rhythm: float = 0.8
    seed: int = 0


DEFAULT = Manner()


class PiperVoice(nn.Module):
    """Phoneme ids to sound. `rate` in Hz; `ids` maps each phoneme symbol to its ids."""

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__()
        config = json.loads((folder / f"{name}.onnx.json").read_text(encoding="utf-8"))
        self.rate: int = config["audio"]["sample_rate"]
        self.language: str = config["espeak"]["voice"]
        self.ids: dict[str, list[int]] = config["phoneme_id_map"]
        model = (folder / f"{name}.onnx").read_bytes()
        self.numbers = len(model) // 4  # float32 weights; the graph itself is small
        self.first = session(
            model,
            {"input": INT64, "input_lengths": INT64, "scales": FLOAT, DURATION_NOISE: FLOAT},
            [DURATIONS, PRIOR_MEAN, PRIOR_LOG_DEVIATION],
        )
        self.second = session(model, {LATENT: FLOAT, LATENT_MASK: FLOAT}, ["output"])

    def encode(self, sentences: Sequence[Sequence[str]]) -> np.ndarray:
        """Ids of phonemes, int64 (T,): each phoneme and each border is followed by a pad.

        Every symbol must be one of `ids`.
        """
        out: list[int] = []
        for phonemes in sentences:
            out += [i for symbol in (BOS, *phonemes) for i in (*self.ids[symbol], *self.ids[PAD])]
            out += self.ids[EOS]
        return np.array(out, dtype=np.int64)

    def speak(self, ids: np.ndarray, manner: Manner) -> tuple[np.ndarray, np.ndarray]:
        """Speak sentence after sentence.

        Args:
            ids: What `encode` gives, (T,).
            manner: Pace, noise, seed.

        Returns:
            Samples, float32 in [-1, 1], shape (time,), and how many of them each id lasts, (T,).
        """
        random = np.random.default_rng(manner.seed)
        ends = np.flatnonzero(ids == self.ids[EOS][0]) + 1
        samples, lengths = [], []
        for sentence in np.split(ids, ends[:-1]):
            spoken, length = self._sentence(sentence, manner, random)
            pause = np.zeros(int(PAUSE * self.rate), np.float32)
            length[-1] += len(pause)
            samples += [spoken, pause]
            lengths.append(length)
        return np.concatenate(samples), np.concatenate(lengths)

    def _sentence(
        self, ids: np.ndarray, manner: Manner, random: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        fed = {
            "input": ids[None],
            "input_lengths": np.array([len(ids)]),
            "scales": np.array([manner.noise, 1 / manner.speed, manner.rhythm], np.float32),
            DURATION_NOISE: random.standard_normal((1, 2, len(ids)), np.float32),
        }
        durations, mean, log_deviation = self.first.run(None, fed)
        frames = durations[0, 0].astype(np.int64)
        mean, log_deviation = (np.repeat(x, frames, axis=2) for x in (mean, log_deviation))
        noise = random.standard_normal(mean.shape, np.float32)
        latent = mean + noise * np.exp(log_deviation) * np.float32(manner.noise)
        mask = np.ones((1, 1, latent.shape[2]), np.float32)
        samples = self.second.run(None, {LATENT: latent, LATENT_MASK: mask})[0].ravel()
        # Piper's own programs scale every sentence to full range.
        peak = max(1e-8, float(np.abs(samples).max()))
        return samples / peak, frames * HOP

    def forward(self, x: Tensor, manner: Manner = DEFAULT) -> Tensor:
        """Speak one text: (1, T) ids to (1, 2, time).

        The rows are the samples and, for each sample, the place in `x` of the id being spoken.
        """
        samples, lengths = self.speak(x[0].cpu().numpy(), manner)
        place = np.repeat(np.arange(len(lengths), dtype=np.float32), lengths)
        return torch.from_numpy(np.stack([samples, place]))[None]


def session(
    model: bytes, inputs: dict[str, int], outputs: list[str]
) -> onnxruntime.InferenceSession:
    """Load a part of the graph."""
    options = onnxruntime.SessionOptions()
    # The arena would keep its peak for good: 0.7 GB after one sentence of 24 s, and no faster.
    options.enable_cpu_mem_arena = False
    # Idle threads that spin would take the processor from other visitors.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(
        cut(model, inputs, outputs), options, providers=["CPUExecutionProvider"]
    )
