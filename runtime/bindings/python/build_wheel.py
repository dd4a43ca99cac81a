"""Makes the wheel of the package, libtercet.so in it: `python3 build_wheel.py --library libtercet.so --out FOLDER`. Standard library
only. With --unpacked the folder gets the package itself, for PYTHONPATH. Nothing is compiled, here or at install."""
import argparse
import base64
import hashlib
import pathlib
import platform
import re
import subprocess
import sys
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
METADATA = """Metadata-Version: 2.1
Name: tercet
Version: {version}
Summary: Attention variants as specs, compiled for this processor when they are first used
Requires-Python: >=3.9
Provides-Extra: numpy
Requires-Dist: numpy; extra == "numpy"
"""
WHEEL = """Wheel-Version: 1.0
Generator: tercet
Root-Is-Purelib: false
Tag: py3-none-{platform}
"""


def contents(library):
    """(name in the wheel, bytes), of the package and of the library."""
    for file in sorted((HERE / "tercet").rglob("*.py")):
        yield file.relative_to(HERE).as_posix(), file.read_bytes()
    yield "tercet/libtercet.so", library.resolve().read_bytes()


#: What a wheel for every Linux may need: these libraries, of a C library as old as its tag says (PEP 600).
SYSTEM = {"libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}


def platform_tag(library):
    """manylinux with the oldest C library that has all that the library takes of it; of this machine's kind alone where it needs more."""
    said = subprocess.run(["readelf", "--wide", "--dynamic", "--version-info", library], capture_output=True, text=True, check=True).stdout
    needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", said))
    if needed - SYSTEM:
        print(f"the wheel is for machines that have {', '.join(sorted(needed - SYSTEM))}, too", file=sys.stderr)
        return f"linux_{platform.machine()}"
    return f"manylinux_2_{max(int(minor) for minor in re.findall(r'GLIBC_2[.]([0-9]+)', said))}_{platform.machine()}"


def version():
    return re.search(r'__version__ = "(.*)"', (HERE / "tercet" / "__init__.py").read_text())[1]


def wheel(library, out):
    """The path of the wheel that it writes: the same bytes for the same contents."""
    number, tag = version(), platform_tag(library)
    info = f"tercet-{number}.dist-info"
    files = [*contents(library), (f"{info}/METADATA", METADATA.format(version=number).encode()),
             (f"{info}/WHEEL", WHEEL.format(platform=tag).encode())]
    record = "".join(f"{name},sha256={digest(data)},{len(data)}\n" for name, data in files) + f"{info}/RECORD,,\n"
    path = out / f"tercet-{number}-py3-none-{tag}.whl"
    out.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in [*files, (f"{info}/RECORD", record.encode())]:
            entry = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return path


def digest(data):
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def unpacked(library, out):
    """The package as it would be installed, but by links, so that edits of its sources count at once."""
    for file in sorted((HERE / "tercet").rglob("*.py")):
        link(out / file.relative_to(HERE), file)
    link(out / "tercet" / "libtercet.so", library.resolve())
    return out


def link(path, target):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink() or path.exists():
        path.unlink()
    path.symlink_to(target)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--unpacked", action="store_true")
    options = parser.parse_args()
    print((unpacked if options.unpacked else wheel)(options.library, options.out))
