#pragma once

#include <filesystem>

#include "audit/attacks/attack.h"

namespace soter::audit {

// A guess as files (docs/spec/attack-program.md): what programs of others write, and what training reads.

// WriteGuess writes LAYER.weight.npy and LAYER.bias.npy. Errors: kUnavailable.
Status WriteGuess(const std::filesystem::path& directory, std::span<const Layer> layers, const Guess& guess);
// WriteLayers writes layers.json: number, name and shape of every layer. Errors: kUnavailable.
Status WriteLayers(const std::filesystem::path& directory, std::span<const Layer> layers);
// ReadGuess reads a guess for a network of `layers`. Errors: kMalformed (another shape or type), kUnavailable; names
// the file.
Result<Guess> ReadGuess(const std::filesystem::path& directory, std::span<const Layer> layers);

// ProgramAttack is the attack of an external program: PROGRAM VIEW-DIRECTORY ANCESTOR.onnx OUTPUT-DIRECTORY, with 0 as
// exit status. It sees files alone. Errors of the attack: kUnavailable (it cannot be started, or failed).
Attack ProgramAttack(const std::filesystem::path& program, const std::filesystem::path& view,
                     const std::filesystem::path& ancestor, const std::filesystem::path& output);

// RunProgram runs a program to its end; what it prints goes to standard error. Errors: kUnavailable, naming it and how
// it ended.
Status RunProgram(const std::vector<std::string>& arguments);

}  // namespace soter::audit
