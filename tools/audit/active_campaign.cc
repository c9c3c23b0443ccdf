#include "tools/audit/active_campaign.h"

#include <chrono>

#include "tools/audit/choosing_worker.h"
#include "tools/audit/run_attacks.h"

namespace soter::audit {
namespace {

using Clock = std::chrono::steady_clock;

// ActiveLoad is one load of the victim in the real enclave, with a worker that chooses its answers.
class ActiveLoad : public ChoosingAccelerator {
 public:
  static Result<std::unique_ptr<ActiveLoad>> Start(const Victim& victim, control::Settings settings, const Tensor& batch,
                                                   const std::filesystem::path& directory) {
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error) return Unavailable("cannot make " + directory.string() + ": " + error.message());
    std::unique_ptr<ActiveLoad> load(new ActiveLoad(batch));
    load->worker_ = TRY(ChoosingWorker::Start(directory, RowCount(batch)));
    EnclaveOptions options;
    options.settings = std::move(settings);
    options.worker = load->worker_->address();
    load->session_ = TRY(EnclaveSession::Start(options, nullptr));
    TRY(load->session_->SendModel(victim.truth.graph()));
    OwnQuery honest;
    honest.inputs.push_back(batch.Clone());
    honest.outputs = TRY(load->Run());
    load->worker_->EndHonestBatch();
    load->view_ = TRY(ReadView(load->worker_->record()));
    load->view_.queries.push_back(std::move(honest));
    return load;
  }

  const View& view() const override { return view_; }

  Result<Reply> Ask(const Choice& choice) override {
    worker_->Choose(&choice);
    Result<Reply> reply = AskChosen();
    worker_->Choose(nullptr);
    return reply;
  }

 private:
  explicit ActiveLoad(const Tensor& batch) : batch_(batch) {}

  Result<std::vector<Tensor>> Run() {
    control::RunRequest request;
    request.inputs.push_back(batch_.Clone());
    control::RunReport report = TRY(session_->Run(request));
    std::vector<Tensor> outputs;
    for (control::NamedTensor& output : report.outputs) outputs.push_back(std::move(output.tensor));
    return outputs;
  }

  // Where fingerprints are among the rows, the same is asked twice: what comes again is the adversary's.
  Result<Reply> AskChosen() {
    Reply reply;
    reply.answers = TRY(Run());
    reply.sent = worker_->Sent();
    std::map<size_t, std::vector<Tensor>> again;
    for (auto& [segment, inputs] : reply.sent)
      for (size_t i = 0; i < inputs.size(); ++i) {
        if (RowCount(inputs[i]) == RowCount(batch_)) continue;
        if (again.empty()) TRY(Run()), again = worker_->Sent();
        inputs[i] = TakeRows(inputs[i], RowsInBoth(inputs[i], again.at(segment)[i]));
      }
    return reply;
  }

  const Tensor& batch_;
  View view_;
  std::unique_ptr<ChoosingWorker> worker_;    // outlives the enclave, which is its client
  std::unique_ptr<EnclaveSession> session_;
};

void AddUp(const Guess& load, Guess& total) {
  for (const auto& [name, value] : load.findings) total.findings[name] += value;
  if (!load.layers.empty()) total.layers = load.layers;
}

}  // namespace

Result<Outcome> AttackWithChoices(const Victim& victim, const Target& target, const control::Settings& settings,
                                  const Tensor& batch, const std::filesystem::path& directory,
                                  const ActiveEffort& effort, Guess* found_guess) {
  Clock::time_point start = Clock::now();
  std::vector<Shape> shapes = {batch.shape()};
  StaticGraph ancestor = TRY(Bind(victim.ancestor, shapes));
  Guess guess;
  for (size_t load = 1; load <= kActiveLoads; ++load) {
    std::unique_ptr<ActiveLoad> active =
        TRY(ActiveLoad::Start(victim, settings, batch, directory / std::to_string(load)));
    Guess found = TRY(AttackActively(ancestor, *active, effort));
    guess.findings["loads"] += 1;
    AddUp(found, guess);
    if (found.findings["answers refused"] == 0) break;
  }
  Outcome outcome{.target = target,
                  .attack = "kink-walk",
                  .source = "own; Carlini, Jagielski, Mironov 2020 with an ancestor",
                  .sees = "weights, traffic, own queries; chooses answers"};
  outcome.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  TRY(Score(victim, guess, outcome));
  *found_guess = std::move(guess);
  return outcome;
}

}  // namespace soter::audit
