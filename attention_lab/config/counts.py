"""Numbers with what they count, for messages."""


def counted(number: int, plural: str) -> str:
    """A number with what it counts, in the singular for 1: of the first word that ends in s.

    >>> counted(1, "words"), counted(2, "words"), counted(1, "empty classes of words")
    ('1 word', '2 words', '1 empty class of words')
    """
    words = plural.split(" ")
    place = next((i for i, word in enumerate(words) if word.endswith("s")), None)
    if number == 1 and place is not None:
        words[place] = words[place].removesuffix("es" if words[place].endswith("sses") else "s")
    return " ".join([str(number), *words])


def are(number: int) -> str:
    """The verb after so many: "1 of 3 lines is empty", "2 of 3 lines are"."""
    return "is" if number == 1 else "are"
