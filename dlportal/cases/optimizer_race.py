"""Five optimizers from the same start with the same noise: on surfaces and on a small net.

Everything is computed by `torch.optim` when asked for; nothing is stored. The same settings
give the same numbers on every run.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dlportal.case import InputError, Knob, Lab
from dlportal.messages import N_
from dlportal.results import Result

OPTIMIZERS = ("sgd", "momentum", "adagrad", "rmsprop", "adam")
OPTIMIZER_NAMES = {
    "sgd": "SGD",
    "momentum": "Momentum",
    "adagrad": "Adagrad",
    "rmsprop": "RMSProp",
    "adam": "Adam",
}
RULES = {
    "sgd": r"\theta \leftarrow \theta - \eta g",
    "momentum": r"v \leftarrow \beta v + g,\quad \theta \leftarrow \theta - \eta v",
    "adagrad": r"s \leftarrow s + g^2,\quad \theta \leftarrow \theta - \eta g/(\sqrt{s}+\epsilon)",
    "rmsprop": r"s \leftarrow \rho s + (1-\rho)g^2,\quad \theta \leftarrow \theta - \eta g/(\sqrt{s}+\epsilon)",
    "adam": r"m \leftarrow \beta_1 m + (1-\beta_1)g,\; s \leftarrow \beta_2 s + (1-\beta_2)g^2,\quad \theta \leftarrow \theta - \eta\,\hat m/(\sqrt{\hat s}+\epsilon)",
}


@dataclass(frozen=True)
class Surface:
    """A loss of two parameters, at least 0, with where it starts, its box and its minima."""

    formula: str
    loss: Callable[[Tensor, Tensor], Tensor]
    start: tuple[float, float]
    box: tuple[float, float, float, float]  # x low, x high, y low, y high
    minima: tuple[tuple[float, float], ...]


SURFACES = {
    "ravine": Surface(
        "0.1 * (1 - x) ** 2 + 2 * (y - x**2) ** 2",
        lambda x, y: 0.1 * (1 - x) ** 2 + 2 * (y - x**2) ** 2,
        (-1.3, 1.0),
        (-1.9, 1.9, -0.7, 2.3),
        ((1.0, 1.0),),
    ),
    "saddle": Surface(
        "0.5 * x**2 + 0.25 * (y**2 - 1) ** 2",
        lambda x, y: 0.5 * x**2 + 0.25 * (y**2 - 1) ** 2,
        (-2.2, 0.01),
        (-2.6, 1.4, -1.6, 1.6),
        ((0.0, 1.0), (0.0, -1.0)),
    ),
    "bumps": Surface(
        "0.1 * (x**2 + y**2) + 0.3 * (2 - torch.cos(3 * x) - torch.cos(3 * y))",
        lambda x, y: 0.1 * (x**2 + y**2) + 0.3 * (2 - torch.cos(3 * x) - torch.cos(3 * y)),
        (-2.7, 1.9),
        (-3.2, 3.2, -2.4, 2.4),
        ((0.0, 0.0),),
    ),
}
NET_POINTS = 512
NET_BATCH = 32


@dataclass(frozen=True)
class Race(Result):
    """What happened: for each optimizer its losses and, on a surface, its path.

    Attributes:
        track: A surface's id, or "net".
        losses: By optimizer, shape (steps + 1,): loss above the minimum before each step and
            after the last (of the whole data set for the net).
        paths: By optimizer, shape (steps + 1, 2); empty for the net.
        accuracy: By optimizer, of the net after the last step; empty for surfaces.
    """

    track: str
    losses: dict[str, np.ndarray]
    paths: dict[str, np.ndarray]
    accuracy: dict[str, float]


KNOBS = (
    Knob(
        "track",
        N_("Track"),
        "saddle",
        choices=("ravine", "saddle", "bumps", "net"),
        choice_labels=(
            N_("Curved ravine"),
            N_("Saddle"),
            N_("Many minima"),
            N_("A small network"),
        ),
    ),
    Knob("rate", N_("Learning rate η"), 0.03, 0.001, 0.5, 0.001),
    Knob("noise", N_("Gradient noise"), 0.0, 0.0, 1.0, 0.05),
    Knob("steps", N_("Steps"), 160, 20, 400, 20),
    Knob("seed", N_("Random seed"), 0, 0, 999, 1),
)
# Every hyper-parameter of the five; the factors scale the common learning rate.
FINE_KNOBS = (
    Knob("beta", N_("Momentum: β"), 0.9, 0.0, 0.99, 0.01),
    Knob("nesterov", N_("Momentum: look ahead (Nesterov)"), False),
    Knob("rho", N_("RMSProp: ρ"), 0.99, 0.5, 0.999, 0.001),
    Knob("beta1", N_("Adam: β₁"), 0.9, 0.0, 0.99, 0.01),
    Knob("beta2", N_("Adam: β₂"), 0.999, 0.9, 0.9999, 0.0001),
    Knob("decay", N_("Weight decay, all"), 0.0, 0.0, 0.1, 0.005),
    *(
        Knob(f"factor_{name}", N_("Learning rate × for {name}"), 1.0, 0.1, 10.0, 0.1)
        for name in OPTIMIZERS
    ),
)


def build(name: str, parameters: Sequence[Tensor], s: dict[str, Any]) -> torch.optim.Optimizer:
    """The `torch.optim` optimizer of that name with the race's settings.

    Raises:
        ValueError: No such optimizer (names the valid ones).
    """
    rate, decay = s["rate"] * s[f"factor_{name}"], s["decay"]
    if name == "sgd":
        return torch.optim.SGD(parameters, rate, weight_decay=decay)
    if name == "momentum":
        nesterov = s["nesterov"] and s["beta"] > 0  # torch refuses look-ahead without momentum
        return torch.optim.SGD(
            parameters, rate, momentum=s["beta"], nesterov=nesterov, weight_decay=decay
        )
    if name == "adagrad":
        return torch.optim.Adagrad(parameters, rate, weight_decay=decay)
    if name == "rmsprop":
        return torch.optim.RMSprop(parameters, rate, alpha=s["rho"], weight_decay=decay)
    if name == "adam":
        return torch.optim.Adam(
            parameters, rate, betas=(s["beta1"], s["beta2"]), weight_decay=decay
        )
    raise ValueError(f"no optimizer {name!r}; optimizers: {', '.join(OPTIMIZERS)}")


def race_surface(surface: Surface, name: str, s: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Run one optimizer down a surface; returns losses (steps + 1,) and path (steps + 1, 2)."""
    noise = torch.randn(s["steps"], 2, generator=torch.Generator().manual_seed(s["seed"]))
    point = torch.tensor(surface.start, requires_grad=True)
    optimizer = build(name, [point], s)
    losses, path = [], []
    for step in range(s["steps"]):
        loss = surface.loss(point[0], point[1])
        losses.append(loss.item())
        path.append(point.tolist())
        optimizer.zero_grad()
        loss.backward()
        assert point.grad is not None
        point.grad += s["noise"] * noise[step]
        optimizer.step()
    losses.append(surface.loss(point[0], point[1]).item())
    path.append(point.tolist())
    return np.array(losses), np.array(path)


