// TableScatter: see the header. Along one axis whose index grows with the position by 1 or -1, a run of values goes to a run of entries, or
// where the index is outside all along, to one end.
#include "TableScatter.h"

using namespace mlir;
using namespace tercet;
using namespace tercet::compiler;

TableScatter::TableScatter(KernelBuilder &k, const TableRead &read, PairScope &scope, TableView entries, Value start)
    : k(k), read(read), entries(std::move(entries)), start(start) {
  for (const std::shared_ptr<Region> &region : read.indices)
    indices.emplace_back(*region, scope);
}

void TableScatter::bind(unsigned number, Value value) {
  Value narrow = k.narrow(value);
  for (PairRegion &index : indices) {
    index.bind(number, narrow);
    index.clone(k.raw());
  }
}

static Value widened(KernelBuilder &k, Value index) {
  return k.raw().createOrFold<arith::IndexCastOp>(k.location(), k.raw().getIndexType(), index);
}

Value TableScatter::index(size_t axis) const {
  PairRegion copy = indices[axis];
  return widened(k, copy.make(k.raw(), copy.yielded()));
}

Value TableScatter::indexAt(size_t axis, unsigned number, Value position) const {
  PairRegion copy = indices[axis];
  copy.bind(number, k.narrow(position));
  return widened(k, copy.make(k.raw(), copy.yielded()));
}

Value TableScatter::entry(size_t axis, Value index) const {
  return k.max(k.min(index, k.sub(entries.sizes[axis], k.index(1))), k.index(0));
}

void TableScatter::addSum(Value offset, Value count, Value values, Value row, Value col) const {
  Value zero = k.index(0), at = k.view(entries.base, offset, 1);
  Value sum = k.reduce(tkern::ReduceKind::Add, k.load(values, row, 1, width, col, {}, count));
  k.store(k.tileSum(k.load(at, zero, 1, 1), sum), at, zero);
}

void TableScatter::addRun(Value offset, Value stride, Value count, Value values, Value row, Value col) const {
  Value zero = k.index(0), one = k.index(1);
  k.when(
      k.equal(stride, one),
      [&] {
        Value at = k.view(entries.base, offset, width);
        Value sum = k.tileSum(k.load(at, zero, 1, width, {}, {}, count), k.load(values, row, 1, width, col, {}, count));
        k.store(sum, at, zero, {}, {}, count);
      },
      [&] {
        k.loop(zero, count, 1, [&](Value number) {
          Value at = k.view(entries.base, k.add(offset, k.mul(number, stride)), 1);
          k.store(k.tileSum(k.load(at, zero, 1, 1), k.load(values, row, 1, 1, k.add(col, number))), at, zero);
        });
      });
}

// Values for the same entry one after the other are summed first, as those of a bucket of distances are.
void TableScatter::addEach(unsigned number, Value first, Value count, Value values, Value row, Value col, Value offset,
                           ArrayRef<size_t> axes) const {
  Value zero = k.index(0);
  auto entryAt = [&](Value step) {
    Value to = offset;
    for (size_t axis : axes)
      to = k.add(to, k.mul(entry(axis, indexAt(axis, number, k.add(first, step))), entries.strides[axis]));
    return to;
  };
  auto keep = [&](Value to, Value sum) {
    Value at = k.view(entries.base, to, 1);
    k.store(k.tileSum(k.load(at, zero, 1, 1), sum), at, zero);
  };
  SmallVector<Value> last =
      k.loop(zero, count, 1, {entryAt(zero), k.splat(k.real(0), 1, 1)}, [&](Value step, ValueRange carried) {
        Value to = entryAt(step), value = k.load(values, row, 1, 1, k.add(col, step)), sum = carried[1];
        Value next = k.choose(
            sum.getType(), k.equal(to, carried[0]), [&] { return k.tileSum(sum, value); },
            [&] {
              keep(carried[0], sum);
              return value;
            });
        return SmallVector<Value>{to, next};
      });
  keep(last[0], last[1]);
}

void TableScatter::add(unsigned number, Value first, Value count, Value values, Value row, Value col) const {
  Value zero = k.index(0), one = k.index(1), fixed = start;
  SmallVector<size_t> axes;
  for (size_t axis = 0; axis < indices.size(); ++axis) {
    if (read.step(axis, number) == 0)
      fixed = k.add(fixed, offset(axis));
    else
      axes.push_back(axis);
  }
  if (axes.empty())
    return addSum(fixed, count, values, row, col);
  size_t axis = axes.front();
  std::optional<int64_t> step = read.step(axis, number);
  if (axes.size() > 1 || !step || (*step != 1 && *step != -1))
    return addEach(number, first, count, values, row, col, fixed, axes);
  Value begin = indexAt(axis, number, first), end = k.add(begin, k.mul(k.sub(count, one), *step));
  Value low = *step > 0 ? begin : end, high = *step > 0 ? end : begin;
  Value last = k.sub(entries.sizes[axis], one), stride = entries.strides[axis];
  Value isOutside = k.bitOr(k.less(high, one), k.less(k.sub(last, one), low));
  k.when(
      isOutside, [&] { addSum(k.add(fixed, k.mul(entry(axis, begin), stride)), count, values, row, col); },
      [&] {
        Value isInside = k.bitAnd(k.less(k.index(-1), low), k.less(high, entries.sizes[axis]));
        k.when(
            isInside,
            [&] { addRun(k.add(fixed, k.mul(begin, stride)), k.mul(stride, *step), count, values, row, col); },
            [&] { addEach(number, first, count, values, row, col, fixed, axes); });
      });
}
