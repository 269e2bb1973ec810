"""A small GPT writes like Shakespeare or like a Tang poet; see its odds, its form, its copies."""

import streamlit as st

from dlportal.messages import N_
from dlportal.ui import page

case = page.open_case("poetry_generation")

# Imported here: the title is drawn before torch loads.
from dlportal.ui import poetry, poetry_learning
from dlportal.ui.writing import choose_knobs, write

left, right = page.columns()
with left:
    picked = poetry.choose(case)
    knobs = choose_knobs(case)
with right:
    if picked is not None:
        write(case, picked, knobs, lambda written: poetry.looks(case, written))
page.panels(
    case,
    picked,
    replaced={
        "explain": lambda: poetry_learning.why(case, picked),
        "train": lambda: poetry_learning.train(case, st.session_state.get("poet", "shakespeare")),
    },
    titles={"explain": N_("Which characters decide?"), "train": N_("How does it learn?")},
)
