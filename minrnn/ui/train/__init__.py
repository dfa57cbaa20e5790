"""The Train tab: form.py asks, tab.py draws and says what its buttons do, view.py says what a page sees of the runs."""
