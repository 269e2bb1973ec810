"""The synthesis page's own parts: how to speak, the round trip, durations and other readings."""

import io
from typing import Any

import numpy as np
import plotly.graph_objects as go
import soundfile
import streamlit as st

from dlportal.cases.speech_synthesis import KNOBS, SpeechSynthesis, Utterance
from dlportal.kinds.audio import Sound
from dlportal.messages import UserError
from dlportal.nets.piper import DEFAULT, Manner
from dlportal.results import Speech
from dlportal.serving import answer, get_case
from dlportal.ui.charts import line, show_chart, style
from dlportal.ui.errors import show_user_error
from dlportal.ui.inputs import Picked, digest
from dlportal.ui.knobs import draw_knobs
from dlportal.ui.language import _
from dlportal.ui.views_audio import (
    phone_marks,
    show_differences,
    show_error_rate,
    table_of_phones,
)
from dlportal.ui.words import note

READINGS = 3  # other seeds, to show what is random


def choose_manner(picked: Picked | None) -> Picked | None:
    """Knobs of the voice; the input becomes the text with its manner."""
    manner = Manner(**draw_knobs(KNOBS))
    if picked is None or manner == DEFAULT:
        return picked
    raw = Utterance(picked.raw, manner)
    return Picked(raw, None, digest(raw))


def download(speech: Speech) -> None:
    """The sound as a WAV file."""
    file = io.BytesIO()
    soundfile.write(file, speech.samples, speech.rate, format="WAV", subtype="PCM_16")
    st.download_button(
        _("Download WAV"),
        file.getvalue(),
        file_name="speech.wav",
        mime="audio/wav",
        icon=":material/download:",
        on_click="ignore",
        key="download_wav",
    )


def round_trip(speech: Speech) -> None:
    """Let the recognition case listen, and mark the words that it heard differently."""
    st.header(_("Does a recogniser hear the same words?"), anchor=False)
    try:
        with st.skeleton(height=120):
            listener = get_case("speech_recognition")
            heard = answer(listener, Sound(speech.samples, speech.rate))
    except UserError as error:  # its weights are missing, or it is busy
        show_user_error(error)
        return
    words, rate = st.columns([9, 3], gap="large")
    with words:
        compared = show_differences(speech.text, heard.result.text)
        st.page_link(
            "pages/speech_recognition.py",
            label=_("Listen to this sentence word by word in speech recognition"),
            icon=":material/mic:",
            query_params={"sentence": speech.text},
        )
    with rate:
        show_error_rate(compared)


def decisions(case: SpeechSynthesis, raw: str | Utterance, speech: Speech) -> None:
    """What the network decided: how long each sound lasts, here and with other seeds."""
    st.markdown("**" + _("How long is each sound, and how much of that is chance?") + "**")
    note(
        _(
            "The same text with {n} other random seeds: where the lines part, the length of a sound "
            "is left to chance."
        ).format(n=READINGS)
    )
    with st.skeleton(height=260):
        others = other_readings(digest(raw), case, raw)
    draw_durations(speech, others)
    with st.expander(_("All phonemes as a table")):
        st.dataframe(table_of_phones(speech), hide_index=True, alt=_("All phonemes as a table"))


@st.cache_data(max_entries=32, show_spinner=False)
def other_readings(name: str, _case: Any, _raw: Any) -> list[Speech]:
    text, manner = (_raw.text, _raw.manner) if isinstance(_raw, Utterance) else (_raw, DEFAULT)
    seeds = [manner.seed + 1 + i for i in range(READINGS)]
    manners = [Manner(manner.speed, manner.noise, manner.rhythm, seed) for seed in seeds]
    return [answer(_case, Utterance(text, m)).result for m in manners]


def draw_durations(speech: Speech, others: list[Speech]) -> None:
    """Length of each sound in milliseconds, in the order they are said."""
    readings = [speech, *others]
    lengths = np.array([[1000 * (m.end - m.start) for m in phone_marks(r)] for r in readings])
    places = list(range(lengths.shape[1]))
    figure = go.Figure()
    for index, row in enumerate(lengths[1:], start=1):
        other = line(places, row.round().tolist(), _("other seeds"), 5)
        other.line.width = 1.5
        other.showlegend = index == 1
        figure.add_trace(other)
    figure.add_trace(line(places, lengths[0].round().tolist(), _("this reading"), markers=True))
    style(figure, height=300, legend=True)
    symbols = [mark.text for mark in phone_marks(speech)]
    figure.update_xaxes(
        tickvals=places, ticktext=symbols, tickangle=0, tickfont_size=11, range=[-0.5, len(places)]
    )
    figure.update_yaxes(ticksuffix=" ms", rangemode="tozero")
    longest = symbols[int(lengths[0].argmax())]
    show_chart(
        figure,
        alt=_("Length of every sound; the longest is {symbol}").format(symbol=longest),
        key="durations",
    )
    share = float(np.mean(lengths.std(axis=0) / lengths.mean(axis=0)))
    note(
        _("On average a sound's length varies by {percent} from seed to seed.").format(
            percent=f"{100 * share:.0f}%"
        )
    )
