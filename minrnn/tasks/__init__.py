"""Tasks: generated texts with right answers, one task a file. Importing a task's file enters it in `TASKS`.

This is the table of contents; its order is the order in which the tasks are shown. A further task is one
file beside these and one line below.
"""

# ruff: noqa: F401
# isort: off
from minrnn.tasks import parity
from minrnn.tasks import sum_mod_5
from minrnn.tasks import flip_flop
from minrnn.tasks import copying
from minrnn.tasks import selective_copying
from minrnn.tasks import recall
from minrnn.tasks import brackets
from minrnn.tasks import lookup
from minrnn.tasks import cycle_navigation
from minrnn.tasks import even_pairs
from minrnn.tasks import bucket_sort
from minrnn.tasks import majority
from minrnn.tasks import majority_count
from minrnn.tasks import missing_duplicate
# isort: on

from minrnn.tasks.example import NOT_ASKED_CHAR, Example, example
from minrnn.tasks.score import accuracy, chance, share_text
from minrnn.tasks.task import NOT_ASKED, TASKS, Task, find_task

__all__ = [
    "NOT_ASKED",
    "NOT_ASKED_CHAR",
    "TASKS",
    "Example",
    "Task",
    "accuracy",
    "chance",
    "example",
    "find_task",
    "share_text",
]
