"""The installed package, used as a host would: installed, moved, found by CMake and pkg-config, linked by C and C++, run. And what
its libraries show: sizes, needed libraries, exported names. `TERCET_BUILD=<build folder> python3 test_package.py`"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD = pathlib.Path(os.environ["TERCET_BUILD"])
ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs" / "examples"
HAS_COMPILER = os.environ.get("TERCET_BUILD_COMPILER", "ON") == "ON"
MEGABYTE = 1e6  # of the sizes in docs/embedding.md


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command} gave {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done.stdout


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        for component in ("libraries", "development"):
            run("cmake", "--install", BUILD, "--prefix", cls.folder / "first", "--strip", "--component", component)
        cls.prefix = cls.folder / "moved"
        (cls.folder / "first").rename(cls.prefix)
        cls.environment = {**os.environ, "TERCET_CACHE_DIR": str(cls.folder / "cache")}
        cls.libraries = {name: cls.prefix / "lib" / f"lib{name}.so" for name in
                         (["tercet_runtime", "tercet"] if HAS_COMPILER else ["tercet_runtime"])}
        cls.out = cls.folder / "out"
        run("cmake", "-S", EXAMPLES, "-B", cls.out, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={cls.prefix}",
            "-DCMAKE_C_FLAGS=-Wall -Wextra -Wpedantic -Werror", "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Wpedantic -Werror")
        run("cmake", "--build", cls.out)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def dynamic(self, library, tag):
        return re.findall(rf"\({tag}\).*\[(.*)\]", run("readelf", "-d", library))

    def test_only_the_interface_is_exported(self):
        header = (ROOT / "runtime/include/tercet/tercet.h").read_text()
        declared = set(re.findall(r"^TERCET_API [^(;]*?\b(tercet_\w+)\(", header, re.M))
        self.assertGreater(len(declared), 25)
        for library in self.libraries.values():
            lines = run("nm", "-D", "--defined-only", library).splitlines()
            names = {line.split()[-1].split("@")[0] for line in lines} - {"TERCET_0"}  # the version itself
            self.assertEqual(names, declared, library.name)

    def test_libraries_need_the_system_alone(self):
        system = {"libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "ld-linux-x86-64.so.2",
                  "ld-linux-aarch64.so.1"}
        for name, library in self.libraries.items():
            self.assertLessEqual(set(self.dynamic(library, "NEEDED")), system, name)
            self.assertEqual(self.dynamic(library, "SONAME"), [f"lib{name}.so.0"])
            self.assertEqual(self.dynamic(library, "RPATH") + self.dynamic(library, "RUNPATH"), [])

    def test_the_runtime_library_holds_no_compiler(self):
        text = self.libraries["tercet_runtime"].read_bytes()
        for mangled in (b"4llvm", b"4mlir", b"SimulatedGpu", b"LLVM"):  # names of classes and functions
            self.assertFalse(mangled in text, mangled)

    def test_sizes(self):
        limits = {"tercet_runtime": 2, "tercet": 60}
        for name, library in self.libraries.items():
            size = library.stat().st_size / MEGABYTE
            self.assertLess(size, limits[name], f"lib{name}.so")

    def test_nothing_of_the_build_is_in_the_package(self):
        for file in self.prefix.rglob("*"):
            if file.suffix in (".cmake", ".pc", ".h", ".hpp"):
                self.assertNotIn(str(BUILD), file.read_text(), file)
                self.assertNotIn(str(ROOT), file.read_text(), file)

    def test_headers_stand_alone(self):
        include = self.prefix / "include"
        source = self.folder / "source"
        source.write_text("typedef int something;\n")
        for compiler, language, standards in (("cc", "c", ["c99", "c11"]), ("c++", "c++", ["c++17", "c++20"])):
            for standard in standards:
                for header in sorted(include.rglob("*.h*")):
                    if header.suffix == ".hpp" and language == "c":
                        continue
                    run(compiler, f"-std={standard}", "-x", language, "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic",
                        "-Werror", "-I", include, "-include", header, source)

    def test_a_dlpack_header_of_the_host_is_taken(self):
        own = self.folder / "own"
        (own / "dlpack").mkdir(parents=True, exist_ok=True)
        text = (self.prefix / "include/tercet/DlpackTypes.h").read_text()
        types = text[text.index("#include <stdint.h>"):text.rindex("#endif", 0, text.rindex("#endif"))]
        (own / "dlpack/dlpack.h").write_text(f"#ifndef DLPACK_DLPACK_H_\n#define DLPACK_DLPACK_H_\n#define OWN 1\n{types}\n#endif\n")
        for order in ("#include <dlpack/dlpack.h>\n#include <tercet/tercet.h>", "#include <tercet/tercet.h>\n#include <dlpack/dlpack.h>"):
            source = self.folder / "own.c"
            source.write_text(f"{order}\n#ifndef OWN\n#error not taken\n#endif\nDLTensor tensor;\n")
            run("cc", "-fsyntax-only", "-Wall", "-Werror", "-I", own, "-I", self.prefix / "include", source)

    @unittest.skipUnless(HAS_COMPILER, "built without the compiler")
    def test_programs_compile_run_and_hand_an_artifact_over(self):
        artifact = self.folder / "sla.tercet"
        self.assertIn('"attend"', run(self.out / "attention_c", artifact, env=self.environment))
        self.assertIn("o[0] = 0.5", run(self.out / "attention_cpp", env=self.environment))
        self.assertIn('"attend"', run(self.out / "run_artifact", artifact, env=self.environment))
        self.assertIn("64 tokens", run(self.out / "transformer_block", "64", env=self.environment))
        self.assertEqual([name for name in self.dynamic(self.out / "run_artifact", "NEEDED") if "tercet" in name],
                         ["libtercet_runtime.so.0"])

    @unittest.skipUnless(HAS_COMPILER, "built without the compiler")
    def test_a_host_may_have_an_llvm_of_its_own(self):
        others = sorted(pathlib.Path("/usr/lib").glob("llvm-*/lib/libLLVM*.so")) + sorted(pathlib.Path("/usr/lib").glob("*/libfmt.so.*"))
        if not others:
            self.skipTest("there is no shared LLVM here")
        first = {**self.environment, "LD_PRELOAD": " ".join(map(str, others)), "TERCET_CACHE_DIR": str(self.folder / "fresh")}
        self.assertIn("o[0] = 0.5", run(self.out / "attention_cpp", env=first))

    @unittest.skipUnless(HAS_COMPILER, "built without the compiler")
    def test_both_libraries_in_one_process_are_themselves(self):
        script = "import ctypes, sys\nprint([ctypes.CDLL(path).tercet_has_compiler() for path in sys.argv[1:]])"
        for order in (list(self.libraries.values()), list(reversed(self.libraries.values()))):
            expected = [int(path.name == "libtercet.so") for path in order]
            self.assertEqual(run(sys.executable, "-c", script, *order).strip(), str(expected))

    @unittest.skipUnless(HAS_COMPILER and shutil.which("pkg-config"), "needs the compiler and pkg-config")
    def test_pkg_config(self):
        environment = {**self.environment, "PKG_CONFIG_PATH": str(self.prefix / "lib/pkgconfig"),
                       "LD_LIBRARY_PATH": str(self.prefix / "lib")}
        for package, source in (("tercet", "attention.c"), ("tercet-runtime", "run_artifact.c")):
            flags = run("pkg-config", "--cflags", "--libs", package, env=environment).split()
            program = self.folder / f"from_{package}"
            run("cc", "-std=c11", EXAMPLES / source, *flags, "-o", program)
        artifact = self.folder / "other.tercet"
        run(self.folder / "from_tercet", artifact, env=environment)
        run(self.folder / "from_tercet-runtime", artifact, env=environment)


if __name__ == "__main__":
    unittest.main()
