"""The script that repeats a step of the backpropagation lab with plain torch."""

import inspect
import itertools
from typing import Any

from dlportal.labs.backprop_data import DATA, INPUTS, OUTPUTS, POINTS
from dlportal.labs.backprop_net import MOST_STEPS

MODULES = {
    "tanh": "nn.Tanh()",
    "sigmoid": "nn.Sigmoid()",
    "relu": "nn.ReLU()",
    "leaky_relu": "nn.LeakyReLU(0.1)",
    "linear": "nn.Identity()",
}
SLOPES = {
    "tanh": "1 - h**2",
    "sigmoid": "h * (1 - h)",
    "relu": "(z > 0).double()",
    "leaky_relu": "0.1 + 0.9 * (z > 0).double()",
    "linear": "torch.ones_like(z)",
}
STARTS = {
    "xavier": ("nn.init.xavier_normal_(layer.weight, generator=g)", True),
    "he": ('nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=g)', True),
    "small": ("nn.init.normal_(layer.weight, std=0.1, generator=g)", True),
    "large": ("nn.init.normal_(layer.weight, std=2.0, generator=g)", True),
    "zeros": ("nn.init.zeros_(layer.weight)", False),
}


def loss_lines(loss: str, outputs: int) -> tuple[str, str, str]:
    """Python for the loss of z, for the answer p of z, and for the output's gradient."""
    if loss == "mse":
        return (
            "0.5 * (z.sigmoid() - t).square().sum(-1).mean()",
            "z.sigmoid()",
            "(p - t) * p * (1 - p)",
        )
    if outputs == 1:
        return "nn.functional.binary_cross_entropy_with_logits(z, t)", "z.sigmoid()", "p - t"
    return "nn.functional.cross_entropy(z, t)", "z.softmax(-1)", "p - t"


def net_lines(s: dict[str, Any]) -> str:
    sizes = [INPUTS[s["data"]], *[s["units"]] * s["layers"], OUTPUTS[s["data"]]]
    lines = [f"    nn.Linear({a}, {b}),\n" for a, b in itertools.pairwise(sizes)]
    bend = f"    {MODULES[s['activation']]},\n"
    return "net = nn.Sequential(\n" + bend.join(lines) + ").double()\n"


def start_lines(s: dict[str, Any]) -> str:
    weight, biases = STARTS[s["init"]]
    bias = (
        "nn.init.normal_(layer.bias, std=0.1, generator=g)"
        if biases
        else "nn.init.zeros_(layer.bias)"
    )
    return (
        f"g = torch.Generator().manual_seed({s['seed']})\n"
        "for layer in linears:\n"
        f"    {weight}\n"
        f"    {bias}\n"
    )


def script(s: dict[str, Any]) -> str:
    """Train `t` steps, then print every number of the next one, the chosen weight's gradient
    three ways, and the loss after the update."""
    data, outputs = s["data"], OUTPUTS[s["data"]]
    target = (
        "label.double()[:, None]"
        if outputs == 1
        else f"nn.functional.one_hot(label, {outputs}).double()"
    )
    loss, answer, gradient = loss_lines(s["loss"], outputs)
    if s["w_from"]:
        grad = f"linears[{s['w_layer'] - 1}].weight.grad[{s['w_to'] - 1}, {s['w_from'] - 1}]"
        entry = f"linears[{s['w_layer'] - 1}].weight[{s['w_to'] - 1}, {s['w_from'] - 1}]"
        hand = f"[{s['w_to'] - 1}, {s['w_from'] - 1}]"
        table = "weights"
    else:
        grad = f"linears[{s['w_layer'] - 1}].bias.grad[{s['w_to'] - 1}]"
        entry = f"linears[{s['w_layer'] - 1}].bias[{s['w_to'] - 1}]"
        hand = f"[{s['w_to'] - 1}]"
        table = "biases"
    return f"""import torch
from torch import Tensor, nn


{inspect.getsource(DATA[data])}

def loss_of(z, t):
    return {loss}


x, label = {data}({POINTS}, {s["noise"]}, {s["seed"]})
target = {target}
{net_lines(s)}linears = [layer for layer in net if isinstance(layer, nn.Linear)]
{start_lines(s)}
# {s["t"]} steps of training, one example each
order = torch.randint({POINTS}, ({MOST_STEPS + 1},), generator=torch.Generator().manual_seed({s["seed"] + 1}))
optimizer = torch.optim.SGD(net.parameters(), {s["rate"]})
for i in order[:{s["t"]}]:
    optimizer.zero_grad()
    loss_of(net(x[i]), target[i]).backward()
    optimizer.step()
with torch.no_grad():
    print("all examples", loss_of(net(x), target).item())

# forward: the inputs of every linear layer, and what it makes of them
i = order[{s["t"]}]
hs, zs, h = [], [], x[i]
for layer in net:
    if isinstance(layer, nn.Linear):
        hs.append(h)
        zs.append(layer(h))
        print("z", *zs[-1].tolist())
    h = layer(h)
z, t = zs[-1], target[i]
p = {answer}
print("p", *p.tolist())
loss = loss_of(z, t)
print("loss", loss.item())

# backward, by autograd
optimizer.zero_grad()
loss.backward()
print("autograd", {grad}.item())

# backward, by hand: the output's gradient, then the chain rule layer by layer
weights, biases = {{}}, {{}}
with torch.no_grad():
    delta = {gradient}
    for n in reversed(range(len(linears))):
        weights[n], biases[n] = torch.outer(delta, hs[n]), delta
        if n:
            z, h = zs[n - 1], hs[n]
            delta = ({SLOPES[s["activation"]]}) * (linears[n].weight.T @ delta)
print("by hand", {table}[{s["w_layer"] - 1}]{hand}.item())

# backward, by trying it out
with torch.no_grad():
    {entry} += 1e-5
    high = loss_of(net(x[i]), target[i])
    {entry} -= 2e-5
    low = loss_of(net(x[i]), target[i])
    {entry} += 1e-5
print("numeric", ((high - low) / 2e-5).item())

# the update
optimizer.step()
with torch.no_grad():
    print("after", loss_of(net(x[i]), target[i]).item())
"""
