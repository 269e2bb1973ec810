"""Is a sentence for or against something, which words decide, and what would flip the answer?"""

from dlportal.ui import page

case = page.open_case("sentiment")

# Imported here: the title is drawn before torch loads.
from dlportal.ui.flips import flips_panel
from dlportal.ui.steadiness import typing_panel

left, right = page.columns()
with left:
    picked = page.pick_input(case)
with right:
    answer = page.run(case, picked)
    page.show(case, answer)


def below_explain() -> None:
    """What turns the answer: words on purpose, then mistakes."""
    flips_panel(case, picked)
    typing_panel(case, picked)


page.panels(case, picked, extra={"explain": below_explain})
