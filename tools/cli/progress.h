#pragma once

#include <string>

namespace soter {

// Progress shows one changing line on a terminal, and nothing where standard error is not one.
class Progress {
 public:
  Progress();
  ~Progress();  // clears the line
  Progress(const Progress&) = delete;

  void Show(const std::string& what, double fraction);
  void Clear();

 private:
  bool on_terminal_;
  bool shown_ = false;
};

}  // namespace soter
