// Build step: writes the device library as a C++ file. embed OUTPUT ROOT FILE...; names are relative to ROOT.
#include "tercet/Digest.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

int main(int argc, char **argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: %s OUTPUT ROOT FILE...\n", argv[0]);
    return 1;
  }
  std::vector<std::string> paths(argv + 3, argv + argc), fields;
  std::sort(paths.begin(), paths.end());
  std::ofstream out(argv[1], std::ios::binary);
  out << "// Generated from compiler/device by EmbedDeviceFiles.\n"
         "#include \"tercet/compiler/cuda/DeviceLibrary.h\"\n\nnamespace {\n\n";
  for (size_t i = 0; i < paths.size(); ++i) {
    std::ifstream in(paths[i], std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(in), {}};
    if (!in || text.empty()) {
      std::fprintf(stderr, "%s: cannot read %s\n", argv[0], paths[i].c_str());
      return 1;
    }
    out << "const char file" << i << "[] = {";
    for (size_t position = 0; position < text.size(); ++position)
      out << (position % 32 == 0 ? "\n" : "") << static_cast<int>(text[position]) << ',';
    out << "\n};\n\n";
    fields.push_back(std::filesystem::relative(paths[i], argv[2]).generic_string());
    fields.push_back(std::move(text));
  }
  out << "const tercet::compiler::DeviceFile files[] = {\n";
  for (size_t i = 0; i < paths.size(); ++i)
    out << "    {\"" << fields[2 * i] << "\", {file" << i << ", sizeof file" << i << "}},\n";
  out << "};\n\n} // namespace\n\nnamespace tercet::compiler {\n\n"
         "std::span<const DeviceFile> deviceFiles() { return files; }\n"
         "std::string_view deviceLibraryDigest() { return \""
      << tercet::digestOfFields(fields).hex() << "\"; }\n\n} // namespace tercet::compiler\n";
  out.close();
  return out ? 0 : 1;
}
