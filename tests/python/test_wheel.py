"""The wheel: built, installed into a fresh environment without a compiler or an index, and used there."""
import hashlib
import pathlib
import subprocess
import sys
import tempfile
import unittest
import venv
import zipfile

import support  # noqa: F401  skips without NumPy

import tercet

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIBRARY = pathlib.Path(tercet.__file__).parent / "libtercet.so"


#: Compiles and runs, in an environment that has no NumPy.
USE = """
import array, tercet

class Ones:
    def __init__(self):
        self.held, self.shape = array.array("f", [1.0]) * (2 * 100 * 32), (1, 2, 100, 32)
        self.__array_interface__ = {"data": (self.held.buffer_info()[0], False), "shape": self.shape, "typestr": "<f4", "version": 3}

q, k, v, o = Ones(), Ones(), Ones(), Ones()
o.held[7] = 5
tercet.flex_attention(q, k, v, lambda score, b, h, i, j: 2 * score, lambda b, h, i, j: i >= j, out=o)
print(len(tercet.specs()), o.held[7], tercet.__file__)
"""


class Wheel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.path = pathlib.Path(cls.folder.name)
        result = subprocess.run([sys.executable, "-B", ROOT / "runtime/bindings/python/build_wheel.py", "--library", LIBRARY, "--out", cls.path],
                                capture_output=True, text=True, check=True)
        cls.wheel = pathlib.Path(result.stdout.strip())

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_it_holds_the_package_and_the_library(self):
        with zipfile.ZipFile(self.wheel) as archive:
            names = archive.namelist()
            self.assertEqual(hashlib.sha256(archive.read("tercet/libtercet.so")).digest(), hashlib.sha256(LIBRARY.read_bytes()).digest())
            record = archive.read(next(name for name in names if name.endswith("RECORD"))).decode()
        self.assertRegex(self.wheel.name, r"-py3-none-manylinux_2_\d+_\w+\.whl$")
        for name in ("tercet/__init__.py", "tercet/nn/sparse_linear.py", "tercet/trace/value.py"):
            self.assertIn(name, names)
        self.assertEqual(len(record.splitlines()), len(names))

    def test_a_fresh_environment_installs_and_uses_it(self):
        try:
            venv.create(self.path / "fresh", with_pip=True)
        except subprocess.CalledProcessError:
            self.skipTest("this Python makes no environments with pip (package python3-venv)")
        python = self.path / "fresh" / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", self.wheel], check=True)
        said = subprocess.run([python, "-c", USE], capture_output=True, text=True, cwd=self.path,
                              env={"TERCET_CACHE_DIR": str(self.path / "cache")})
        self.assertEqual(said.stderr, "")
        count, gives, place = said.stdout.split()
        self.assertGreater(int(count), 30)
        self.assertEqual(gives, "1.0")
        self.assertIn("fresh", place)


if __name__ == "__main__":
    unittest.main()
