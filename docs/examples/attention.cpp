// Compiles SLA for head dimension 128 and runs it on the CPU, in C++17.
#include <tercet/tercet.hpp>

#include <cstdio>
#include <cstdlib>

/// The value, or the end of the program.
template <typename T> T get(tercet::Result<T> result) {
  if (!result.ok()) {
    std::fprintf(stderr, "%s: %s\n", result.status().name(), result.status().message().c_str());
    std::exit(1);
  }
  return *std::move(result);
}

int main() {
  constexpr int64_t heads = 2, tokens = 500, dim = 128;
  tercet::Session session = get(tercet::Session::create());
  tercet::Kernel kernel = get(session.compile(tercet::Spec::builtin("sla", {{"keep", "0.2"}}), {dim}));

  std::vector<float> q(heads * tokens * dim, 0.5f), k = q, v = q, o = q, w(dim * dim), b(dim);
  auto view = [&](std::vector<float> &data, std::vector<int64_t> shape) {
    return tercet::Tensor::contiguous(data.data(), tercet::DType::f32, shape);
  };
  std::vector<int64_t> shape = {1, heads, tokens, dim};
  tercet::Arguments call{{{"q", view(q, shape)},
                          {"k", view(k, shape)},
                          {"v", view(v, shape)},
                          {"w", view(w, {dim, dim})},
                          {"b", view(b, {dim})},
                          {"o", view(o, shape)}}};
  size_t bytes = get(kernel.workspaceBytes(call));
  std::unique_ptr<void, decltype(&std::free)> workspace(std::aligned_alloc(64, (bytes + 63) / 64 * 64), std::free);

  std::string report;
  if (tercet::Status status = kernel.launch(call, workspace.get(), bytes, &report); !status) {
    std::fprintf(stderr, "%s\n", status.message().c_str());
    return 1;
  }
  std::printf("o[0] = %f\n%s\n", o[0], report.c_str()); // equal values attend to 0.5, and w = 0 adds nothing
}
