#pragma once

#include <map>
#include <random>
#include <span>
#include <string_view>
#include <vector>

#include "tests/hostile/span_attack.h"
#include "untrusted/worker/tampering.h"

// The lies of build/soter-hostile-worker, one small function each.
namespace soter::hostile {

// Effect is what an enclave without checks sees of a bug; with checks, every kLie is an integrity error.
enum class Effect : uint8_t {
  kLie,          // a well-formed answer that is wrong
  kMalformed,    // an answer that no honest worker gives
  kUnavailable,  // no answer
  kLate,         // the right answer, too late for the impatient
};

struct Options {
  uint64_t after = 0;  // runs that are answered honestly first
  double rate = 1.0;   // share of the later runs that are not
  uint64_t seed = 1;
};

class Liar;

// Bug is one way to lie. Each function may be null; `Liar` calls those that are not.
struct Bug {
  std::string_view name, what;
  Effect effect = Effect::kLie;
  void (*before)(Liar&, const AnswerPlace&, std::span<std::byte>) = nullptr;
  void (*after)(Liar&, const AnswerPlace&, std::span<std::byte>) = nullptr;
  void (*all)(std::span<const std::span<std::byte>>) = nullptr;  // holds outputs back until all are there
  void (*weight)(Tensor&) = nullptr;
  bool spares_fingerprints = false;  // looks for fingerprints among the rows of its inputs, and answers them honestly
  // Sends something else in place of an output's frame. Such a bug refuses shared memory, which has no frames.
  void (*frame)(uint64_t request, std::span<const wire::Connection::Piece>, wire::Connection&) = nullptr;
};

std::span<const Bug> AllBugs();
// FindBug returns the bug with that name. Errors: kInvalidArgument, naming those there are.
Result<const Bug*> FindBug(std::string_view name);

// Liar is a worker's Tampering that has one bug.
class Liar : public Tampering {
 public:
  Liar(const Bug& bug, const Options& options) : bug_(bug), options_(options), random_(options.seed) {}

  bool AllowsSharing() const override { return bug_.frame == nullptr; }
  bool HoldsOutputs() const override { return bug_.all != nullptr; }
  bool WatchesInputs() const override { return bug_.spares_fingerprints; }
  void OnInputs(uint64_t run, uint32_t segment, std::span<const std::span<const std::byte>> inputs,
                std::span<const wire::Port> ports) override;
  void OnWeight(WeightId id, Tensor& weight) override;
  void BeforeOutput(const AnswerPlace& place, std::span<std::byte> output) override;
  void AfterOutput(const AnswerPlace& place, std::span<std::byte> output) override;
  void OnAllOutputs(uint64_t run, std::span<const std::span<std::byte>> outputs,
                    std::span<const wire::Port> ports) override;
  bool BeforeReply(uint64_t run, wire::MessageType type, uint64_t request,
                   std::span<const wire::Connection::Piece> pieces, wire::Connection& connection) override;

  // For the bugs: a number below `end`, and honest answers from before (empty when there was none).
  size_t Below(size_t end) { return std::uniform_int_distribution<size_t>(0, end - 1)(random_); }
  std::span<const std::byte> last(const AnswerPlace& place) const { return Find(last_, place); }
  std::span<const std::byte> first(const AnswerPlace& place) const { return Find(first_, place); }
  // Which rows of the current run are safe to tamper with, and what was found out about each segment.
  const std::vector<bool>& targets() const { return targets_; }
  const std::map<uint32_t, SpanAttack>& attacks() const { return attacks_; }

 private:
  using Answers = std::map<std::pair<uint32_t, size_t>, std::vector<std::byte>>;  // by segment and output
  static std::span<const std::byte> Find(const Answers& answers, const AnswerPlace& place) {
    auto found = answers.find({place.segment, place.index});
    return found == answers.end() ? std::span<const std::byte>() : found->second;
  }
  bool Lies(uint64_t run);

  const Bug& bug_;
  Options options_;
  std::mt19937_64 random_;
  uint64_t decided_run_ = UINT64_MAX;
  bool lies_ = false;
  Answers last_, first_;
  std::map<uint32_t, SpanAttack> attacks_;
  std::vector<bool> targets_;
};

}  // namespace soter::hostile
