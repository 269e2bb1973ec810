"""Training on the visitor's own table: columns guessed and confirmed, warnings, progress, a card."""

import hashlib
from dataclasses import dataclass
from typing import Any

import streamlit as st

from dlportal.cards import Card
from dlportal.data.own_table import (
    Choice,
    OwnTable,
    Ready,
    binary_columns,
    make_ready,
    read_table,
)
from dlportal.data.own_warnings import Warning_, find_warnings
from dlportal.labs.live import Live
from dlportal.messages import N_, UserError
from dlportal.serving import compute
from dlportal.training.own_training import BOOSTING, NETWORK, STEPS, Frame, Result, train
from dlportal.ui.charts import line, show_chart, style
from dlportal.ui.errors import fragment, guard, show_user_error
from dlportal.ui.language import _
from dlportal.ui.own_card import write_card
from dlportal.ui.visitor import has_left
from dlportal.ui.words import duration, note

NONE = "–"  # no time column
REFRESH_SECONDS = 0.7
NEVER_USED = ("ID", "TRANSACTION_ID")  # numbers of rows, which say nothing
MODELS = {NETWORK: N_("network"), BOOSTING: N_("gradient boosting")}


@dataclass
class Own:
    """The visitor's training, and what it was given."""

    file: str
    choice: Choice
    ready: Ready
    warnings: list[Warning_]
    live: Live[Frame]


def current() -> Own | None:
    return st.session_state.get("own_training")


@st.cache_resource(max_entries=3, show_spinner=False)
def read(key: str, _data: bytes, _card: Card) -> OwnTable:
    return compute(lambda: read_table(_data, _card.limits))


@fragment
def own_section(card: Card) -> None:
    """Upload, confirm, train; below it what came of the last training."""
    st.header(_("Or on your own table"), anchor="own")
    note(
        _(
            "Any CSV with one column that says yes or no, {rows} rows at most. It trains on this server within a minute, is yours alone, and nothing is kept."
        ).format(rows=f"{card.limits.rows:,}")
    )
    own = current()
    if own is not None and own.live.active:
        watch(own)
        return
    given = st.file_uploader(
        _("Your table"),
        type=["csv", "txt", "tsv"],
        max_upload_size=card.limits.bytes // 1_000_000,
        key="own_file",
        label_visibility="collapsed",
    )
    if given is not None:
        data = given.getvalue()
        try:
            confirm(given.name, read(hashlib.sha256(data).hexdigest(), data, card))
        except UserError as error:
            show_user_error(error)
    refused = st.session_state.pop("own_refused", None)
    if refused is not None:
        show_user_error(refused)
    elif own is not None:
        show_outcome(own)


def confirm(file: str, table: OwnTable) -> None:
    """The guesses as widgets; a button that starts."""
    left, right = st.columns([4, 8], gap="large")
    known = list(table.cells)
    key = f"{file}{len(table.cells)}"
    with left:
        answers = binary_columns(table.cells)
        label = st.selectbox(
            _("Which column says yes or no?"),
            answers,
            index=answers.index(table.label),
            key=f"own_label_{key}",
        )
        times = [name for name, role in table.roles.items() if role == "time"]
        time = st.selectbox(
            _("Which column says when?"),
            [NONE, *times],
            index=times.index(table.time) + 1 if table.time in times else 0,
            help=_("The test rows are then the last ones, as in real life."),
            key=f"own_time_{key}",
        )
    with right:
        offered = [name for name in known if name != label]
        columns = st.multiselect(
            _("Which columns were known beforehand?"),
            offered,
            default=[n for n in offered if n not in NEVER_USED and str(label) not in n],
            key=f"own_columns_{key}_{label}",
        )
        kinds = {"number": N_("number"), "category": N_("category"), "time": N_("time")}
        note(", ".join(f"{name}: {_(kinds[table.roles[name]])}" for name in columns[:20]))
    st.button(
        _("Check and train"),
        key="own_start",
        icon=":material/play_arrow:",
        on_click=start,
        args=(file, table, Choice(str(label), None if time == NONE else time, tuple(columns))),
    )


