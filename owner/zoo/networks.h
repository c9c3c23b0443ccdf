#pragma once

#include "owner/zoo/model_builder.h"

namespace soter {

// One function per architecture; each adds inputs, nodes and outputs to `model`.
void BuildMlp(ModelBuilder& model, int64_t input_size);   // input_size-4096-512-128-10
void BuildAlexNet(ModelBuilder& model);                   // Krizhevsky 2014, as torchvision has it
void BuildVgg19(ModelBuilder& model);                     // Simonyan and Zisserman 2015
void BuildResNet152(ModelBuilder& model);                 // He et al. 2016
void BuildDenseNet121(ModelBuilder& model);               // Huang et al. 2017

struct TransformerSize {
  int64_t layers, width, heads, hidden;
};
void BuildTransformer(ModelBuilder& model, TransformerSize size);  // Vaswani et al. 2017

// --- Layers that several of them use; each returns the name of its result ---

struct ConvSize {
  int64_t in, out, kernel, stride = 1, pad = 0;
};
std::string AddConv(ModelBuilder& model, const std::string& name, const std::string& x, ConvSize size, bool bias);
// AddBatchNorm scales by `gamma` on average; statistics are near those of what the layers here produce.
std::string AddBatchNorm(ModelBuilder& model, const std::string& name, const std::string& x, int64_t channels,
                         float gamma = 1.0f);
std::string AddMaxPool(ModelBuilder& model, const std::string& name, const std::string& x, int64_t kernel,
                       int64_t stride, int64_t pad = 0);
// AddGemm is a fully connected layer as exporters write it, with the weight transposed.
std::string AddGemm(ModelBuilder& model, const std::string& name, const std::string& x, int64_t in, int64_t out,
                    Spread spread);

}  // namespace soter
