"""The arrows between libraries are the architecture (docs/architecture.md). Compares every tercet_add_library call, and what
sources include, with the allowed arrows."""
import re

import tree

# Groups, and the groups that each may use. An arrow that is not here is a design change: decide it, then add it.
ALLOWED = {
    "base": set(),
    "artifact": {"base"},
    "tuning_db": {"base"},
    "runtime": {"base", "artifact"},
    "simulator": {"base", "artifact", "runtime"},
    "dialect": {"base"},
    "reference": {"base", "artifact", "runtime", "dialect"},  # the oracle takes the runtime's tensors and arguments
    "compiler": {"base", "artifact", "tuning_db", "dialect"},
    "facade": {"base", "artifact", "tuning_db", "runtime", "dialect", "compiler"},
    "tuner": {"base", "artifact", "tuning_db", "runtime", "simulator", "dialect", "reference", "compiler", "facade"},
    "tools": {"base", "artifact", "tuning_db", "runtime", "simulator", "dialect", "reference", "compiler", "facade", "tuner",
              "bench"},
    "bench": {"base", "artifact", "runtime", "reference", "facade"},
}
# The first matching folder or library gives the group.
BY_LIBRARY = {"reference": "reference", "jit": "facade"}
BY_FOLDER = [
    ("runtime/lib/base", "base"), ("runtime/lib/artifact", "artifact"), ("runtime/lib/simulator", "simulator"),
    ("runtime/lib/simulated_gpu", "simulator"),
    ("runtime", "runtime"), ("dialect", "dialect"), ("compiler/lib/driver", "tools"), ("compiler/tools", "tools"),
    ("compiler", "compiler"), ("autotune/lib/db", "tuning_db"), ("autotune", "tuner"), ("bench", "bench"), ("tests", "tools"),
]
# Within the runtime, also acyclic: what a library may use besides base and artifact.
RUNTIME = {"cache": set(), "device": set(), "probe": {"device"}, "launch": {"device"},
           "session": {"launch", "cache", "device"}, "c": {"session"}, "no_frontend": {"c"}}

CALL = re.compile(r"tercet_add_library\((\w+)\s(.*?)\)", re.S)
LLVM_NAME = re.compile(r"\b(MLIR\w+|LLVM\w+|tercet::llvm|tercet::lld|\$\{llvm_\w+\})")
# Headers of the tuning database.
DATABASE = "Database|ProblemClass|Record|RecordFile"
# Folders (patterns) and what their sources may not include.
INCLUDES = [
    ("runtime/", r'(mlir|mlir-c|llvm|llvm-c|lld|tercet/dialect|tercet/compiler|tercet/autotune)/|tercet/Jit\.h|cuda|nvrtc'),
    ("dialect/", r"tercet/compiler/|tercet/autotune/|tercet/Jit\.h|cuda|nvrtc"),
    ("compiler/", r"cuda\.h|cuda_runtime|nvrtc\.h"),
    ("compiler/(?!tools/)", rf"tercet/autotune/(?!({DATABASE})\.h)"),  # it reads the database, and knows no tuner
    ("autotune/lib/db/", r'(mlir|llvm|tercet/dialect|tercet/compiler|tercet/rt)/|tercet/Jit\.h|cuda|nvrtc'),
    (rf"autotune/include/tercet/autotune/({DATABASE})\.h", r"tercet/(?!autotune/|Digest\.h|Status\.h)"),
]
# TERCET_* variables are read in one place (docs/environment.md); what belongs to the system may be read where it is needed.
ENVIRONMENT = "runtime/lib/base/Environment.cpp"
GETENV = re.compile(r'\bgetenv\s*\((?!"(HOME|XDG_CACHE_HOME|XDG_DATA_HOME|TMPDIR)"\))')


def group_of(library, folder):
    if library in BY_LIBRARY:
        return BY_LIBRARY[library]
    for prefix, group in BY_FOLDER:
        if folder == prefix or folder.startswith(prefix + "/"):
            return group
    return None


def libraries():
    """name -> (file, names it links)"""
    found = {}
    for file in tree.files("CMakeLists.txt"):
        code = "\n".join(line.split("#")[0] for line in tree.text(file).splitlines())
        for name, body in CALL.findall(code):
            found[name] = (file, body.split())
    return found


def check_libraries(problems):
    known = libraries()
    groups = {name: group_of(name, file.parent.as_posix()) for name, (file, _) in known.items()}
    for name, (file, words) in known.items():
        group = groups[name]
        if group is None:
            problems.append(f"{file}: {name} lies in no folder that has a group; add it to tests/checks/layering.py")
            continue
        for word in words:
            used = word.removeprefix("tercet::") if word.startswith("tercet::") else word.removeprefix("tercet_")
            if used in known and used != name:
                other = groups[used]
                if other != group and other not in ALLOWED[group]:
                    problems.append(f"{file}: {name} ({group}) uses {used} ({other}), which is not an allowed arrow")
                if group == other == "runtime" and used not in RUNTIME.get(name, set()):
                    problems.append(f"{file}: {name} uses {used}; inside the runtime it may use {sorted(RUNTIME.get(name, []))}")
            if group in ("base", "artifact", "runtime", "simulator", "tuning_db") and LLVM_NAME.search(word):
                problems.append(f"{file}: {name} ({group}) links {word}; that side runs without MLIR and LLVM")


def check_sources(problems):
    for file in tree.files(".h", ".cpp", ".inc"):
        name = file.as_posix()
        for number, line in tree.lines(file):
            for folder, pattern in INCLUDES:
                if re.match(folder, name) and re.match(rf'\s*#\s*include\s*[<"]({pattern})', line):
                    problems.append(f"{name}:{number}: {line.strip()} points the wrong way")
            if GETENV.search(line) and name != ENVIRONMENT and not name.startswith(("tests/", "bench/")):
                problems.append(f"{name}:{number}: reads the environment; tercet/Environment.h does that")


problems = []
check_libraries(problems)
check_sources(problems)
tree.report(problems)
