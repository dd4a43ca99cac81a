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
        code = "import tercet; print(len(tercet.specs()), tercet.flex_spec(None, lambda b, h, i, j: i >= j)[0].name, tercet.__file__)"
        said = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True, env={}, cwd=self.path).stdout.split()
        self.assertGreater(int(said[0]), 30)
        self.assertEqual(said[1], "flex")
        self.assertIn("fresh", said[2])


if __name__ == "__main__":
    unittest.main()
