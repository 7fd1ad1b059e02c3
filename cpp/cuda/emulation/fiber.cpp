#include "cuda/emulation/fiber.h"

#include <cstdint>
#include <cstring>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

// gradstep_switch(void** save, void* load): pushes the registers that a function must keep, notes the stack
// pointer in *save, and pops those that lie at `load`.
#if defined(__x86_64__)
constexpr int saved_words = 8;    // six registers, where to go on, and a word that aligns
constexpr int address_place = 6;  // of where to go on
__asm__(R"(
  .text
  .hidden gradstep_switch
  .globl gradstep_switch
  .type gradstep_switch, @function
gradstep_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
)");
#elif defined(__aarch64__)
constexpr int saved_words = 20;  // x19 to x30, d8 to d15
constexpr int address_place = 11;
__asm__(R"(
  .text
  .hidden gradstep_switch
  .globl gradstep_switch
  .type gradstep_switch, %function
gradstep_switch:
  sub sp, sp, #160
  stp x19, x20, [sp]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
)");
#else
#error "the emulated device needs a switch of stacks for this processor"
#endif

extern "C" void gradstep_switch(void** save, void* load);

namespace gradstep::emulation {
namespace {

constexpr size_t stack_bytes = 256 * 1024;  // pages that are never touched cost nothing

thread_local fiber* starting;

}  // namespace

fiber::fiber(void (*body)(void*), void* argument)
    : body_(body), argument_(argument), memory_(std::make_unique_for_overwrite<char[]>(stack_bytes)) {
  own_.bottom = memory_.get();
  own_.size = stack_bytes;
  const uintptr_t top = (reinterpret_cast<uintptr_t>(memory_.get()) + stack_bytes) & ~uintptr_t(15);
  void** const frame = reinterpret_cast<void**>(top) - saved_words;
  std::memset(frame, 0, saved_words * sizeof(void*));
  frame[address_place] = reinterpret_cast<void*>(&fiber::start);
  own_.pointer = frame;
}

void fiber::change(stack& from, stack& to) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&from.fake, to.bottom, to.size);
#endif
  gradstep_switch(&from.pointer, to.pointer);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(from.fake, nullptr, nullptr);
#endif
}

void fiber::start() {
  fiber& self = *starting;
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(nullptr, &self.resumer_.bottom, &self.resumer_.size);
#endif
  self.body_(self.argument_);
}

void fiber::resume() {
  starting = this;
  change(resumer_, own_);
}

void fiber::pause() { change(own_, resumer_); }

}  // namespace gradstep::emulation
