"""Links in the other base, outside their sentence, or half given: one line and status 2."""

import pytest

from experiments import align

STORY = {"Chat_sents.txt": ["0\tle chat noir\n", "1\toui\n"],
         "Cat_sents.txt": ["0\tthe black cat\n", "1\tyes\n"]}


@pytest.mark.parametrize("links, words", [
    ("0\t1-1 3-3\n", "words are counted from 0 here, and this file seems to count from 1"),
    ("0\t0-0 1-7\n", "sentence 0: a link of word 7 to word 1, but the sentences have 3 and 3 words"),
    ("0\t0-0\n1\t0-0\n", "nowhere is not a run folder"),
    ("0\t0-0\n", "1 of its 1 pairs have a sure link; layer and head are chosen on every other pair"),
    ("0\t0p0\n1\t0-0\n", "have a sure link; layer and head are chosen on every other pair"),
])
def test_what_is_refused(call, tmp_path, links, words):
    for name, sentences in (STORY | {"ali_w2w_Chat_Cat.txt": [links]}).items():
        (tmp_path / name).write_text("".join(sentences[:links.count("\n")]))
    status, out, err = call(align, "--run=nowhere", f"--links={tmp_path}")
    assert status == 2 and not out and words in err and err.count("\n") == 1
    status, _, err = call(align, "--run=nowhere", f"--links={tmp_path}", "--source=test.e")
    assert status == 2 and "--source and --target go together" in err
