"""What each task asks, spelt out slowly: from what a model sees to what it should answer.

Each function takes a task and one text, checks that the text is one of the task's, and returns the answers,
"·" where nothing is asked. They share nothing with the code under test but the tasks' sizes.
"""

import re
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from typing import Any

NUMERALS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def parity(task: Any, sees: str) -> str:
    assert set(sees) <= set("01")
    return "".join("01"[sees[: t + 1].count("1") % 2] for t in range(len(sees)))


def sum_mod_5(task: Any, sees: str) -> str:
    assert set(sees) <= set("01234")
    return "".join(str(sum(map(int, sees[: t + 1])) % 5) for t in range(len(sees)))


def flip_flop(task: Any, sees: str) -> str:
    assert re.fullmatch(r"w[01]([wir][01])*(r|r[01])", sees)
    memory, wants = "", ""
    for t, char in enumerate(sees):
        if t % 2 and sees[t - 1] == "w":
            memory = char
        assert t % 2 == 0 or sees[t - 1] != "r" or char == memory
        wants += memory if char == "r" else "·"
    return wants


def copying(task: Any, sees: str) -> str:
    string, asked = _string_and_questions(sees)
    return "·" * len(string) + string[:asked]


def selective_copying(task: Any, sees: str) -> str:
    noise, asked = _string_and_questions(sees)
    letters = noise.replace(".", "")
    assert len(letters) == asked == task.tokens
    return "·" * len(noise) + letters


def bucket_sort(task: Any, sees: str) -> str:
    digits, asked = _string_and_questions(sees)
    return "·" * len(digits) + "".join(sorted(digits))[:asked]


def _string_and_questions(sees: str) -> tuple[str, int]:
    given = sees.rstrip("?")
    assert given and "?" not in given
    return given, len(sees) - len(given)


def recall(task: Any, sees: str) -> str:
    given, asked = sees[: 2 * task.pairs], sees[2 * task.pairs :]
    value_of = {given[t]: given[t + 1] for t in range(0, len(given), 2)}
    assert len(value_of) == task.pairs
    assert "".join(value_of).isalpha() and "".join(value_of.values()).isdigit()
    return "·" * len(given) + "".join(value_of[key] for key in asked)


def brackets(task: Any, sees: str) -> str:
    closing = dict(zip("([{<", ")]}>", strict=True))
    stack: list[str] = []
    wants = ""
    for char in sees:
        if char in closing:
            stack.append(closing[char])
            assert len(stack) <= task.depth
            wants += "·"
        else:
            assert stack.pop() == char
            wants += stack[-1] if stack else "·"
    return wants


def lookup(task: Any, sees: str) -> str:
    table, asked = sees[: task.places], sees[task.places :]
    assert table.isupper()
    return "·" * len(table) + "".join(table[NUMERALS.index(name)] for name in asked)


def cycle_navigation(task: Any, sees: str) -> str:
    place, wants = 0, ""
    for char in sees:
        place = (place + {"+": 1, "-": -1, ".": 0}[char]) % 5
        wants += str(place)
    return wants


def even_pairs(task: Any, sees: str) -> str:
    changes, wants = 0, "0"
    for before, char in pairwise(sees):
        changes += before != char
        wants += str(changes % 2)
    return wants


def majority(task: Any, sees: str) -> str:
    assert sees.isdigit()
    counts = [Counter(sees[: t + 1]) for t in range(len(sees))]
    return "".join(max(count, key=lambda digit: (count[digit], digit)) for count in counts)


def majority_count(task: Any, sees: str) -> str:
    counts = [max(Counter(sees[: t + 1]).values()) for t in range(len(sees))]
    return "".join(NUMERALS[min(count, 61)] for count in counts)


def missing_duplicate(task: Any, sees: str) -> str:
    string, repeated = sees.split(":")
    assert string.startswith(repeated) and len(repeated) < len(string) and 2 * len(string) >= len(sees)
    return "·" * len(string) + string[: len(repeated) + 1]


DEFINITIONS: dict[str, Callable[[Any, str], str]] = {
    definition.__name__: definition
    for definition in (
        parity,
        sum_mod_5,
        flip_flop,
        copying,
        selective_copying,
        recall,
        brackets,
        lookup,
        cycle_navigation,
        even_pairs,
        bucket_sort,
        majority,
        majority_count,
        missing_duplicate,
    )
}
