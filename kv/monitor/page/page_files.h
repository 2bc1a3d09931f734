// The files of the page that every member serves, as they lie in this folder.

#ifndef PONTOON_KV_MONITOR_PAGE_PAGE_FILES_H_
#define PONTOON_KV_MONITOR_PAGE_PAGE_FILES_H_

#include <span>

#include "absl/strings/string_view.h"

namespace pontoon::kv {

struct PageFile {
  const char* path;  // of the URL
  const char* content_type;
  absl::string_view content;
};

// Live for ever.
std::span<const PageFile> PageFiles();

}  // namespace pontoon::kv

#endif  // PONTOON_KV_MONITOR_PAGE_PAGE_FILES_H_
