#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "common/graph/testing/graph_builder.h"

// Constant folding, seen through Bind: a graph of constants becomes one initializer.
namespace soter {
namespace {

using ::testing::ElementsAre;

class Fold : public testing::Test {
 protected:
  ValueId Floats(std::initializer_list<float> values) {
    return b_.Constant(Tensor::FromValues<float>({static_cast<int64_t>(values.size())}, values));
  }
  ValueId Matrix() { return b_.Constant(Tensor::FromValues<int64_t>({2, 3}, {1, 2, 3, 4, 5, 6})); }

  // Value of `result` after binding, or null when it was not folded.
  const Tensor* Value(ValueId result) {
    b_.Output(result);
    Result<StaticGraph> bound = b_.Bind({});
    if (!bound.ok()) ADD_FAILURE() << bound.error().message;
    if (!bound.ok()) return nullptr;
    bound_.emplace(std::move(bound).value());
    return bound_->constant(result);
  }
  template <typename T>
  std::vector<T> Elements(ValueId result) {
    const Tensor* value = Value(result);
    if (value == nullptr) {
      ADD_FAILURE() << "not folded";
      return {};
    }
    return {value->As<T>().begin(), value->As<T>().end()};
  }

  GraphBuilder b_;
  std::optional<StaticGraph> bound_;
};

TEST_F(Fold, Gather) {
  ValueId gathered = b_.Add(Gather{.axis = 1}, {Matrix(), b_.Integers({2, -3})});
  EXPECT_THAT(Elements<int64_t>(gathered), ElementsAre(3, 1, 6, 4));
}
TEST_F(Fold, GatherByInt32) {
  ValueId indices = b_.Constant(Tensor::FromValues<int32_t>({1, 1}, {1}));
  EXPECT_THAT(Elements<int64_t>(b_.Add(Gather{}, {Matrix(), indices})), ElementsAre(4, 5, 6));
}
TEST_F(Fold, GatherElements) {
  ValueId indices = b_.Constant(Tensor::FromValues<int64_t>({1, 3}, {1, 0, -1}));
  EXPECT_THAT(Elements<int64_t>(b_.Add(Gather{.elements = true}, {Matrix(), indices})), ElementsAre(4, 2, 6));
}
TEST_F(Fold, GatherOutOfRangeIsMalformed) {
  for (int64_t index : {int64_t{3}, int64_t{-4}, INT64_MIN, INT64_MAX}) {
    GraphBuilder b;
    b.Output(b.Add(Gather{}, {b.Integers({7, 8, 9}), b.Scalar(index)}));
    EXPECT_EQ(b.Bind({}).error().code, ErrorCode::kMalformed);
  }
}
TEST_F(Fold, SliceBackwards) {
  EXPECT_THAT(Elements<int64_t>(b_.Add(Slice{}, {Matrix(), b_.Integers({-1}), b_.Integers({INT64_MIN}),
                                                 b_.Integers({1}), b_.Integers({-2})})),
              ElementsAre(3, 1, 6, 4));
}
TEST_F(Fold, Concat) {
  EXPECT_THAT(Elements<int64_t>(b_.Add(Concat{.axis = 1}, {Matrix(), Matrix()})),
              ElementsAre(1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6));
}
TEST_F(Fold, ConcatOfNothing) {
  ValueId empty = b_.Constant(Tensor::FromValues<int64_t>({0, 3}, {}));
  EXPECT_THAT(Elements<int64_t>(b_.Add(Concat{.axis = 1}, {empty, empty})), ElementsAre());
}
TEST_F(Fold, Transpose) {
  EXPECT_THAT(Elements<int64_t>(b_.Add(Transpose{}, {Matrix()})), ElementsAre(1, 4, 2, 5, 3, 6));
}
TEST_F(Fold, TransposeByPerm) {
  ValueId cube = b_.Constant(Tensor::FromValues<int64_t>({1, 2, 3}, {1, 2, 3, 4, 5, 6}));
  EXPECT_THAT(Elements<int64_t>(b_.Add(Transpose{.perm = {2, 0, 1}}, {cube})), ElementsAre(1, 4, 2, 5, 3, 6));
}
TEST_F(Fold, Split) {
  std::vector<ValueId> parts = b_.AddNode(Split{.axis = 1}, {Matrix()}, 2);
  EXPECT_THAT(Elements<int64_t>(parts[1]), ElementsAre(3, 6));
}
TEST_F(Fold, ExpandAndTile) {
  ValueId column = b_.Constant(Tensor::FromValues<int64_t>({2, 1}, {1, 2}));
  ValueId wide = b_.Add(Expand{}, {column, b_.Integers({1, 2})});
  EXPECT_THAT(Elements<int64_t>(b_.Add(Tile{}, {wide, b_.Integers({2, 1})})), ElementsAre(1, 1, 2, 2, 1, 1, 2, 2));
}
TEST_F(Fold, FillAndReshape) {
  ValueId sevens = b_.Add(Fill{}, {b_.Integers({2, 2}), Floats({7})});
  EXPECT_THAT(Elements<float>(b_.Add(Reshape{}, {sevens, b_.Integers({-1})})), ElementsAre(7, 7, 7, 7));
}
TEST_F(Fold, Range) {
  EXPECT_THAT(Elements<int64_t>(b_.Add(Range{}, {b_.Scalar(INT64_MIN), b_.Scalar(INT64_MAX), b_.Scalar(INT64_MAX)})),
              ElementsAre(INT64_MIN, -1, INT64_MAX - 1));
}
TEST_F(Fold, Where) {
  ValueId condition = b_.Constant(Tensor::FromValues<bool>({2}, {true, false}));
  EXPECT_THAT(Elements<float>(b_.Add(Where{}, {condition, Floats({1}), Floats({2, 3})})), ElementsAre(1, 3));
}
TEST_F(Fold, IntegerDivisionTruncates) {
  EXPECT_THAT(Elements<int64_t>(b_.Add(Binary{.kind = BinaryKind::kDiv}, {b_.Integers({-7, 7, INT64_MIN}),
                                                                         b_.Integers({2, -2, -1})})),
              ElementsAre(-3, -3, INT64_MIN));
}
TEST_F(Fold, ModuloTakesTheSignOfTheDivisor) {
  EXPECT_THAT(Elements<int64_t>(b_.Add(Binary{.kind = BinaryKind::kMod}, {b_.Integers({-7, 7, INT64_MIN}),
                                                                         b_.Integers({3, -3, -1})})),
              ElementsAre(2, -2, 0));
}
TEST_F(Fold, FmodTakesTheSignOfTheDividend) {
  EXPECT_THAT(Elements<int64_t>(b_.Add(Binary{.kind = BinaryKind::kFmod}, {b_.Integers({-7, 7}), b_.Scalar(3)})),
              ElementsAre(-1, 1));
}
TEST_F(Fold, IntegerDivisionByZeroIsMalformed) {
  for (BinaryKind kind : {BinaryKind::kDiv, BinaryKind::kMod, BinaryKind::kFmod}) {
    GraphBuilder b;
    b.Output(b.Add(Binary{.kind = kind}, {b.Integers({1}), b.Scalar(0)}));
    EXPECT_EQ(b.Bind({}).error().code, ErrorCode::kMalformed);
  }
}
TEST_F(Fold, IntegersWrapAround) {
  EXPECT_THAT(Elements<int64_t>(b_.Add(Binary{}, {b_.Integers({INT64_MAX}), b_.Scalar(1)})), ElementsAre(INT64_MIN));
}
TEST_F(Fold, Int32WrapsAtItsOwnWidth) {
  ValueId most = b_.Constant(Tensor::FromValues<int32_t>({1}, {INT32_MAX}));
  EXPECT_THAT(Elements<int32_t>(b_.Add(Binary{.kind = BinaryKind::kAdd}, {most, most})), ElementsAre(-2));
}
TEST_F(Fold, Power) {
  EXPECT_THAT(Elements<int64_t>(b_.Add(Binary{.kind = BinaryKind::kPow}, {b_.Integers({3, -1, 2, 1}),
                                                                         b_.Integers({4, -3, -1, -9})})),
              ElementsAre(81, -1, 0, 1));
}
TEST_F(Fold, ComparisonsAndLogic) {
  ValueId less = b_.Add(Binary{.kind = BinaryKind::kLess}, {b_.Integers({1, 2, 3}), b_.Scalar(2)});
  ValueId equal = b_.Add(Binary{.kind = BinaryKind::kEqual}, {b_.Integers({1, 2, 3}), b_.Scalar(2)});
  ValueId either = b_.Add(Binary{.kind = BinaryKind::kOr}, {less, equal});
  EXPECT_THAT(Elements<bool>(b_.Add(Unary{.kind = UnaryKind::kNot}, {either})), ElementsAre(false, false, true));
}
TEST_F(Fold, FloatsRoundOnce) {
  ValueId third = b_.Add(Binary{.kind = BinaryKind::kDiv}, {Floats({1}), Floats({3})});
  EXPECT_THAT(Elements<float>(b_.Add(Unary{.kind = UnaryKind::kSqrt}, {third})), ElementsAre(std::sqrt(1.0f / 3.0f)));
}
TEST_F(Fold, MaximumKeepsNan) {
  ValueId most = b_.Add(Binary{.kind = BinaryKind::kMax}, {Floats({NAN, 1}), Floats({0})});
  std::vector<float> values = Elements<float>(most);
  EXPECT_TRUE(std::isnan(values[0]));
  EXPECT_EQ(values[1], 1);
}
TEST_F(Fold, FusedReluIsApplied) {
  EXPECT_THAT(Elements<float>(b_.Add(Binary{.kind = BinaryKind::kSub, .activation = Activation::kRelu},
                                     {Floats({1, 5}), Floats({3})})),
              ElementsAre(0, 2));
}
TEST_F(Fold, UnaryKinds) {
  ValueId x = b_.Add(Unary{.kind = UnaryKind::kNeg}, {b_.Integers({-2, 0, INT64_MIN})});
  x = b_.Add(Unary{.kind = UnaryKind::kSign}, {b_.Add(Unary{.kind = UnaryKind::kAbs}, {x})});
  EXPECT_THAT(Elements<int64_t>(x), ElementsAre(1, 0, -1)) << "the least integer has no absolute value";
}
TEST_F(Fold, RoundingKinds) {
  ValueId x = Floats({-1.5f, 0.5f, 2.5f});
  ValueId rounded = b_.Add(Unary{.kind = UnaryKind::kRound}, {x});
  ValueId floor = b_.Add(Unary{.kind = UnaryKind::kFloor}, {x});
  EXPECT_THAT(Elements<float>(b_.Add(Concat{}, {rounded, floor})), ElementsAre(-2, 0, 2, -2, 0, 2));
}
TEST_F(Fold, CastsSaturate) {
  EXPECT_THAT(Elements<int64_t>(b_.Add(Cast{.to = DType::kInt64}, {Floats({-2.7f, NAN, 1e30f, -INFINITY})})),
              ElementsAre(-2, 0, INT64_MAX, INT64_MIN));
}
TEST_F(Fold, CastToBoolAsksWhetherZero) {
  EXPECT_THAT(Elements<bool>(b_.Add(Cast{.to = DType::kBool}, {b_.Integers({256, 0, -1})})),
              ElementsAre(true, false, true));
}
TEST_F(Fold, Reduce) {
  ValueId product = b_.Add(Reduce{.kind = ReduceKind::kProd, .keep_dims = false}, {b_.Integers({2, 3, 7})});
  EXPECT_THAT(Elements<int64_t>(product), ElementsAre(42));
}
TEST_F(Fold, ReduceOneAxis) {
  ValueId axes = b_.Integers({0});
  ValueId sum = b_.Add(Reduce{.kind = ReduceKind::kSum}, {Matrix(), axes});
  ValueId least = b_.Add(Reduce{.kind = ReduceKind::kMin}, {Matrix(), axes});
  ValueId most = b_.Add(Reduce{.kind = ReduceKind::kMax}, {Matrix(), axes});
  EXPECT_THAT(Elements<int64_t>(b_.Add(Concat{}, {sum, least, most})), ElementsAre(5, 7, 9, 1, 2, 3, 4, 5, 6));
}
TEST_F(Fold, WhatIsNoShapeArithmeticStaysANode) {
  ValueId x = b_.Add(Unary{.kind = UnaryKind::kErf}, {Floats({1})});
  EXPECT_EQ(Value(b_.Add(Binary{.kind = BinaryKind::kPRelu}, {x, Floats({1})})), nullptr);
  EXPECT_EQ(bound_->graph().nodes.size(), 2u);
}
TEST_F(Fold, Float16StaysANode) {
  ValueId half = b_.Constant(Tensor::Allocate({DType::kFloat16, {0}}).value());
  EXPECT_EQ(Value(b_.Add(Binary{}, {half, half})), nullptr);
}

}  // namespace
}  // namespace soter
