"""Inside a model: what surprises it, and what it remembers. Engines without I/O.

surprise.py   how likely each character of a text was for a model
context.py    the loss against the number of characters that a model may see
layers.py     what a layer's mixer shows: units, shares of earlier characters, half-lives, attention
features.py   units that follow something a reader can name
typed.py      a text as a person typed it, beside the text as a model reads it
reading.py    a model's surprise at a typed text, as plain data
memory.py     what a model remembers of a typed text, as plain data
page.py       both, for some models, as plain data
"""
