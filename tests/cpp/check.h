// Tests in C++ alone: TEST(name) { ... } registers itself under its file's name, and CHECK and the others
// print what fails and go on.
#pragma once

#include <atomic>
#include <filesystem>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

namespace checks {

struct test {
  std::string name;
  void (*run)();
};
inline std::vector<test>& tests() {
  static std::vector<test> all;
  return all;
}
inline bool add(const char* file, const char* name, void (*run)()) {
  tests().push_back({std::filesystem::path(file).stem().string() + "/" + name, run});
  return true;
}

inline std::atomic<int> failures = 0;
inline std::string situation;  // is printed with failures: which target, which case

inline void fail(const char* file, int line, const std::string& what) {
  constexpr int most_printed = 20;
  if (++failures > most_printed) return;
  std::ostringstream text;
  text << file << ":" << line << ": " << what << (situation.empty() ? "" : " (" + situation + ")") << "\n";
  std::cerr << text.str();
}

template <class A, class B>
void check_equal(const char* file, int line, const char* what, const A& a, const B& b) {
  if (a == b) return;
  std::ostringstream text;
  text.precision(17);
  text << what << ": " << a << " and " << b;
  fail(file, line, text.str());
}

}  // namespace checks

#define TEST(name)                                                                                \
  static void test_##name();                                                                      \
  [[maybe_unused]] static const bool is_added_##name = checks::add(__FILE__, #name, test_##name); \
  static void test_##name()
#define CHECK(what) ((what) ? void() : checks::fail(__FILE__, __LINE__, #what))
#define CHECK_EQ(a, b) checks::check_equal(__FILE__, __LINE__, #a " == " #b, a, b)
#define CHECK_THROWS(what, type)                                \
  try {                                                         \
    what;                                                       \
    checks::fail(__FILE__, __LINE__, #what " threw no " #type); \
  } catch (const type&) {                                       \
  }
