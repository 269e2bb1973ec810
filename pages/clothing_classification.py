"""Ten kinds of clothes on photographs: what does fine-tuning change, against frozen features?"""

from dlportal.ui import page

case = page.open_case("clothing_classification")

# Imported here: the title is drawn before torch loads.
from dlportal.ui import clothing
from dlportal.ui.faithfulness_table import faithfulness_table

left, right = page.columns()
with left:
    picked = page.pick_input(case)
    clothing.seen(picked)
with right:
    answer = page.run(case, picked)
    page.show(case, answer)
    clothing.truth(case, picked, answer)
clothing.versus(case, picked)
page.panels(
    case,
    picked,
    extra={
        "explain": lambda: clothing.every_class(case),
        "trust": lambda: faithfulness_table(case),
        "train": lambda: clothing.augmentation(case),
    },
)
