// FakeCompiler: hands out prepared artifacts, slowly, and counts; for tests of what lies around a compiler.
#pragma once

#include "SampleModule.h"

#include <atomic>
#include <chrono>
#include <thread>

namespace tercet::test {

/// The spec's text says which artifact, or how to fail.
class FakeCompiler : public Compiler {
public:
  std::atomic<int> compiled{0};
  std::chrono::milliseconds duration{20};

  Result<CompileKey> key(const Spec &spec, const Problem &problem) override {
    if (spec.text == "bad")
      return Status::make(Code::invalidSpec, "the spec is bad");
    return CompileKey{{spec.text, problem.target}, problem};
  }
  Result<Artifact> compile(const Spec &spec, const Problem &) override {
    ++compiled;
    std::this_thread::sleep_for(duration);
    if (spec.text == "throws")
      throw std::runtime_error("no memory");
    if (spec.text == "fails")
      return Status::make(Code::compileFailed, "it failed");
    Artifact artifact = sampleModuleArtifact(spec.text == "two" ? 2 : 1);
    artifact.modules.front().remarks = {"the second schedule was taken"};
    return artifact;
  }
};

inline std::shared_ptr<FakeCompiler> fastCompiler() {
  auto compiler = std::make_shared<FakeCompiler>();
  compiler->duration = {};
  return compiler;
}

inline Spec specOf(const std::string &text) { return {text, "<test>", {}}; }

inline SessionOptions withCache(const std::filesystem::path &directory) {
  SessionOptions options;
  options.threads = 1;
  options.cacheDirectory = directory;
  return options;
}

} // namespace tercet::test
