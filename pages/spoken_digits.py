"""Say a digit, see its spectrogram, and hear only what the explanation kept of it."""

from functools import partial

from dlportal.ui import page

case = page.open_case("spoken_digits")

# Imported here: the title is drawn before torch loads.
from dlportal.ui import digits

left, right = page.columns()
with left:
    picked = page.pick_input(case)
with right:
    answer = page.run(case, picked)
    page.show(case, answer)
    digits.truth(case, picked, answer)
if picked is not None and answer is not None:
    digits.seen(case, picked)
replaced = {"trust": partial(digits.trust, case.card)}
if picked is not None and answer is not None:
    replaced["explain"] = partial(digits.explain, case, picked)
page.panels(case, picked, replaced=replaced)
