// Every function of the C interface refuses what is wrong by the table (FailureTable.h). A function that the header declares and no row names
// fails the test, and so does a handle or text that a refused call leaves behind.
#include "FailureTable.h"

#include <fstream>
#include <iterator>
#include <regex>
#include <set>

using namespace tercet::test;

namespace {

const std::set<std::string> cannotFail = {"tercet_version",
                                          "tercet_has_compiler",
                                          "tercet_status_name",
                                          "tercet_error_message",
                                          "tercet_error_note_count",
                                          "tercet_text_free",
                                          "tercet_session_destroy",
                                          "tercet_artifact_destroy",
                                          "tercet_kernel_destroy",
                                          "tercet_kernel_argument_count",
                                          "tercet_kernel_parameter_count"};

std::set<std::string> declared() {
  std::ifstream file("runtime/include/tercet/tercet.h");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  std::regex function(R"(TERCET_API [^(;]*?\b(tercet_\w+)\()");
  std::set<std::string> names;
  for (std::sregex_iterator match(text.begin(), text.end(), function), end; match != end; ++match)
    names.insert((*match)[1]);
  return names;
}

} // namespace

TEST_CASE("every function refuses what is wrong with it, by status and message", "[c][failure]") {
  Given given;
  std::vector<FailureRow> rows = rowsOfHandles(given);
  for (FailureRow &row : rowsOfKernels(given))
    rows.push_back(std::move(row));
  const std::vector<float> untouched = given.tokens["o"].data;
  std::set<std::string> named = cannotFail;
  for (const FailureRow &row : rows) {
    INFO(row.function << ": " << row.fault);
    named.insert(row.function);
    Results &r = given.r = {};
    fail(row.call(), row.status, row.words);
    for (const void *result : {(void *)r.session, (void *)r.artifact, (void *)r.kernel, (void *)r.text, (void *)r.name})
      CHECK((!result || result == reinterpret_cast<void *>(1)));
    CHECK((r.rank == -7 && r.shape[0] == -7 && r.bytes == 7));
    CHECK(given.tokens["o"].data == untouched);
  }
  CHECK(given.argument.name == nullptr);
  CHECK(named == declared());
}
