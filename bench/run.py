"""`make bench NAME=…`: run one benchmark, or all, and write RESULTS.md anew."""

from __future__ import annotations

import importlib
import json
import sys
import tomllib

from bench.harness import HERE, RESULTS

_NOT_BENCHMARKS = {"__init__", "harness", "run"}
_BY_NAME_ONLY = {"recommend_ml1m"}
"""Benchmarks of hours."""


def names() -> list[str]:
    """The benchmarks, by file name."""
    return sorted(
        p.stem for p in HERE.glob("*.py") if p.stem not in _NOT_BENCHMARKS and p.stem[0] != "_"
    )


def results() -> str:
    """RESULTS.md: each measured figure beside its target and the peer it is held against."""
    targets = tomllib.loads((HERE / "targets.toml").read_text("utf-8"))
    lines = [
        "# Results",
        "",
        "Written by `make bench`; every figure is a median, with its least and greatest run.",
        "",
    ]
    for path in sorted(RESULTS.glob("*.json")):
        record = json.loads(path.read_text("utf-8"))
        lines += [
            f"## {record['name']}",
            "",
            f"{record['data']}. {record['date'][:10]}, commit {record['commit']}, {record['machine']}"
            + (f", seeds {record['seeds']}" if record["seeds"] else "")
            + ".",
            "",
            "| figure | measured | least – greatest | target | reached | anchor | note |",
            "|---|---:|---|---|---|---|---|",
        ]
        for row in record["rows"]:
            target = targets.get(row["id"], {})
            lines.append(
                f"| `{row['id']}` | {_number(row['value'])} {row['unit']} | {_number(row['low'])} – "
                f"{_number(row['high'])} | {_bound(target)} | {_reached(row['value'], target)} | "
                f"{target.get('anchor', '')} | {row['note']} |"
            )
        lines.append("")
    return "\n".join(lines)


def _bound(target: dict[str, float]) -> str:
    words = [
        f"{word} {_number(target[key])}"
        for key, word in (("least", "≥"), ("most", "<"))
        if key in target
    ]
    return " and ".join(words)


def _reached(value: float, target: dict[str, float]) -> str:
    if not {"least", "most"} & target.keys():
        return ""
    good = value >= target.get("least", value) and not value >= target.get("most", float("inf"))
    return "yes" if good else "**no**"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.3g}"


def main(chosen: list[str]) -> None:
    """Run the chosen benchmarks; all of them when none is named."""
    for name in chosen or (one for one in names() if one not in _BY_NAME_ONLY):
        print(f"-- {name}", flush=True)
        importlib.import_module(f"bench.{name}").main()
    (HERE / "RESULTS.md").write_text(results(), "utf-8")
    print(f"wrote {HERE.name}/RESULTS.md")


if __name__ == "__main__":
    main(sys.argv[1:])
