"""The script that repeats a race with plain torch."""

import inspect
from typing import Any

from dlportal.labs.practice_data import usable
from dlportal.labs.race_nets import BATCH, HELD, moons, picture_net, set_weights, small_net
from dlportal.labs.race_optimizers import OPTIMIZERS, epsilon, look_ahead, rate_of
from dlportal.labs.race_surfaces import loss_source, surface_of


def script(s: dict[str, Any]) -> str:
    """Repeat the race; prints each optimizer's name and final loss."""
    return net_script(s) if s["track"] in ("net", "fashion") else surface_script(s)


def optimizer_lines(s: dict[str, Any]) -> str:
    decay = f", weight_decay={s['decay']}" if s["decay"] else ""
    nesterov = ", nesterov=True" if look_ahead(s) else ""
    eps = f", eps={epsilon(s):g}"
    rate = {name: f"{rate_of(name, s):.12g}" for name in OPTIMIZERS}
    return (
        "optimizers = {\n"
        f"    'sgd': lambda p: torch.optim.SGD(p, {rate['sgd']}{decay}),\n"
        f"    'momentum': lambda p: torch.optim.SGD(p, {rate['momentum']}, momentum={s['beta']}{nesterov}{decay}),\n"
        f"    'adagrad': lambda p: torch.optim.Adagrad(p, {rate['adagrad']}{eps}{decay}),\n"
        f"    'rmsprop': lambda p: torch.optim.RMSprop(p, {rate['rmsprop']}, alpha={s['rho']}{eps}{decay}),\n"
        f"    'adam': lambda p: torch.optim.Adam(p, {rate['adam']}, betas=({s['beta1']}, {s['beta2']}){eps}{decay}),\n"
        "}\n"
    )


def surface_script(s: dict[str, Any]) -> str:
    return f"""import math

import torch

{optimizer_lines(s)}

{loss_source(s)}

random = torch.Generator().manual_seed({s["seed"]})
noise = {s["noise"]} * torch.randn({s["steps"]}, 2, generator=random, dtype=torch.float64)
for name, build in optimizers.items():
    point = torch.tensor({list(surface_of(s).start)}, dtype=torch.float64, requires_grad=True)
    optimizer = build([point])
    for step in range({s["steps"]}):
        optimizer.zero_grad()
        loss_of(point[0], point[1]).backward()
        point.grad += noise[step]
        optimizer.step()
    print(name, loss_of(point[0], point[1]).item())
"""


def data_lines(s: dict[str, Any]) -> tuple[str, str, str]:
    """Code for the imports, the functions and the data of a task."""
    if s["track"] == "net":
        functions = "\n\n".join(inspect.getsource(f) for f in (moons, small_net, set_weights))
        data = f"x, label = moons({s['seed']})\nheld, held_label = x, label\nnew_net = small_net"
        return "", functions, data
    functions = "\n\n".join(inspect.getsource(f) for f in (picture_net, set_weights))
    data = f"""pictures = load({usable("fashion_mnist")!r})
x, label = pictures.train.images, pictures.train.labels
held = pictures.validation.images[:{HELD}].float() / 255
held_label = pictures.validation.labels[:{HELD}]


def new_net():
    return picture_net(x.shape[-1])
"""
    return "\nfrom dlportal.labs.practice_data import load\n", functions, data


def net_script(s: dict[str, Any]) -> str:
    imports, functions, data = data_lines(s)
    picture = s["track"] == "fashion"
    batch = "x[batch].float() / 255" if picture else "x[batch]"
    noise = (
        f"""
        for parameter in net.parameters():
            noise = torch.randn(parameter.shape, generator=random)
            parameter.grad += {0.1 * s["noise"]!r} * noise"""
        if s["noise"]
        else ""
    )
    return f"""import math

import torch
from torch import nn
{imports}
torch.set_num_threads(1)  # as the page: sums in another order would differ in the last digits

{optimizer_lines(s)}

{functions}

{data}
for name, build in optimizers.items():
    random = torch.Generator().manual_seed({s["seed"] + 1})
    batches = torch.randint(len(label), ({s["steps"]}, {BATCH}), generator=random)
    net = set_weights(new_net(), {s["seed"]})
    optimizer = build(list(net.parameters()))
    for batch in batches:
        optimizer.zero_grad()
        nn.functional.cross_entropy(net({batch}), label[batch]).backward(){noise}
        optimizer.step()
    with torch.no_grad():
        print(name, nn.functional.cross_entropy(net(held), held_label).item())
"""
