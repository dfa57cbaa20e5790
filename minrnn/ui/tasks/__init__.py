"""The Tasks tab: tab.py draws it, view.py says what a page sees of the runs, outcome.py compares, charts.py draws."""
