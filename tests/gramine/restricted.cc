// restricted PROGRAM [ARGUMENT...]: runs PROGRAM without what Gramine lacks (filter.h). Exit code 77: no filter here.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "tests/gramine/filter.h"

int main(int argc, char** argv) {
  if (argc < 2) return std::fputs("usage: restricted PROGRAM [ARGUMENT...]\n", stderr), 2;
  soter::Status restricted = soter::RestrictToGramine();
  if (!restricted.ok()) return std::fprintf(stderr, "%s\n", restricted.error().message.c_str()), 77;
  ::execv(argv[1], argv + 1);
  return std::fprintf(stderr, "%s: %s\n", argv[1], std::strerror(errno)), 1;
}
