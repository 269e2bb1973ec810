"""Name what a photograph shows, see where the network looked, and whether the map can be believed."""

from dlportal.ui import page

case = page.open_case("imagenet_classification")

# Imported here: the title is drawn before torch loads.
from dlportal.ui.faithfulness_table import faithfulness_table

left, right = page.columns()
with left:
    picked = page.pick_input(case)
with right:
    answer = page.run(case, picked)
    page.show(case, answer)
page.panels(case, picked, extra={"trust": lambda: faithfulness_table(case)})
