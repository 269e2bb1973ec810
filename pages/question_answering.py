"""Where in a paragraph does the answer stand, and what if it does not stand there?"""

from dlportal.ui import page

case = page.open_case("question_answering")

# Imported here: the title is drawn before torch loads.
from dlportal.ui import answers

left, right = page.columns()
with left:
    picked = answers.pick_passage(case)
with right:
    answer = page.run(case, picked)
    page.show(case, answer)
    answers.ends_and_rivals(case, picked, answer)
page.panels(case, picked, titles={"explain": answers.QUESTION})