def moons(seed: int) -> tuple[Tensor, Tensor]:
    """Two interleaved half circles with noise: x (512, 2), labels (512,)."""
    generator = torch.Generator().manual_seed(seed)
    angle = torch.pi * torch.rand(NET_POINTS, generator=generator)
    label = torch.arange(NET_POINTS) % 2
    side = 1.0 - 2.0 * label
    x = torch.stack(
        [side * torch.cos(angle) + label - 0.5, side * torch.sin(angle) + 0.5 * label - 0.25], 1
    )
    return x + 0.15 * torch.randn(NET_POINTS, 2, generator=generator), label


def small_net(seed: int) -> nn.Sequential:
    """Two hidden layers of 16 tanh units; the same start for every optimizer."""
    torch_state = torch.random.get_rng_state()
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 2))
    torch.random.set_rng_state(torch_state)
    return net


def race_net(name: str, s: dict[str, Any]) -> tuple[np.ndarray, float]:
    """Train the small net with one optimizer; losses of the whole set (steps + 1,), accuracy."""
    x, label = moons(s["seed"])
    generator = torch.Generator().manual_seed(s["seed"] + 1)
    batches = torch.randint(NET_POINTS, (s["steps"], NET_BATCH), generator=generator)
    net = small_net(s["seed"])
    parameters = list(net.parameters())
    optimizer = build(name, parameters, s)
    losses = []
    for batch in batches:
        losses.append(whole_loss(net, x, label))
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x[batch]), label[batch]).backward()
        if s["noise"]:
            for parameter in parameters:
                assert parameter.grad is not None
                noise = torch.randn(parameter.shape, generator=generator)
                parameter.grad += 0.1 * s["noise"] * noise
        optimizer.step()
    losses.append(whole_loss(net, x, label))
    with torch.no_grad():
        accuracy = (net(x).argmax(1) == label).float().mean().item()
    return np.array(losses), accuracy


def whole_loss(net: nn.Module, x: Tensor, label: Tensor) -> float:
    with torch.no_grad():
        return nn.functional.cross_entropy(net(x), label).item()


