"""docs/coverage.md from what tests proved: every passing check of a published rule leaves a record.

    rm -f build/coverage.jsonl
    export COVERAGE_RECORDS=$PWD/build/coverage.jsonl
    build/bin/numerics_tests "[published]" && build/bin/gpu_numerics_tests "[published]" &&
    python3 tests/coverage.py build/coverage.jsonl > docs/coverage.md
"""
import collections
import json
import sys

HEAD = """# Published systems that specs express

Written by `tests/coverage.py` from the records of passing tests, never by hand. A row says: on these targets the spec gives what the system's
paper says about blocks and pairs, by a test that states the paper's rule apart from the spec, and compares classes and outputs. Brackets
behind a system say what is handed in, or where the spec stops short of the paper; the spec's comment has the details. What a system adds
beyond attention (training, quantisation, routing networks, layouts) is not part of it.

| system | spec | modes | targets | test |
|---|---|---|---|---|"""


def main(paths):
    rows = collections.defaultdict(lambda: {"mode": set(), "target": set(), "test": set()})
    for path in paths:
        with open(path) as lines:
            for line in lines:
                record = json.loads(line)
                row = rows[record["system"], record["spec"]]
                for field, values in row.items():
                    values.add(record[field])
    print(HEAD)
    for (system, spec), row in sorted(rows.items(), key=lambda item: (item[0][0].lower(), item[0][1])):
        cells = [", ".join(sorted(row[field])) for field in ("mode", "target", "test")]
        print(f"| {system} | [{spec}](../dialect/specs/{spec}.mlir) | {' | '.join(cells)} |")


main(sys.argv[1:])
