"""One constraint, one label, everywhere: the table in ODS, the operand it applies to (tercet), the verifier's message, the test that
quotes the message and, for the tercet dialect, docs/spec.md."""
import re

import ods
import tree


def spec_sections():
    """heading -> labels of its table, from docs/spec.md"""
    sections, heading = {}, None
    for _, line in tree.lines("docs/spec.md"):
        if match := re.match(r"#+ (\w+)\s*$", line):
            heading = match[1]
            sections[heading] = []
        elif heading and (row := ods.LABEL_ROW.match(line)):
            sections[heading].append(row[1])
    return sections


def tested_labels():
    """(op mnemonic, label) -> a test named <op>_c<n>.. that expects an error with the label"""
    tests = set()
    for file in tree.files(".mlir", under="tests/lit"):
        for part in tree.text(file).split("// -----"):
            quoted = set(re.findall(r"expected-error.*?\{\{.*?\b(C\d+):", part)) | set(
                re.findall(r"expected-error.*?\{\{param (C\d+):", part))
            for name, number in re.findall(r'(?:@|sym_name = ")(\w+?)_c(\d+)(?=[_"(\s])', part):
                if f"C{number}" in quoted:
                    tests.add((name, f"C{number}"))
    return tests


problems = []
sections, tests = spec_sections(), tested_labels()
messages = {dialect: "".join(tree.text(file) for file in tree.files(".cpp", ".h", under=f"dialect/lib/{dialect}"))
            for dialect in ("tercet", "tkern")}
for op in ods.ops():
    where = f"{op.file}:{op.line}: {op.name}"
    if op.labels != [f"C{n + 1}" for n in range(len(op.labels))]:
        problems.append(f"{where}: its labels are {', '.join(op.labels)}; they count up from C1")
    marked = set(re.findall(r"C\d+", " ".join(re.findall(r"/\*(.*?)\*/", " ".join(op.body)))))
    problems += [f"{where}: marks an operand with {label}, which its table lacks" for label in sorted(marked - set(op.labels))]
    for label in op.labels:
        if label not in marked and op.dialect == "tercet":
            problems.append(f"{where}: {label} marks no operand, attribute, result or region")
        if (op.mnemonic, label) not in tests:
            problems.append(f"{where}: no test @{op.mnemonic}_{label.lower()} expects an error with {label}")
        if not re.search(rf'\b{label}: ', messages[op.dialect]) and f'"{label}"' not in messages[op.dialect]:
            problems.append(f"{where}: no verifier says {label}")
    if op.dialect == "tercet" and sections.get(op.mnemonic) != op.labels and (op.labels or op.mnemonic not in sections):
        problems.append(f"{where}: has the labels {op.labels}, docs/spec.md#{op.mnemonic} has {sections.get(op.mnemonic)}")
    for anchor in re.findall(r"docs/spec\.md#(\w+)", " ".join(op.body)):
        if anchor not in sections:
            problems.append(f"{where}: docs/spec.md has no heading {anchor}")
tree.report(problems)