class OptimizerRace(Lab):
    """SGD, Momentum, Adagrad, RMSProp and Adam side by side."""

    knobs = (*KNOBS, *FINE_KNOBS)

    def settings(self, given: dict[str, Any]) -> dict[str, Any]:
        """Fill in defaults and check.

        Raises:
            InputError: A value outside its range.
            ValueError: An unknown setting (names the valid ones).
        """
        known = {knob.name: knob for knob in self.knobs}
        unknown = set(given) - set(known)
        if unknown:
            raise ValueError(f"no setting {sorted(unknown)}; settings: {', '.join(known)}")
        settings = {name: given.get(name, knob.default) for name, knob in known.items()}
        for name, knob in known.items():
            value = settings[name]
            if knob.choices:
                if value not in knob.choices:
                    raise InputError(
                        N_("{name} cannot be {value}; choose {choices}."),
                        name=name,
                        value=value,
                        choices=", ".join(knob.choices),
                    )
            elif (
                knob.low is not None
                and knob.high is not None
                and not knob.low <= value <= knob.high
            ):
                raise InputError(
                    N_("{name} is {value}; it must lie between {low} and {high}."),
                    name=name,
                    value=value,
                    low=knob.low,
                    high=knob.high,
                )
        return settings

    def run(self, **settings: Any) -> Iterator[Race]:
        """Yield the race after each optimizer has finished; the last frame holds all five."""
        s = self.settings(settings)
        losses: dict[str, np.ndarray] = {}
        paths: dict[str, np.ndarray] = {}
        accuracy: dict[str, float] = {}
        for name in OPTIMIZERS:
            if s["track"] == "net":
                losses[name], accuracy[name] = race_net(name, s)
            else:
                losses[name], paths[name] = race_surface(SURFACES[s["track"]], name, s)
            yield Race(s["track"], dict(losses), dict(paths), dict(accuracy))

    def code(self, **settings: Any) -> str:
        """A script with torch alone that prints each optimizer's final loss."""
        s = self.settings(settings)
        return net_script(s) if s["track"] == "net" else surface_script(SURFACES[s["track"]], s)


def optimizer_lines(s: dict[str, Any]) -> str:
    decay = f", weight_decay={s['decay']}" if s["decay"] else ""
    nesterov = ", nesterov=True" if s["nesterov"] and s["beta"] > 0 else ""
    rate = {name: f"{s['rate'] * s[f'factor_{name}']:.12g}" for name in OPTIMIZERS}
    return (
        "optimizers = {\n"
        f"    'sgd': lambda p: torch.optim.SGD(p, {rate['sgd']}{decay}),\n"
        f"    'momentum': lambda p: torch.optim.SGD(p, {rate['momentum']}, momentum={s['beta']}{nesterov}{decay}),\n"
        f"    'adagrad': lambda p: torch.optim.Adagrad(p, {rate['adagrad']}{decay}),\n"
        f"    'rmsprop': lambda p: torch.optim.RMSprop(p, {rate['rmsprop']}, alpha={s['rho']}{decay}),\n"
        f"    'adam': lambda p: torch.optim.Adam(p, {rate['adam']}, betas=({s['beta1']}, {s['beta2']}){decay}),\n"
        "}\n"
    )


def surface_script(surface: Surface, s: dict[str, Any]) -> str:
    return f"""import torch

{optimizer_lines(s)}

def loss_of(x, y):
    return {surface.formula}


noise = {s["noise"]} * torch.randn({s["steps"]}, 2, generator=torch.Generator().manual_seed({s["seed"]}))
for name, build in optimizers.items():
    point = torch.tensor({list(surface.start)}, requires_grad=True)
    optimizer = build([point])
    for step in range({s["steps"]}):
        optimizer.zero_grad()
        loss_of(point[0], point[1]).backward()
        point.grad += noise[step]
        optimizer.step()
    print(name, loss_of(point[0], point[1]).item())
"""


def net_script(s: dict[str, Any]) -> str:
    return f"""import torch
from torch import nn

from dlportal.cases.optimizer_race import moons, small_net

{optimizer_lines(s)}
x, label = moons({s["seed"]})
for name, build in optimizers.items():
    generator = torch.Generator().manual_seed({s["seed"] + 1})
    batches = torch.randint(len(x), ({s["steps"]}, {NET_BATCH}), generator=generator)
    net = small_net({s["seed"]})
    optimizer = build(list(net.parameters()))
    for batch in batches:
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x[batch]), label[batch]).backward()
        for parameter in net.parameters():
            if {s["noise"]}:
                parameter.grad += 0.1 * {s["noise"]} * torch.randn(parameter.shape, generator=generator)
        optimizer.step()
    with torch.no_grad():
        print(name, nn.functional.cross_entropy(net(x), label).item())
"""


def height_map(track: str, points: int = 90) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A surface on a grid for drawing: x (n,), y (n,), loss (n, n)."""
    surface = SURFACES[track]
    x = torch.linspace(surface.box[0], surface.box[1], points)
    y = torch.linspace(surface.box[2], surface.box[3], points)
    grid_y, grid_x = torch.meshgrid(y, x, indexing="ij")
    return x.numpy(), y.numpy(), surface.loss(grid_x, grid_y).numpy()


CASE = OptimizerRace
