"""Which of ten kinds of clothes is it? See the layers at work and the pictures it reminds them of."""

from dlportal.ui import page

case = page.open_case("fashion_classification")

# Imported here: the title is drawn before torch loads.
from dlportal.ui import fashion
from dlportal.ui.truth import say_truth

left, right = page.columns()
with left:
    picked = page.pick_input(case)
    fashion.seen(picked)
with right:
    answer = page.run(case, picked)
    page.show(case, answer)
    say_truth(case, picked, answer)
fashion.inside(case, picked)
page.panels(case, picked, extra={"train": lambda: fashion.augmentation(case)})
