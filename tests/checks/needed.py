"""Programs carry their LLVM inside: no built program or library needs libLLVM or libMLIR, which would put a second LLVM into
the process (docs/decisions/0002-static-llvm.md), nor CUDA libraries, which are loaded at run time. `needed.py build/bin`"""
import pathlib
import re
import subprocess
import sys

import tree

FOREIGN = re.compile(r"lib(LLVM|MLIR|clang|lld|cuda|nvrtc|cudart)\b.*")

folder = pathlib.Path(sys.argv[1])
if not folder.is_dir():
    print(f"SKIPPED: nothing is built in {folder}")
    sys.exit(tree.SKIPPED)
problems, seen = [], 0
for program in sorted(folder.iterdir()):
    if not program.is_file() or program.read_bytes()[:4] != b"\x7fELF":
        continue
    seen += 1
    listing = subprocess.run(["readelf", "-d", program], capture_output=True, text=True, check=True).stdout
    for library in re.findall(r"\(NEEDED\).*\[(.*)\]", listing):
        if FOREIGN.match(library):
            problems.append(f"{program}: needs {library}")
if seen == 0:
    problems.append(f"{folder}: holds no program")
tree.report(problems)
