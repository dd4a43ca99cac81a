"""docs/coverage.md from what tests proved.

    TERCET_COVERAGE_FILE=$PWD/build/coverage.jsonl ctest --test-dir build -L 'numerics|gpu'
    python3 tests/coverage.py build/coverage.jsonl > docs/coverage.md
"""
import collections
import json
import sys

HEAD = """# Published systems that specs express

Written by `tests/coverage.py` from the records of passing tests, never by hand. A row says: the spec gives what the system's paper
says about blocks and pairs, by a test that states the paper's rule independently of the spec, on these targets. Systems that share
a rule share a spec. What a system adds beyond attention (training, quantisation, routing networks) is not part of it.

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
    for (system, spec), row in sorted(rows.items(), key=lambda item: item[0][0].lower()):
        cells = [", ".join(sorted(row[field])) for field in ("mode", "target", "test")]
        print(f"| {system} | [{spec}](../dialect/specs/{spec}.mlir) | {' | '.join(cells)} |")


main(sys.argv[1:])
