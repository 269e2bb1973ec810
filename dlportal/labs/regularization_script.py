"""The script that repeats a training of the regularization lab with plain torch."""

import inspect
from typing import Any

from dlportal.labs.regularization_data import TASKS, TEST, VALIDATION, mislabel, shift
from dlportal.labs.regularization_net import BATCH, EVERY, METHODS, Dropout


def data_lines(s: dict[str, Any]) -> str:
    """What draws and varies the examples, written out."""
    task = TASKS[s["data"]]
    if s["data"] == "clothes":
        text = "from dlportal.labs.regularization_data import clothes\n\n\n"
    else:
        text = inspect.getsource(task.draw) + "\n\n"
    text += inspect.getsource(mislabel)
    if s["augment"]:
        if task.vary.__name__ == "shift_and_flip":
            text += "\n\n" + inspect.getsource(shift)
        text += "\n\n" + inspect.getsource(task.vary)
    return text


def net_lines(s: dict[str, Any]) -> str:
    task, units = TASKS[s["data"]], s["units"]
    lines = []
    for inputs in (task.inputs, units):
        lines.append(f"nn.Linear({inputs}, {units}),")
        if s["batchnorm"]:
            lines.append(f"nn.BatchNorm1d({units}),")
        lines.append("nn.ReLU(),")
        if s["dropout"]:
            lines.append(f"Dropout({s['p']}, chance),")
    lines.append(f"nn.Linear({units}, {task.classes}),")
    return "net = nn.Sequential(\n" + "".join(f"    {line}\n" for line in lines) + ").double()\n"


def step_lines(s: dict[str, Any]) -> str:
    """One epoch's updates, indented for the loop."""
    vary = TASKS[s["data"]].vary.__name__
    lines = [f"for batch in torch.randperm({s['points']}, generator=order).split({BATCH}):"]
    given = "x[batch]"
    if s["augment"]:
        given = f"{vary}(x[batch], {s['variation']}, chance)"
    lines.append(f"    loss = nn.functional.cross_entropy(net({given}), y[batch])")
    if s["l1"] and s["l1_way"] == "gradient":
        lines.append(f"    loss = loss + {s['l1_strength']} * sum(w.abs().sum() for w in weights)")
    lines += ["    optimizer.zero_grad()", "    loss.backward()", "    optimizer.step()"]
    if s["l1"] and s["l1_way"] == "threshold":
        by = f"{s['rate'] * s['l1_strength']!r}"
        lines += [
            "    with torch.no_grad():",
            "        for w in weights:",
            f"            w.copy_(nn.functional.softshrink(w, {by}))",
        ]
    return "".join(f"    {line}\n" for line in lines)


def early_lines(s: dict[str, Any]) -> tuple[str, str]:
    """Remembering the best weights, and taking them in the end."""
    if not s["early"]:
        return "", ""
    watch = f"""        if validation < best:
            best, best_epoch = validation, epoch
            best_state = {{name: value.clone() for name, value in net.state_dict().items()}}
        elif epoch - best_epoch >= {s["patience"]}:
            print("stopped", epoch)
            break
"""
    return watch, "net.load_state_dict(best_state)\n"


def script(s: dict[str, Any]) -> str:
    """Train the chosen network to its end and print what the page shows of it."""
    watch, take = early_lines(s)
    decay = s["decay"] if s["l2"] else 0.0
    dropout = "\n\n" + inspect.getsource(Dropout) if s["dropout"] else ""
    chosen = ", ".join(name for name in METHODS if s[name]) or "none"
    points, end = s["points"], s["points"] + VALIDATION
    best = 'best, best_epoch, best_state = float("inf"), 0, {}\n' if s["early"] else ""
    return f"""# {chosen}
import torch
from torch import Tensor, nn


{data_lines(s)}{dropout}

x, truth = {TASKS[s["data"]].draw.__name__}({points + VALIDATION + TEST}, {s["noise"]}, {s["seed"]})
y = mislabel(truth, {TASKS[s["data"]].classes}, {s["label_noise"]}, {s["seed"] + 1})
x, val_x, test_x = x[:{points}], x[{points}:{end}], x[{end}:]
y, val_y, test_y = y[:{points}], y[{points}:{end}], truth[{end}:]  # only the test is free of wrong labels

order = torch.Generator().manual_seed({s["seed"] + 2})
chance = torch.Generator().manual_seed({s["seed"] + 3})
{net_lines(s)}linears = [layer for layer in net if isinstance(layer, nn.Linear)]
g = torch.Generator().manual_seed({s["seed"]})
for layer in linears:
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=g)
    nn.init.normal_(layer.bias, std=0.1, generator=g)
weights = [layer.weight for layer in linears]
others = [p for p in net.parameters() if all(p is not w for w in weights)]
groups = [{{"params": weights, "weight_decay": {decay}}}, {{"params": others, "weight_decay": 0.0}}]
optimizer = torch.optim.AdamW(groups, {s["rate"]}, fused=True)


def loss_of(x, y):
    net.eval()
    with torch.no_grad():
        loss = nn.functional.cross_entropy(net(x), y).item()
    net.train()
    return loss


{best}for epoch in range({s["epochs"]} + 1):
    if epoch % {EVERY} == 0:
        validation = loss_of(val_x, val_y)
{watch}        if epoch == {s["epochs"]}:
            break
{step_lines(s)}
{take}all_weights = torch.cat([w.ravel() for w in weights]).detach()
net.eval()
print("training", loss_of(x, y))
print("validation", loss_of(val_x, val_y))
print("zero", (all_weights == 0).double().mean().item())
print("norm", all_weights.norm().item())
net.eval()
with torch.no_grad():
    print("test", (net(test_x).argmax(1) == test_y).double().mean().item())
"""
