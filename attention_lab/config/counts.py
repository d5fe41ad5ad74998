"""Numbers with what they count, for messages."""


def counted(number: int, plural: str) -> str:
    """A number with what it counts, in the singular for 1; the plural's first word ends in s.

    >>> counted(1, "words"), counted(2, "words"), counted(1, "pairs left out")
    ('1 word', '2 words', '1 pair left out')
    """
    noun, space, rest = plural.partition(" ")
    return f"{number} {noun.removesuffix('s') if number == 1 else noun}{space}{rest}"


def are(number: int) -> str:
    """The verb after so many: "1 of 3 lines is empty", "2 of 3 lines are"."""
    return "is" if number == 1 else "are"
