// wgmma: fence, mma_async, commit_group, wait_group.
//
// Every warp of the warpgroup executes its 16 rows by itself; Lockstep sees to it that the four go through the same products.
// From issue to wait the accumulators and operands in registers are held (RegisterWatch), operands in shared memory count
// as being read (Proxies), whenever the launch lets the sums arrive.
#include "families/Warpgroup.h"

#include "core/Proxies.h"
#include "families/Families.h"
#include "families/WarpgroupProduct.h"

#include <fmt/format.h>

#include <algorithm>

namespace tercet::sim {

namespace {

struct ProductSequence : Lockstep {};
constexpr const char *sequenceName = "warpgroup products";

// f(address) for every chunk of shared memory that the warp's part reads.
template <typename F> void forOperandChunks(const Warp &warp, const Product &product, F &&f) {
  ProductForm form = ProductForm::of(*product.in);
  if (!form.aInRegisters)
    forChunks(MatrixDescriptor::decode(product.a), form, form.aMajor, warp.index % 4 * 16, 16, f);
  forChunks(MatrixDescriptor::decode(product.b), form, form.bMajor, 0, form.columns, f);
}

uint32_t registersOfA(const ProductForm &form) { return form.aInRegisters ? 4 : 0; }

uint32_t holderOf(Warp &warp, uint32_t slot) {
  for (const Product &product : warp.state.get<Products>().inFlight) {
    const Instruction &in = *product.in;
    ProductForm form = ProductForm::of(in);
    if (std::find(in.to, in.to + form.accumulators(), slot) != in.to + form.accumulators() ||
        std::find(in.from, in.from + registersOfA(form), slot) != in.from + registersOfA(form))
      return in.line;
  }
  return 0;
}

void attach(Cta &cta) {
  Proxies::attach(cta);
  for (Warp &warp : cta.warps) {
    Products &products = warp.state.get<Products>();
    products.watch.start(cta.kernel().words);
    products.watch.holder = holderOf;
    warp.watch = &products.watch;
  }
}

void hold(RegisterWatch &watch, const Product &product) {
  ProductForm form = ProductForm::of(*product.in);
  for (uint32_t i = 0; i < form.accumulators(); ++i)
    watch.hold(product.in->to[i], RegisterWatch::accumulator);
  for (uint32_t i = 0; i < registersOfA(form); ++i)
    watch.hold(product.in->from[i], RegisterWatch::operand);
}

// A register that ordinary instructions touched since the last fence, or that other products hold.
void checkRegisters(const Site &site, const Products &products, const ProductForm &form) {
  if (!products.fenced)
    site.fail("is the first matrix product of its warp, with no wgmma.fence before it");
  for (uint32_t i = 0; i < form.accumulators(); ++i) {
    uint8_t flags = products.watch.at(site.in.to[i]);
    if (flags & (RegisterWatch::written | RegisterWatch::read))
      site.fail(fmt::format("accumulator {} was {} since the last wgmma.fence", i,
                            flags & RegisterWatch::written ? "written" : "read"));
    if (flags & RegisterWatch::operand)
      site.fail(fmt::format("accumulator {} is an operand of a product in flight", i));
  }
  for (uint32_t i = 0; i < registersOfA(form); ++i) {
    uint8_t flags = products.watch.at(site.in.from[i]);
    if (flags & RegisterWatch::written)
      site.fail(fmt::format("register {} of A was written since the last wgmma.fence", i));
    if (flags & RegisterWatch::accumulator)
      site.fail(fmt::format("register {} of A is an accumulator of a product in flight", i));
  }
}

uint64_t uniform(const Site &site, uint32_t slot) {
  const uint64_t *bits = site.warp.wide(slot);
  for (int lane = 1; lane < warpLanes; ++lane)
    if (bits[lane] != bits[0])
      site.fail("the lanes of a warp give different descriptors");
  return bits[0];
}

void finish(Warp &warp, Product &product) {
  if (!product.done)
    computeProduct(warp, product);
  product.done = true;
}

// PTX wants a base offset where a swizzled matrix does not begin with the first row of the pattern, which repeats every 8 rows.
void checkDescriptor(const Site &site, uint64_t bits) {
  if (MatrixDescriptor matrix = MatrixDescriptor::decode(bits); !matrix.beginsPattern())
    site.fail(
        fmt::format("takes a matrix at shared address {:#x} with a base offset of {}, which does not begin where the "
                    "swizzle of {} bytes does",
                    matrix.start, matrix.baseOffset, matrix.span));
}

void execute(Warp &warp, const Instruction &in, Mask mask) {
  if (!warp.gather(in, mask, allLanes))
    return;
  Site site{warp, in, 0};
  Cta &cta = warp.cta;
  Products &products = warp.state.get<Products>();
  ProductForm form = ProductForm::of(in);
  uint32_t at = registersOfA(form);
  Product product;
  product.in = &in;
  if (!form.aInRegisters) {
    product.a = uniform(site, in.from[at++]);
    checkDescriptor(site, product.a);
  }
  product.b = uniform(site, in.from[at++]);
  checkDescriptor(site, product.b);
  Mask adds = warp.predicate(in.from[at]);
  if (adds != 0 && adds != allLanes)
    site.fail("the lanes of a warp give different values of scale-d");
  product.adds = adds != 0;
  product.group = products.committed;
  checkRegisters(site, products, form);
  cta.state.get<ProductSequence>().take(site, {in.index, product.a, product.b}, sequenceName);
  Proxies &proxies = cta.state.get<Proxies>();
  forOperandChunks(warp, product, [&](uint32_t address) {
    cta.shared.readable(site, address, Proxies::granule);
    proxies.checkFenced(site, address, Proxies::granule);
    proxies.beginRead(address, Proxies::granule);
  });
  hold(products.watch, product);
  Landing landing = cta.config().landing;
  products.inFlight.push_back(product);
  if (landing == Landing::atIssue || (landing == Landing::seeded && cta.cluster().random.below(2)))
    for (Product &earlier : products.inFlight) // products take effect in order
      finish(warp, earlier);
}

void fence(Warp &warp, const Instruction &in, Mask mask) {
  if (!warp.gather(in, mask, allLanes))
    return;
  Products &products = warp.state.get<Products>();
  products.watch.fence();
  products.fenced = true;
}

void commit(Warp &warp, const Instruction &in, Mask mask) {
  if (warp.gather(in, mask, allLanes))
    ++warp.state.get<Products>().committed;
}

// immediate: groups that may be left in flight.
void wait(Warp &warp, const Instruction &in, Mask mask) {
  if (!warp.gather(in, mask, allLanes))
    return;
  Products &products = warp.state.get<Products>();
  Proxies &proxies = warp.cta.state.get<Proxies>();
  Races *races = warp.cta.races();
  Site site{warp, in, 0};
  bool any = false;
  while (!products.inFlight.empty() && products.inFlight.front().group + uint64_t(in.immediate) < products.committed) {
    Product &product = products.inFlight.front();
    finish(warp, product);
    forOperandChunks(warp, product, [&](uint32_t address) {
      proxies.endRead(address, Proxies::granule);
      if (races) // it was read until now: who overwrites it must have seen the wait
        races->read(site, warp.cta.shared, address, Proxies::granule);
    });
    products.inFlight.pop_front();
    any = true;
  }
  if (!any)
    return;
  products.watch.letGo();
  for (const Product &product : products.inFlight)
    hold(products.watch, product);
}

void checkExit(Warp &warp, const Instruction &in, Mask mask) {
  Site site{warp, in, firstLane(mask)};
  if (const Products &products = warp.state.get<Products>(); !products.inFlight.empty())
    site.fail(
        fmt::format("exits while the matrix product of line {} is in flight", products.inFlight.front().in->line));
  warp.cta.state.get<ProductSequence>().checkEnd(site, sequenceName);
}

void takeAligned(Decoding &d) {
  if (!d.take("sync") || !d.take("aligned"))
    d.fail("exists as .sync.aligned");
  d.in.unwatched = true;
}

void decodeFence(Decoding &d) {
  takeAligned(d);
  d.expectOperands(0);
  d.run(fence);
}
void decodeCommit(Decoding &d) {
  takeAligned(d);
  d.expectOperands(0);
  d.run(commit);
}
void decodeWait(Decoding &d) {
  takeAligned(d);
  d.expectOperands(1);
  d.in.immediate = d.immediate(0);
  if (d.in.immediate < 0 || d.in.immediate > 7)
    d.fail("waits until 0 to 7 groups are left");
  d.run(wait);
}

ProductElement takeElement(Decoding &d) {
  constexpr std::pair<std::string_view, ProductElement> names[] = {
      {"bf16", ProductElement::bf16}, {"f16", ProductElement::f16}, {"tf32", ProductElement::tf32},
      {"s8", ProductElement::s8},     {"u8", ProductElement::u8},   {"e4m3", ProductElement::e4m3},
      {"e5m2", ProductElement::e5m2}};
  std::string_view word = d.takeNext();
  for (const auto &[name, element] : names)
    if (word == name)
      return element;
  d.fail(fmt::format("multiplies .{}, which is not known", word));
}

// .mMnNkK.dtype.atype.btype
ProductForm takeForm(Decoding &d) {
  ProductForm form;
  std::string shape(d.takeNext());
  unsigned columns = 0, depth = 0;
  char rest;
  if (std::sscanf(shape.c_str(), "m64n%uk%u%c", &columns, &depth, &rest) != 2 || columns < 8 || columns > 256 ||
      columns % 8)
    d.fail(fmt::format("has the shape {}; it takes m64nNkK with N = 8, 16 .. 256", shape));
  form.columns = uint16_t(columns);
  std::string_view sum = d.takeNext();
  form.a = takeElement(d);
  form.b = takeElement(d);
  bool integers = form.a == ProductElement::s8 || form.a == ProductElement::u8;
  bool bytes = form.elementBytes() == 1;
  ProductForm other = form;
  other.a = form.b;
  bool pairs = form.a == form.b || (bytes && other.elementBytes() == 1 &&
                                    integers == (form.b == ProductElement::s8 || form.b == ProductElement::u8));
  bool sums = integers ? sum == "s32" : sum == "f32" || (sum == "f16" && (bytes || form.a == ProductElement::f16));
  if (!pairs || !sums || depth != form.depth())
    d.fail("has types and a depth that do not go together");
  form.sum = integers ? ProductSum::s32 : sum == "f16" ? ProductSum::f16 : ProductSum::f32;
  return form;
}

bool takeBit(Decoding &d, size_t number) {
  int64_t value = d.immediate(number);
  if (value != 0 && value != 1)
    d.fail(fmt::format("takes 0 or 1 as operand {}", number + 1));
  return value;
}
bool takeSign(Decoding &d, size_t number) {
  int64_t value = d.immediate(number);
  if (value != 1 && value != -1)
    d.fail(fmt::format("takes 1 or -1 as operand {}", number + 1));
  return value < 0;
}

// d, a | {a}, b, scale-d {, scale-a, scale-b {, trans-a}, trans-b}
void decodeProduct(Decoding &d) {
  takeAligned(d);
  ProductForm form = takeForm(d);
  bool integers = form.sum == ProductSum::s32, transposes = form.elementBytes() == 2;
  form.aInRegisters = d.operands() > 1 && d.operand(1).kind == Operand::Kind::list;
  d.expectOperands(4 + (integers ? 0 : 2) + (transposes ? form.aInRegisters ? 1 : 2 : 0));
  d.toList(0, integers || form.sum == ProductSum::f16 ? Type::b32 : Type::f32, form.accumulators());
  if (form.aInRegisters)
    d.fromList(1, Type::b32, 4);
  else
    d.from(1, Type::b64);
  d.from(2, Type::b64);
  d.from(3, Type::pred);
  if (!integers) {
    form.negateA = takeSign(d, 4);
    form.negateB = takeSign(d, 5);
  }
  if (transposes) {
    if (!form.aInRegisters)
      form.aMajor = takeBit(d, 6);
    form.bMajor = takeBit(d, d.operands() - 1);
  }
  d.in.immediate = form.pack();
  d.in.flops = uint64_t{2} * 16 * form.columns * form.depth();
  Kernel::addOnce(d.kernel.atStart, &attach);
  Kernel::addOnce<Handler>(d.kernel.atExit, checkExit);
  d.countAs("wgmma.mma_async");
  d.run(execute);
}

constexpr Rule rules[] = {{"wgmma.fence", decodeFence},
                          {"wgmma.commit_group", decodeCommit},
                          {"wgmma.wait_group", decodeWait},
                          {"wgmma.mma_async", decodeProduct}};

} // namespace

Rules warpgroupRules() { return rules; }

} // namespace tercet::sim
