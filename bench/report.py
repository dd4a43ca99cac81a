#!/usr/bin/env python3
"""Prints the Markdown table of a result folder: report.py DIRECTORY (the .json files that tercet-kernels writes)."""
import json
import pathlib
import sys

TITLES = {
    "dense": "Dense attention, f32",
    "gradient": "Backward of dense attention, f32",
    "sla": "SLA at long sequences (stages in the order they run)",
    "full": "A map that keeps every block",
    "cold": "Cold start",
    "language": "Score regions, masks, patterns, rules of selection",
    "memory": "Memory beyond inputs and outputs",
}


def number(value):
    return f"{value:.4g}"


def table(rows):
    yield "| case | measure | median | quartiles | 90 % interval | n | bar |"
    yield "|---|---|---|---|---|---|---|"
    for row in rows:
        single = row["repetitions"] == 1
        spread = "" if single else f"{number(row['q1'])} - {number(row['q3'])}"
        interval = "" if single else f"{number(row['low'])} - {number(row['high'])}"
        count = str(row["repetitions"])
        if row["retaken"]:
            count += f", {row['retaken']} retaken"
        if row["disturbed"]:
            count += f", {row['disturbed']} disturbed"
        bar = f"{row['bar']}: {row['verdict']}" if "bar" in row else ""
        measure = row["metric"] + (f" ({row['note']})" if "note" in row else "")
        yield f"| {row['name']} | {measure} | {number(row['median'])} | {spread} | {interval} | {count} | {bar} |"


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: report.py DIRECTORY")
    folder = pathlib.Path(sys.argv[1])
    suites = {}
    for stem in TITLES:
        path = folder / f"{stem}.json"
        if path.exists():
            suites[stem] = json.loads(path.read_text())
    print("# Benchmark results\n")
    print("Written by `bench/run.sh`; read it with the rules below.\n")
    print("- Ratios, not GFLOP/s: every repetition is bracketed by two FMA probes on the same threads (the peak, measured")
    print("  at that moment); contenders take turns within a round and ratios are formed per round.")
    print("- A repetition in which the process waited for a core is taken again whatever its result;")
    print("  *disturbed* ones count all the same, because too many had been taken again.")
    print("- The interval holds the median with 90 % probability (order statistics). A bar is missed only when the whole")
    print("  interval lies beyond it, and not judged when most repetitions were disturbed; with fewer than 5 repetitions")
    print("  the interval is the range.")
    print("- Processor findings behind the code generator's choices: see the `.md` files beside this one.")
    for stem, suite in suites.items():
        machine = suite["machine"]
        print(f"\n## {TITLES[stem]}\n")
        print(f"{machine['cpu']}, {machine['cores']} cores, {machine['system']}, {machine['compiler']}, {machine['date']}; "
              f"`{suite['command']}`\n")
        print("\n".join(table(suite["rows"])))


if __name__ == "__main__":
    main()
