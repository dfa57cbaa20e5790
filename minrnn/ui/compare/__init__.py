"""The Compare tab.

tab.py draws it and says what its buttons do, panels.py holds the texts, address.py reads the page's link, api.py serves
scripts.
"""
