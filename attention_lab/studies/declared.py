"""Whether the claims of each study were declared before its results.

The claims of a study are declared where git has, before the results, a commit with these claims from which
they were measured without uncommitted changes; earlier results, if any, had the same claims, and the claims
have not been changed since. States:

    yes         git proves it: the hash of the claims was computed again from that commit's own code
    recorded    all of it holds but that proof, which is only made on request
    no          something of it does not hold; the reasons say what
    can't tell  nothing speaks against it, but git or the commit's tree does not answer
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from attention_lab.studies import declaration, history
from attention_lab.studies.load import load
from attention_lab.studies.old_trees import declaration_at

CLEAN = (".", "../../attention_lab/studies", "../../attention_lab/statistics")  # from the studies


class Declared(NamedTuple):
    """Fields: state, as above; reasons against it, "short: detail"; mismatches, those that no table tells.

    A study that records itself that its tree was not clean, or that its claims were changed, is a "no"
    without a mismatch.
    """

    state: str
    reasons: tuple[str, ...] = ()
    mismatches: tuple[str, ...] = ()

    @property
    def short(self) -> str:
        """State and reasons in a few words."""
        words = dict.fromkeys(reason.partition(":")[0] for reason in self.reasons)
        return self.state + (f" ({', '.join(words)})" if words else "")


def declared(root: Path, every: Mapping[str, Mapping[str, Any]], prove: bool = False) -> dict[str, Declared]:
    """{study's name: whether its claims were declared}.

    Args:
      root: parent of the studies' folders. every: {study's name: content of its verdicts.json}.
      prove: computes the hash of each study's claims again from its commit's tree, some seconds a study, and
        compares the claims of today.
    """
    unknown = history.missing(root)
    versions = {} if unknown else history.versions(root)
    return {name: _declared(root, name, results, versions.get(name, []), unknown, prove)
            for name, results in every.items()}


def _declared(root, name, results, versions, unknown, prove):
    try:
        about = declaration.read_about(root / name)
        changed = list(results["changed_since_declared"])
        mismatches = _contradictions(about, results)
        if prove and not mismatches:
            now = declaration.changes(load(name, root), about)
            if now != changed:
                told, live = ("; ".join(phrases) or "no change" for phrases in (changed, now))
                mismatches.append(f"claims changed, untold: its verdicts tell {told}, "
                                  f"its study.py has {live}")
    except (ValueError, OSError) as error:
        return Declared("no", *[(f"no declaration: {error}",)] * 2)
    admitted = [f"claims changed since: {'; '.join(changed)}"] if changed else []
    if any(part.get("uncommitted_changes") for part in (about, *about.get("continued", []))):
        admitted.append("uncommitted changes: it was measured from a tree with some")
    doubts = [f"{unknown}: git does not know what came first"] if unknown else []
    if not about.get("commit"):
        doubts = ["no commit: it was measured outside a checkout"]
    if not doubts and not mismatches:
        mismatches += _order(root, about, versions)
    if not doubts and not mismatches:
        admitted += _earlier(root, name, about, versions, prove)
        if prove:
            try:
                mismatches += _recomputed(root, name, about)
            except ValueError as error:
                doubts.append(f"tree does not run: that of commit {about['commit'][:12]}: {error}")
    reasons = (*mismatches, *admitted, *doubts)
    if not reasons:
        return Declared("yes" if prove else "recorded")
    return Declared("no" if mismatches or admitted else "can't tell", reasons, tuple(mismatches))


def _contradictions(about, results):
    """What about.json and verdicts.json say against each other, or against themselves."""
    wrong = []
    if not declaration.intact(about):
        wrong.append("hash differs: the claims in its about.json are not those of hash "
                     f"{about['claims_hash']}")
    if results.get("declared_hash") != about["claims_hash"]:
        wrong.append(f"hash differs: its verdicts tell {results.get('declared_hash')}, its about.json "
                     f"{about['claims_hash']}")
    return wrong


def _order(root, about, versions):
    """What git says against the commit having come before the results."""
    commit = about["commit"]
    results = next((version.commit for version in versions if version.about.get("commit") == commit), None)
    try:
        if results == commit or not history.is_before(root, commit, results or "HEAD"):
            return [f"results first: its commit {commit[:12]} is not before {(results or 'HEAD')[:12]}, "
                    "which has its results"]
    except ValueError:
        return [f"commit unknown: git has no commit {commit[:12]}, from which it was measured"]
    return []


def _earlier(root, name, about, versions, prove):
    """What differs between the claims and those of other results that were committed for this study."""
    others = {version.about["claims_hash"]: version for version in versions
              if version.about.get("claims_hash") not in (None, about["claims_hash"])}
    wrong = []
    for hashed, version in others.items():
        before = version.about
        if "claims" not in before and prove:
            try:
                before = before | declaration_at(before.get("commit") or "none", name,
                                                 before.get("claims_scheme", 1), before.get("preset", ""),
                                                 root)
            except ValueError as error:
                before = {"unknown": f"its claims can't be listed: {error}"}
        listed = declaration.differences(before, about) if "claims" in before else [
            before.get("unknown", f"hash {hashed}")]
        if listed:
            wrong.append(f"claims changed after earlier results: those of {version.commit[:12]} had other "
                         f"claims ({'; '.join(listed)})")
    return wrong


def _recomputed(root, name, about):
    """What the tree of the commit says against the hash; ValueError where it does not run."""
    there = declaration_at(about["commit"], name, about["claims_scheme"], about["preset"], root)
    return [] if there["claims_hash"] == about["claims_hash"] else [
        f"hash differs: at commit {about['commit'][:12]} its claims have hash {there['claims_hash']}, its "
        f"about.json {about['claims_hash']}"]
