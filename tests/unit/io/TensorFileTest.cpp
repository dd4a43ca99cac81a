// Tensor files on disk: round trips, orders, alignment, and that a failed write leaves nothing.
#include "FileFormats.h"
#include "unit/io/FileBytes.h"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace tercet;
using namespace tercet::compiler;
using namespace tercet::test;

namespace {

class Folder {
public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tercet-io-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string file(const std::string &name) const { return (path / name).string(); }
  size_t entries() const { return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(path), {})); }
  std::filesystem::path path;
};

void write(const std::string &path, const std::vector<uint8_t> &bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char *>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

StoredTensor counting(DType dtype, const std::vector<int64_t> &shape) {
  StoredTensor tensor = *StoredTensor::allocate(dtype, shape);
  Tensor flat = Tensor::contiguous(tensor.view.data, dtype, {tensor.view.elements()});
  for (int64_t i = 0; i < flat.shape[0]; ++i)
    flat.set(static_cast<double>(i % 100) - 50, i);
  return tensor;
}

} // namespace

TEST_CASE("a tensor written is the tensor read, in both formats and every dtype", "[io]") {
  Folder folder;
  auto [ending, dtype] = GENERATE(table<std::string, DType>({{".npy", DType::f32},
                                                             {".npy", DType::f16},
                                                             {".npy", DType::f64},
                                                             {".npy", DType::i8},
                                                             {".npy", DType::i32},
                                                             {".safetensors", DType::f32},
                                                             {".safetensors", DType::f16},
                                                             {".safetensors", DType::bf16},
                                                             {".safetensors", DType::i8},
                                                             {".safetensors", DType::i32}}));
  CAPTURE(ending, dtypeName(dtype));
  StoredTensor tensor = counting(dtype, {2, 3, 5, 7});
  std::string path = folder.file("t" + ending);
  REQUIRE(writeTensors(path, {{"t", tensor.view}}).ok());
  auto read = readTensor(path);
  REQUIRE(read.ok());
  REQUIRE(read->view.describe() == tensor.view.describe());
  for (int64_t i = 0; i < 2; ++i)
    for (int64_t k = 0; k < 5; ++k)
      REQUIRE(read->view.get(i, 1, k, 6) == tensor.view.get(i, 1, k, 6));
}

TEST_CASE("several tensors share one .safetensors file; an .npy file refuses a second", "[io]") {
  Folder folder;
  StoredTensor a = counting(DType::bf16, {3}), b = counting(DType::f32, {2, 2});
  REQUIRE(writeTensors(folder.file("ab.safetensors"), {{"a", a.view}, {"b", b.view}}).ok());
  auto read = readTensor(folder.file("ab.safetensors:b"));
  REQUIRE(read.ok());
  CHECK(read->view.get(1, 1) == b.view.get(1, 1));
  Status refused = writeTensors(folder.file("ab.npy"), {{"b", b.view}, {"c", b.view}});
  CHECK_THAT(refused.message(), Catch::Contains("holds one tensor"));
  CHECK(folder.entries() == 1);
}

TEST_CASE("Fortran order is read as the same array", "[io]") {
  Folder folder;
  // bytes 0..5 as i8, shape (2, 3), column-major: element (i, j) = i + 2 j
  write(folder.file("f.npy"), npyImage("{'descr': '|i1', 'fortran_order': True, 'shape': (2, 3)}", 6));
  auto read = readTensor(folder.file("f.npy"));
  REQUIRE(read.ok());
  CHECK(read->view.strides[1] == 1);
  for (int64_t i = 0; i < 2; ++i)
    for (int64_t j = 0; j < 3; ++j)
      CHECK(read->view.get(i, j) == static_cast<double>(i + 2 * j));
}

TEST_CASE("data at an odd offset is read", "[io]") {
  Folder folder;
  std::string header = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  header.resize(header.size() + (9 - header.size() % 8) % 8, ' '); // data begins at 1 modulo 8
  write(folder.file("odd.safetensors"), safetensorsImage(header, 4));
  auto read = readTensor(folder.file("odd.safetensors"));
  REQUIRE(read.ok());
  CHECK(reinterpret_cast<uintptr_t>(read->view.data) % 4 == 0);
  CHECK(read->view.get(0) == Approx(3.8204714e-37)); // bytes 0, 1, 2, 3
}

TEST_CASE("a strided view is written in row-major order", "[io]") {
  Folder folder;
  StoredTensor tensor = counting(DType::f32, {4, 6});
  Tensor view = tensor.view;
  view.shape = {6, 4, 1, 1};
  view.strides = {1, 6, 0, 0};
  REQUIRE(writeTensors(folder.file("s.npy"), {{"s", view}}).ok());
  auto read = readTensor(folder.file("s.npy"));
  REQUIRE(read.ok());
  CHECK(read->view.get(5, 2) == tensor.view.get(2, 5));
}

TEST_CASE("conversion rounds to nearest even", "[io]") {
  StoredTensor tensor = *StoredTensor::allocate(DType::f32, {1, 2});
  tensor.view.set(1.00390625, 0, 0); // 1 + 2^-8: halfway between two bf16
  tensor.view.set(-2.5, 0, 1);
  auto narrow = convertTensor(tensor.view, DType::bf16);
  REQUIRE(narrow.ok());
  CHECK(narrow->view.get(0, 0) == 1.0);
  CHECK(narrow->view.get(0, 1) == -2.5);
}

TEST_CASE("a failed write says why and leaves nothing", "[io]") {
  Folder folder;
  StoredTensor tensor = counting(DType::bf16, {2});
  CHECK_THAT(writeTensors(folder.file("t.npy"), {{"t", tensor.view}}).message(),
             Catch::Contains(".npy has no bf16; use a .safetensors file"));
  CHECK_THAT(writeTensors(folder.file("none/t.safetensors"), {{"t", tensor.view}}).message(),
             Catch::Contains("there is no directory"));
  CHECK_THAT(writeTensors(folder.file("t.txt"), {{"t", tensor.view}}).message(), Catch::Contains("no tensor file"));
  CHECK_THAT(checkWritable("/proc/t.safetensors", DType::bf16).message() +
                 writeTensors("/proc/t.safetensors", {{"t", tensor.view}}).message(),
             Catch::Contains("cannot write /proc/t.safetensors"));
  CHECK(folder.entries() == 0);
}

TEST_CASE("references and paths that cannot be read are refused", "[io]") {
  Folder folder;
  write(folder.file("empty.npy"), {});
  CHECK_THAT(readTensor(folder.file("empty.npy")).status().message(), Catch::Contains("the file is empty"));
  CHECK_THAT(readTensor(folder.file("missing.npy")).status().message(), Catch::Contains("No such file"));
  std::filesystem::create_directory(folder.file("d.npy"));
  CHECK_THAT(readTensor(folder.file("d.npy")).status().message(), Catch::Contains("not a regular file"));
  CHECK_THAT(readTensor("x.npy:q").status().message(), Catch::Contains("leave ':..' out"));
  CHECK_THAT(readTensor("x.png").status().message(), Catch::Contains("no tensor file"));
  CHECK_THAT(readTensor("x.safetensors:").status().message(), Catch::Contains("no tensor file"));
}

TEST_CASE("a tensor larger than memory is refused, not attempted", "[io]") {
  auto huge = StoredTensor::allocate(DType::f32, {int64_t(1) << 40, 1 << 20});
  REQUIRE_FALSE(huge.ok());
  CHECK_THAT(huge.status().message(), Catch::Contains("does not fit into memory"));
}
