// What the products of the panel kernels multiply: cells of four bytes that hold one or more neighbouring
// values, with sums in float32. A format is a type with
//   k_values                      values in a cell
//   from(x[k_values])             vectors that follow each other in a row -> a vector of the row's cells
//   across(x[k_values])           vectors of k_values rows -> in each lane the cell of these rows' values
//   there dot(a, b, sum)                sum + the products of each cell's values ones() cells whose values
//   are 1
// Included by the kernels' files only.
#pragma once

namespace crane::kernels {
namespace {

// A cell is one float.
template <typename V>
struct FloatCells {
  using Reg = typename V::Reg;
  static constexpr int k_values = 1;
  static Reg from(const Reg (&x)[k_values]) { return x[0]; }
  static Reg across(const Reg (&x)[k_values]) { return x[0]; }
  static Reg dot(Reg a, Reg b, Reg sum) { return V::fma(a, b, sum); }
  static Reg ones() { return V::set1(1.0F); }
};

}  // namespace
}  // namespace crane::kernels
