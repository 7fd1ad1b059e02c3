// Writes that belong together, though the GIL is released between or within them: those of an update, of the
// rows that catch up, of an average and its product. A fork() of Python's waits until they are all made, so
// that the child finds all of them or none. threads.h has the same for a fork() that knows nothing of Python.
#pragma once

namespace gradstep {

// To be made once everything is read and nothing has been written, with the GIL held.
class whole_writes {
 public:
  whole_writes();  // waits for a fork() that another thread is about to make
  ~whole_writes();
  whole_writes(const whole_writes&) = delete;
};

// Lets os.fork() wait for them; to be called once.
void let_forks_wait();

}  // namespace gradstep
