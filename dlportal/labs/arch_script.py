"""The script that repeats the numbers of the architecture tour's page with plain torch."""

import inspect
from collections.abc import Mapping
from typing import Any

from PIL import Image

from dlportal.labs import arch_nets
from dlportal.labs.arch_insides import JUMPS
from dlportal.labs.arch_nets import AttentionNet
from dlportal.labs.arch_tour import ORDER_SEED, shift

WEIGHTS = "models/architecture_tour/weights.safetensors"


def script(picture: Image.Image, task: str, s: Mapping[str, Any]) -> str:
    """Python that prints the four answers and the numbers of every view.

    Args:
        picture: Grey, 28 × 28.
        task: "fashion" or "digits".
        s: The page's settings, complete.
    """
    classes = "\n\n\n".join(
        inspect.getsource(part)
        for part in (
            arch_nets.MLP,
            arch_nets.CNN,
            arch_nets.RowLSTM,
            arch_nets.Block,
            arch_nets.AttentionNet,
        )
    )
    order = "shuffled" if s["shuffled"] else "plain"
    layer, row, column = s["layer"] - 1, s["row"] - 1, s["column"] - 1
    jump = JUMPS[layer]
    patch = row // AttentionNet.PATCH * (28 // AttentionNet.PATCH) + column // AttentionNet.PATCH
    return f"""from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

SIDE, CLASSES = 28, 10


{classes}

{inspect.getsource(shift)}

# the picture, 28 rows of 28 grey values
pixels = bytes.fromhex(
    "{picture.tobytes().hex()}"
)
x = torch.frombuffer(bytearray(pixels), dtype=torch.uint8).float().div(255).view(1, 1, 28, 28)
x = shift(x, {s["right"]}, {s["down"]})
order = torch.randperm(784, generator=torch.Generator().manual_seed({ORDER_SEED}))
shuffled = x.flatten(1)[:, order].view_as(x)
seen = {"shuffled" if s["shuffled"] else "x"}

# the networks
weights = load_file("{WEIGHTS}")
nets = {{}}
for trained in ("plain", "shuffled"):
    for kind, make in (("mlp", MLP), ("cnn", CNN), ("rnn", RowLSTM), ("attention", AttentionNet)):
        start = f"nets.{task}-{{trained}}-{{kind}}."
        own = {{k.removeprefix(start): v for k, v in weights.items() if k.startswith(start)}}
        net = make().eval().requires_grad_(False)
        net.load_state_dict(own)
        nets[trained, kind] = net
        print("answer", trained, kind, int(net(seen).argmax()))
mlp, cnn, rnn, attention = (nets["{order}", kind] for kind in ("mlp", "cnn", "rnn", "attention"))

# a hidden unit of the MLP: z = b + sum of w x
print("mlp z", float(mlp.first(seen.flatten(1))[0, {s["hidden"] - 1}]))

# a number of a feature map: z = b + sum over maps and window of w x
print("cnn z", float(cnn.maps(seen)[{layer}][1][0, {s["channel"] - 1}, {row // jump}, {column // jump}]))

# what it can see: where the gradient is not zero, for random pictures
noise = torch.rand(16, 1, 28, 28, generator=torch.Generator().manual_seed(0)).requires_grad_(True)
cnn.maps(noise)[{layer}][1][:, :, {row // jump}, {column // jump}].sum().backward()
there = noise.grad.abs().sum(dim=(0, 1)) > 0
print("field", int(there.any(dim=1).sum()), int(there.any(dim=0).sum()))

# the LSTM's gates, row by row
h = c = torch.zeros(rnn.UNITS)
for pixel_row in seen[0, 0, : {s["row"]}]:
    sums = rnn.lstm.weight_ih_l0 @ pixel_row + rnn.lstm.bias_ih_l0
    sums = sums + rnn.lstm.weight_hh_l0 @ h + rnn.lstm.bias_hh_l0
    i, f, g, o = sums.chunk(4)
    i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
    c = f * c + i * g
    h = o * c.tanh()
for name, values in (("i", i), ("f", f), ("o", o), ("g", g), ("c", c), ("h", h)):
    print("rnn", name, float(values[{s["unit"] - 1}]))

# where a patch looks: softmax(Q K^T / sqrt d)
tokens = attention.tokens(seen)[{s["block"] - 1}]
q, k, v = (part[0, {s["head"] - 1}] for part in attention.blocks[{s["block"] - 1}].queries_keys_values(tokens))
looks = (q @ k.T / q.shape[-1] ** 0.5).softmax(-1)[{patch}]
print("attention", int(looks.argmax()), float(looks.max()))
"""
