"""A small GPT writes token by token; see each token's odds, and look inside the layers."""

from dlportal.messages import N_
from dlportal.ui import page

case = page.open_case("text_generation")

# Imported here: the title is drawn before torch loads.
from dlportal.ui.insides import inside_panel
from dlportal.ui.writing import choose_knobs, pick_prompt, write

left, right = page.columns()
with left:
    picked = pick_prompt(case)
    knobs = choose_knobs(case)
with right:
    if picked is not None:
        write(case, picked, knobs)
page.panels(
    case,
    picked,
    replaced={"explain": lambda: inside_panel(case, picked)},
    titles={"explain": N_("Why this token?")},
)
