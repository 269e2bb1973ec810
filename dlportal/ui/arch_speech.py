"""The view of the LSTM that listens: a digit said by a known voice, a new one, or the visitor."""

from typing import Any

import streamlit as st

from dlportal.cards import Card, Metric, show_value
from dlportal.cases.architecture_tour import INSIDE, ArchitectureTour
from dlportal.data import is_available
from dlportal.kinds.audio import Sound, open_sound
from dlportal.labs.arch_measures import MODELS, SPEECH, SUMS
from dlportal.labs.arch_speech import Heard, SpokenLSTM
from dlportal.messages import UserError
from dlportal.ui.arch_charts import so_far_chart, sound_chart, states_chart
from dlportal.ui.arch_lstm import lstm_numbers
from dlportal.ui.charts import show_chart
from dlportal.ui.errors import show_user_error
from dlportal.ui.knobs import draw_knob
from dlportal.ui.language import _
from dlportal.ui.words import note

DIGITS = tuple(str(n) for n in range(10))


def speech_view(case: ArchitectureTour) -> None:
    """Pick a voice and a digit, hear it, and look into the LSTM while it hears it."""
    left, right = st.columns([4, 8], gap="large")
    with left:
        sound = pick_sound(case)
    heard: Heard | None = None
    if sound is not None:
        try:
            heard = case.hear(sound)
        except UserError as error:
            show_user_error(error)
    if heard is None:
        with right:
            measured(case.card)
        return
    last = len(heard.frames)
    axis = _("moments heard, 16 ms each")
    with left:
        moment = min(draw_knob(INSIDE["moment"]), last) - 1
        unit = min(draw_knob(INSIDE["unit"]), SpokenLSTM.UNITS) - 1
    with right:
        told(heard, moment)
        show_chart(
            sound_chart(heard.frames, moment),
            alt=_("The sound: dark where a pitch is strong, moment by moment"),
            key="sound",
        )
        show_chart(
            so_far_chart(heard.chances, DIGITS, moment, axis),
            alt=_("Probability of the three strongest digits after each moment"),
            key="spoken_so_far",
        )
        measured(case.card)
    st.markdown("**" + _("The whole hidden state, moment by moment") + "**")
    show_chart(
        states_chart(heard.gates.h, unit, moment, _("moment")),
        alt=_("Hidden state of all units over the moments, blue below zero, orange above"),
        key="spoken_states",
    )
    st.markdown("**" + _("Unit {n} at moment {t}").format(n=unit + 1, t=moment + 1) + "**")
    lstm_numbers(heard.gates, unit, moment, axis)


def pick_sound(case: ArchitectureTour) -> Sound | None:
    """A recording of the test part, or the visitor's own; None while there is none."""
    voice = draw_knob(INSIDE["voice"])
    if voice == "own":
        given = st.audio_input(_("Say one digit in English, zero to nine"), key="own_digit")
        if given is None:
            return None
        try:
            return open_sound(given.getvalue(), case.card.limits)
        except UserError as error:
            show_user_error(error)
            return None
    if not is_available("fsdd"):
        note(
            _(
                "The recordings of the Free Spoken Digit Dataset are not on this machine. Choose “yours” and say a digit."
            )
        )
        return None
    digit = draw_knob(INSIDE["spoken"])
    sound = case.recording(digit, voice)
    st.audio(sound.samples, sample_rate=sound.rate)
    note(_("From the test part of the Free Spoken Digit Dataset (CC BY-SA 4.0)."))
    return sound


def told(heard: Heard, moment: int) -> None:
    """The answer at the end, and what it would have been at the chosen moment."""
    with st.grid(2, min_column_width=140):
        for name, chances in (
            (_("at the end"), heard.chances[-1]),
            (_("after {n} moments").format(n=moment + 1), heard.chances[moment]),
        ):
            with st.container(border=True, gap="xsmall"):
                best = int(chances.argmax())
                st.metric(name, DIGITS[best])
                note(_("{share} sure").format(share=f"{100 * float(chances[best]):.0f}%"))


def measured(card: Card) -> None:
    """How often it is right, beside a baseline that forgets the order of the moments."""
    rows = {
        "": _("known voices"),
        "_backwards": _("the same, played backwards"),
        "_new_voice": _("a new voice"),
    }
    # Not inside the f-string, where extraction would miss them.
    share, baseline = _("share answered right"), _("without order")
    lines = [
        f"| :small[{share}] | :small[LSTM] | :small[{baseline}] |",
        "|---|---|---|",
    ]
    for suffix, name in rows.items():
        found = [
            pick(metrics, SPEECH + suffix, model)
            for metrics, model in (
                (card.measured.metrics, MODELS["rnn"]),
                (card.measured.baselines, SUMS),
            )
        ]
        if all(found):
            cells = " | ".join(f":small[{cell(m)}]" for m in found)
            lines.append(f"| :small[{name}] | {cells} |")
    if len(lines) > 2:
        st.markdown("\n".join(lines))
        note(
            _(
                "± is half the width of the 95% interval, over three seeds and the recordings. Without order: logistic regression on the mean and spread of each pitch. Chance: 10%."
            )
        )


def pick(metrics: list[Metric], data: str, model: str) -> Metric | None:
    return next((m for m in metrics if m.data == data and m.model == model), None)


def cell(metric: Any) -> str:
    return f"{show_value(metric)} :gray[±{50 * (metric.high - metric.low):.1f}]"
