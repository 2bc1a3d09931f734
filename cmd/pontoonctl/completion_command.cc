// completion: for the shells that people type pontoonctl into.

#include <CLI/CLI.hpp>

#include "cmd/pontoonctl/command.h"
#include "cmd/pontoonctl/completion.h"

namespace pontoon::ctl {
namespace {

class CompletionCommand : public Command {
 public:
  Description Describe() const override {
    return {"completion", "Prints a script that has a shell complete commands and flags",
            R"(Examples:
  source <(pontoonctl completion bash)
  pontoonctl completion bash >/etc/bash_completion.d/pontoonctl
  source <(pontoonctl completion zsh)
)"};
  }

  void DeclareFlags(CLI::App& app) override {
    app.add_option("shell", shell_, "bash or zsh")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh"}));
  }

  Ending Run(const Environment& environment) override {
    environment.terminal.out << (shell_ == "bash" ? BashCompletion(environment.commands)
                                                  : ZshCompletion(environment.commands));
    return {};
  }

 private:
  std::string shell_;
};

}  // namespace

std::unique_ptr<Command> NewCompletionCommand() { return std::make_unique<CompletionCommand>(); }

}  // namespace pontoon::ctl
