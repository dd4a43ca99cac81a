"""What no file may hold: unfinished marks, paths of one machine, names of package hosts, conflict marks, stray white space."""
import re

import tree

UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK|WI" r"P)\b")
CONFLICT = re.compile(r"^(<{7}|>{7}|={7})( |$)")
MACHINE = re.compile(r"(?<![\w.])(/work/|/home/\w|/root/|/Users/|\.\./shared)")
HOST = re.compile(r"https?://(?!arxiv\.org|github\.com|docs\.|mlir\.llvm\.org|llvm\.org|creativecommons\.org|www\.w3\.org)[\w.-]+")
BINARY = {".png", ".npy", ".safetensors", ".tercet", ".bin", ".gz"}
FOLDER_NAMES = re.compile(r"^(utils?|common|helpers?|misc)$", re.I)

problems = []
for file in tree.files():
    if any(FOLDER_NAMES.match(part) for part in (*file.parts[:-1], file.stem)):
        problems.append(f"{file}: says nothing by its name; name the concept")
    if file.suffix in BINARY or file.as_posix() == "tests/checks/wording.py":
        continue
    try:
        content = tree.lines(file)
    except UnicodeDecodeError:
        problems.append(f"{file}: is not UTF-8 text; if it is data, add its suffix to tests/checks/wording.py")
        continue
    for number, line in content:
        for what, pattern in (("an unfinished mark", UNFINISHED), ("a conflict mark", CONFLICT), ("a path of one machine", MACHINE)):
            if match := pattern.search(line):
                problems.append(f"{file}:{number}: holds {what}: {match[0]}")
        if file.suffix not in (".json", ".svg", ".html") and (match := HOST.search(line)):
            problems.append(f"{file}:{number}: names the host {match[0]}; cite papers and documents, not servers")
        if file.suffix not in (".json", ".md") and line != line.rstrip():
            problems.append(f"{file}:{number}: ends in white space")
tree.report(problems)
