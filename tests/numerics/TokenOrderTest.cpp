// Token orders (docs/spec.md#token_order): the oracle against an evaluation that finds a token's block from its place on the
// grid, over tiles that are clipped on every subset of axes; and what every backend must give because another spec does.
#include "RunSpec.h"

using namespace tercet;
using namespace tercet::test;

namespace {

using Axes = std::array<int64_t, 3>;
using Rows = std::vector<std::vector<double>>;

struct Grid {
  Axes size, tile;
  std::string text;   ///< none, prefix or suffix
  int64_t length = 0; ///< of the text

  int64_t tokens() const { return size[0] * size[1] * size[2] + length; }
  std::vector<std::pair<std::string, double>> parameters() const {
    return {{"grid_t", double(size[0])}, {"grid_y", double(size[1])}, {"grid_x", double(size[2])}};
  }
  std::map<std::string, std::string> settings() const {
    return {{"tile_t", std::to_string(tile[0])},
            {"tile_y", std::to_string(tile[1])},
            {"tile_x", std::to_string(tile[2])},
            {"block_q", "16"},
            {"block_k", "16"}};
  }
  int64_t blockOf(int64_t token) const {
    int64_t grid = tokens() - length, before = text == "prefix" ? length : 0, runs = (before + 15) / 16;
    if (token < before)
      return token / 16;
    Axes tiles;
    for (int axis = 0; axis < 3; ++axis)
      tiles[axis] = (size[axis] + tile[axis] - 1) / tile[axis];
    if (token >= before + grid)
      return tiles[0] * tiles[1] * tiles[2] + (token - grid) / 16;
    int64_t place = token - before, x = place % size[2], y = place / size[2] % size[1], t = place / size[2] / size[1];
    return runs + (t / tile[0] * tiles[1] + y / tile[1]) * tiles[2] + x / tile[2];
  }
  int64_t blocks() const {
    int64_t count = 0;
    for (int64_t token = 0; token < tokens(); ++token)
      count = std::max(count, blockOf(token) + 1);
    return count;
  }
};

std::vector<Grid> grids() {
  std::vector<Grid> grids;
  for (int64_t t : {4, 6})
    for (int64_t y : {4, 3})
      for (int64_t x : {4, 5})
        for (auto [text, length] : {std::pair{"none", 0}, {"prefix", 21}, {"suffix", 0}, {"suffix", 21}})
          grids.push_back({{t, y, x}, {4, 2, 2}, text, length});
  grids.push_back({{1, 1, 1}, {4, 2, 2}, "suffix", 40}); // a grid of one token
  grids.push_back({{3, 3, 3}, {1, 16, 1}, "none", 0});   // every tile is clipped
  grids.push_back({{2, 1, 37}, {1, 1, 16}, "prefix", 16});
  return grids;
}

double dot(const std::vector<double> &a, const std::vector<double> &b) {
  double sum = 0;
  for (size_t c = 0; c < a.size(); ++c)
    sum += a[c] * b[c];
  return sum;
}

Rows rowsOf(const Tensor &tensor, int64_t head) {
  Rows rows(tensor.shape[2], std::vector<double>(tensor.shape[3]));
  for (size_t t = 0; t < rows.size(); ++t)
    for (size_t c = 0; c < rows[t].size(); ++c)
      rows[t][c] = tensor.get(0, head, int64_t(t), int64_t(c));
  return rows;
}

/// Tokens of every block, and their mean.
struct Blocks {
  std::vector<std::vector<int64_t>> tokens;
  Rows means;
  Blocks(const Grid &grid, const Rows &rows) : tokens(grid.blocks()), means(grid.blocks()) {
    for (size_t t = 0; t < rows.size(); ++t)
      tokens[grid.blockOf(int64_t(t))].push_back(int64_t(t));
    for (size_t j = 0; j < tokens.size(); ++j) {
      means[j].resize(rows[0].size());
      for (int64_t t : tokens[j])
        for (size_t c = 0; c < means[j].size(); ++c)
          means[j][c] += rows[t][c] / double(tokens[j].size());
    }
  }
};

/// block_mean.mlir at keep and drop for one head: exact terms, and one term per marginal block.
Rows blockMeans(const Grid &grid, const Rows &q, const Rows &k, const Rows &v, double keep, double drop) {
  Blocks queries(grid, q), keys(grid, k), values(grid, v);
  double scale = 1 / std::sqrt(double(q[0].size()));
  auto n = double(keys.tokens.size());
  auto kept = std::max(1.0, std::floor(keep * n + 1e-9)), dropped = std::floor(drop * n + 1e-9);
  Rows o(q.size(), std::vector<double>(v[0].size()));
  for (size_t i = 0; i < queries.tokens.size(); ++i) {
    std::vector<double> scores;
    for (const std::vector<double> &mean : keys.means)
      scores.push_back(dot(queries.means[i], mean));
    for (int64_t row : queries.tokens[i]) {
      double total = 0;
      auto add = [&](const std::vector<double> &key, const std::vector<double> &value, double count) {
        double weight = count * std::exp(scale * dot(q[row], key));
        total += weight;
        for (size_t c = 0; c < value.size(); ++c)
          o[row][c] += weight * value[c];
      };
      for (size_t j = 0; j < scores.size(); ++j) {
        int better = 0, worse = 0;
        for (double other : scores) {
          better += other > scores[j];
          worse += other < scores[j];
        }
        if (better < kept)
          for (int64_t t : keys.tokens[j])
            add(k[t], v[t], 1);
        else if (worse >= dropped)
          add(keys.means[j], values.means[j], double(keys.tokens[j].size()));
      }
      for (double &value : o[row])
        value /= total;
    }
  }
  return o;
}

reference::Data tokensOf(const Grid &grid) {
  Case entry{.name = "grid",
             .spec = "block_mean@" + grid.text,
             .settings = grid.settings(),
             .parameters = grid.parameters(),
             .shape = {.heads = 2, .headsKV = 1, .tokensQ = grid.tokens(), .headDim = 12, .valueDim = 5}};
  return std::move(prepare(entry).inputs);
}

std::string describe(const Grid &grid) {
  return fmt::format("{} x {} x {} in {} x {} x {}, {} {}", grid.size[0], grid.size[1], grid.size[2], grid.tile[0],
                     grid.tile[1], grid.tile[2], grid.length, grid.text);
}

Arguments with(const reference::Data &data, std::vector<std::pair<std::string, double>> parameters,
               std::initializer_list<std::pair<std::string, double>> more) {
  Arguments arguments = data.arguments();
  arguments.parameters = std::move(parameters);
  for (const auto &parameter : more)
    arguments.parameters.push_back(parameter);
  return arguments;
}

} // namespace

