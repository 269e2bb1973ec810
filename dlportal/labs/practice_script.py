"""The script that repeats a training of the practice lab with plain torch."""

import inspect
from typing import Any

from dlportal.labs.practice_experiments import Entry, entries
from dlportal.labs.practice_net import Dropout, source
from dlportal.labs.practice_training import Prepare, Training
from dlportal.training.augment import Affine

RATES = {
    "constant": "return 1.0",
    "stairs": "return 1.0 if s < 0.5 else 0.1 if s < 0.75 else 0.01",
    "cosine": "return 0.5 * (1 + math.cos(math.pi * s))",
}


def data_lines(entry: Entry) -> str:
    s = entry.settings
    lines = [
        f"pictures = load({s['data']!r})",
        f"train = subset(pictures.train, {int(s['pictures'])}, seed={s['seed']})",
        "held = pictures.validation",
    ]
    if entry.fold is not None:
        lines += [
            f"kept, out = folds(len(train), {s['folds']})[{entry.fold}]",
            "train, held = train.take(kept), train.take(out)",
        ]
    if entry.limit is not None:
        lines.append(f"train = Part(train.images[:{entry.limit}], train.labels[:{entry.limit}])")
    return "\n".join(lines)


def import_lines(entry: Entry, training: Training) -> str:
    names = ["load", "subset"]
    names += ["folds"] if entry.fold is not None else []
    names += ["Part"] if entry.limit is not None else []
    lines = f"from dlportal.labs.practice_data import {', '.join(sorted(names))}\n"
    if moved_by(training) is not None:
        lines += "from dlportal.training.augment import Affine\n"
    return lines


def moved_by(training: Training) -> Affine | None:
    prepare = training.batches.augment
    return prepare.augment if isinstance(prepare, Prepare) else None


def move_lines(training: Training) -> str:
    moved = moved_by(training)
    return f"    x = {moved!r}(x, random)  # each picture differently\n" if moved else ""


def script(s: dict[str, Any], number: int = 0) -> str:
    """Repeat training number `number` of the experiment that the settings describe.

    Prints the loss of every batch and, at the end, the accuracy on the held-out pictures.
    """
    entry = entries(s)[number]
    s = entry.settings
    training = entry.start()
    scaling = training.scaling
    return f"""import math

import torch
from torch import Tensor, nn

{import_lines(entry, training)}
torch.set_num_threads(1)  # as the page: sums in another order would differ in the last digits
device = torch.device({str(training.device)!r})

{data_lines(entry)}


def prepare(x):
    return (x.float() - {scaling.shift!r}) / {scaling.size!r}


{inspect.getsource(Dropout)}

g = torch.Generator().manual_seed({s["seed"]})
silence = torch.Generator(device).manual_seed({s["seed"] + 1})
{source(training.net)}for layer in net:
    if isinstance(layer, (nn.Conv2d, nn.Linear)):
        bend = "linear" if layer is net[-1] else "relu"
        nn.init.kaiming_normal_(layer.weight, nonlinearity=bend, generator=g)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
net = net.to(device).to(memory_format=torch.channels_last)
weights = [p for p in net.parameters() if p.ndim >= 2]
others = [p for p in net.parameters() if p.ndim < 2]
optimizer = torch.optim.SGD(
    [{{"params": weights, "weight_decay": {s["decay"]}}}, {{"params": others}}],
    lr={s["rate"]}, momentum={s["momentum"]}, fused=True,
)

batch = {training.batches.size}
per_epoch = len(train) // batch
steps = {s["epochs"]} * per_epoch
warmup = round({s["warmup"]} * steps)


def factor(step):
    if step < warmup:
        return (step + 1) / warmup
    s = (step - warmup) / max(1, steps - warmup)
    {RATES[s["schedule"]]}


for step in range(steps):
    epoch, place = divmod(step, per_epoch)
    if place == 0:  # a new order for every pass over the pictures
        random = torch.Generator().manual_seed({s["seed"]} * 1_000_003 + epoch)
        order = torch.randperm(len(train), generator=random)
    rows = order[place * batch : (place + 1) * batch]
    x = train.images[rows].float()
{move_lines(training)}    x = prepare(x).to(device).contiguous(memory_format=torch.channels_last)
    label = train.labels[rows].to(device)
    for group in optimizer.param_groups:
        group["lr"] = {s["rate"]} * factor(step)
    net.train()
    with torch.autocast(device.type, torch.bfloat16, enabled={training.fast_bf16}):
        y = net(x)
    loss = nn.functional.cross_entropy(y.float(), label)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    print("loss", step + 1, loss.item())
    if not math.isfinite(loss.item()):
        break

net.eval()
with torch.no_grad():
    answers = torch.cat([net(prepare(part).to(device)).argmax(1).cpu() for part in held.images.split(500)])
print("accuracy", (answers == held.labels).float().mean().item())
"""
