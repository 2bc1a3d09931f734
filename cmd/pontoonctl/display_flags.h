// DisplayFlags: how keys are printed, by --output and --hex.

#ifndef PONTOON_CMD_PONTOONCTL_DISPLAY_FLAGS_H_
#define PONTOON_CMD_PONTOONCTL_DISPLAY_FLAGS_H_

#include <CLI/CLI.hpp>

#include "cmd/pontoonctl/command.h"
#include "cmd/pontoonctl/kv_printer.h"

namespace pontoon::ctl {

class DisplayFlags {
 public:
  // `this` must outlive the parsing by `app`.
  void DeclareOn(CLI::App& app) { app.add_flag("--hex", hex_, "Print each byte as \\xNN"); }

  KvPrinter NewPrinter(const Environment& environment) const {
    return KvPrinter(environment.output.value_or(OutputFormat::kPlain),
                     hex_ ? KvPrinter::Bytes::kHex : KvPrinter::Bytes::kRaw,
                     environment.terminal.out);
  }

 private:
  bool hex_ = false;
};

}  // namespace pontoon::ctl

#endif  // PONTOON_CMD_PONTOONCTL_DISPLAY_FLAGS_H_
