# lit's settings: every .mlir and .test file is a test; RUN lines see the built programs, FileCheck, not, count.
import os

import lit.formats

config.name = "tercet"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.test_source_root = os.path.dirname(__file__)

path = [config.tercet_bin, config.llvm_bin, os.environ.get("PATH", "")]
config.environment["PATH"] = os.pathsep.join(path)
# A test neither reads nor fills the user's cache, and sees none of the user's settings.
config.environment["TERCET_CACHE_DIR"] = os.path.join(config.test_exec_root, "cache")
