"""The sense of a word in its sentence, or the class of the sentence."""
