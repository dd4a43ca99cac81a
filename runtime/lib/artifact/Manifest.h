// Manifest: the JSON part of an artifact file. Private to the artifact library.
#pragma once

#include "tercet/Artifact.h"
#include "tercet/SectionFile.h"

#include <nlohmann/json_fwd.hpp>

namespace tercet {

/// Calls visit(bytes, module) for every code section, in the file's order: a module's code, then cubin, PTX and source
/// of each of its kernels; the forward's modules before the backward's. bytes is a std::vector<uint8_t> or a std::string of the artifact.
template <typename AnyArtifact, typename Visit> void forEachSection(AnyArtifact &artifact, Visit visit) {
  for (auto *modules : {&artifact.modules, &artifact.backwardModules})
    for (auto &module : *modules) {
      visit(module.code, module);
      if (!module.isGpu())
        continue;
      for (auto &kernel : module.kernels) {
        visit(kernel.gpu.cubin, module);
        visit(kernel.gpu.ptx, module);
        visit(kernel.gpu.source, module);
      }
    }
}

/// Everything of the artifact but its code sections, as JSON text. ranges: one per section.
std::string writeManifest(const Artifact &artifact, const std::vector<SectionRange> &ranges);

/// Reads what writeManifest wrote; every field is checked for presence, type and range. The code sections stay empty.
Status readManifest(std::string_view text, Artifact &artifact, std::vector<SectionRange> &ranges);

} // namespace tercet
