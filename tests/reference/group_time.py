"""Made group_time.json: group-time effects by csdid 0.4.3 (Python), for made-up panels.

Run where csdid is installed: ``python group_time.py group_time.json``. The panels are stored
with the results: units in groups of unequal size, weights constant in a unit, with and without
units never treated.
"""

from __future__ import annotations

import json
import sys

import numpy as np
import pandas as pd


def panel(seed: int, never: bool) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    units, years = 40, range(2001, 2008)
    groups = [2003, 2004, 2006, 2007] + ([0, 0] if never else [])
    frame = pd.DataFrame([(u, y) for u in range(units) for y in years], columns=["unit", "year"])
    start = rng.choice(groups, units)
    frame["start"] = start[frame["unit"]]
    frame["people"] = rng.integers(1, 9, units)[frame["unit"]]
    treated = (frame["start"] > 0) & (frame["year"] >= frame["start"])
    size = 0.3 + 0.1 * (frame["year"] - frame["start"]) + 0.2 * (frame["start"] == 2004)
    walk = rng.normal(size=(units, len(years))).cumsum(axis=1).ravel()
    frame["y"] = (walk + rng.normal(size=len(frame)) + treated * size).round(6)
    return frame


def main(path: str) -> None:
    from csdid.att_gt import ATTgt

    cases: list[dict[str, object]] = []
    for never, comparison, weights, anticipation in (
        (True, "never", None, 0),
        (True, "never", "people", 0),
        (True, "not_yet", "people", 0),
        (True, "never", None, 1),
        (False, "not_yet", None, 0),
    ):
        data = panel(7, never)
        model = ATTgt(
            yname="y", tname="year", idname="unit", gname="start", data=data.copy(),
            control_group=["nevertreated" if comparison == "never" else "notyettreated"],
            weights_name=weights, anticipation=anticipation,
        )  # fmt: skip
        model.fit(est_method="reg", base_period="universal", bstrap=False)
        found: dict[str, dict[str, list[float]]] = {}
        for kind in ("dynamic", "group", "calendar", "simple"):
            model.aggte(typec=kind, bstrap=False, cband=False)
            a = model.atte
            rows = {} if kind == "simple" else {
                f"{e:g}": [float(x), float(s)]
                for e, x, s in zip(a["egt"], a["att_egt"], np.ravel(a["se_egt"]), strict=True)
            }  # fmt: skip
            rows["overall"] = [float(a["overall_att"]), float(np.ravel(a["overall_se"])[0])]
            found[kind] = rows
        r = model.results
        found["group_time"] = {
            f"{g}, {t}": [float(x), float(s)]
            for g, t, x, s in zip(r["group"], r["year"], r["att"], np.ravel(r["se"]), strict=True)
        }
        cases.append(
            {
                "never": never, "comparison": comparison, "weights": weights,
                "anticipation": anticipation, "found": found,
            }
        )  # fmt: skip
    panels = {str(n): panel(7, n).to_dict("list") for n in (True, False)}
    with open(path, "w") as file:
        json.dump({"made_by": "csdid 0.4.3", "cases": cases, "panels": panels}, file)


if __name__ == "__main__":
    main(sys.argv[1])
