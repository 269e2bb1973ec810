"""How the networks learn: what they wrote on the way, shipped and live, and why a character."""

from pathlib import Path
from typing import Any

import streamlit as st

from dlportal.training.background import Job, jobs
from dlportal.training.poetry_training import samples, step_of
from dlportal.ui.errors import guard
from dlportal.ui.explain_panel import explain_panel
from dlportal.ui.inputs import Picked, digest
from dlportal.ui.language import _
from dlportal.ui.poetry import net_of
from dlportal.ui.train_panel import train_panel
from dlportal.ui.words import note
from dlportal.ui.writing import Written

REFRESH_SECONDS = 2.0
ACTIVE = ("waiting", "running")
NEWEST = 3  # samples of a running training that are shown


def why(case: Any, picked: Picked | None) -> None:
    """Attribution of the next character, after the prompt or within what was written."""
    if picked is None:
        note(_("Choose an input above first."))
        return
    written: Written | None = st.session_state.get("written")
    if written is not None and written.digest == picked.digest and written.tokens:
        place = min(int(st.session_state.get("token") or 1), len(written.tokens))
        if place > 1:
            picked = within(case, picked, written, place)
    _poet, text = case.parse(picked.raw)
    note(
        _(
            "Which characters made the next one? Each of the last ones is hidden in turn; what comes next here is what follows “{end}”. Move the slider above the text to ask about another place."
        ).format(end=text[-12:].replace("\n", "⏎"))
    )
    explain_panel(case, picked)


def within(case: Any, picked: Picked, written: Written, place: int) -> Picked:
    """The text before a written character as an input of its own: as much of it as fits."""
    poet, prompt = case.parse(picked.raw)
    text = prompt + "".join(token.text for token in written.tokens[: place - 1])
    raw = case.question(poet, text[-case.card.limits.characters :])
    if not text[-case.card.limits.characters :].strip():
        return picked
    return Picked(raw, None, digest(raw))


def train(case: Any, poet: str) -> None:
    """What the shipped network wrote while it learned; below it a training to watch."""
    name = net_of(poet)
    shipped(case, name)
    st.header(_("Train one yourself"), anchor=False)
    note(
        _(
            "Quick: a narrower network, twice over about half of Shakespeare or of the poems. Full: both networks with the receipt's settings, about two hours on one core."
        )
    )
    train_panel(case.card, part=name)
    job = next(iter(jobs(case.card.id)), None)
    if job is None or job.settings.part not in ("", name):
        return
    st.header(_("What it writes"), anchor=False)
    if job.status in ACTIVE:
        growing(case.card.id, name)
    else:
        finished(job, name)


def shipped(case: Any, name: str) -> None:
    """Samples from the shipped training, step by step."""
    receipt = case.card.receipt() or {}
    texts = receipt.get("facts", {}).get("samples", {}).get(name, [])
    if not texts:
        return
    steps = [sample["step"] for sample in texts]
    step = st.select_slider(
        _("Training steps"), steps, value=steps[-1], key=f"learned_{name}", persist_state="page"
    )
    show(next(sample["text"] for sample in texts if sample["step"] == step))
    note(
        _(
            "Written at these moments of the training whose weights ship here: temperature 0.8, always the same random draws."
        )
    )


def show(text: str) -> None:
    st.code(text or " ", language=None, wrap_lines=True)


@st.fragment(run_every=REFRESH_SECONDS)
def growing(case_id: str, name: str) -> None:
    """The newest samples of a running training."""
    with guard():
        job = next(iter(jobs(case_id)), None)
        folder = job.folder / "checkpoints" if job else Path()
        paths = sorted(folder.glob(f"sample-{name}-*.txt"))
        if not paths:
            note(_("The first sample comes with the first step."))
            return
        for path in reversed(paths[-NEWEST:]):
            # Read at once: the folder is cleared when the training ends.
            try:
                text = path.read_text(encoding="utf-8")
            except FileNotFoundError:
                continue
            st.markdown(_("After {n} steps").format(n=f"{step_of(path):,}"))
            show(text)


def finished(job: Job, name: str) -> None:
    """First, middle and last sample of a training that is over."""
    receipt = job.folder / "out" / "receipt.json"
    texts = samples_of(receipt, name) or samples(job.folder / "checkpoints", name)
    for index in sorted({0, len(texts) // 2, len(texts) - 1}) if texts else []:
        st.markdown(_("After {n} steps").format(n=f"{texts[index]['step']:,}"))
        show(texts[index]["text"])


def samples_of(receipt: Path, name: str) -> list[dict[str, Any]]:
    import json

    try:
        facts = json.loads(receipt.read_text(encoding="utf-8")).get("facts", {})
    except (OSError, ValueError):
        return []
    return facts.get("samples", {}).get(name, [])
