"""What does a customer want, which words say so, and when does the assistant not know?"""

from dlportal.ui import page

case = page.open_case("intents")

# Imported here: the title is drawn before torch loads.
from dlportal.ui import intents

left, right = page.columns()
with left:
    picked = intents.pick_question(case)
with right:
    answer = page.run(case, picked)
    page.show(case, answer)
page.panels(
    case,
    picked,
    extra={
        "explain": lambda: intents.nearest_questions(case, picked, answer),
        "trust": lambda: intents.confusions(case.card),
    },
)
