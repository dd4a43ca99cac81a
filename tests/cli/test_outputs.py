"""Outputs that cannot be written: refused before any work, and never half of a file."""
import os
import unittest

from support import Case, read_npy, read_safetensors

SHAPE = ["--shape", "b=1,h=2,n=130,d=8"]


class Outputs(Case):
    def refused_output(self, out, says, *words, spec="sla"):
        before = sorted(path.name for path in self.folder.rglob("*"))
        self.refused("run", spec, *SHAPE, "--target", "reference", "--out", out, *words, says=says)
        self.assertEqual(before, sorted(path.name for path in self.folder.rglob("*")))

    def test_names(self):
        self.refused_output(f"p={self.path('o.npy')}", ["--out names 'p'", "o, lse, classes"])
        self.refused_output(f"dq={self.path('o.npy')}", "--out names 'dq'")
        self.refused_output(f"classes={self.path('c.npy')}", "legal for spec 'dense' are o, lse", spec="dense")
        self.refused_output("o", "must be NAME=FILE")

    def test_files(self):
        self.refused_output(f"o={self.path('o.txt')}", "is no tensor file")
        self.refused_output(f"o={self.path('none/o.npy')}", "there is no directory")
        self.refused_output(f"o={self.path('o.npy')}", "an .npy file holds one tensor", "--out", f"lse={self.path('o.npy')}")
        self.refused_output(f"o={self.path('o.safetensors:x')}", "without ':TENSOR'")
        os.mkdir(self.path("d.npy"))
        self.refused_output(f"o={self.path('d.npy')}", "it is a directory")

    def test_bf16_leaves_as_safetensors(self):
        self.refused_output(f"o={self.path('o.npy')}", ".npy has no bf16; use a .safetensors file", "--dtype", "bf16")
        self.passes("run", "sla", *SHAPE, "--dtype", "bf16", "--target", "reference", "--out",
                    f"o={self.path('o.safetensors')}")
        self.assertEqual(read_safetensors(self.path("o.safetensors"))["o"][:2], ("BF16", [1, 2, 130, 8]))

    def test_a_directory_that_takes_no_file(self):
        self.refused_output("o=/proc/o.npy", "cannot write /proc/o.npy")

    def test_a_full_disk(self):
        # RLIMIT_FSIZE stands in for it: the write fails half-way, as on a full disk.
        import resource
        import signal
        import subprocess
        from support import TERCET

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

        process = subprocess.run([TERCET, "run", "dense", *SHAPE, "--target", "reference", "--out",
                                  f"o={self.path('o.npy')}"], preexec_fn=limit, capture_output=True, text=True, timeout=120)
        self.assertEqual(process.returncode, 1, process)
        self.assertIn("cannot write " + self.path("o.npy"), process.stderr)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_a_file_is_replaced_whole(self):
        self.write("o.npy", b"old")
        self.passes("run", "dense", *SHAPE, "--target", "reference", "--out", f"o={self.path('o.npy')}")
        descr, shape, data = read_npy(self.path("o.npy"))
        self.assertEqual((descr, shape, len(data)), ("<f4", (1, 2, 130, 8), 4 * 2 * 130 * 8))
        self.assertEqual([path.name for path in self.folder.iterdir()], ["o.npy"])

    def test_outputs_may_share_a_safetensors_file(self):
        path = self.path("all.safetensors")
        self.passes("run", "sla", *SHAPE, "--target", "reference", "--out", f"o={path}", "--out", f"lse={path}", "--out",
                    f"classes={path}")
        tensors = read_safetensors(path)
        self.assertEqual({name: tensor[:2] for name, tensor in tensors.items()},
                         {"o": ("F32", [1, 2, 130, 8]), "lse": ("F32", [1, 2, 130]), "classes": ("I8", [1, 2, 3, 3])})

    def test_compile_outputs(self):
        self.refused("compile", "dense", "--head-dim", "64", "-o", self.path("none/x"), says="there is no directory")
        self.refused("compile", "dense", "--head-dim", "64", "-o", self.folder, says="it is a directory")
        self.refused("compile", "dense", "--head-dim", "64", says="-o FILE is missing")
        self.refused("compile", "dense", "-o", self.path("x"), says="--head-dim is missing")
        self.refused("compile", "dense", "--head-dim", "0", "-o", self.path("x"), says="--head-dim is '0'")
        self.refused("compile", "dense", "--head-dim", "64,x", "-o", self.path("x"), says="--head-dim is '64,x'")
        self.assertEqual(list(self.folder.iterdir()), [])


if __name__ == "__main__":
    unittest.main()
