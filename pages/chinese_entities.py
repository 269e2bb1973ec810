"""Who, where and which organisation in a Chinese text, how surely, and because of which characters?"""

from dlportal.ui import page

case = page.open_case("chinese_entities")

# Imported here: the title is drawn before torch loads.
from dlportal.ui import characters

left, right = page.columns()
with left:
    picked = page.pick_input(case)
with right:
    answer = page.run(case, picked)
    page.show(case, answer)
    characters.beside(case, picked, answer)
characters.chain_map(case)
page.panels(case, picked, titles={"explain": characters.QUESTION})
