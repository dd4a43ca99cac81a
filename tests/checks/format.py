"""C++ is formatted by clang-format 14, the one of Debian 12; other versions differ in details and are not asked."""
import re
import shutil
import subprocess
import sys

import tree


def formatter():
    for name in ("clang-format-14", "clang-format"):
        if path := shutil.which(name):
            version = subprocess.run([path, "--version"], capture_output=True, text=True).stdout
            if re.search(r"version 14\.", version):
                return path
    return None


path = formatter()
if not path:
    print("SKIPPED: clang-format 14 is not installed (package clang-format-14)")
    sys.exit(tree.SKIPPED)
sources = [str(file) for file in tree.files(".h", ".hpp", ".c", ".cpp", ".cuh")]
result = subprocess.run([path, "--dry-run", "-Werror", *sources], cwd=tree.ROOT, capture_output=True, text=True)
files = sorted({line.split(":")[0] for line in result.stderr.splitlines() if "clang-format-violations" in line})
tree.report([f"{file}: run clang-format -i on it" for file in files])
