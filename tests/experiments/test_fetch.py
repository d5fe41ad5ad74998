"""The fetch program, from a file: URL."""

import hashlib

from experiments import fetch


def test_a_file_is_put_in_its_place_and_a_wrong_one_is_refused(call, tmp_path):
    source, goal = tmp_path / "a", tmp_path / "b" / "c"
    source.write_text("a\tb\n")
    right = hashlib.sha256(source.read_bytes()).hexdigest()
    words = [f"--url={source.as_uri()}", f"--path={goal}"]
    assert call(fetch, *words, f"--sha256={right}")[0] == 0
    assert goal.read_text() == "a\tb\n"
    status, _, err = call(fetch, *words[:1], f"--path={goal}2", f"--sha256={'0' * 64}")
    assert status == 2 and "nothing is kept" in err and not goal.with_name("c2").exists()