def start(file: str, table: OwnTable, choice: Choice) -> None:
    """Begin; what the table does not allow is shown when the section is drawn."""
    try:
        begin(file, table, choice)
    except UserError as error:
        st.session_state["own_refused"] = error


def begin(file: str, table: OwnTable, choice: Choice) -> None:
    """Make numbers of the table, look for trouble, start the training."""
    before = current()
    if before is not None:
        before.live.stop()

    def work() -> tuple[Ready, list[Warning_]]:
        ready = make_ready(table, choice)
        return ready, find_warnings(table, choice, ready)

    ready, warnings = compute(work)
    st.session_state["own_training"] = Own(
        file, choice, ready, warnings, Live(train(ready), has_left())
    )


def watch(own: Own) -> None:
    """The running training; redrawn until it ends, then the section once more."""

    @st.fragment(run_every=REFRESH_SECONDS)
    def again() -> None:
        with guard():
            if not own.live.active:
                st.rerun()
            st.button(_("Stop"), key="own_stop", icon=":material/stop:", on_click=own.live.stop)
            frames = own.live.look()
            done = frames[-1].step / STEPS if frames else 0.0
            words = _("Training") if done < 1 else _("Gradient boosting and measuring")
            st.progress(done, text=f"{words} · {duration(own.live.seconds)}")
            show_curve(frames)

    show_warnings(own.warnings)
    again()


def show_warnings(warnings: list[Warning_]) -> None:
    for warning in warnings:
        note(":material/warning: " + _(warning.text).format(**warning.params))


def show_curve(frames: list[Frame]) -> None:
    """Average precision on validation rows while it learns."""
    import plotly.graph_objects as go

    if len(frames) < 2:
        return
    fig = go.Figure()
    x, y = [f.step for f in frames], [f.validation for f in frames]
    fig.add_trace(line(x, y, _("average precision"), markers=True))
    style(fig, height=220)
    fig.update_xaxes(title_text=_("step"), range=[0, STEPS])
    fig.update_yaxes(title_text=_("average precision, validation"))
    show_chart(fig, alt=_("Average precision while it learns"), key="own_curve")


def show_outcome(own: Own) -> None:
    """What came of it, or that it was stopped."""
    frames = own.live.look()
    result = frames[-1].result if frames else None
    show_warnings(own.warnings)
    if own.live.state == "failed":
        if own.live.error is not None:
            show_user_error(own.live.error)
        else:
            st.error(_("The training broke off. Start it again."))
        return
    if result is None:
        note(_("Stopped before it was measured. Start it again for a card."))
        return
    ready = own.ready
    st.dataframe(result_rows(result), hide_index=True, alt=_("Both models on the test rows"))
    note(
        _(
            "{rows} rows, {yes} of them yes ({value}); {test} test rows, used once. Of the hundredth that the network ranks highest, {top} are yes; of all, {base}. {seconds} in all."
        ).format(
            rows=f"{len(ready.y):,}",
            yes=f"{int(ready.y.sum()):,}",
            value=f"{own.choice.label} = {ready.yes}",
            test=f"{len(ready.test):,}",
            top=f"{100 * result.top:.0f}%",
            base=f"{100 * result.base:.1f}%",
            seconds=duration(result.seconds),
        )
    )
    st.download_button(
        _("Download the card"),
        write_card(own.file, own.choice, ready, own.warnings, result),
        file_name="card.md",
        mime="text/markdown",
        icon=":material/download:",
        on_click="ignore",
        key="own_card",
    )


def result_rows(result: Result) -> list[dict[str, Any]]:
    """A row a model: value and interval."""

    def shown(found: tuple[float, float, float]) -> str:
        value, low, high = found
        return f"{value:.3f} ({low:.3f}–{high:.3f})"

    return [
        {
            _("Model"): _(MODELS[name]),
            _("average precision"): shown(scored.average_precision),
            "AUC": shown(scored.auc),
        }
        for name, scored in result.scores.items()
    ]
