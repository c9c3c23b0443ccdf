#include "tests/conformance/case_builder.h"

namespace soter::conformance {

namespace {

// AddOne adds a case of one operator on one float input and constants.
void AddOne(Generator& generator, std::vector<Case>& cases, std::string name, const Shape& x, Op op,
            std::vector<std::vector<int64_t>> constants = {}) {
  CaseBuilder builder(std::move(name), generator);
  std::vector<ValueId> inputs = {builder.Input(x)};
  for (std::vector<int64_t>& values : constants) inputs.push_back(builder.Integers(std::move(values)));
  cases.push_back(builder.Finish({builder.Add(std::move(op), inputs)}));
}

void AddShapes(Generator& g, std::vector<Case>& cases) {
  AddOne(g, cases, "Reshape", {2, 3, 4}, Reshape{}, {{4, -1}});
  AddOne(g, cases, "ReshapeCopiesExtent", {2, 3, 4}, Reshape{}, {{0, 12}});
  AddOne(g, cases, "Flatten", {2, 3, 4, 5}, Flatten{.axis = 2});
  AddOne(g, cases, "Squeeze", {2, 1, 4, 1}, Squeeze{}, {{1, -1}});
  AddOne(g, cases, "Unsqueeze", {2, 3}, Unsqueeze{}, {{0, 3}});
  AddOne(g, cases, "TransposeReverse", {2, 3, 4, 5}, Transpose{});
  AddOne(g, cases, "TransposeHeads", {1, 7, 4, 8}, Transpose{.perm = {0, 2, 1, 3}});
  AddOne(g, cases, "TransposeChannelsLast", {2, 3, 9, 5}, Transpose{.perm = {0, 2, 3, 1}});
  AddOne(g, cases, "Expand", {3, 1, 5}, Expand{}, {{2, 1, 4, 1}});
  AddOne(g, cases, "Tile", {2, 3, 4}, Tile{}, {{2, 1, 3}});
  AddOne(g, cases, "DepthToSpace", {2, 8, 3, 5}, DepthToSpace{.block = 2});
  AddOne(g, cases, "DepthToSpaceColumnRow", {1, 18, 3, 2}, DepthToSpace{.block = 3, .column_row_depth = true});
  AddOne(g, cases, "SpaceToDepth", {2, 3, 4, 6}, DepthToSpace{.block = 2, .inverse = true});
}

void AddSelections(Generator& g, std::vector<Case>& cases) {
  AddOne(g, cases, "Slice", {5, 7}, Slice{}, {{1, -4}, {4, INT64_MAX}});
  AddOne(g, cases, "SliceSteps", {9, 7, 3}, Slice{}, {{1, 0}, {9, 7}, {0, 1}, {3, 2}});
  AddOne(g, cases, "SliceBackwards", {6, 5}, Slice{}, {{-1}, {INT64_MIN}, {1}, {-2}});
  AddOne(g, cases, "TriluUpper", {2, 5, 4}, Trilu{});
  for (int64_t k : {-2, 1, 9}) {
    CaseBuilder builder("TriluLower" + std::to_string(k), g);
    ValueId x = builder.Input({4, 6});
    ValueId diagonal = builder.Constant(Tensor::FromValues<int64_t>({}, {k}));
    cases.push_back(builder.Finish({builder.Add(Trilu{.upper = false}, {x, diagonal})}));
  }
  for (int64_t axis : {0, 1, -1}) {
    CaseBuilder builder("Gather" + std::to_string(axis), g);
    ValueId data = builder.Input({5, 6, 4}), indices = builder.Input(g.Int64s({2, 3}, -4, 3));
    cases.push_back(builder.Finish({builder.Add(Gather{.axis = axis}, {data, indices})}));
  }
  CaseBuilder embedding("GatherInt32", g);
  ValueId table = embedding.Weight({11, 8}), tokens = embedding.Input(g.Int32s({1, 5}, 0, 10));
  cases.push_back(embedding.Finish({embedding.Add(Gather{}, {table, tokens})}));
  CaseBuilder elements("GatherElements", g);
  ValueId data = elements.Input({5, 6, 4}), indices = elements.Input(g.Int64s({5, 3, 4}, -6, 5));
  cases.push_back(elements.Finish({elements.Add(Gather{.axis = 1, .elements = true}, {data, indices})}));
}

void AddJoins(Generator& g, std::vector<Case>& cases) {
  for (int64_t axis : {0, 1, -1}) {
    CaseBuilder builder("Concat" + std::to_string(axis), g);
    std::vector<ValueId> parts;
    for (int64_t extent : {2, 1, 5}) {
      Shape shape = {3, 4, 6};
      shape[static_cast<size_t>(axis < 0 ? 2 : axis)] = extent;
      parts.push_back(builder.Input(shape));
    }
    cases.push_back(builder.Finish({builder.Add(Concat{.axis = axis}, parts)}));
  }
  CaseBuilder sized("SplitSizes", g);
  ValueId x = sized.Input({3, 9, 2});
  cases.push_back(sized.Finish(sized.AddNode(Split{.axis = 1}, {x, sized.Integers({2, 3, 4})}, 3)));
  CaseBuilder even("SplitEven", g);
  ValueId y = even.Input({3, 8});
  cases.push_back(even.Finish(even.AddNode(Split{.axis = -1}, {y}, 2)));
  CaseBuilder integers("ConcatInt64", g);
  ValueId a = integers.Input(g.Int64s({2, 3}, -9, 9)), b = integers.Input(g.Int64s({2, 2}, -9, 9));
  cases.push_back(integers.Finish({integers.Add(Concat{.axis = 1}, {a, b})}));
}

void AddPads(Generator& g, std::vector<Case>& cases) {
  AddOne(g, cases, "PadZero", {1, 3, 4, 5}, Pad{}, {{0, 0, 1, 2, 0, 0, 3, 0}});
  AddOne(g, cases, "PadCrop", {4, 5}, Pad{}, {{-1, 2, 0, -3}});
  AddOne(g, cases, "PadReflect", {4, 5}, Pad{.mode = PadMode::kReflect}, {{3, 0, 2, 4}});
  AddOne(g, cases, "PadEdge", {4, 5}, Pad{.mode = PadMode::kEdge}, {{3, 1, 0, 6}});
  CaseBuilder valued("PadValueAxes", g);
  ValueId x = valued.Input({3, 4});
  ValueId value = valued.Constant(Tensor::FromValues<float>({}, {-2.5f}));
  cases.push_back(valued.Finish({valued.Add(Pad{}, {x, valued.Integers({1, 2}), value, valued.Integers({1})})}));
}

void AddCasts(Generator& g, std::vector<Case>& cases) {
  for (DType to : {DType::kFloat64, DType::kInt32, DType::kInt64, DType::kBool, DType::kFloat32}) {
    CaseBuilder from_float(std::string("CastFloat32To") + DTypeName(to), g);
    ValueId x = from_float.Input(g.Floats({3, 7}, -20, 20));
    cases.push_back(from_float.Finish({from_float.Add(Cast{.to = to}, {x})}));
    CaseBuilder from_integer(std::string("CastInt64To") + DTypeName(to), g);
    ValueId y = from_integer.Input(g.Int64s({3, 7}, -2, 2));
    cases.push_back(from_integer.Finish({from_integer.Add(Cast{.to = to}, {y})}));
  }
}

void AddResizes(Generator& g, std::vector<Case>& cases) {
  for (uint8_t mode = 0; mode <= static_cast<uint8_t>(ResizeMode::kLast); ++mode) {
    for (uint8_t coordinates = 0; coordinates <= static_cast<uint8_t>(ResizeCoordinates::kLast); ++coordinates) {
      Resize op{.mode = static_cast<ResizeMode>(mode), .coordinates = static_cast<ResizeCoordinates>(coordinates)};
      std::string name = "Resize" + std::to_string(mode) + "Coordinates" + std::to_string(coordinates);
      CaseBuilder sizes(name + "Sizes", g);
      ValueId x = sizes.Input({1, 3, 5, 4});
      cases.push_back(sizes.Finish({sizes.Add(op, {x, kNoValue, sizes.Integers({1, 3, 8, 11})})}));
      CaseBuilder scales(name + "Scales", g);
      ValueId y = scales.Input({1, 2, 6, 7});
      ValueId factors = scales.Constant(Tensor::FromValues<float>({4}, {1.0f, 1.0f, 2.0f, 0.5f}));
      cases.push_back(scales.Finish({scales.Add(op, {y, factors})}));
    }
  }
  CaseBuilder outside("ResizeCubicExcludeOutside", g);
  ValueId x = outside.Input({1, 1, 5, 4});
  Resize op{.mode = ResizeMode::kCubic, .cubic_a = -0.5f, .exclude_outside = true};
  cases.push_back(outside.Finish({outside.Add(op, {x, kNoValue, outside.Integers({1, 1, 7, 9})})}));
}

}  // namespace

void AddMoveCases(Generator& generator, std::vector<Case>& cases) {
  AddShapes(generator, cases);
  AddSelections(generator, cases);
  AddJoins(generator, cases);
  AddPads(generator, cases);
  AddCasts(generator, cases);
  AddResizes(generator, cases);
}

}  // namespace soter::conformance
