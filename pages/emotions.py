"""Which emotions speak from a text, several at once, and which words carry each?"""

from dlportal.ui import page

case = page.open_case("emotions")

# Imported here: the title is drawn before torch loads.
import dlportal.ui.emotions  # noqa: F401  (registers the view)

left, right = page.columns()
with left:
    picked = page.pick_input(case)
with right:
    answer = page.run(case, picked)
    page.show(case, answer)
page.panels(case, picked)
