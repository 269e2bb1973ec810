"""Which words name somebody or something, of what kind, how surely, and because of which words?"""

from dlportal.ui import page

case = page.open_case("named_entities")

# Imported here: the title is drawn before torch loads.
from dlportal.ui import names

left, right = page.columns()
with left:
    picked = page.pick_input(case)
with right:
    answer = page.run(case, picked)
    page.show(case, answer)
    names.rivals(case, picked, answer)
page.panels(case, picked, titles={"explain": names.QUESTION})
