"""A training run as a folder and a process.

spec.py         what a run trains; config.json, the command line and the page's form are all made of it
folder.py       the files of a run; training in one, and going on in it
config_file.py  its config.json: what it trains, and whether it has begun
saving.py       its save: the model, and all it takes to go on from there
events.py       what a run reports, and reading it back
ending.py       its end: figures, history, sample
process.py      the worker: the process that trains a folder
queue.py        starting runs one after another, stopping, resuming, renaming, deleting
listing.py      the runs of this machine, as their folders tell
making.py       the folders of a job, made whole or not at all
keeping.py      how long, and how much, a machine that visitors share keeps
lock.py         who trains in a folder
limits.py       what a machine that visitors share allows
request.py      what a form or a script asks for, checked
"""
