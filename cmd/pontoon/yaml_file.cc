#include "cmd/pontoon/yaml_file.h"

#include <yaml.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <set>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "raft/base/check.h"

namespace pontoon {
namespace {

// A config file is a page of text; anything much larger is another file given by mistake.
constexpr size_t kFileBytesMax = 1 << 20;

absl::Status Bad(const std::string& path, size_t line, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(path, ":", line, ": ", what));
}

absl::StatusOr<std::string> ReadWhole(const std::string& path) {
  std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "r"), &std::fclose);
  if (file == nullptr) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", path));
  std::string text(kFileBytesMax + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get())) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot read ", path));
  }
  if (text.size() > kFileBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " is larger than ", kFileBytesMax, " bytes: is it a config file?"));
  }
  return text;
}

// The first document of a YAML text, and the parser that made it.
class Document {
 public:
  explicit Document(const std::string& text) {
    CHECK(yaml_parser_initialize(&parser_)) << "out of memory";
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                 text.size());
    loaded_ = yaml_parser_load(&parser_, &document_) != 0;
  }
  ~Document() {
    if (loaded_) yaml_document_delete(&document_);
    yaml_parser_delete(&parser_);
  }
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  bool loaded() const { return loaded_; }
  const char* problem() const { return parser_.problem ? parser_.problem : "not readable as YAML"; }
  size_t problem_line() const { return parser_.problem_mark.line + 1; }

  // Null for an empty text.
  const yaml_node_t* root() { return yaml_document_get_root_node(&document_); }
  const yaml_node_t* node(int id) { return yaml_document_get_node(&document_, id); }

 private:
  yaml_parser_t parser_;
  yaml_document_t document_;
  bool loaded_ = false;
};

size_t LineOf(const yaml_node_t& node) { return node.start_mark.line + 1; }

std::string ScalarText(const yaml_node_t& node) {
  const std::string text(reinterpret_cast<const char*>(node.data.scalar.value),
                         node.data.scalar.length);
  const bool plain = node.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
  return plain && (text == "~" || text == "null") ? "" : text;
}

// The text of a scalar, or of a list of scalars. INVALID_ARGUMENT without a place otherwise.
absl::StatusOr<std::string> ValueText(Document& document, const yaml_node_t& node) {
  if (node.type == YAML_SCALAR_NODE) return ScalarText(node);
  if (node.type != YAML_SEQUENCE_NODE) return absl::InvalidArgumentError("has settings inside it");
  std::string joined;
  for (const yaml_node_item_t* item = node.data.sequence.items.start;
       item != node.data.sequence.items.top; ++item) {
    const yaml_node_t& element = *document.node(*item);
    if (element.type != YAML_SCALAR_NODE) return absl::InvalidArgumentError("has a list of lists");
    absl::StrAppend(&joined, joined.empty() ? "" : ",", ScalarText(element));
  }
  return joined;
}

}  // namespace

absl::StatusOr<std::vector<YamlEntry>> ReadYamlFile(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadWhole(path);
  if (!text.ok()) return text.status();

  Document document(*text);
  if (!document.loaded()) return Bad(path, document.problem_line(), document.problem());
  std::vector<YamlEntry> entries;
  const yaml_node_t* root = document.root();
  if (root == nullptr) return entries;
  if (root->type != YAML_MAPPING_NODE) {
    return Bad(path, LineOf(*root), "expected lines of the form \"key: value\"");
  }

  std::set<std::string> seen;
  for (const yaml_node_pair_t* pair = root->data.mapping.pairs.start;
       pair != root->data.mapping.pairs.top; ++pair) {
    const yaml_node_t& key = *document.node(pair->key);
    if (key.type != YAML_SCALAR_NODE) return Bad(path, LineOf(key), "a key must be a plain word");
    YamlEntry entry{.key = ScalarText(key), .value = "", .line = LineOf(key)};
    if (!seen.insert(entry.key).second) {
      return Bad(path, entry.line, absl::StrCat("\"", entry.key, "\" is set twice"));
    }
    absl::StatusOr<std::string> value = ValueText(document, *document.node(pair->value));
    if (!value.ok()) {
      return Bad(path, entry.line, absl::StrCat("\"", entry.key, "\" ", value.status().message()));
    }
    entry.value = *std::move(value);
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace pontoon
