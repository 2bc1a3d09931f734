// pontoonctl as a process, for tests whose BUILD target lists it as data.

#ifndef PONTOON_TESTS_INTEGRATION_TOOL_H_
#define PONTOON_TESTS_INTEGRATION_TOOL_H_

#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/integration/files.h"
#include "tests/integration/process.h"

namespace pontoon::testing {

// The command line of pontoonctl with `words`.
inline std::vector<std::string> ToolCommand(std::vector<std::string> words) {
  words.insert(words.begin(), DataPath("cmd/pontoonctl/pontoonctl"));
  return words;
}

// Runs it to its end, with `input` on its standard input.
inline CommandResult RunTool(std::vector<std::string> words, std::string input = "") {
  const auto result =
      RunCommand({.argv = ToolCommand(std::move(words)), .input = std::move(input)});
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *result : CommandResult();
}

}  // namespace pontoon::testing

#endif  // PONTOON_TESTS_INTEGRATION_TOOL_H_
