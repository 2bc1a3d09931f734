#include "cmd/pontoonctl/flag_values.h"

#include <CLI/CLI.hpp>

#include "absl/strings/str_cat.h"

namespace pontoon::ctl {

CLI::Option* AddDurationFlag(CLI::App& app, const std::string& name, absl::Duration& value,
                             const std::string& help) {
  const auto parse = [name, &value](const std::string& text) {
    absl::Duration parsed;
    if (!absl::ParseDuration(text, &parsed) || parsed <= absl::ZeroDuration() ||
        parsed == absl::InfiniteDuration()) {
      throw CLI::ValidationError(
          name, absl::StrCat("\"", text, "\" is not a time such as 500ms, 5s or 1m30s"));
    }
    value = parsed;
  };
  return app.add_option_function<std::string>(name, parse, help)
      ->type_name("TIME")
      ->default_str(absl::FormatDuration(value));
}

}  // namespace pontoon::ctl
