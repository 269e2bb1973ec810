"""Is a sentence for or against something, which words decide, and what would flip the answer?"""

from dlportal.ui import page

case = page.open_case("sentiment")

# Imported here: the title is drawn before torch loads.
from dlportal.ui.flips import flips_panel

left, right = page.columns()
with left:
    picked = page.pick_input(case)
with right:
    answer = page.run(case, picked)
    page.show(case, answer)
page.panels(case, picked, extra={"explain": lambda: flips_panel(case, picked)})
