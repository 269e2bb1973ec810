"""Draw, type or pick a molecule: five properties, and which atoms say so."""

from dlportal.ui import page

case = page.open_case("drug_discovery")

# Imported here: the title is drawn before torch loads.
from dlportal.ui import molecules
from dlportal.ui.language import _
from dlportal.ui.words import note

left, right = page.columns()
with left:
    picked = molecules.choose_molecule(case)
answer = page.run(case, picked)
with right:
    if answer is not None:
        molecules.show_prediction(case, answer)
if picked is not None and answer is not None:
    molecules.show_rule(answer.result)
    molecules.show_neighbours(picked)
page.panels(case, picked)
note(_("For learning and teaching: not for clinical use, and no decision on a compound."))
