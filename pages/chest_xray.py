"""Pneumonia or not, from a chest X-ray of 28 × 28 pixels; not for clinical use."""

from dlportal.ui import page

case = page.open_case("chest_xray")

# Imported here: the title is drawn before torch loads.
from dlportal.ui import xray

xray.warning()
left, right = page.columns()
with left:
    picked = page.pick_input(case)
    xray.seen(picked)
with right:
    answer = page.run(case, picked)
    page.show(case, answer)
    xray.truth(case, picked, answer)
xray.draw_line(case.card, answer)
page.panels(case, picked)
