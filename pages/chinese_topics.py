"""Which subject is a paper about, by its Chinese title, and which characters say so?"""

from dlportal.ui import page

case = page.open_case("chinese_topics")

# Imported here: the title is drawn before torch loads.
from dlportal.ui import topics

left, right = page.columns()
with left:
    picked = page.pick_input(case)
with right:
    answer = page.run(case, picked)
    page.show(case, answer)
page.panels(case, picked, extra={"trust": lambda: topics.by_subject(case.card)})
