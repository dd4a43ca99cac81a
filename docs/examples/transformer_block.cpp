// A transformer block of the size of Wan 2.1 1.3B (width 1536, 12 heads of 128, feed-forward 8960) around sparse-linear attention, in
// C++17: x + attention(norm(x)), then x + feed_forward(norm(x)). Weights are random. The kernel compiles while weights are made, and attention
// reads q, k and v where one product left them, by strides. Usage: transformer_block [tokens]
#include <tercet/tercet.hpp>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <future>

namespace {

constexpr int64_t heads = 12, headDim = 128, width = heads * headDim, hidden = 8960;

template <typename T> T get(tercet::Result<T> result) {
  if (!result.ok()) {
    std::fprintf(stderr, "%s: %s\n", result.status().name(), result.status().message().c_str());
    std::exit(1);
  }
  return *std::move(result);
}

/// Row-major.
struct Matrix {
  int64_t rows, columns;
  std::vector<float> data;

  Matrix(int64_t rows, int64_t columns) : rows(rows), columns(columns), data(size_t(rows * columns)) {}
  float *row(int64_t index) { return data.data() + index * columns; }
  const float *row(int64_t index) const { return data.data() + index * columns; }
};

/// Of variance 1 / rows, so that products keep the size of what they multiply.
Matrix randomMatrix(int64_t rows, int64_t columns) {
  static uint32_t state = 1;
  Matrix made(rows, columns);
  float scale = std::sqrt(12.0f / float(rows));
  for (float &value : made.data) {
    state = state * 1664525u + 1013904223u;
    value = (float(state >> 8) / float(1 << 24) - 0.5f) * scale;
  }
  return made;
}

Matrix product(const Matrix &x, const Matrix &w) {
  Matrix result(x.rows, w.columns);
  for (int64_t i = 0; i < x.rows; ++i)
    for (int64_t k = 0; k < x.columns; ++k) {
      float factor = x.row(i)[k];
      const float *from = w.row(k);
      float *to = result.row(i);
      for (int64_t j = 0; j < w.columns; ++j)
        to[j] += factor * from[j];
    }
  return result;
}

/// Rows divided by their root mean square.
Matrix normalised(Matrix x) {
  for (int64_t i = 0; i < x.rows; ++i) {
    float sum = 0;
    for (int64_t j = 0; j < x.columns; ++j)
      sum += x.row(i)[j] * x.row(i)[j];
    for (int64_t j = 0; j < x.columns; ++j)
      x.row(i)[j] /= std::sqrt(sum / float(x.columns) + 1e-6f);
  }
  return x;
}

void add(Matrix &x, const Matrix &y) {
  for (size_t i = 0; i < x.data.size(); ++i)
    x.data[i] += y.data[i];
}

float gelu(float x) { return 0.5f * x * (1 + std::tanh(0.7978845608f * (x + 0.044715f * x * x * x))); }

/// Heads of a matrix whose rows are tokens: [1, heads, tokens, headDim], beginning at column `first`.
tercet::Tensor headsOf(Matrix &matrix, int64_t first) {
  return tercet::Tensor::strided(matrix.data.data() + first, tercet::DType::f32, {1, heads, matrix.rows, headDim},
                                 {matrix.rows * matrix.columns, headDim, matrix.columns, 1});
}

struct Attention {
  tercet::Kernel kernel;
  std::vector<float> w = std::vector<float>(headDim * headDim),
                     b = std::vector<float>(headDim); // SLA begins with zeros

  Matrix operator()(Matrix &qkv, std::string &report) {
    Matrix output(qkv.rows, width);
    tercet::Arguments call{{{"q", headsOf(qkv, 0)},
                            {"k", headsOf(qkv, width)},
                            {"v", headsOf(qkv, 2 * width)},
                            {"w", tercet::Tensor::contiguous(w.data(), tercet::DType::f32, {headDim, headDim})},
                            {"b", tercet::Tensor::contiguous(b.data(), tercet::DType::f32, {headDim})},
                            {"o", headsOf(output, 0)}},
                           {{"keep", 0.2}}};
    size_t bytes = get(kernel.workspaceBytes(call));
    std::unique_ptr<void, decltype(&std::free)> workspace(std::aligned_alloc(64, (bytes + 63) / 64 * 64), std::free);
    if (tercet::Status status = kernel.launch(call, workspace.get(), bytes, &report); !status) {
      std::fprintf(stderr, "%s: %s\n", status.name(), status.message().c_str());
      std::exit(1);
    }
    return output;
  }
};

} // namespace

int main(int count, char **arguments) {
  int64_t tokens = count > 1 ? std::atoll(arguments[1]) : 256;
  tercet::Session session = get(tercet::Session::create());
  std::promise<tercet::Result<tercet::Kernel>> compiled;
  tercet::Status started =
      session.compileAsync(tercet::Spec::builtin("sla"), {headDim},
                           [&](tercet::Result<tercet::Kernel> kernel) { compiled.set_value(std::move(kernel)); });
  if (!started || tokens < 1) {
    std::fprintf(stderr, "%s\n", started ? "tokens must be at least 1" : started.message().c_str());
    return 1;
  }
  Matrix x = randomMatrix(tokens, width), toQkv = randomMatrix(width, 3 * width),
         fromHeads = randomMatrix(width, width), up = randomMatrix(width, hidden), down = randomMatrix(hidden, width);
  Attention attention{get(compiled.get_future().get())};

  std::string report;
  Matrix qkv = product(normalised(x), toQkv);
  add(x, product(attention(qkv, report), fromHeads));
  Matrix inner = product(normalised(x), up);
  for (float &value : inner.data)
    value = gelu(value);
  add(x, product(inner, down));

  double sum = 0;
  for (float value : x.data)
    sum += double(value) * value;
  std::printf("%lld tokens, root mean square of the output %.4f\nattention %s\n", static_cast<long long>(tokens),
              std::sqrt(sum / double(x.data.size())), report.c_str());
  return std::isfinite(sum) ? 0 : 1;
}
