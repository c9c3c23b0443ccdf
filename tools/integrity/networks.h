#pragma once

#include <memory>

#include "tests/engine/in_process_accelerator.h"
#include "tests/hostile/bugs.h"
#include "trusted/engine/session.h"

namespace soter::integrity {

// ZooModel writes and reads back a network of the zoo.
// Errors: those of WriteZooModel and of importing.
Result<ValidatedGraph> ZooModel(const std::string& name);

// RandomInputs draws Gaussian inputs for a model; symbolic extents are 1.
std::vector<Tensor> RandomInputs(const Graph& graph, RandomSource& random);
std::vector<Shape> InputShapes(const Graph& graph);

// LyingSession is a session whose accelerator computes in this process, all of a segment before the enclave takes
// anything in, and lies as the hostile worker does.
class LyingSession {
 public:
  // liar   or null: an honest one
  // Errors: those of Session::Create.
  static Result<std::unique_ptr<LyingSession>> Create(ValidatedGraph model, const control::Settings& settings, hostile::Liar* liar);

  Result<control::RunReport> Run(const std::vector<Tensor>& inputs, uint32_t repeat = 1);
  uint64_t bytes_crossed() const { return crossed_; }

 private:
  class Lying;
  void Tamper(uint32_t segment, size_t index, std::span<std::byte> bytes);

  std::unique_ptr<Session> session_;
  InProcessAccelerator::Record record_;
  hostile::Liar* liar_ = nullptr;
  std::map<uint32_t, std::vector<wire::Port>> inputs_, outputs_;
  std::vector<std::span<std::byte>> waiting_;  // outputs of the run so far
  uint64_t run_ = 0, crossed_ = 0;
};

}  // namespace soter::integrity
