// What a function of a library was before this program defined it anew.

#ifndef PONTOON_THIRD_PARTY_TSAN_NEXT_DEFINITION_H_
#define PONTOON_THIRD_PARTY_TSAN_NEXT_DEFINITION_H_

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

namespace pontoon::tsan {

// The definition of `symbol` in the libraries. Ends the program if there is none: the library is
// then a version that these files do not fit. A member function is called like a function whose
// first parameter is the object.
template <typename Function>
Function* NextDefinition(const char* symbol) {
  void* const found = dlsym(RTLD_NEXT, symbol);
  if (found == nullptr) {
    std::fprintf(stderr, "third_party/tsan: no library defines %s\n", symbol);
    std::abort();
  }
  return reinterpret_cast<Function*>(found);
}

}  // namespace pontoon::tsan

#endif  // PONTOON_THIRD_PARTY_TSAN_NEXT_DEFINITION_H_
