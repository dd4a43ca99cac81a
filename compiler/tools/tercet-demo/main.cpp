// tercet-demo: takes a photograph, adds noise, and removes it by attention over all pixels: dense, and compiled from
// the specs that leave most of it out. Prints what each costs and gains; writes the pictures.
#include "Comparison.h"
#include "Output.h"
#include "Pictures.h"
#include "Report.h"

#include "tercet/Jit.h"
#include "tercet/Spelling.h"

#include <CLI/CLI.hpp>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <new>
#include <unistd.h>

using namespace tercet;
using namespace tercet::demo;

namespace {

/// Side of the square that is cut out of the photo: 65,536 tokens.
constexpr int64_t side = 256;

struct Options {
  std::string out, image = TERCET_DEMO_IMAGE;
  int64_t seed = 1, runs = 5;
  bool json = false;
};

/// Finds out before a minute of work, rather than after it, that its results have nowhere to go.
Status prepareFolder(const std::string &folder) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed)
    return Status::make(Code::invalidArgument, "cannot make the folder {}: {}", folder, failed.message());
  if (!std::filesystem::is_directory(folder, failed))
    return Status::make(Code::invalidArgument, "--out is '{}', which is no folder", folder);
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    return Status::make(Code::invalidArgument, "cannot write to {}: {}", folder, std::strerror(errno));
  return {};
}

Result<std::vector<std::string>> writePictures(const std::string &folder, const Photo &clean, const Photo &noisy,
                                               const Comparison &comparison) {
  auto denoised = [&](const std::string &name) {
    return toRgb(photoFromTokens(comparison.find(name).values, clean.width, clean.height));
  };
  compiler::RgbImage classes = classPicture(comparison.classes, comparison.classRows, comparison.classRows);
  std::vector<std::pair<std::string, compiler::RgbImage>> pictures = {{"clean", toRgb(clean)}, {"noisy", toRgb(noisy)}};
  for (const VariantResult &variant : comparison.variants)
    pictures.emplace_back(variant.name, denoised(variant.name));
  pictures.emplace_back("demo", sideBySide({toRgb(noisy), denoised("dense"), denoised("sla"),
                                            shrink(classes, comparison.classRows / clean.height)}));
  pictures.emplace_back("classes", std::move(classes));

  std::vector<std::string> files;
  for (const auto &[name, picture] : pictures) {
    files.push_back((std::filesystem::path(folder) / (name + ".png")).string());
    TERCET_RETURN_IF_ERROR(compiler::writePng(files.back(), picture));
  }
  return files;
}

Status run(const Options &options) {
  TERCET_RETURN_IF_ERROR(prepareFolder(options.out));
  TERCET_TRY(compiler::RgbImage image, compiler::readPng(options.image));
  TERCET_TRY(Photo clean, cropCentre(image, side));
  Photo noisy = addNoise(clean, noiseSigma, static_cast<uint64_t>(options.seed));
  PatchTokens tokens = patchTokens(noisy, bandwidthInVariances * noiseSigma * noiseSigma);

  TERCET_TRY(std::unique_ptr<Session> session, Session::create({}, makeCompiler()));
  TERCET_TRY(Comparison comparison, compareVariants(*session, tokens, clean, options.runs));
  TERCET_TRY(std::vector<std::string> files, writePictures(options.out, clean, noisy, comparison));
  Circumstances circumstances{options.image,      options.seed,      tokens.count,
                              session->threads(), comparison.target, psnr(noisy, clean)};
  if (options.json)
    return cli::printJson(comparisonJson(comparison, circumstances, files));
  return cli::printText(
      tableText(comparison, circumstances) +
      fmt::format("Pictures: {}/{{noisy,dense,sparse_topk,block_mean,sla,classes,demo}}.png\n", options.out));
}

/// Whatever is thrown is a defect, except a machine without enough memory.
Status runGuarded(const Options &options) {
  try {
    return run(options);
  } catch (const std::bad_alloc &) {
    return Status::make(Code::invalidArgument, "there is not enough memory; the demo needs about 300 MB");
  } catch (const std::exception &error) {
    return Status::make(Code::internal, "unexpected failure in tercet-demo: {}", error.what());
  }
}

int finish(const Status &status) {
  if (!status.ok())
    cli::printError(status);
  return cli::exitCodeOf(status.code());
}

Status leftOver(const CLI::App &app, const std::string &word) {
  std::vector<std::string> names;
  for (const CLI::Option *option : app.get_options())
    for (const std::string &name : option->get_lnames())
      names.push_back("--" + name);
  if (!word.starts_with("-"))
    return Status::make(Code::invalidArgument, "'{}' is one word too many; see 'tercet-demo --help'", word);
  std::string name = word.substr(0, word.find('='));
  return Status::make(Code::invalidArgument, "tercet-demo has no option '{}'{}; see 'tercet-demo --help'", name,
                      suggestion(name, names));
}

} // namespace

int main(int argc, char **argv) {
  std::signal(SIGPIPE, SIG_IGN); // a closed pipe is a write error with a message, not a silent death
  Options options;
  CLI::App app("Denoises a photograph by attention over all of its pixels: dense, and as compiled from sparse specs.",
               "tercet-demo");
  app.allow_extras();
  app.add_option("--out", options.out, "folder for the pictures; made if it is not there")->type_name("DIR");
  app.add_option("--image", options.image, "a .png of 256 x 256 pixels or more; its middle is used")->type_name("FILE");
  app.add_option("--seed", options.seed, "seed of the noise")
      ->type_name("N")
      ->check(CLI::Range(0, 1000000000))
      ->capture_default_str();
  app.add_option("--runs", options.runs, "timed launches of each sparse variant")
      ->type_name("N")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_flag("--json", options.json, "print one JSON object in place of the table");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success &) {
    return finish(cli::printText(app.help()));
  } catch (const CLI::ParseError &error) {
    return finish(Status::make(Code::invalidArgument, "{}", error.what()));
  }
  if (std::vector<std::string> rest = app.remaining(); !rest.empty())
    return finish(leftOver(app, rest.front()));
  if (options.out.empty())
    return finish(Status::make(Code::invalidArgument, "--out DIR is missing: the folder for the pictures"));
  cli::reportEnvironment();
  return finish(runGuarded(options));
}
