"""Who will not be able to pay next month, why, and what would change it?"""

from dlportal.ui import page

case = page.open_case("credit_default")

# Imported here: the title is drawn before torch loads.
from dlportal.ui import credit, credit_drift, credit_groups
from dlportal.ui.language import _
from dlportal.ui.words import note

left, right = page.columns()
with left:
    picked = credit.choose_customer(case)
    rule = credit.choose_rule(case)
answer = page.run(case, picked)
with right:
    if answer is not None:
        credit.show_verdict(case, picked, answer, rule)
credit_groups.show_line(case, rule)
credit_groups.show_groups(case, rule)
credit_drift.show_drift(case, rule)
page.panels(case, picked)
note(_("Customers of one bank in 2005; not for decisions about anybody. Not investment advice."))
