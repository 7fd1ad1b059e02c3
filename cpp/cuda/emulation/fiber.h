// A thread of execution that runs until it pauses itself: the threads of an emulated block take turns so.
#pragma once

#include <cstddef>
#include <memory>

namespace gradstep::emulation {

class fiber {
 public:
  // `body` is called at the first `resume` and must never return.
  fiber(void (*body)(void* argument), void* argument);
  fiber(const fiber&) = delete;
  fiber& operator=(const fiber&) = delete;

  void resume();  // goes on in the fiber until it pauses
  void pause();   // from within: continues the code that resumed it

 private:
  struct stack {
    void* pointer = nullptr;  // its registers have been saved there
    void* fake = nullptr;     // AddressSanitizer's own record of it
    const void* bottom = nullptr;
    size_t size = 0;
  };

  static void start();
  static void change(stack& from, stack& to);

  void (*body_)(void*);
  void* argument_;
  std::unique_ptr<char[]> memory_;
  stack own_, resumer_;
};

}  // namespace gradstep::emulation
