"""The Compare tab: tab.py draws it and says what its buttons do, panels.py holds the texts, api.py serves scripts."""
