"""Speak, or let our voice speak, and see what was heard, how surely, and what was only guessed."""

from functools import partial

from dlportal.ui import page
from dlportal.ui.language import _

case = page.open_case("speech_recognition")

# Imported here: the title is drawn before torch loads.
import streamlit as st

from dlportal.ui.sound_map import transcript_panel
from dlportal.ui.steadiness import hearing_panel
from dlportal.ui.views_audio import show_differences, show_error_rate, show_words_on_sound
from dlportal.ui.words import note

left, right = page.columns()
with left:
    picked = page.pick_input(case)
with right:
    answer = page.run(case, picked)
    page.show(case, answer)
    if answer is None:
        note(_("The transcript appears here once there is a recording."))

if picked is not None and answer is not None:
    st.header(_("When was each word said?"), anchor=False)
    show_words_on_sound(answer.result, picked.raw)
    if picked.truth:
        st.header(_("Is that what was said?"), anchor=False)
        words, rate = st.columns([9, 3], gap="large")
        with words:
            compared = show_differences(picked.truth, answer.result.text)
        with rate:
            show_error_rate(compared)

replaced, extra = {}, {}
if picked is not None and answer is not None:
    replaced["explain"] = partial(transcript_panel, case, picked, answer.result)
    extra["explain"] = partial(hearing_panel, case, picked, answer.result)
page.panels(case, picked, replaced=replaced, extra=extra)