TEST_CASE("blocks under a token order are the clipped tiles of its grid, and text", "[oracle][order]") {
  for (const Grid &grid : grids()) {
    INFO(describe(grid));
    reference::Data data = tokensOf(grid);
    reference::Program program = programOf(specNamed("block_mean@" + grid.text, grid.settings()));
    auto evaluation = reference::evaluate(program, with(data, grid.parameters(), {{"keep", 0.3}, {"drop", 0.2}}));
    INFO(evaluation.status().message());
    REQUIRE(evaluation.ok());
    CHECK(evaluation->classes.blocksQ == grid.blocks());
    CHECK(evaluation->classes.blocksK == grid.blocks());
    size_t at = 0;
    for (int64_t head = 0; head < 2; ++head) {
      Rows o = blockMeans(grid, rowsOf(data["q"], head), rowsOf(data["k"], 0), rowsOf(data["v"], 0), 0.3, 0.2);
      for (const std::vector<double> &row : o)
        for (double value : row)
          REQUIRE(evaluation->result().o[at++] == Approx(value).epsilon(1e-11));
    }
  }
}

TEST_CASE("tiles of whole rows of a grid are runs of tokens", "[identity][order]") {
  for (Backend *backend : backends())
    for (const char *spec : {"ranked", "block_mean", "guarded"}) {
      INFO(backend->name() << " " << spec);
      Grid rows{{1, 13, 8}, {1, 2, 8}, "suffix", 0}; // 6 tiles of 2 rows and one of 1
      reference::Data data = tokensOf(rows);
      std::map<std::string, std::string> ordered = rows.settings(), plain = {{"block_q", "16"}, {"block_k", "16"}};
      if (std::string(spec) == "guarded") {
        for (auto *settings : {&ordered, &plain})
          for (const char *name : {"block_q", "block_k"})
            settings->erase(name);
      }
      Ran without = runSpec(*backend, specNamed(spec, plain), with(data, {}, {}));
      Ran withOrder =
          runSpec(*backend, specNamed(spec + std::string("@suffix"), ordered), with(data, rows.parameters(), {}));
      CHECK(withOrder.classes == without.classes);
      CHECK(withOrder.o == without.o);
      CHECK(withOrder.lse == without.lse);
    }
}

TEST_CASE("where every block is critical, an order changes nothing", "[identity][order]") {
  for (Backend *backend : backends())
    for (const Grid &grid : {Grid{{6, 3, 5}, {4, 2, 2}, "suffix", 21}, Grid{{6, 3, 5}, {4, 2, 2}, "prefix", 21}}) {
      INFO(backend->name() << " " << describe(grid));
      reference::Data data = tokensOf(grid);
      Ran dense = runSpec(*backend, specNamed("dense"), data.arguments());
      Ran ran = runSpec(*backend, specNamed("sparse_topk@" + grid.text, grid.settings()),
                        with(data, grid.parameters(), {{"keep", 1}}));
      CHECK(distance(ran.o, dense.o) <= reordered);
      CHECK(distance(ran.lse, dense.lse) <= reordered);
    }
}

TEST_CASE("a call whose tokens do not fit its grid is refused", "[order]") {
  struct Wrong {
    const char *text;
    Axes size;
    int64_t queries, keys;
    const char *message;
  };
  for (const Wrong &wrong :
       {Wrong{"suffix", {4, 4, 4}, 63, 64, "the grid of 4 x 4 x 4 has 64 tokens, but there are 63 queries and 64 keys"},
        {"none", {4, 4, 4}, 65, 65, "as many are needed, since this spec's order has no text beside the grid"},
        {"prefix", {4, 4, 4}, 80, 81, "text before the grid is as long for both"},
        {"suffix", {0, 4, 4}, 80, 81, "grid_t"}}) {
    Case entry{
        .name = "wrong", .spec = "dense", .shape = {.tokensQ = wrong.queries, .tokensK = wrong.keys, .headDim = 16}};
    reference::Data data = std::move(prepare(entry).inputs);
    Grid grid{wrong.size, {4, 2, 2}, wrong.text};
    Spec spec = specNamed(std::string("sparse_topk@") + wrong.text, grid.settings());
    reference::Data o = reference::makeOutputs(programOf(specNamed("dense")), entry.shape, DType::f32);
    for (Backend *backend : backends()) {
      INFO(backend->name());
      Status status =
          backend->run(spec, {.headDim = 16, .valueDim = 16}, with(data, grid.parameters(), {}), o.arguments());
      REQUIRE(!status.ok());
      CHECK_THAT(status.message(), Catch::Matchers::Contains(wrong.message));
    }
  }
}
