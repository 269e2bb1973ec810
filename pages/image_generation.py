"""Clothes and digits out of noise: watch them appear, pull harder, and look for copies."""

from dlportal.messages import N_
from dlportal.ui import page

case = page.open_case("image_generation")

# Imported here: the title is drawn before torch loads.
from dlportal.ui import generation, generation_pull, generation_train

left, right = page.columns()
with left:
    picked = generation.choose(case)
with right:
    answer = page.run(case, picked)
    page.show(case, answer)
    generation.opinion(picked, answer)
generation.looks(case, picked)
page.panels(
    case,
    picked,
    extra={
        "explain": lambda: generation_pull.pull_panel(case, picked),
        "train": lambda: generation_train.samples(case),
    },
    titles={"explain": N_("Where does the class pull?")},
)
