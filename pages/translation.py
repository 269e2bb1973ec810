"""What does a sentence say in another language, where did the network look, what did it try?"""

from dlportal.ui import page

case = page.open_case("translation")

# Imported here: the title is drawn before torch loads.
from dlportal.ui import translation

left, right = page.columns()
with left:
    picked = translation.pick_sentence(case)
with right:
    answer = page.run(case, picked)
    page.show(case, answer)
    translation.insides(case, picked, answer)
page.panels(
    case,
    picked,
    extra={"trust": lambda: translation.misses(case.card)},
    replaced={"train": lambda: translation.training(case, picked)},
    titles={"explain": translation.QUESTION},
)
