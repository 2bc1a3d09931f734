// The command lines of the examples.

#ifndef PONTOON_KV_CLIENT_EXAMPLES_ARGUMENTS_H_
#define PONTOON_KV_CLIENT_EXAMPLES_ARGUMENTS_H_

#include <CLI/CLI.hpp>
#include <iostream>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace pontoon::examples {

// Adds --endpoints, with commas between.
inline void AddEndpoints(CLI::App* app, std::vector<std::string>* endpoints) {
  *endpoints = {"127.0.0.1:2379"};
  app->add_option("--endpoints", *endpoints, "Some members, as host:port,host:port")
      ->delimiter(',')
      ->capture_default_str();
}

// Says why the program ends; the exit code.
inline int Fail(const absl::Status& why) {
  std::cerr << "error: " << why.message() << std::endl;
  return 1;
}

}  // namespace pontoon::examples

#endif  // PONTOON_KV_CLIENT_EXAMPLES_ARGUMENTS_H_
