"""How far will the S&P 500 move tomorrow, and can anybody tell which way?"""

from dlportal.ui import page

case = page.open_case("stock_forecast")

# Imported here: the title is drawn before torch loads.
from dlportal.ui import stock, stock_checks
from dlportal.ui.language import _
from dlportal.ui.words import note

left, right = page.columns()
picked = None
with left:
    series = stock.choose_series(case)
    if series is not None:
        picked, place = stock.pick_evening(case, series)
answer = page.run(case, picked)
if answer is not None:
    with right:
        stock.show_forecast(case, series, place, answer)
    stock_checks.show_years(series)
    stock_checks.show_trading(series)
page.panels(case, picked)
note(_("Not investment advice."))
