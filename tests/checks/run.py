"""Runs every check that needs only the sources; seconds in all. `python3 tests/checks/run.py`"""
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
NOT_A_CHECK = {"run.py", "tree.py", "ods.py", "needed.py"}  # needed.py looks at built binaries: CTest runs it

failed = False
for script in sorted(HERE.glob("*.py")):
    if script.name in NOT_A_CHECK:
        continue
    result = subprocess.run([sys.executable, script], capture_output=True, text=True)
    verdict = {0: "ok", 77: "SKIPPED"}.get(result.returncode, "FAILED")
    print(f"check {script.stem}: {verdict}", flush=True)
    if result.returncode != 0:
        print("".join(f"  {line}\n" for line in (result.stdout + result.stderr).splitlines()), end="", flush=True)
    failed = failed or verdict == "FAILED"
sys.exit(failed)
