"""Every process collects the same suite: no test's id or parameters hang on time, hash seed or process.

Processes that share a suite have to agree on its tests, and a test that failed is found again by its id.
"""

import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
# Collects the suite on another clock; prints a line for each test: its id, and the parameters it is given.
COLLECT = """
import sys, time
seconds = float(sys.argv[1])
real, real_ns = time.time, time.time_ns
time.time = lambda: real() + seconds
time.time_ns = lambda: real_ns() + int(1e9 * seconds)
import pytest

class Tell:
    def pytest_collection_finish(self, session):
        for item in session.items:
            given = getattr(item, "callspec", None)
            params = sorted(given.params.items(), key=lambda pair: pair[0]) if given else []
            print("TEST", ascii(item.nodeid), ascii(params))

sys.exit(pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider", "-n", "0"], plugins=[Tell()]))
"""


@pytest.mark.once
def test_two_processes_collect_the_same_tests():
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    running = [
        subprocess.Popen([sys.executable, "-c", COLLECT, seconds], cwd=ROOT, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         env=environ | {"PYTHONHASHSEED": seed, "TZ": zone})
        for seconds, seed, zone in (("0", "1", "UTC"), ("3e7", "2", "Asia/Tokyo"))]
    texts = [one.communicate()[0] for one in running]
    assert [one.returncode for one in running] == [0, 0], texts[0][-3000:] + texts[1][-3000:]
    first, second = (
        [re.sub(r" at 0x\w+", "", line) for line in text.splitlines() if line.startswith("TEST")]
        for text in texts)  # a function's address is no part of what a test is given
    assert any("test_two_processes_collect_the_same_tests" in line for line in first)
    unlike = [pair for pair in zip(first, second) if pair[0] != pair[1]]
    assert not unlike and len(first) == len(second), unlike[:3]
