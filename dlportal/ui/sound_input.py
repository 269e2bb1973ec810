"""Where a sound comes from: an example, a file, the microphone, or the portal's own voice."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from dlportal.kinds.audio import Sound
from dlportal.ui.inputs import Picked, choose_example, choose_source, digest
from dlportal.ui.language import _
from dlportal.ui.state import valid
from dlportal.ui.words import note

FILE_TYPES = ["wav", "flac", "ogg", "mp3", "aif", "aiff"]
FIRST_SENTENCE = "Listening is harder than it looks."


@dataclass(frozen=True)
class PickedSound(Picked):
    """A sound, and what is said in it where that is known."""

    truth: str = ""


def pick_sound(case: Any) -> PickedSound | None:
    """Let the visitor choose a sound; None while there is none.

    Raises:
        UserError: It cannot be used, or the voice cannot be had.
    """
    sources = ["examples", "upload", "microphone"]
    if hasattr(case, "speak"):  # a case that can let the synthesis case talk
        sources.append("spoken")
        if sentence := st.query_params.get("sentence"):  # the synthesis page links here
            st.session_state.setdefault("source", "spoken")
            st.session_state.setdefault("sentence", sentence)
    source = choose_source(sources)
    picked: PickedSound | None
    if source == "examples":
        picked = from_examples(case)
    elif source == "spoken":
        picked = from_our_voice(case)
    else:
        picked = from_visitor(case, source)
    if picked is not None:
        st.audio(picked.raw.samples, sample_rate=picked.raw.rate)
    return picked


def from_examples(case: Any) -> PickedSound:
    example = choose_example(case)
    with st.skeleton(height=40):
        raw: Sound = example.load()
    if example.source:
        note(_(example.source))
    return PickedSound(raw, example.id, digest(raw), example.truth)


def from_visitor(case: Any, source: str) -> PickedSound | None:
    """A file or a recording, decoded by the case after its limits are checked."""
    limits = case.card.limits
    if source == "upload":
        given = st.file_uploader(
            _("A sound file"),
            type=FILE_TYPES,
            max_upload_size=limits.bytes // 1_000_000,
            key="file",
            label_visibility="collapsed",
        )
    else:
        given = st.audio_input(_(case.invitation), key="recording")
    note(
        _("Up to {n:.0f} s. A recording stays on this server only for this visit.").format(
            n=limits.seconds
        )
    )
    if given is None:
        return None
    raw = case.open(given.getvalue())
    case.check(raw)
    return PickedSound(raw, None, digest(raw))


def from_our_voice(case: Any) -> PickedSound | None:
    """A sentence that the synthesis case says, with noise if the visitor wants."""
    sentence = choose_words(case)
    st.session_state.setdefault("hiss", 0)
    noise = st.slider(
        _("Noise added, % of the voice"), 0, 200, step=10, key="hiss", persist_state="page"
    )
    with st.skeleton(height=40):
        raw = spoken(sentence, noise, case)
    return PickedSound(raw, None, digest(raw), sentence)


def choose_words(case: Any) -> str:
    """A sentence of the visitor's, or one of the few words that a case understands."""
    sayings = getattr(case, "sayings", ())
    if not sayings:
        st.session_state.setdefault("sentence", FIRST_SENTENCE)
        return st.text_area(
            _("A sentence for our voice to say"), key="sentence", height=100, persist_state="page"
        )
    current = valid("saying", list(sayings), sayings[0])
    chosen = st.pills(
        _("A word for our voice to say"),
        sayings,
        key="saying",
        required=True,
        wrap=True,
        persist_state="page",
    )
    return chosen or current


@st.cache_data(max_entries=64, show_spinner=False)
def spoken(sentence: str, noise: int, _case: Any) -> Sound:
    return _case.speak(sentence, noise / 100)
