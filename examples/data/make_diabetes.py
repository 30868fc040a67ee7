"""Writes diabetes.csv from scikit-learn's copy, in the units of the original: python examples/data/make_diabetes.py"""

from __future__ import annotations

from pathlib import Path

from sklearn.datasets import load_diabetes

NAMES = {
    "s1": "cholesterol",
    "s2": "ldl",
    "s3": "hdl",
    "s4": "cholesterol_per_hdl",
    "s5": "log_triglycerides",
    "s6": "glucose",
}

if __name__ == "__main__":
    table = (
        load_diabetes(as_frame=True, scaled=False).frame.rename(columns=NAMES).rename(columns={"target": "progress"})
    )
    table["sex"] = table["sex"].map({1.0: "a", 2.0: "b"})  # which is which was not recorded
    table.round(4).to_csv(Path(__file__).with_name("diabetes.csv"), index=False)
