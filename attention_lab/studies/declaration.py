"""Claims and recipe as declared before the runs, their hash, and later changes.

Scheme 2 hashes the claims (statement, value, direction, threshold, margin, published, family), the preset's
settings, and every cell with what its run changes in the config; a function counts by its name. about.json
keeps the declaration from the first measurement on. Scheme 1, of studies measured earlier, hashed the claims
without thresholds: value minus threshold, described by `metric` and `contrast`, was compared with 0. Of
these, statement, direction, margin and family can be compared with the claims of today, and any recorded
settings; "restated" holds hashes of each claim and of the runs from when such claims were first written as
data, after the runs, so that a later change of a value, a threshold or the recipe shows.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attention_lab.storage.files import plain, read_json, short_digest
from attention_lab.studies import values
from attention_lab.studies.study import Study

ABOUT = "about.json"
SCHEME = 2
COMPARED_1 = ("statement", "direction", "margin", "primary")  # fields that both schemes have in one form
RUNS_CHANGED = "the runs' overrides were changed"
LESS = re.compile(r",? less (?:log10 )?[\d.]+(?=\))")  # "(share, less 0.5)"


def read_about(folder: Path) -> dict[str, Any]:
    """The content of a study's about.json; ValueError, naming it, where it is damaged."""
    needed = {"preset": str, "claims_scheme": int, "claims_hash": str, "claims": list}
    return read_json(folder / ABOUT, needed, {"settings": dict, "continued": list, "jax_settings": dict})


def declare(study: Study, preset: str) -> dict[str, Any]:
    """The declaration of a study as it is now: scheme, hash, claims, settings and hash of the runs."""
    settings = study.settings(preset, data="DATA", runs="RUNS")
    runs = [[study.config_file(settings) or None, cell,
             study.overrides(cell, settings, None) if study.overrides else None]
            for cell in study.cells(settings)]
    content = {"claims": [vars(claim) | {"value": values.plain(claim.value)} for claim in study.claims],
               "settings": plain(study.presets[preset]), "runs_hash": short_digest(runs)}
    content = json.loads(json.dumps(content))
    return {"claims_scheme": SCHEME, "claims_hash": short_digest(content), **content}


def intact(about: Mapping[str, Any]) -> bool:
    """Whether the declaration in about.json matches its stored hash."""
    if about["claims_scheme"] == 1:
        return about["claims_hash"] == short_digest(about["claims"])
    parts = ("claims", "settings", "runs_hash")
    return about["claims_hash"] == short_digest({name: about.get(name) for name in parts})


def changes(study: Study, about: Mapping[str, Any]) -> list[str]:
    """Differences between a study and its declaration in about.json, one phrase each.

    Raises:
      ValueError: the declaration does not match its stored hash.
    """
    if not intact(about):
        raise ValueError(f"about.json of {study.name} is damaged: its claims do not match the "
                         f"stored hash {about['claims_hash']}")
    now = declare(study, about["preset"])
    differing = differences(about, now)
    restated = about.get("restated", {})
    differing += [f"{name}: value, threshold or published number was changed"
                  for name, of_claim in hashes(now)["claims"].items()
                  if restated.get("claims", {}).get(name, of_claim) != of_claim
                  and not any(phrase.startswith(f"{name}: ") for phrase in differing)]
    if now["runs_hash"] != restated.get("runs_hash", now["runs_hash"]):
        differing.append(RUNS_CHANGED)
    return differing


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Differences between two declarations, in what both hold; one phrase each."""
    schemes = [declared.get("claims_scheme", 1) for declared in (before, after)]
    old, new = ({claim["name"]: claim for claim in declared["claims"]} for declared in (before, after))
    differing = [f"{name} was taken out" for name in old if name not in new]
    differing += [f"{name} was added" for name in new if name not in old]
    for name in [name for name in old if name in new]:
        differing += [f"{name}: {field} was {json.dumps(was)}, is {json.dumps(now)}" for field, was, now in
                      _compared(old[name], new[name], len(set(schemes)) == 1) if was != now]
    if "settings" in before and "settings" in after:
        differing += [f"setting {name} was changed" for name in before["settings"] | after["settings"]
                      if before["settings"].get(name) != after["settings"].get(name)]
    if len({declared["runs_hash"] for declared in (before, after) if "runs_hash" in declared}) > 1:
        differing.append(RUNS_CHANGED)
    return differing


def hashes(declared: Mapping[str, Any]) -> dict[str, Any]:
    """The hash of each claim, by name, and of the runs of a declaration of scheme 2."""
    return {"claims": {claim["name"]: short_digest(claim) for claim in declared["claims"]},
            "runs_hash": declared["runs_hash"]}


def _compared(before, after, one_scheme):
    if one_scheme:
        return [(field, before.get(field), after.get(field)) for field in before | after]
    return [(field, *(LESS.sub("", claim[field]) if field == "statement" else claim[field]
                      for claim in (before, after))) for field in COMPARED_1]
