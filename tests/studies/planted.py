"""Small repositories with a study and its results, for tests of what git knows of claims."""

import dataclasses
import json
import pathlib
import subprocess

from attention_lab.storage.files import short_digest
from attention_lab.studies import declaration, tables
from tests.studies.studies import STUDY

ROOT = pathlib.Path(__file__).parents[2]
TINY = (ROOT / "tests" / "studies" / "studies.py").read_text()
CELLS = STUDY.cells(STUDY.settings("smoke"))
ROWS = [cell | STUDY.measure(cell, STUDY.settings("smoke"), None) for cell in CELLS]
# A study as it was declared by scheme 1, in a module of its own.
OLDER = """import dataclasses, hashlib, json

@dataclasses.dataclass
class Claim:
    name: str
    statement: str
    direction: str
    margin: float
    primary: bool

class Study:
    claims = [Claim(**claim) for claim in json.loads('''{claims}''')]

    def claims_hash(self):
        text = json.dumps([dataclasses.asdict(claim) for claim in self.claims], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

STUDY = Study()
"""


def claims(**changed):
    """The claims of scheme 1 of the tiny study, fields of the first one changed."""
    names = ("name", "statement", "direction", "margin", "primary")
    first, *others = [{name: getattr(claim, name) for name in names} for claim in STUDY.claims]
    return [first | changed, *others]


@dataclasses.dataclass
class Planted:
    """A repository in a folder, with the study `tiny` in experiments/studies."""

    folder: pathlib.Path

    @property
    def studies(self):
        return self.folder / "experiments" / "studies"

    def git(self, *words):
        """What git writes."""
        done = subprocess.run(["git", "-c", "user.name=A", "-c", "user.email=a@example.org", *words],
                              cwd=self.folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self):
        """Commits all files; the new commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message=x")
        return self.git("rev-parse", "HEAD")

    def declare(self, declared=None):
        """Commits the study, and as scheme 1 has it with these claims; the new commit."""
        (self.studies / "tiny").mkdir(parents=True, exist_ok=True)
        (self.studies / "tiny" / "study.py").write_text(TINY)
        (self.studies / "tiny.py").write_text(OLDER.format(claims=json.dumps(declared or claims())))
        return self.commit()

    def measure(self, commit, declared=None, *, told=(), folder="studies", **about):
        """Commits results of the study, declared in this commit with these claims; about.json's content."""
        declared = declared or claims()
        about = {"preset": "smoke", "commit": commit, "uncommitted_changes": False, "claims_scheme": 1,
                 "claims_hash": short_digest(declared), "claims": declared} | about
        about = {name: value for name, value in about.items() if value is not None}
        place = self.folder / "experiments" / folder / "tiny"
        place.mkdir(parents=True, exist_ok=True)
        (place / "about.json").write_text(json.dumps(about))
        (place / "verdicts.json").write_text(json.dumps(tables.record(
            STUDY, {"claims_scheme": 1, **about}, "now", told, STUDY.verdicts(ROWS), {})))
        self.commit()
        return about


def plant(folder):
    """A new repository without a commit."""
    folder.mkdir()
    planted = Planted(folder)
    planted.git("init", "--quiet")
    return planted


def declared_now():
    """The tiny study's declaration of today's scheme."""
    return declaration.declare(STUDY, "smoke")
